"""API Gateway REST APIs (payload format 1.0), also HTTP APIs that were told to use this format. Generic in the body.

Wire names are those of the event, but for what all HTTP fronts share: `httpMethod` is `method`, the two query maps are
`query`, the two header maps `headers`. The console's test button sends null maps. Query values come decoded, paths do
not. REST APIs send no `version`.
"""

from __future__ import annotations

from .fields import boolean, header_map, maybe_text, text, text_map
from .gateway_v1 import GatewayContext
from .generics import Generic
from .http_fields import AsItCame, BodyT, cookies, http_body, query
from .nested import view
from .payload import Payload
from .view import View

__all__ = ["ApiGatewayEvent"]


class ApiGatewayEvent(View, Generic[BodyT], kinds=("apigw_rest",), payloads=(AsItCame,)):
    """A request; `body` is text or bytes, or the type named: `ApiGatewayEvent[Order]`."""

    body: Payload[BodyT] = http_body()
    is_base64_encoded = boolean("isBase64Encoded")
    method = text("httpMethod")
    path = text("path")
    resource = text("resource")
    headers = header_map()
    query = query("queryStringParameters", "multiValueQueryStringParameters")
    cookies = cookies()
    path_parameters = text_map("pathParameters")
    stage_variables = text_map("stageVariables")
    version = maybe_text("version")
    request_context = view("requestContext", GatewayContext)

    @property
    def source_ip(self) -> str:
        """The address that connected; `test-invoke-source-ip` from the console."""
        return self.request_context.identity.source_ip

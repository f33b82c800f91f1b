"""API Gateway WebSocket APIs: a connection opens, says something, closes. Generic in the body.

Wire names are those of the event. Only a message has a body; only the opening has headers and a query worth the name;
the closing is told on a best-effort basis. Some events carry what a REST event has, too.
"""

from __future__ import annotations

from .fields import boolean, header_map, text_map
from .gateway_v1 import WebSocketContext
from .generics import Generic
from .http_fields import AsItCame, BodyT, cookies, http_body, query
from .nested import view
from .payload import Payload
from .view import View

__all__ = ["WebSocketEvent"]


class WebSocketEvent(View, Generic[BodyT], kinds=("apigw_websocket",), payloads=(AsItCame,)):
    """A moment of a connection; `body` is None or a message: text, or the type named: `WebSocketEvent[Command]`."""

    body: Payload[BodyT | None] = http_body(optional=True)
    is_base64_encoded = boolean("isBase64Encoded")
    headers = header_map()
    query = query("queryStringParameters", "multiValueQueryStringParameters")
    cookies = cookies()
    path_parameters = text_map("pathParameters")
    stage_variables = text_map("stageVariables")
    request_context = view("requestContext", WebSocketContext)

    @property
    def event_type(self) -> str:
        """`CONNECT`, `MESSAGE` or `DISCONNECT`; by the route where the event does not say."""
        context = self.request_context
        moments = {"$connect": "CONNECT", "$disconnect": "DISCONNECT"}
        return context.event_type or moments.get(context.route_key, "MESSAGE")

    @property
    def route_key(self) -> str:
        """The route: `$connect`, `$disconnect`, `$default` or one of the API's own."""
        return self.request_context.route_key

    @property
    def connection_id(self) -> str:
        """Which connection."""
        return self.request_context.connection_id

    @property
    def source_ip(self) -> str:
        """The address that connected."""
        return self.request_context.identity.source_ip

    @property
    def management_url(self) -> str:
        """Where to send messages to clients: the `endpoint_url` of boto3's `apigatewaymanagementapi`."""
        return f"https://{self.request_context.domain_name}/{self.request_context.stage}"

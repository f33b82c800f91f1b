"""API Gateway's questions whether a request may pass: by token, by request in both formats, for WebSocket APIs.

Wire names are those of the event, but for what all HTTP fronts share (`httpMethod` is `method`). No event has a body.
"""

from __future__ import annotations

from .fields import header_map, maybe_text, text, text_map, texts
from .gateway_v1 import GatewayContext, WebSocketContext
from .gateway_v2 import GatewayV2Context, path_without_stage
from .http_fields import cookies, query
from .nested import view
from .view import View

__all__ = ["HttpApiAuthorizerEvent", "RequestAuthorizerEvent", "TokenAuthorizerEvent", "WebSocketAuthorizerEvent"]


class TokenAuthorizerEvent(View, kinds=("apigw_authorizer.token",)):
    """A token, taken from the header that the authorizer names."""

    authorization_token = text("authorizationToken", secret=True)
    method_arn = text("methodArn")
    type = text("type")

    @property
    def bearer_token(self) -> str:
        """The token without the word `Bearer` that may stand before it."""
        scheme, _, rest = self.authorization_token.partition(" ")
        return rest.strip() if rest and scheme.lower() == "bearer" else self.authorization_token


class RequestAuthorizerEvent(View, kinds=("apigw_authorizer.request",)):
    """A request to a REST API, or to an HTTP API whose authorizer uses format 1.0."""

    method_arn = text("methodArn")
    method = text("httpMethod")
    path = text("path")
    resource = text("resource")
    headers = header_map()
    query = query("queryStringParameters", "multiValueQueryStringParameters")
    cookies = cookies()
    path_parameters = text_map("pathParameters")
    stage_variables = text_map("stageVariables")
    request_context = view("requestContext", GatewayContext)
    authorization_token = maybe_text("authorizationToken", secret=True)
    identity_source = maybe_text("identitySource", secret=True)
    version = maybe_text("version")
    type = text("type")

    @property
    def source_ip(self) -> str:
        """The address that connected."""
        return self.request_context.identity.source_ip


class WebSocketAuthorizerEvent(View, kinds=("apigw_authorizer.websocket",)):
    """A connection to a WebSocket API that is about to open."""

    method_arn = text("methodArn")
    headers = header_map()
    query = query("queryStringParameters", "multiValueQueryStringParameters")
    cookies = cookies()
    stage_variables = text_map("stageVariables")
    request_context = view("requestContext", WebSocketContext)
    authorization_token = maybe_text("authorizationToken", secret=True)
    identity_source = maybe_text("identitySource", secret=True)
    type = text("type")

    @property
    def connection_id(self) -> str:
        """Which connection."""
        return self.request_context.connection_id

    @property
    def source_ip(self) -> str:
        """The address that connected."""
        return self.request_context.identity.source_ip


class HttpApiAuthorizerEvent(View, kinds=("apigw_authorizer.request_v2",)):
    """A request to an HTTP API; `identity_source` is empty when none is configured."""

    route_arn = text("routeArn")
    route_key = text("routeKey")
    identity_source = texts("identitySource")
    raw_path = text("rawPath")
    raw_query_string = text("rawQueryString")
    headers = header_map()
    query = query("queryStringParameters", text="rawQueryString")
    cookies = cookies()
    path_parameters = text_map("pathParameters")
    stage_variables = text_map("stageVariables")
    request_context = view("requestContext", GatewayV2Context)
    version = text("version")
    type = text("type")

    @property
    def method(self) -> str:
        """The request's method."""
        return self.request_context.http.method

    @property
    def path(self) -> str:
        """The path as it was sent, without the stage that `raw_path` begins with."""
        return path_without_stage(self.raw_path or self.request_context.http.path, self.request_context.stage)

    @property
    def source_ip(self) -> str:
        """The address that connected."""
        return self.request_context.http.source_ip

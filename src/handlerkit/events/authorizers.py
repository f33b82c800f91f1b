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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from handlerkit.answers.authorizers import AuthorizerPolicy, SimpleDecision


class _PolicyAnswers(View):
    """What authorizers with policies answer."""

    answered_by = "authorizers"
    method_arn = text("methodArn")

    def allow(
        self,
        principal_id: str,
        *routes: str,
        context: Mapping[str, Any] | None = None,
        usage_identifier_key: str | None = None,
    ) -> AuthorizerPolicy:
        """Allow the caller these routes (`"GET /orders/*"`), or all of the stage. See `AuthorizerPolicy`."""
        return _policy(self.method_arn, principal_id, True, routes, context, usage_identifier_key)

    def deny(self, principal_id: str = "anybody", *routes: str) -> AuthorizerPolicy:
        """Deny the caller these routes, or all of the stage: 403."""
        return _policy(self.method_arn, principal_id, False, routes, None, None)

    def policy(self, principal_id: str, context: Mapping[str, Any] | None = None) -> AuthorizerPolicy:
        """A policy of several rules: `event.policy("ada").allow(…).deny(…)`."""
        from handlerkit.answers.authorizers import AuthorizerPolicy

        return AuthorizerPolicy(principal_id, self.method_arn, context)


class TokenAuthorizerEvent(_PolicyAnswers, kinds=("apigw_authorizer.token",)):
    """A token, taken from the header that the authorizer names."""

    authorization_token = text("authorizationToken", secret=True)
    type = text("type")

    @property
    def bearer_token(self) -> str:
        """The token without the word `Bearer` that may stand before it."""
        scheme, _, rest = self.authorization_token.partition(" ")
        return rest.strip() if rest and scheme.lower() == "bearer" else self.authorization_token


class RequestAuthorizerEvent(_PolicyAnswers, kinds=("apigw_authorizer.request",)):
    """A request to a REST API, or to an HTTP API whose authorizer uses format 1.0."""

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


class WebSocketAuthorizerEvent(_PolicyAnswers, kinds=("apigw_authorizer.websocket",)):
    """A connection to a WebSocket API that is about to open."""

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

    answered_by = "authorizers"

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

    def allow(self, context: Mapping[str, Any] | None = None) -> SimpleDecision:
        """Let the request pass, for authorizers with simple responses; the context may be nested."""
        from handlerkit.answers.authorizers import SimpleDecision

        return SimpleDecision(True, context)

    def deny(self, context: Mapping[str, Any] | None = None) -> SimpleDecision:
        """Refuse the request: 403."""
        from handlerkit.answers.authorizers import SimpleDecision

        return SimpleDecision(False, context)

    def policy(self, principal_id: str, context: Mapping[str, Any] | None = None) -> AuthorizerPolicy:
        """A policy, for authorizers without simple responses: `event.policy("ada").allow("GET /orders/*")`."""
        from handlerkit.answers.authorizers import AuthorizerPolicy

        return AuthorizerPolicy(principal_id, self.route_arn, context)


def _policy(
    arn: str,
    principal_id: str,
    allowed: bool,
    routes: tuple[str, ...],
    context: Mapping[str, Any] | None,
    usage_identifier_key: str | None,
) -> AuthorizerPolicy:
    from handlerkit.answers.authorizers import policy_for  # late: it is needed for the answer

    return policy_for(arn, principal_id, allowed, routes, context=context, usage_identifier_key=usage_identifier_key)

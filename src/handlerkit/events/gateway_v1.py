"""What the request contexts of API Gateway's payload format 1.0 share: REST APIs, WebSocket APIs, their authorizers.

Wire names are those of the event: `userArn` is `user_arn`. Nearly everything may be missing or null.
"""

from __future__ import annotations

from .client_certificate import ClientCertificate
from .fields import instant, mapping, maybe_integer, maybe_text, text, texts
from .nested import maybe_view, view
from .view import View

__all__ = ["GatewayAuthorizer", "GatewayContext", "GatewayIdentity", "WebSocketContext"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class GatewayIdentity(View):
    """Who calls. `source_ip` is mostly an address, perhaps with a port, or `test-invoke-source-ip`."""

    source_ip = text("sourceIp")
    user_agent = maybe_text("userAgent")
    api_key = maybe_text("apiKey")
    api_key_id = maybe_text("apiKeyId")
    access_key = maybe_text("accessKey")
    account_id = maybe_text("accountId")
    caller = maybe_text("caller")
    user = maybe_text("user")
    user_arn = maybe_text("userArn")
    principal_org_id = maybe_text("principalOrgId")
    vpc_id = maybe_text("vpcId")
    vpce_id = maybe_text("vpceId")
    cognito_amr = texts("cognitoAmr")
    cognito_authentication_provider = maybe_text("cognitoAuthenticationProvider")
    cognito_authentication_type = maybe_text("cognitoAuthenticationType")
    cognito_identity_id = maybe_text("cognitoIdentityId")
    cognito_identity_pool_id = maybe_text("cognitoIdentityPoolId")
    client_cert = maybe_view("clientCert", ClientCertificate)


class GatewayAuthorizer(View):
    """What the authorizer said: a user pool or token `claims`, a Lambda authorizer `principal_id` and `context`."""

    principal_id = maybe_text("principalId")
    claims = mapping("claims")
    scopes = texts("scopes")
    integration_latency = maybe_integer("integrationLatency")

    @property
    def context(self) -> dict[str, Any]:
        """What a Lambda authorizer added; API Gateway makes all of it text, numbers and booleans too."""
        own = ("principalId", "integrationLatency", "claims", "scopes")
        return {key: value for key, value in self.raw.items() if key not in own}


class GatewayContext(View):
    """The request context; without an authorizer `authorizer` is one without content."""

    account_id = text("accountId")
    api_id = text("apiId")
    stage = text("stage")
    request_id = text("requestId")
    extended_request_id = maybe_text("extendedRequestId")
    request_time = instant("requestTime")
    request_time_epoch = instant("requestTimeEpoch")
    domain_name = text("domainName")
    domain_prefix = maybe_text("domainPrefix")
    deployment_id = maybe_text("deploymentId")
    resource_id = maybe_text("resourceId")
    resource_path = text("resourcePath")
    http_method = text("httpMethod")
    operation_name = maybe_text("operationName")
    path = text("path")
    protocol = text("protocol")
    identity = view("identity", GatewayIdentity)
    authorizer = view("authorizer", GatewayAuthorizer)


class WebSocketContext(GatewayContext):
    """The request context: of any API, and of the connection. What belongs to one moment is None in the others."""

    connection_id = text("connectionId")
    connected_at = instant("connectedAt")
    event_type = text("eventType")
    route_key = text("routeKey")
    message_id = maybe_text("messageId")
    message_direction = maybe_text("messageDirection")
    disconnect_status_code = maybe_integer("disconnectStatusCode")
    disconnect_reason = maybe_text("disconnectReason")
    status = maybe_text("status")
    error = maybe_text("error")
    integration_latency = maybe_text("integrationLatency")

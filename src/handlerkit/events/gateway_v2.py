"""Payload format 2.0, which HTTP APIs and function URLs share. Generic in the body.

Wire names are those of the event: `rawQueryString` is `raw_query_string`. What does not apply is absent, not null.
Header names are lower-cased and repeats joined by commas; the query is read from its text, which keeps repetitions.
"""

from __future__ import annotations

from .client_certificate import ClientCertificate
from .fields import boolean, header_map, instant, mapping, maybe_text, text, text_map, texts
from .generics import Generic
from .http_fields import AsItCame, BodyT, cookies, http_body, query
from .nested import maybe_view, view
from .payload import Payload
from .view import View

__all__ = [
    "GatewayV2Authentication",
    "GatewayV2Authorizer",
    "GatewayV2CognitoIdentity",
    "GatewayV2Context",
    "GatewayV2Event",
    "GatewayV2Http",
    "GatewayV2Iam",
    "GatewayV2Jwt",
    "path_without_stage",
]


class GatewayV2Http(View):
    """The request line, and who sent it."""

    method = text("method")
    path = text("path")
    protocol = text("protocol")
    source_ip = text("sourceIp")
    user_agent = maybe_text("userAgent")


class GatewayV2Authentication(View):
    """Mutual TLS."""

    client_cert = maybe_view("clientCert", ClientCertificate)


class GatewayV2Jwt(View):
    """A token's claims; all values are text, arrays like `[a b]`."""

    claims = mapping("claims")
    scopes = texts("scopes")


class GatewayV2CognitoIdentity(View):
    """An identity of an identity pool."""

    amr = texts("amr")
    identity_id = maybe_text("identityId")
    identity_pool_id = maybe_text("identityPoolId")


class GatewayV2Iam(View):
    """A caller who signed the request."""

    access_key = maybe_text("accessKey")
    account_id = maybe_text("accountId")
    caller_id = maybe_text("callerId")
    cognito_identity = maybe_view("cognitoIdentity", GatewayV2CognitoIdentity)
    principal_org_id = maybe_text("principalOrgId")
    user_arn = maybe_text("userArn")
    user_id = maybe_text("userId")


class GatewayV2Authorizer(View):
    """What the authorizer said: a token's `jwt`, a caller's `iam`, or what a Lambda authorizer returned, `lambda_`."""

    jwt = maybe_view("jwt", GatewayV2Jwt)
    iam = maybe_view("iam", GatewayV2Iam)
    lambda_ = mapping("lambda")


class GatewayV2Context(View):
    """The request context; without an authorizer `authorizer` is one without content."""

    account_id = text("accountId")
    api_id = text("apiId")
    domain_name = text("domainName")
    domain_prefix = text("domainPrefix")
    request_id = text("requestId")
    route_key = text("routeKey")
    stage = text("stage")
    time = instant("time")
    time_epoch = instant("timeEpoch")
    http = view("http", GatewayV2Http)
    authentication = maybe_view("authentication", GatewayV2Authentication)
    authorizer = view("authorizer", GatewayV2Authorizer)


class GatewayV2Event(View, Generic[BodyT], payloads=(AsItCame,)):
    """A request in payload format 2.0."""

    body: Payload[BodyT] = http_body()
    is_base64_encoded = boolean("isBase64Encoded")
    headers = header_map()
    query = query("queryStringParameters", text="rawQueryString")
    cookies = cookies()
    raw_path = text("rawPath")
    raw_query_string = text("rawQueryString")
    route_key = text("routeKey")
    path_parameters = text_map("pathParameters")
    stage_variables = text_map("stageVariables")
    version = text("version")
    request_context = view("requestContext", GatewayV2Context)

    @property
    def method(self) -> str:
        """The request's method."""
        return self.request_context.http.method

    @property
    def path(self) -> str:
        """The path as it was sent, percent signs and all, without the stage that `raw_path` begins with."""
        return path_without_stage(self.raw_path or self.request_context.http.path, self.request_context.stage)

    @property
    def source_ip(self) -> str:
        """The address that connected."""
        return self.request_context.http.source_ip


def path_without_stage(path: str, stage: str) -> str:
    """The path behind the stage, if it begins with one."""
    prefix = f"/{stage}"
    if stage and (path == prefix or path.startswith(f"{prefix}/")):
        return path[len(prefix) :] or "/"
    return path

"""Amazon S3 Object Lambda, synchronous: objects and lists transformed as they are read. Generic in the payload.

Wire names are those of the event. Of the four contexts one is there: `operation` says which. GET is answered by
`WriteGetObjectResponse` with `output_route` and `output_token`, and its return value ignored; HEAD and LIST by what
the function returns. `input_s3_url` is presigned: fetch it as it is.
"""

from __future__ import annotations

from .descriptor import Field
from .encoded import unquote_plus
from .fields import boolean, header_map, instant, maybe_text, text
from .generics import Generic, TypeVar
from .nested import maybe_view, view
from .payload import Payload, text_payload
from .view import View

__all__ = [
    "S3ObjectLambdaConfiguration",
    "S3ObjectLambdaContext",
    "S3ObjectLambdaEvent",
    "S3ObjectLambdaIdentity",
    "S3ObjectLambdaIssuer",
    "S3ObjectLambdaRequest",
    "S3ObjectLambdaSession",
]

PayloadT = TypeVar("PayloadT", default=str)


class S3ObjectLambdaContext(View):
    """Where the original is, and for GET where the answer goes. URL and token give access: reprs leave them out."""

    input_s3_url = text("inputS3Url", secret=True)
    output_route = maybe_text("outputRoute")
    output_token = maybe_text("outputToken", secret=True)


class S3ObjectLambdaConfiguration(View, Generic[PayloadT], payloads=(str,)):
    """The access point's configuration; `payload` is text, or the type named."""

    access_point_arn = text("accessPointArn")
    supporting_access_point_arn = text("supportingAccessPointArn")
    payload: Payload[PayloadT] = text_payload("payload")


class S3ObjectLambdaRequest(View):
    """The request as the caller made it; headers are looked up in any case."""

    url = text("url", secret=True)
    headers = header_map("headers", "multiValueHeaders")


class S3ObjectLambdaIssuer(View):
    """The role or user a session was issued for."""

    type = text("type")
    principal_id = text("principalId")
    arn = text("arn")
    account_id = text("accountId")
    user_name = maybe_text("userName")


class S3ObjectLambdaSession(View):
    """The session of temporary credentials."""

    creation_date = instant("creationDate", inside="attributes")
    mfa_authenticated = boolean("mfaAuthenticated", inside="attributes")
    session_issuer = maybe_view("sessionIssuer", S3ObjectLambdaIssuer)


class S3ObjectLambdaIdentity(View):
    """Who asks; `type` is IAMUser, AssumedRole, Root, …"""

    type = text("type")
    principal_id = text("principalId")
    arn = text("arn")
    account_id = text("accountId")
    access_key_id = maybe_text("accessKeyId")
    user_name = maybe_text("userName")
    invoked_by = maybe_text("invokedBy")
    session_context = maybe_view("sessionContext", S3ObjectLambdaSession)


class S3ObjectLambdaEvent(View, Generic[PayloadT], kinds=("s3_object_lambda",), payloads=(str,)):
    """A request to an Object Lambda access point."""

    get_object_context = maybe_view("getObjectContext", S3ObjectLambdaContext)
    head_object_context = maybe_view("headObjectContext", S3ObjectLambdaContext)
    list_objects_context = maybe_view("listObjectsContext", S3ObjectLambdaContext)
    list_objects_v2_context = maybe_view("listObjectsV2Context", S3ObjectLambdaContext)
    configuration: Field[S3ObjectLambdaConfiguration[PayloadT]] = view(
        "configuration", S3ObjectLambdaConfiguration[PayloadT]
    )
    user_request = view("userRequest", S3ObjectLambdaRequest)
    user_identity = view("userIdentity", S3ObjectLambdaIdentity)
    x_amz_request_id = text("xAmzRequestId")
    protocol_version = text("protocolVersion")

    @property
    def operation(self) -> str:
        """What was asked for: GetObject, HeadObject, ListObjects or ListObjectsV2; "" if something new."""
        for key, name in _OPERATIONS:
            if self.raw.get(key) is not None:
                return name
        return ""

    @property
    def context(self) -> S3ObjectLambdaContext:
        """Whichever context is there."""
        found = (
            self.get_object_context
            or self.head_object_context
            or self.list_objects_context
            or self.list_objects_v2_context
        )
        return found or S3ObjectLambdaContext({})

    @property
    def key(self) -> str:
        """The object's key, decoded from the request's path; "" for a list."""
        url = self.user_request.url.partition("#")[0].partition("?")[0]
        if "://" in url:
            url = "/" + url.partition("://")[2].partition("/")[2]
        return unquote_plus(url.removeprefix("/").replace("+", "%2B"))  # in a path a plus is a plus


_OPERATIONS = (
    ("getObjectContext", "GetObject"),
    ("headObjectContext", "HeadObject"),
    ("listObjectsContext", "ListObjects"),
    ("listObjectsV2Context", "ListObjectsV2"),
)

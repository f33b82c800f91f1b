"""What the events of all AppSync functions share: the caller, his HTTP request, the function before this one.

Templates and documentation write the text `None` where a value is missing; here, too, it is one that is missing.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import mapping, maybe_text, texts, value
from .generics import TypeVar
from .http_fields import lenient_headers
from .nested import MaybeViewField, ViewField
from .view import View

__all__ = ["AppSyncIdentity", "AppSyncPrevious", "AppSyncRequest", "lenient_view", "maybe_appsync_view"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

V = TypeVar("V", bound=View)

NOTHING = ("None", "null", "")


class _MaybeViewField(MaybeViewField[V]):
    __slots__ = ()

    def make(self, value: Any) -> V | None:
        return None if value in NOTHING else super().make(value)


class _LenientViewField(ViewField[V]):
    __slots__ = ()

    def make(self, value: Any) -> V:
        return self.item(value if isinstance(value, dict) else {})


def lenient_view(wire: str, item: type[V]) -> Field[V]:
    """A nested object; one without content where a mapping template put something else in its place."""
    return _LenientViewField(wire, item)


def maybe_appsync_view(wire: str, item: type[V]) -> Field[V | None]:
    """A nested object, or None when absent, null, or the text of one of these."""
    return _MaybeViewField(wire, item)


class AppSyncIdentity(View):
    """The caller; which of the fields there are depends on how he was authorized, see `kind`."""

    claims = mapping("claims")
    sub = maybe_text("sub")
    issuer = maybe_text("issuer")
    username = maybe_text("username")
    groups = texts("groups")
    default_auth_strategy = maybe_text("defaultAuthStrategy")
    source_ip = texts("sourceIp")
    account_id = maybe_text("accountId")
    user_arn = maybe_text("userArn")
    user = maybe_text("user")
    cognito_identity_pool_id = maybe_text("cognitoIdentityPoolId")
    cognito_identity_id = maybe_text("cognitoIdentityId")
    cognito_identity_auth_type = maybe_text("cognitoIdentityAuthType")
    cognito_identity_auth_provider = maybe_text("cognitoIdentityAuthProvider")
    resolver_context = mapping("resolverContext")

    @property
    def kind(self) -> str:
        """`lambda`, `iam`, `jwt` (user pools and OpenID Connect), or "" for none of them."""
        for key, kind in (("resolverContext", "lambda"), ("userArn", "iam"), ("claims", "jwt")):
            if key in self.raw:
                return kind
        return ""


class AppSyncRequest(View):
    """The HTTP request that carried the query."""

    headers = lenient_headers()
    domain_name = maybe_text("domainName")


class AppSyncPrevious(View):
    """What the function before this one in a pipeline returned."""

    result = value("result")

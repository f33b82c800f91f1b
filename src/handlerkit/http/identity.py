"""Who calls, as the front's authorizer found out: one type over all of their forms."""

from __future__ import annotations

__all__ = ["Identity"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OWN = ("principalId", "integrationLatency", "claims", "scopes", "jwt", "iam", "lambda")


class Identity:
    """A caller. All of it is empty for a request that nobody authorized.

    `claims`: a verified token's (values are text, of arrays and numbers too); `scopes`: its scopes; `user_arn`: who
    signed the request; `context`: what a Lambda authorizer added, typed behind an HTTP API, all text behind a REST API.
    """

    __slots__ = ("_authorizer", "_context")

    def __init__(self, raw: dict[str, Any]) -> None:
        """Of a whole event."""
        context = raw.get("requestContext")
        self._context: dict[str, Any] = context if isinstance(context, dict) else {}
        self._authorizer = _of(self._context, "authorizer")

    def __repr__(self) -> str:
        return f"Identity({self.principal!r})"

    def __bool__(self) -> bool:
        return self.principal is not None or bool(self.claims) or bool(self.context)

    @property
    def claims(self) -> dict[str, Any]:
        """Of a verified token."""
        return _of(_of(self._authorizer, "jwt") or self._authorizer, "claims")

    @property
    def scopes(self) -> tuple[str, ...]:
        """Of a verified token; from its `scope` claim where the front gives no list."""
        found = (_of(self._authorizer, "jwt") or self._authorizer).get("scopes")
        if isinstance(found, list):
            return tuple(str(one) for one in found)
        return tuple(str(self.claims.get("scope", "")).split())

    @property
    def context(self) -> dict[str, Any]:
        """What a Lambda authorizer added."""
        if isinstance(self._authorizer.get("lambda"), dict):
            return _of(self._authorizer, "lambda")
        return {name: value for name, value in self._authorizer.items() if name not in _OWN}

    @property
    def user_arn(self) -> str | None:
        """Who signed the request with AWS credentials."""
        signer = _of(self._authorizer, "iam").get("userArn") or _of(self._context, "identity").get("userArn")
        found = signer or _of(self._context, "identity").get("principal")  # the last is VPC Lattice's
        return found if isinstance(found, str) else None

    @property
    def api_key_id(self) -> str | None:
        """Of a REST API's usage plan."""
        found = _of(self._context, "identity").get("apiKeyId")
        return found if isinstance(found, str) else None

    @property
    def principal(self) -> str | None:
        """The one name there is: a token's subject, a Lambda authorizer's principal, or the signer."""
        for found in (self.claims.get("sub"), self._authorizer.get("principalId"), self.user_arn):
            if isinstance(found, str) and found:
                return found
        return None


def _of(raw: dict[str, Any], key: str) -> dict[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, dict) else {}

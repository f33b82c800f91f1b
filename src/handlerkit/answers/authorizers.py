"""API Gateway's authorizers: policies for all of them, the simple decision for HTTP APIs with payload format 2.0.

A policy is cached under the caller's identity, also for his requests to other routes. One that allows only the request
in question therefore refuses the next one; `allow` without routes names the whole stage.
"""

from __future__ import annotations

from .answer import Answer, AnswerError, is_scalar, size_in_bytes, want_object

__all__ = ["AuthorizerPolicy", "SimpleDecision", "UnauthorizedError", "checked", "policy_for"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

METHODS = ("*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# About what API Gateway takes.
MAX_POLICY_BYTES = 8_192


class UnauthorizedError(Exception):
    """Raise it to have the caller answered 401; any other exception is answered 500."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")  # exactly this text means 401


class AuthorizerPolicy(Answer):
    """What a caller may do: `event.policy("ada").allow("GET /orders/*").deny("* /admin/*")`; without a rule, nothing.

    A route is a method (or `*`) and a path with `*` for anything; of a WebSocket API, a route key. `context` reaches
    the integration: texts, numbers and booleans.
    """

    __slots__ = ("_stage",)

    def __init__(
        self,
        principal_id: str,
        arn: str,
        context: Mapping[str, Any] | None = None,
        usage_identifier_key: str | None = None,
    ) -> None:
        super().__init__(principalId=principal_id, policyDocument={"Version": "2012-10-17", "Statement": []})
        self._stage = "/".join(arn.split("/")[:2])
        if context is not None:
            self["context"] = dict(context)
        if usage_identifier_key is not None:
            self["usageIdentifierKey"] = usage_identifier_key

    def allow(self, *routes: str) -> Self:
        """Allow these routes, or all of the stage. Raises `AnswerError` for what is no route."""
        return self._rule("Allow", routes)

    def deny(self, *routes: str) -> Self:
        """Deny these routes, or all of the stage; what is denied stays so, whatever else is allowed."""
        return self._rule("Deny", routes)

    def _rule(self, effect: str, routes: tuple[str, ...]) -> Self:
        resources = [f"{self._stage}/{_route(route)}" for route in routes] or [f"{self._stage}/*"]
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}
        self["policyDocument"]["Statement"].append(statement)
        return self


class SimpleDecision(Answer):
    """`event.allow(…)` or `event.deny(…)` for an HTTP API; `context` may be nested."""

    __slots__ = ()

    def __init__(self, is_authorized: bool, context: Mapping[str, Any] | None = None) -> None:
        super().__init__(isAuthorized=is_authorized)
        if context is not None:
            self["context"] = dict(context)


def policy_for(arn: str, principal_id: str, allowed: bool, routes: tuple[str, ...], **more: Any) -> AuthorizerPolicy:
    """A policy of one rule."""
    policy = AuthorizerPolicy(principal_id, arn, **more)
    return policy.allow(*routes) if allowed else policy.deny(*routes)


def _route(route: str) -> str:
    method, blank, path = route.partition(" ")
    if not blank:
        if route.startswith("/"):
            raise AnswerError(f"{route!r} is no route: put a method or * before the path, as in 'GET {route}'")
        return route  # a route key of a WebSocket API
    if method.upper() not in METHODS or not path.startswith("/"):
        raise AnswerError(
            f"{route!r} is no route: a method ({', '.join(METHODS)}), a blank, and a path that begins with /"
        )
    return f"{method.upper()}{path}"


def checked(event: Any, result: Any) -> dict[str, Any]:
    """Refuse what API Gateway would answer 500 for."""
    answer = want_object(result, "API Gateway", "return event.allow(...) or event.deny(...)")
    is_simple = "isAuthorized" in answer
    if is_simple and not hasattr(event, "route_arn"):
        raise AnswerError("isAuthorized is for HTTP APIs with payload format 2.0: return event.allow(...), a policy")
    if is_simple:
        if not isinstance(answer["isAuthorized"], bool):
            raise AnswerError(f"isAuthorized has to be true or false, not {answer['isAuthorized']!r:.50}")
        return answer
    if not isinstance(answer.get("principalId"), str):
        raise AnswerError("the policy has no principalId: name the caller, in event.allow('ada') or in the dict")
    document = answer.get("policyDocument")
    if not isinstance(document, dict) or not document.get("Statement"):
        raise AnswerError("the policy has no statement: event.policy(...).allow(...), or event.deny(...)")
    context = answer.get("context")
    nested = [key for key, value in (context or {}).items() if not is_scalar(value)]
    if nested:
        raise AnswerError(f"context[{nested[0]!r}] has to be a text, a number or a boolean: write it as JSON text")
    if (size := size_in_bytes(document)) > MAX_POLICY_BYTES:
        raise AnswerError(f"the policy has {size} bytes, of about {MAX_POLICY_BYTES} that are taken: join routes by *")
    return answer

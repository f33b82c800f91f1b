"""Whether somebody may log in or connect: Transfer Family's identity provider, Client VPN's connection handler."""

from __future__ import annotations

from .answer import Answer, AnswerError, want_object

__all__ = ["LoginDecision", "VpnDecision", "checked"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class LoginDecision(Answer):
    """Of Transfer Family: `event.allow(role=…)`; without a role, as by `event.deny()`, nobody gets in."""

    __slots__ = ()


class VpnDecision(Answer):
    """Of Client VPN: `event.allow()`, `event.deny("…")`."""

    __slots__ = ()


def checked(event: Any, result: Any) -> dict[str, Any]:
    """Refuse what would lock everybody out without a word."""
    answer = want_object(result, "the service", "return event.allow(...) or event.deny()")
    if hasattr(event, "endpoint_id"):
        if not isinstance(answer.get("allow"), bool):
            raise AnswerError(f"allow has to be true or false, not {answer.get('allow')!r:.50}")
        return answer
    if answer and not isinstance(answer.get("Role"), str):
        raise AnswerError("an answer without a Role denies: name it, or return event.deny()")
    if not isinstance(answer.get("HomeDirectoryDetails", ""), str):
        raise AnswerError("HomeDirectoryDetails has to be JSON in text: use event.allow(home_directories={...})")
    if answer and event.is_key_login and not answer.get("PublicKeys"):
        raise AnswerError("the user logs in by key: the answer has to list PublicKeys")
    return answer

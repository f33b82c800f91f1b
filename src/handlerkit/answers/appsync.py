"""AppSync: the authorizer's decision, and what becomes of messages to a channel."""

from __future__ import annotations

from .answer import Answer, AnswerError, is_scalar, want_object

__all__ = ["ChannelAnswer", "FieldDecision", "checked"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class FieldDecision(Answer):
    """Whether a request may pass, and which fields it may not see: `event.allow(…)`, `event.deny()`."""

    __slots__ = ()


class ChannelAnswer(Answer):
    """What becomes of published messages: `event.publish(message.accepted(), message.refused("…"))`."""

    __slots__ = ()


def checked(event: Any, result: Any) -> Any:
    """Refuse what AppSync would answer an error for."""
    if hasattr(event, "is_publish"):
        return _channel(event, result)
    answer = want_object(result, "AppSync", "return event.allow(...) or event.deny()")
    if not isinstance(answer.get("isAuthorized"), bool):
        raise AnswerError(f"isAuthorized has to be true or false, not {answer.get('isAuthorized')!r:.50}")
    nested = [key for key, value in (answer.get("resolverContext") or {}).items() if not is_scalar(value)]
    if nested:
        raise AnswerError(f"resolverContext[{nested[0]!r}] has to be a text, a number or a boolean")
    return answer


def _channel(event: Any, result: Any) -> Any:
    if result is None:
        if event.is_publish and len(event):
            raise AnswerError(
                "None drops every message: return event.publish(message.accepted(), ...) for those to send"
            )
        return None
    answer = want_object(result, "AppSync", "return event.publish(...) or event.refuse(...)")
    unknown = {one.get("id") for one in answer.get("events") or []} - {message.id for message in event}
    if unknown:
        raise AnswerError(f"no message has the id {min(map(str, unknown))!r:.60}: answer with message.accepted(...)")
    return answer

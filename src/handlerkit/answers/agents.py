"""Bedrock agents and Connect's flows: sizes, and for agents the shape that `event.reply(…)` makes."""

from __future__ import annotations

from .answer import AnswerError, plain, size_in_bytes, want_object

__all__ = ["checked"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_AGENT_BYTES = 25 * 1024
MAX_FLOW_BYTES = 32 * 1024


def checked(event: Any, result: Any) -> Any:
    """Refuse what the service would drop."""
    if hasattr(event, "contact"):
        return _small_enough(plain(result), MAX_FLOW_BYTES)
    answer = want_object(result, "the agent", "return event.reply(...)")
    response = answer.get("response")
    if not isinstance(response, dict) or not ({"functionResponse", "responseBody"} & set(response)):
        raise AnswerError("the answer has no response with a body: return event.reply(...)")
    return _small_enough(answer, MAX_AGENT_BYTES)


def _small_enough(answer: Any, limit: int) -> Any:
    if (size := size_in_bytes(answer)) > limit:
        raise AnswerError(f"the answer has {size} bytes, of {limit} that are taken: return less")
    return answer

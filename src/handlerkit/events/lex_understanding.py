"""What both versions of Lex say of how the user was understood; confidences are numbers, or `{"score": number}`."""

from __future__ import annotations

from .descriptor import Field
from .fields import text, value
from .view import View

__all__ = ["LexSentiment", "score"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class LexSentiment(View):
    """How the user sounded; only where the bot asks for it. The scores are text in version 1, an object in 2."""

    label = text("sentimentLabel", "sentiment")
    score = value("sentimentScore")


def score(wire: str, *also: str) -> Field[float | None]:
    """A confidence, or None where there is none."""
    return Field(wire, _score, None, also=also)


def _score(value: Any) -> float | None:
    if isinstance(value, dict):
        value = value.get("score")
    if value is None or value == "":
        return None
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError("a number too large") from None
    raise ValueError("not a score")

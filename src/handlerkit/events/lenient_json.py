"""JSON inside text where the text may be anything: for fields that are a remark, not a payload."""

from __future__ import annotations

from .descriptor import Field, KeptField
from .json_text import load

__all__ = ["json_or_text"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def json_or_text(wire: str, *also: str) -> Field[Any]:
    """JSON inside text, parsed once; the text itself where it is none (samples of AWS have broken JSON); else None."""
    return KeptField(wire, _json_or_text, None, also=also)


def _json_or_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return load(value)
    except ValueError:
        return value or None

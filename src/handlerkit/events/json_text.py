"""JSON text to Python values: the fastest parser that is already loaded, the same result and limits from each.

Last of duplicate keys wins; NaN and infinities are refused; a lone surrogate in an escape is kept, because the
managed runtime keeps it and clients do send halves of emoji; nesting deeper than the interpreter's recursion limit
(about 990 levels) is refused. Sizes are bounded by the platform's 6 MB.
"""

from __future__ import annotations

import gc
import sys

__all__ = ["MalformedJsonError", "load", "may_hold_nan"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# From here on the collector, looking through what has just been parsed and is all in use, takes longer than parsing.
COLLECTED_BYTES = 300_000
# From here on equal short texts (regions, ARNs, counts: half of a record) become one object, if nobody says otherwise.
# An SQS event then takes 1.9 times its size instead of 2.4; a small one would be parsed a fifth slower for it.
SHARED_BY_DEFAULT_BYTES = 1_000_000


class MalformedJsonError(ValueError):
    """Text that is not JSON; says where, never what else it holds."""


def load(text: str | bytes, shares: bool | None = None) -> Any:
    """The value of one JSON text. Raises `MalformedJsonError`.

    `shares` says whether equal short texts become one object: less memory, more time. By default large texts do.
    """
    core = sys.modules.get("pydantic_core")
    if core is not None:
        pauses = len(text) >= COLLECTED_BYTES and gc.isenabled()
        if pauses:
            gc.disable()
        try:
            if shares is None:
                shares = len(text) >= SHARED_BY_DEFAULT_BYTES
            return core.from_json(text, allow_inf_nan=False, cache_strings="all" if shares else "keys")
        except (ValueError, AttributeError):
            pass  # it also refuses depth, lone surrogates and a byte order mark: the standard parser has the last word
        finally:
            if pauses:
                gc.enable()
    return _load(text)


def may_hold_nan(text: str | bytes) -> bool:
    """Whether the text may hold NaN or Infinity, which other JSON parsers let through unasked."""
    # A search for one character takes a fortieth of the time of one for several.
    if isinstance(text, str):
        return ("N" in text and "NaN" in text) or ("I" in text and "Infinity" in text)
    return (b"N" in text and b"NaN" in text) or (b"I" in text and b"Infinity" in text)


def _load(text: str | bytes) -> Any:
    import json  # late: 5 ms, and with pydantic loaded only needed for what pydantic refuses

    if not isinstance(text, str):
        try:
            text = str(text, "utf-8")
        except UnicodeDecodeError as error:
            raise MalformedJsonError(f"not JSON: not UTF-8 at byte {error.start}") from None
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise MalformedJsonError(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MalformedJsonError("not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        raise MalformedJsonError(f"not JSON: {str(error)[:80]}") from None


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is not a JSON value")

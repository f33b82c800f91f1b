"""A line that is longer than CloudWatch Logs takes: its longest values are cut, with a mark, until it fits."""

from __future__ import annotations

from handlerkit.tolerant_json import encode, quote

__all__ = ["shortened"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MARK_BYTES = 160
"""Room for the marks of one value and for the list of what was cut."""


def shortened(line: dict[str, Any], text: str, max_bytes: int) -> str:
    """The line's JSON in no more than `max_bytes`, as it is if it fits."""
    size = size_of(text)
    if size <= max_bytes:
        return text
    line = dict(line)
    sizes = {key: size_of(encode(value)) for key, value in line.items()}
    cut: list[str] = []
    for key in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if size <= max_bytes or sizes[key] < MARK_BYTES * 2:
            break
        room = max(max_bytes - (size - sizes[key]) - MARK_BYTES - size_of(quote(key[:80])), 40)
        line[key] = _cut(line[key], sizes[key], room)
        cut.append(key[:80])
        line["shortened"] = cut
        size += size_of(encode(line[key])) - sizes[key] + size_of(quote(key[:80])) + 20
    if size_of(encode(line)) > max_bytes:  # thousands of values, none of them long
        line = _first(line, max_bytes)
    return encode(line)


def size_of(text: str) -> int:
    """Bytes of a piece of JSON as it is written."""
    return len(text.encode("utf-8", "backslashreplace"))


def _cut(value: Any, size: int, room: int) -> str:
    text = value if isinstance(value, str) else encode(value)
    piece = text[:room]
    while piece and (needed := size_of(quote(piece)) - 2) > room:
        piece = piece[: min(len(piece) - 1, len(piece) * room // needed)]
    return f"{piece}… [{size} bytes, shortened]"


def _first(line: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    left = max_bytes - MARK_BYTES
    for key, value in line.items():
        left -= size_of(quote(key)) + size_of(encode(value)) + 2
        if left < 0:
            break
        kept[key] = value
    kept["shortened"] = f"{len(line) - len(kept)} values left out"
    return kept

"""The X-Ray cause that a runtime sends along with an error: JSON in, JSON of at most 64 KiB out, or nothing. Pure."""

import json
from typing import Any

from runtime import protocol

__all__ = ["accepted_cause", "split_error_cause"]

_MEMBERS = ("working_directory", "exceptions", "paths", "message")
# The platform's own steps: how much of the lists is kept until the document fits.
_KEEP = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)
# When even empty lists leave it too long, its two texts are cut to this many characters.
_MAX_TEXT_CHARACTERS = 30_720


def accepted_cause(text: str | None) -> str | None:
    """What the platform keeps of a cause; None for what is no JSON object, or says nothing.

    >>> accepted_cause('{"message": "no", "paths": [], "exceptions": []}')
    '{"message":"no","paths":[],"exceptions":[]}'
    >>> accepted_cause('{"message": ""}') is None
    True
    """
    try:
        cause = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    if not isinstance(cause, dict) or not any(cause.get(member) for member in _MEMBERS):
        return None
    for share in _KEEP:
        shorter = {
            key: value[: int(len(value) * share)] if isinstance(value, list) else value for key, value in cause.items()
        }
        if len(compact := _compact(shorter)) <= protocol.MAX_XRAY_CAUSE_BYTES:
            return compact
    cut = {key: _cut(value) if isinstance(value, str) else [] for key, value in cause.items() if key in _MEMBERS}
    return _compact(cut)


def split_error_cause(body: bytes) -> tuple[bytes, str | None] | None:
    """The document for the caller and the X-Ray cause of an `error.cause+json` body; None if it cannot be parsed."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    cause = document.get("errorCause")
    rest = {key: document[key] for key in ("errorMessage", "errorType", "stackTrace") if key in document}
    return _compact(rest).encode("ascii"), accepted_cause(_compact(cause)) if cause else None


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT_CHARACTERS else text[:_MAX_TEXT_CHARACTERS] + "..."

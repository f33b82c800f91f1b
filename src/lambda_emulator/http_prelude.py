"""Status, headers and cookies at the head of a streamed HTTP response: JSON, eight NULs, then the payload. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambda_emulator.errors import InvalidPrelude

__all__ = ["SEPARATOR", "HttpPrelude", "find_prelude"]

SEPARATOR = bytes(8)
# Far above every front's limit of header bytes; what has no separator until here is no prelude.
_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPrelude:
    """What a function URL makes of the beginning of a stream."""

    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """A value that was a list is joined with commas."""
    cookies: tuple[str, ...] = ()


def find_prelude(received: bytes, *, ended: bool = False) -> tuple[HttpPrelude, bytes] | None:
    """The prelude, and the payload's beginning; None while the separator has not come.

    Raises `InvalidPrelude` for what can never become one; `ended` says that nothing more will come.

    >>> find_prelude(b'{"statusCode": 201, "cookies": ["a=b"]}' + SEPARATOR + b"rest")
    (HttpPrelude(status_code=201, headers={}, cookies=('a=b',)), b'rest')
    """
    text, separator, rest = received.partition(SEPARATOR)
    if not separator:
        if ended or len(received) > _MAX_BYTES:
            raise InvalidPrelude("the stream has no prelude: there are no eight NUL bytes after its JSON")
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidPrelude(f"the prelude is no JSON: {error}") from error
    return _prelude_of(document), rest


def _prelude_of(document: Any) -> HttpPrelude:
    if not isinstance(document, dict):
        raise InvalidPrelude(f"the prelude is a {type(document).__name__}, not an object")
    status_code, headers, cookies = (document.get(key) for key in ("statusCode", "headers", "cookies"))
    if status_code is not None and type(status_code) is not int:
        raise InvalidPrelude(f"statusCode is {status_code!r}, not a number")
    if headers is not None and not isinstance(headers, dict):
        raise InvalidPrelude(f"headers is a {type(headers).__name__}, not an object")
    if cookies is not None and not (isinstance(cookies, list) and all(isinstance(each, str) for each in cookies)):
        raise InvalidPrelude("cookies is not a list of text")
    return HttpPrelude(
        status_code=200 if status_code is None else status_code,
        headers={name: _header_text(value) for name, value in (headers or {}).items()},
        cookies=tuple(cookies or ()),
    )


def _header_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

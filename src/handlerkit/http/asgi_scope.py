"""The ASGI scope of a request. Pure.

`path` is decoded and, as the specification has it, begins with `root_path`; `raw_path` is the same as it was sent.
"""

from __future__ import annotations

__all__ = ["Scope", "http_scope"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any, TypeAlias

    from .request import HttpRequest

    Scope: TypeAlias = MutableMapping[str, Any]
else:
    Scope = dict

VERSIONS = {"version": "3.0", "spec_version": "2.4"}


def http_scope(request: HttpRequest[Any], context: Any, state: dict[str, Any], root_path: str | None) -> Scope:
    """The scope; `root_path` is where the application is mounted, None for where the front's stage says."""
    path, raw_path = request.path, request.raw_path
    prefix = request.root_path if root_path is None else root_path
    if prefix and (root_path is None or not (path == prefix or path.startswith(f"{prefix}/"))):
        path, raw_path = prefix + path, prefix + raw_path
    scheme = request.scheme
    return {
        "type": "http",
        "asgi": dict(VERSIONS),
        "http_version": request.protocol.rpartition("/")[2] or "1.1",
        "method": request.method,
        "scheme": scheme,
        "path": path,
        "raw_path": _bytes(raw_path),
        "query_string": _bytes(request.raw_query),
        "root_path": prefix,
        "headers": _headers(request),
        "client": _address(request.client_ip, 0),
        "server": _address(request.host, 443 if scheme in ("https", "wss") else 80),
        "state": state,
        "extensions": {},
        # As the best-known adapter names them.
        "aws.event": request.raw,
        "aws.context": context,
    }


def _headers(request: HttpRequest[Any]) -> list[tuple[bytes, bytes]]:
    headers = request.headers
    found = []
    for name in headers:
        lower = name.lower()
        if lower == "cookie":
            continue
        key = _bytes(lower)
        found += [(key, _bytes(value)) for value in headers.get_all(name)]
    cookies = request.cookie_header
    if cookies:
        found.append((b"cookie", _bytes(cookies)))
    return found


def _address(text: str, port: int) -> tuple[str, int] | None:
    """Host and port of a text that may have a port; brackets mark an address of version 6."""
    if not text:
        return None
    host, colon, number = text.rpartition(":")
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest[1:].isdecimal() else port
    if colon and number.isdecimal() and ":" not in host:
        return host, int(number)
    return text, port


def _bytes(text: str) -> bytes:
    """Latin-1, as headers are; what an event holds beyond it is sent as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")

"""The ASGI scope of a request. Pure.

`path` is decoded and, as the specification has it, begins with `root_path`; `raw_path` is the same as it was sent.
"""

from __future__ import annotations

from .sources import unquoted

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
    raw, source = request.raw, request.source
    raw_path = source.raw_path(raw)
    path = unquoted(raw_path)
    prefix = source.prefix(raw) if root_path is None else root_path
    if prefix and (root_path is None or not (path == prefix or path.startswith(f"{prefix}/"))):
        path, raw_path = prefix + path, prefix + raw_path
    pairs = source.header_pairs(raw)
    by_name = dict(pairs)
    scheme = by_name.get("x-forwarded-proto", "https").partition(",")[0].strip().lower() or "https"
    return {
        "type": "http",
        "asgi": dict(VERSIONS),
        "http_version": source.protocol(raw).rpartition("/")[2] or "1.1",
        "method": source.method(raw),
        "scheme": scheme,
        "path": path,
        "raw_path": _bytes(raw_path),
        "query_string": _bytes(source.raw_query(raw)),
        "root_path": prefix,
        "headers": _headers(request, pairs),
        "client": _address(source.client_ip(raw, by_name), 0),
        "server": _address(by_name.get("host") or request.host, 443 if scheme == "https" else 80),
        "state": state,
        "extensions": {},
        # As the best-known adapter names them.
        "aws.event": raw,
        "aws.context": context,
    }


def _headers(request: HttpRequest[Any], pairs: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    has_cookies = "cookies" in request.raw or any(name == "cookie" for name, _ in pairs)
    if has_cookies:
        pairs = [pair for pair in pairs if pair[0] != "cookie"]
        cookies = request.cookie_header
        if cookies:
            pairs.append(("cookie", cookies))
    try:
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    except UnicodeEncodeError:
        return [(_bytes(name), _bytes(value)) for name, value in pairs]


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

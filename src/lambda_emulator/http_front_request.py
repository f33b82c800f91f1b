"""A client's request as all fronts see it, before each writes its own event; and the pieces that their events share."""

import base64
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from lambda_emulator.http_message import Request
from lambda_emulator.http_route import HttpRoute, MatchedRoute

__all__ = ["ACCOUNT_ID", "FrontRequest", "is_text_type", "joined", "last_of_each", "lists_of", "query_pairs"]

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
_TEXT_TYPES = ("application/json", "application/javascript", "application/xml")
ACCOUNT_ID = "123456789012"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontRequest:
    """One request with its route."""

    method: str
    path: str
    """As sent, behind the stage."""
    query: str
    headers: tuple[tuple[str, str], ...]
    """As sent, with what every front adds, without what belongs to the connection."""
    body: bytes
    protocol: str
    peer: tuple[str, int]
    route: HttpRoute
    captures: dict[str, str]
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    time_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    @classmethod
    def of(cls, request: Request, matched: MatchedRoute) -> "FrontRequest":
        """The request as it comes to its front. A client's own `X-Forwarded-For` is kept, and added to."""
        headers = [(name, value) for name, value in request.header_list if name.lower() not in _HOP_BY_HOP]
        given = {name.lower(): value for name, value in headers}
        host = given.get("host", "")
        before = given.get("x-forwarded-for")
        added = {
            "x-forwarded-for": f"{before}, {request.peer[0]}" if before else request.peer[0],
            "x-forwarded-port": host.rpartition(":")[2] if ":" in host else "80",
            "x-forwarded-proto": "http",
        }
        if "x-amzn-trace-id" not in given:
            added["x-amzn-trace-id"] = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
        headers = [(name, value) for name, value in headers if name.lower() not in added]
        return cls(
            method=request.method,
            path=matched.path,
            query=request.query,
            headers=(*headers, *added.items()),
            body=request.body,
            protocol=request.protocol,
            peer=request.peer,
            route=matched.route,
            captures=dict(matched.captures),
        )

    def header(self, name: str) -> str:
        """The last value of a header, empty where it was not sent."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")

    @property
    def host(self) -> str:
        """The host that the client named, without the port."""
        return self.header("host").partition(":")[0] or "localhost"

    @property
    def time(self) -> str:
        """When it came, as the log of a web server writes it."""
        return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(self.time_ms / 1000))

    def lower_headers(self) -> list[tuple[str, str]]:
        """The headers with lower-case names."""
        return [(name.lower(), value) for name, value in self.headers]

    def body_by_type(self) -> tuple[str, bool]:
        """The body as text, or as base64 (True) where its type is no text, it is encoded, or it is not UTF-8."""
        content_type = self.header("content-type")
        if not self.header("content-encoding") and (not content_type or is_text_type(content_type)):
            try:
                return self.body.decode("utf-8"), False
            except UnicodeDecodeError:
                pass
        return base64.b64encode(self.body).decode("ascii"), True


def is_text_type(content_type: str) -> bool:
    """Whether fronts that go by the content type take it for text.

    >>> is_text_type("application/problem+json; charset=utf-8"), is_text_type("image/png")
    (True, False)
    """
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))


def query_pairs(query: str, *, decoded: bool = True) -> list[tuple[str, str]]:
    """Names and values in order.

    >>> query_pairs("a=1&b&a=%2B+", decoded=True)
    [('a', '1'), ('b', ''), ('a', '+ ')]
    """
    parts = [part.partition("=") for part in query.split("&") if part]
    if not decoded:
        return [(name, value) for name, _, value in parts]
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in parts]


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The values of each name, with commas between them."""
    return {name: ",".join(values) for name, values in lists_of(pairs).items()}


def last_of_each(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The last value of each name."""
    return dict(pairs)


def lists_of(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """All values of each name."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found

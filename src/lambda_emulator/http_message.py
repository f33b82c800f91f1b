"""Requests, responses and the route table of the emulator's HTTP sides. Values only: no socket, no event loop.

Header names are lower case. Header values are text as Latin-1, which maps every byte, so whatever the client sent
can be looked at and passed on.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias
from urllib.parse import parse_qsl, unquote

from lambda_emulator.waiting import Signal

__all__ = ["Handler", "IncomingBody", "Request", "Response", "Route", "RouteTable", "Routes", "StreamCut"]


class StreamCut(Exception):  # noqa: N818 (no error of the server's: what it relays broke off)
    """Raised by a `Response.stream` that ends before its time: the connection is cut, so that the client knows."""


class IncomingBody(Protocol):
    """A body that the handler reads itself, piece by piece; not reading it stops the client."""

    trailers: Mapping[str, str]
    """Empty before the end."""
    truncated: bool
    """The connection ended inside the body; known at the end."""

    async def read(self) -> bytes:
        """The next piece; empty at the end, also at a truncated one."""

    async def read_all(self, limit_bytes: int) -> tuple[bytes, int]:
        """At most the first `limit_bytes` of what is left, and how long all of it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, its body read, unless its route has the handler read it from `incoming`."""

    method: str
    path: str
    """As sent, percent signs and all, without the query."""
    query: str
    headers: Mapping[str, str]
    """Of a header that was sent twice, the first."""
    body: bytes
    """At most the route's limit; what was sent beyond it is counted and thrown away."""
    body_bytes: int
    """How long the body was that arrived."""
    trailers: Mapping[str, str]
    truncated: bool
    """The connection ended inside the body."""
    captures: Mapping[str, str]
    """What the route's `{name}` parts matched, decoded."""
    disconnected: Signal
    """Set when the client has closed its side; a handler that waits for long looks at it."""
    incoming: IncomingBody | None = None
    """Only on routes with `reads_body`; `body`, `body_bytes`, `trailers` and `truncated` say nothing there."""
    header_list: tuple[tuple[str, str], ...] = ()
    """All headers in order, their names in the case in which they were sent."""
    protocol: str = "HTTP/1.1"
    peer: tuple[str, int] = ("127.0.0.1", 0)
    """Address and port of the client."""

    def query_value(self, name: str) -> str | None:
        """The first value of a query parameter, decoded; None where there is none."""
        return next((value for key, value in parse_qsl(self.query, keep_blank_values=True) if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer. Content-Length or chunks are the server's choice."""

    status: int
    headers: tuple[tuple[str, str | bytes], ...] = ()
    body: bytes = b""
    stream: AsyncGenerator[bytes, None] | None = None
    """Instead of `body`: pieces that are sent as they come, in chunks. Closed when the client leaves."""
    reason: str = ""


Handler: TypeAlias = Callable[[Request], Awaitable[Response | None]]
"""Makes the answer; None where nobody is left to be answered, and the connection is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method and a path such as `/things/{id}`; each `{name}` matches one path segment."""

    method: str
    path: str
    handler: Handler
    max_body_bytes: int = 0
    reads_body: bool = False
    """The handler gets `Request.incoming`."""
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        literals = re.split(r"\{(\w+)\}", self.path)
        parts = [f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(literals)]
        object.__setattr__(self, "pattern", re.compile("".join(parts)))


class RouteTable(Protocol):
    """Who answers which request."""

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route, and what its path captured. Always finds one: refusals are routes too."""


@dataclass(frozen=True, slots=True)
class Routes:
    """The table of a server. A path that no route has is 404, a method that the path does not have is 405."""

    table: tuple[Route, ...]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route, and what its path captured. Always finds one: refusals are routes too.

        >>> route, captures = Routes((Route(method="GET", path="/a/{id}", handler=not_found),)).find("GET", "/a/1%3A2")
        >>> captures
        {'id': '1:2'}
        """
        refusal = not_found
        for route in self.table:
            if match := route.pattern.fullmatch(path):
                if route.method == method:
                    return route, {name: unquote(value) for name, value in match.groupdict().items()}
                refusal = method_not_allowed
        return Route(method=method, path="/", handler=refusal), {}


async def not_found(_request: Request) -> Response:
    """As the router of the real server words it; not JSON."""
    return Response(status=404, headers=(("content-type", "text/plain; charset=utf-8"),), body=b"404 page not found\n")


async def method_not_allowed(_request: Request) -> Response:
    """The router's 405 has no body."""
    return Response(status=405)

"""Which function answers which requests, and as what front. Values only.

A path is a literal, a pattern as API Gateway writes them (`/orders/{id}`, `/files/{proxy+}`), or None for everything.
The most specific route wins: literals before captures, captures before `{proxy+}`, that before None.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from lambda_emulator.errors import InvalidConfiguration

__all__ = ["HttpKind", "HttpRoute", "MatchedRoute", "find_route"]

HttpKind: TypeAlias = Literal["function_url", "http_api", "rest", "alb", "alb_multi", "lattice", "lattice_v1"]

_STREAMING = ("function_url", "rest")
_METHOD = re.compile(r"[A-Z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRoute:
    """A function behind a front. Raises `InvalidConfiguration` for what the front does not have."""

    function_name: str
    kind: HttpKind = "function_url"
    method: str = "ANY"
    path: str | None = None
    stage: str = ""
    """Of an API; `prod` for REST APIs and `$default` for HTTP APIs unless told."""
    stage_in_path: bool = False
    """Whether the URL begins with the stage, as at the API's own address; not so at a custom domain."""
    streamed: bool = False
    """Invoke mode `RESPONSE_STREAM` of a function URL, response transfer mode `STREAM` of a REST API."""
    binary_media_types: tuple[str, ...] = ()
    """Of a REST API; all other bodies are text to it."""
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    authorizer: Mapping[str, Any] | None = None
    """What stands in the request context as if an authorizer had run."""
    qualifier: str | None = None
    timeout_s: float | None = None
    """How long the front waits; None for its own limit (29 s REST, 30 s HTTP API)."""
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kinds = get_args(HttpKind)
        if self.kind not in kinds:
            raise InvalidConfiguration(f"kind is {self.kind!r}: there are {', '.join(kinds)}")
        if self.streamed and self.kind not in _STREAMING:
            raise InvalidConfiguration(f"streamed: only {' and '.join(_STREAMING)} stream responses, not {self.kind}")
        if not _METHOD.fullmatch(self.method):
            raise InvalidConfiguration(f"method is {self.method!r}: a method in capitals, or ANY")
        if self.path is not None and not self.path.startswith("/"):
            raise InvalidConfiguration(f"path is {self.path!r}: a path begins with a slash")
        if not self.stage:
            object.__setattr__(self, "stage", "prod" if self.kind == "rest" else "$default")
        object.__setattr__(self, "pattern", re.compile(_pattern_of(self.path), re.DOTALL))

    @property
    def rank(self) -> tuple[bool, bool, int, bool]:
        """Less is more specific."""
        path = self.path or ""
        return (self.path is None, "+}" in path, path.count("{"), self.method == "ANY")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedRoute:
    """A route that takes a request."""

    route: HttpRoute
    path: str
    """As sent, behind the stage."""
    captures: Mapping[str, str]
    """As sent, percent signs and all."""


def find_route(routes: Iterable[HttpRoute], method: str, path: str) -> MatchedRoute | None:
    """The route for a request, None where there is none.

    >>> orders = HttpRoute(function_name="orders", kind="rest", path="/orders/{id}", stage_in_path=True)
    >>> find_route([orders], "GET", "/prod/orders/a%2Fb").captures
    {'id': 'a%2Fb'}
    """
    for route in sorted(routes, key=lambda one: one.rank):
        if route.method not in ("ANY", method):
            continue
        inner = _behind_stage(route, path)
        if inner is None:
            continue
        if match := route.pattern.fullmatch(inner):
            return MatchedRoute(route=route, path=inner, captures=match.groupdict())
    return None


def _behind_stage(route: HttpRoute, path: str) -> str | None:
    if not route.stage_in_path or route.stage == "$default":
        return path
    prefix = f"/{route.stage}"
    if path == prefix:
        return "/"
    return path[len(prefix) :] if path.startswith(f"{prefix}/") else None


def _pattern_of(path: str | None) -> str:
    if path is None:
        return ".*"
    parts = re.split(r"\{(\w+\+?)\}", path)
    pattern = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pattern += re.escape(part)
        elif part.endswith("+"):
            pattern += f"(?P<{part[:-1]}>.+)"
        else:
            pattern += f"(?P<{part}>[^/]+)"
    return pattern

"""The fronts as a table: how each writes its event, reads a result, and refuses. Values and functions without state.

Texts and statuses of refusals are what was recorded on AWS where it was; HTTP APIs, Lattice and sizes are field
reports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambda_emulator.http_front_balancers import (
    event_of_balancer,
    event_of_lattice,
    parts_of_balancer,
    parts_of_lattice,
)
from lambda_emulator.http_front_payload_v1 import event_v1, parts_v1
from lambda_emulator.http_front_payload_v2 import event_v2, parts_v2
from lambda_emulator.http_front_request import FrontRequest
from lambda_emulator.http_front_response import Parts, json_refusal
from lambda_emulator.http_message import Response

__all__ = ["BAD_BASE64", "BAD_RESULT", "FRONTS", "NO_ROUTE", "THROTTLED", "TIMED_OUT", "TOO_LARGE", "Front"]

BAD_RESULT, BAD_BASE64, NO_ROUTE, THROTTLED, TIMED_OUT, TOO_LARGE = (
    "bad result",
    "bad base64",
    "no route",
    "throttled",
    "timed out",
    "too large",
)
_MIB = 1024 * 1024
_MISSING_TOKEN = ("x-amzn-ErrorType", "MissingAuthenticationTokenException")


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """One kind of front."""

    event: Callable[[FrontRequest], dict[str, Any]]
    parts: Callable[[bytes, FrontRequest], Parts]
    """Raises `BadResponse`."""
    refusals: Mapping[str, Callable[[], Response]]
    """By cause; a cause that is not there is a bad result."""
    max_body_bytes: int
    max_response_bytes: int | None = None
    """Of the result's JSON, where the front takes less than Lambda gives."""
    timeout_s: float | None = None

    def refuse(self, cause: str) -> Response:
        """The answer to a client whose request or response goes no further."""
        return self.refusals.get(cause, self.refusals[BAD_RESULT])()


def _page(status: int, phrase: str) -> Callable[[], Response]:
    """The load balancer's own page."""
    title = f"{status} {phrase}"
    html = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    body = f"{html}</body>\r\n</html>\r\n".encode("ascii")
    return lambda: Response(status=status, headers=(("Server", "awselb/2.0"), ("Content-Type", "text/html")), body=body)


def _json(status: int, document: Any, *extra: tuple[str, str]) -> Callable[[], Response]:
    return lambda: json_refusal(status, document, *extra)


def _text(status: int, text: str) -> Callable[[], Response]:
    return lambda: Response(status=status, headers=(("Content-Type", "text/plain"),), body=text.encode("ascii"))


_FUNCTION_URL = Front(
    event=event_v2,
    parts=parts_v2,
    max_body_bytes=6 * _MIB,
    refusals={
        BAD_RESULT: _text(502, "Internal Server Error"),
        NO_ROUTE: _json(403, {"Message": None}, ("x-amzn-ErrorType", "AccessDeniedException")),
        THROTTLED: _json(429, {"Message": "Rate Exceeded."}, ("x-amzn-ErrorType", "TooManyRequestsException")),
        TOO_LARGE: _json(413, {"Message": "Request Entity Too Large"}),
    },
)
_HTTP_API = Front(
    event=event_v2,
    parts=parts_v2,
    max_body_bytes=10 * _MIB,
    timeout_s=30,
    refusals={
        BAD_RESULT: _json(500, {"message": "Internal Server Error"}),
        NO_ROUTE: _json(404, {"message": "Not Found"}),
        TIMED_OUT: _json(503, {"message": "Service Unavailable"}),
        TOO_LARGE: _json(413, {"message": "Request Entity Too Large"}),
    },
)
_REST = Front(
    event=event_v1,
    parts=parts_v1,
    max_body_bytes=10 * _MIB,
    timeout_s=29,
    refusals={
        BAD_RESULT: _json(502, {"message": "Internal server error"}),
        BAD_BASE64: _json(500, {"message": "Internal server error"}),
        NO_ROUTE: _json(
            403,
            {"message": "Missing Authentication Token"},
            ("x-amzn-ErrorType", "MissingAuthenticationTokenException"),
        ),
        TIMED_OUT: _json(504, {"message": "Endpoint request timed out"}),
        TOO_LARGE: _json(413, {"message": "Request Too Long"}),
    },
)
_BALANCER = Front(
    event=event_of_balancer,
    parts=parts_of_balancer,
    max_body_bytes=_MIB,
    max_response_bytes=_MIB,
    refusals={
        BAD_RESULT: _page(502, "Bad Gateway"),
        NO_ROUTE: _page(503, "Service Temporarily Unavailable"),
        TOO_LARGE: _page(413, "Request Entity Too Large"),
    },
)
_LATTICE = Front(
    event=event_of_lattice,
    parts=parts_of_lattice,
    max_body_bytes=6 * _MIB,
    refusals={
        BAD_RESULT: _text(502, "Bad Gateway"),
        NO_ROUTE: _text(404, "Not Found"),
        TOO_LARGE: _text(413, "Request Entity Too Large"),
    },
)

FRONTS: Mapping[str, Front] = {
    "function_url": _FUNCTION_URL,
    "http_api": _HTTP_API,
    "rest": _REST,
    "alb": _BALANCER,
    "alb_multi": _BALANCER,
    "lattice": _LATTICE,
    "lattice_v1": _LATTICE,
}

"""`HttpResponse`, and what a handler may return instead of one. Knows no front."""

from __future__ import annotations

from .errors import HttpError

__all__ = ["HttpResponse", "body_bytes", "is_stream", "response_from", "response_of_error"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
    from typing import Any

    Headers = Mapping[str, Sequence[str]] | Iterable[tuple[str, Sequence[str]]]

JSON, TEXT, BYTES, PROBLEM = (
    "application/json",
    "text/plain; charset=utf-8",
    "application/octet-stream",
    "application/problem+json",
)


class HttpResponse:
    """A response: status, headers, cookies, and a body of any form.

    `body`: text, bytes, None for none; an iterator or asynchronous iterator of text or bytes is a stream; anything else
    (models, dicts, lists, dataclasses) is written as JSON. `headers` maps names to a value or a list of values, or is a
    list of pairs. `cookies` are whole `Set-Cookie` values; `set_cookie` writes one. `content_type` overrules the one
    that goes with the body's form. A header that cannot be sent (line breaks, a name that is none) makes the response a
    500, and is logged.
    """

    __slots__ = ("body", "content_type", "cookies", "headers", "status")

    def __init__(
        self,
        body: Any = None,
        status: int = 200,
        headers: Headers | None = None,
        *,
        cookies: Iterable[str] = (),
        content_type: str | None = None,
    ) -> None:
        self.body = body
        self.status = status
        self.headers: list[tuple[str, Any]] = []
        given: Any = headers or ()
        pairs = given.items() if hasattr(given, "items") else given
        for name, value in pairs:
            self.headers += [(name, one) for one in (value if isinstance(value, (list, tuple)) else [value])]
        self.cookies = list(cookies)
        self.content_type = content_type

    def __repr__(self) -> str:
        return f"<HttpResponse {self.status} of a {type(self.body).__name__}>"

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age_s: int | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = True,
        http_only: bool = True,
        same_site: str | None = "Lax",
    ) -> None:
        """Add a cookie. Raises `ValueError` for a name or value that no cookie may have."""
        if not name or any(one in f"{name}{value}" for one in ';,\r\n\0 "') or "=" in name:
            raise ValueError(f"cookie {name!r}: neither name nor value may have blanks, quotes, commas or semicolons")
        parts = [f"{name}={value}"]
        for key, given in (("Max-Age", max_age_s), ("Path", path), ("Domain", domain), ("SameSite", same_site)):
            if given is not None:
                parts.append(f"{key}={given}")
        parts += [key for key, wanted in (("Secure", secure), ("HttpOnly", http_only)) if wanted]
        self.cookies.append("; ".join(parts))

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        name = name.lower()
        return next((str(value) for key, value in self.headers if str(key).lower() == name), None)


def response_from(result: Any) -> HttpResponse:
    """The response that a handler's result stands for.

    None is 204; a pair of a status and a body has that status; a proxy response as one writes it for API Gateway (a
    dict with `statusCode`) is taken for what it says; all else is a body with status 200.
    """
    if isinstance(result, HttpResponse):
        return result
    if result is None:
        return HttpResponse(None, 204)
    if isinstance(result, tuple) and len(result) == 2 and type(result[0]) is int and 100 <= result[0] <= 599:
        inner = response_from(result[1])
        inner.status = result[0] if not isinstance(result[1], HttpResponse) else inner.status
        return inner
    if isinstance(result, dict) and "statusCode" in result:
        return _of_proxy_response(result)
    return HttpResponse(result)


def response_of_error(error: HttpError) -> HttpResponse:
    """The problem document."""
    return HttpResponse(error.document(), error.status, error.headers, content_type=PROBLEM)


def is_stream(body: Any) -> bool:
    """Whether a body comes piece by piece."""
    return hasattr(body, "__aiter__") or hasattr(body, "__next__")


def body_bytes(response: HttpResponse) -> tuple[bytes, str | None]:
    """The bytes of a body that is no stream, and the content type that goes with its form."""
    body = response.body
    if body is None:
        return b"", None
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), TEXT
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), BYTES
    from handlerkit.reply import encoded

    return encoded(body), JSON


def _of_proxy_response(result: dict[str, Any]) -> HttpResponse:
    body = result.get("body")
    if result.get("isBase64Encoded") is True and isinstance(body, str):
        from handlerkit.events.encoded import from_base64

        body = from_base64(body)
    headers: list[tuple[str, Any]] = []
    multiple = result.get("multiValueHeaders") or {}
    for name, values in multiple.items():
        headers += [(name, value) for value in values]
    named = {name.lower() for name in multiple}
    headers += [(name, value) for name, value in (result.get("headers") or {}).items() if name.lower() not in named]
    status = result["statusCode"]
    if isinstance(status, str) and status.isdigit():
        status = int(status)
    response = HttpResponse(body, status, headers, cookies=result.get("cookies") or ())
    if response.header("content-type") is None:
        response.content_type = JSON  # what API Gateway says where the function does not
    return response


if TYPE_CHECKING:
    Stream = Iterable[bytes | str] | AsyncIterable[bytes | str]

"""An httpx transport whose server is a handler: a framework's usual client asks it, in this process, without a port."""

from __future__ import annotations

from .http import http_event

__all__ = ["handler_transport"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import httpx

    from .http import Kind


def handler_transport(handler: Any, *, kind: Kind = "http_api", context: Any = None) -> httpx.BaseTransport:
    """For `httpx.Client(transport=handler_transport(handler), base_url="https://example.com")`.

    Each request becomes the event of that kind of front, each answer the client's response. `handler` is any Lambda
    handler that answers HTTP events, ours or not; streams are collected. Needs httpx.
    """
    try:
        import httpx
    except ImportError:
        raise ImportError("handler_transport needs httpx, which is not installed: pip install httpx") from None

    class Transport(httpx.BaseTransport):
        """Request to event, answer to response."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = handler(_event_of(request, kind), context)
            headers = list((answer.get("headers") or {}).items())
            for name, values in (answer.get("multiValueHeaders") or {}).items():
                headers += [(name, value) for value in values]
            headers += [("set-cookie", cookie) for cookie in answer.get("cookies") or ()]
            body = answer.get("body") or ""
            if answer.get("isBase64Encoded"):
                from binascii import a2b_base64

                content = a2b_base64(body)
            else:
                content = body.encode()
            return httpx.Response(answer["statusCode"], headers=headers, content=content, request=request)

    return Transport()


def _event_of(request: httpx.Request, kind: Kind) -> dict[str, Any]:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.multi_items():
        headers.setdefault(name, []).append(value)
    lines = headers.get("cookie", [])
    if kind in ("http_api", "function_url"):
        headers.pop("cookie", None)
    content = request.read()
    try:
        body: str | bytes | None = content.decode("utf-8") if content else None
    except UnicodeDecodeError:
        body = content
    parameters: dict[str, list[str]] = {}
    for name, value in request.url.params.multi_items():
        parameters.setdefault(name, []).append(value)
    event = http_event(request.method, path, body=body, headers=headers, query=parameters, kind=kind)
    if "rawQueryString" in event:
        event["rawQueryString"] = query
        if lines:
            event["cookies"] = "; ".join(lines).split("; ")
    elif kind == "lattice_v1":
        event["raw_path"] = f"{path}?{query}" if query else path
    return event

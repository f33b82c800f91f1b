"""A streamed HTTP response, for a function URL or API Gateway with response streaming."""

from runtime import StreamingResponse


def handler(event, context):
    """Answer with status, headers and a cookie first, then with the page piece by piece."""
    return StreamingResponse(
        page(event.get("rawPath", "/")),
        status_code=200,
        headers={"Cache-Control": "no-store"},
        cookies=["seen=yes; Path=/; HttpOnly"],
        content_type="text/html; charset=utf-8",
    )


def page(path):
    """The page's pieces; the first leaves before the last is known."""
    yield f"<!doctype html><title>{path}</title>"
    for number in range(1, 4):
        yield f"<p>part {number}</p>"

"""The applications that both sides serve."""

from typing import Any

from fastapi import FastAPI

HELLO = b'{"message":"Hello, world!"}'
PIECES = 16
PIECE = b"x" * 65_536


async def plain_app(scope: Any, receive: Any, send: Any) -> None:
    """What an application costs that costs nothing; /stream makes a response in pieces with work between them."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(HELLO))]
    if scope["path"] != "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": HELLO})
        return
    from asyncio import sleep

    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for _ in range(PIECES):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        await sleep(0.001)
    await send({"type": "http.response.body", "body": b""})


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


fastapi_app = FastAPI()


@fastapi_app.get("/")
async def hello() -> dict[str, str]:
    """Say hello."""
    return {"message": "Hello, world!"}

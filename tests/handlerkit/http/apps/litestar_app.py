"""The contract of test_frameworks.py in Litestar."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import State
from litestar.response import Redirect, Stream

from handlerkit import asgi_handler

done: list[int] = []


@asynccontextmanager
async def lifespan(app: Litestar):
    app.state.pool = "open"
    yield


@get("/items/{name:path}")
async def item(name: str, request: Request, state: State) -> dict[str, Any]:
    tags = request.query_params.getall("tag", [])
    return {"name": name.removeprefix("/"), "tags": tags, "url": request.url.path, "pool": state.pool}


@post("/echo", status_code=200)
async def echo(data: Any) -> Any:
    return data


@post("/upload", status_code=200)
async def upload(request: Request) -> dict[str, Any]:
    return {"size": len(await request.body()), "type": request.headers["content-type"]}


@get("/binary", media_type="application/octet-stream")
async def binary() -> bytes:
    return bytes(range(256))


@get("/cookies")
async def cookies(request: Request) -> Response[dict[str, str]]:
    response = Response(dict(request.cookies))
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", httponly=True)
    return response


@get("/events")
async def events(gate: str = "") -> Stream:
    async def produce():
        for number in range(3):
            yield f"data: {number}\n\n"
            while gate and not Path(gate).exists():  # until the client has seen the first one
                await asyncio.sleep(0.005)

    return Stream(produce(), media_type="text/event-stream")


@get("/error", media_type=MediaType.TEXT)
async def error() -> None:
    raise ValueError("a secret reason")


@get("/redirect")
async def redirect() -> Redirect:
    return Redirect("/items/x")


async def note() -> None:
    done.append(1)


@get("/late")
async def late() -> Response[dict[str, int]]:
    return Response({"before": len(done)}, background=BackgroundTask(note))


app = Litestar([item, echo, upload, binary, cookies, events, error, redirect, late], lifespan=[lifespan])
handler = asgi_handler(app, stream=True)

"""The contract of test_frameworks.py in Starlette."""

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from handlerkit import asgi_handler

done: list[int] = []


@asynccontextmanager
async def lifespan(app):
    yield {"pool": "open"}
    if mark := os.environ.get("MARK"):
        Path(mark).write_text("shut down")


async def item(request):
    query = request.query_params
    return JSONResponse(
        {
            "name": request.path_params["name"],
            "tags": query.getlist("tag"),
            "url": str(request.url.path),
            "pool": request.state.pool,
        }
    )


async def echo(request):
    return JSONResponse(await request.json())


async def upload(request):
    return JSONResponse({"size": len(await request.body()), "type": request.headers["content-type"]})


async def binary(request):
    return Response(bytes(range(256)), media_type="application/octet-stream")


async def cookies(request):
    response = JSONResponse(dict(request.cookies))
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", httponly=True)
    return response


async def events(request):
    gate = request.query_params.get("gate")

    async def produce():
        for number in range(3):
            yield f"data: {number}\n\n"
            while gate and not Path(gate).exists():  # until the client has seen the first one
                await asyncio.sleep(0.005)

    return StreamingResponse(produce(), media_type="text/event-stream")


async def error(request):
    raise ValueError("a secret reason")


async def redirect(request):
    return RedirectResponse(request.url_for("item", name="x"))


async def late(request):
    return JSONResponse({"before": len(done)}, background=BackgroundTask(done.append, 1))


app = Starlette(
    routes=[
        Route("/items/{name:path}", item, name="item"),
        Route("/echo", echo, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/binary", binary),
        Route("/cookies", cookies),
        Route("/events", events),
        Route("/error", error),
        Route("/redirect", redirect),
        Route("/late", late),
    ],
    lifespan=lifespan,
    middleware=[Middleware(GZipMiddleware, minimum_size=100_000)],
)
handler = asgi_handler(app, stream=True)

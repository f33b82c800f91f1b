"""The contract of test_frameworks.py in FastAPI."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import BackgroundTasks, Body, FastAPI, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from handlerkit import asgi_handler

done: list[int] = []


@asynccontextmanager
async def lifespan(app):
    yield {"pool": "open"}


app = FastAPI(lifespan=lifespan)


@app.get("/items/{name:path}")
def item(name: str, request: Request, tag: Annotated[list[str] | None, Query()] = None):
    return {"name": name, "tags": tag or [], "url": request.url.path, "pool": request.state.pool}


@app.post("/echo")
def echo(value: Annotated[Any, Body()]):
    return value


@app.post("/upload")
async def upload(request: Request):
    return {"size": len(await request.body()), "type": request.headers["content-type"]}


@app.get("/binary")
def binary():
    return Response(bytes(range(256)), media_type="application/octet-stream")


@app.get("/cookies")
def cookies(request: Request, response: Response):
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", httponly=True)
    return request.cookies


@app.get("/events")
def events(gate: str = ""):
    async def produce():
        for number in range(3):
            yield f"data: {number}\n\n"
            while gate and not Path(gate).exists():  # until the client has seen the first one
                await asyncio.sleep(0.005)

    return StreamingResponse(produce(), media_type="text/event-stream")


@app.get("/error")
def error():
    raise ValueError("a secret reason")


@app.get("/redirect")
def redirect(request: Request):
    return RedirectResponse(request.url_for("item", name="x"))


@app.get("/late")
def late(background: BackgroundTasks):
    background.add_task(done.append, 1)
    return {"before": len(done)}


handler = asgi_handler(app, stream=True)

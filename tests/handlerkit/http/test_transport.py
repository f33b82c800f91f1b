"""A handler asked by an ordinary client, without a port."""

import sys
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from handlerkit import asgi_handler
from handlerkit.testing import handler_transport

KINDS = ["http_api", "rest", "function_url", "alb", "alb_multi", "lattice", "lattice_v1"]


async def everything(request: Request) -> Response:
    response = JSONResponse(
        {
            "path": request.url.path,
            "q": request.query_params.getlist("q"),
            "cookies": request.cookies,
            "size": len(await request.body()),
        }
    )
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


async def binary(request: Request) -> Response:
    return Response(b"\xff\x00")


app = Starlette(routes=[Route("/{path:path}/all", everything, methods=["POST"]), Route("/binary", binary)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_asks_a_handler_as_it_would_a_server(kind: Any) -> None:
    transport = handler_transport(asgi_handler(app, root_path=""), kind=kind)
    with httpx.Client(transport=transport, base_url="https://example.com") as client:
        response = client.post("/a%20b/all?q=1&q=x+y", content=b"\xff\xfe", headers={"Cookie": "s=1; t=2"})
        repeated = ["x y"] if kind == "alb" else ["1", "x y"]
        assert response.json() == {"path": "/a b/all", "q": repeated, "cookies": {"s": "1", "t": "2"}, "size": 2}
        assert client.cookies["a"] == "1"
        assert client.cookies["b"] == "2"
        assert client.get("/binary").content == b"\xff\x00"
        assert client.get("/nothing").status_code == 404


def test_httpx_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ImportError, match="pip install httpx"):
        handler_transport(app)

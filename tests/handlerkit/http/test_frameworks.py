"""Applications of four frameworks, unchanged, in real processes behind real fronts, asked by a real HTTP client.

The same requests go to the application itself through its framework's own client: the answers have to be the same.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from lambda_emulator import FunctionConfiguration, HttpFront, HttpRoute, LocalLambda

APPS = Path(__file__).parent / "apps"
FRAMEWORKS = ["starlette", "fastapi", "litestar", "django"]
BINARY = bytes(range(256)) * 100
REQUESTS: dict[str, dict[str, Any]] = {
    "an item": {"method": "GET", "url": "/items/a%20b/c%2Bd?tag=1&tag=x%20y&other="},
    "an encoded slash": {"method": "GET", "url": "/items/a%2Fb"},
    "JSON": {"method": "POST", "url": "/echo", "json": {"ä": [1, 2.5, None, "\U0001f600"]}},
    "bytes": {"method": "POST", "url": "/upload", "content": BINARY, "headers": {"Content-Type": "image/png"}},
    "a binary answer": {"method": "GET", "url": "/binary"},
    "cookies": {"method": "GET", "url": "/cookies", "headers": {"Cookie": "s=1; t=2"}},
    "events": {"method": "GET", "url": "/events"},
    "nothing there": {"method": "GET", "url": "/nothing"},
    "a method that is not allowed": {"method": "DELETE", "url": "/binary"},
    "a head": {"method": "HEAD", "url": "/binary"},
    "a redirect": {"method": "GET", "url": "/redirect"},
}
FRONTS = {"function_url": True, "http_api": False, "rest": True, "alb_multi": False}
"""Those that stream, and those to which the same function answers all at once."""
VARYING = ("date", "server", "content-length", "transfer-encoding", "connection", "location")


class Served:
    """One framework's application behind every front, and asked directly."""

    def __init__(self, name: str, service: LocalLambda) -> None:
        self.name = name
        self.service = service
        self.urls: dict[str, str] = {}
        for kind, streams in FRONTS.items():
            types = ("*/*",) if kind == "rest" else ()
            route = HttpRoute(function_name=name, kind=kind, streamed=streams, binary_media_types=types)  # type: ignore[arg-type]
            self.urls[kind] = HttpFront(service, [route]).start()


@pytest.fixture(scope="module", params=FRAMEWORKS)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with LocalLambda(function(request.param)) as service:
        yield Served(request.param, service)


def function(name: str, **fields: Any) -> FunctionConfiguration:
    settings: dict[str, Any] = {"handler": f"{name}_app.handler", "timeout_s": 60, "memory_mb": 512}
    return FunctionConfiguration(name=name, task_root=APPS, **(settings | fields))


DIRECT = """
import asyncio, base64, importlib, json, sys
import httpx
app = importlib.import_module(sys.argv[1]).app

async def main():
    state = {}
    ready, ended = asyncio.Event(), asyncio.Event()
    messages = iter(["lifespan.startup", "lifespan.shutdown"])
    async def receive():
        kind = next(messages)
        if kind == "lifespan.shutdown":
            await ended.wait()
        return {"type": kind}
    async def send(message):
        ready.set()
    async def live():
        try:
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}, receive, send)
        finally:
            ready.set()
    async def with_state(scope, receive, send):
        await app({**scope, "state": dict(state)}, receive, send)
    task = asyncio.ensure_future(live())
    await ready.wait()
    transport = httpx.ASGITransport(with_state, raise_app_exceptions=False, client=("127.0.0.1", 0))
    answers = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for name, request in json.load(sys.stdin).items():
            if "content" in request:
                request["content"] = base64.b64decode(request["content"])
            response = await client.request(**request)
            headers = [[key.lower(), value] for key, value in response.headers.multi_items()]
            answers[name] = [response.status_code, headers, base64.b64encode(response.content).decode()]
    ended.set()
    await asyncio.wait({task})
    json.dump(answers, sys.stdout)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def direct(served: Served) -> dict[str, Any]:
    """What the application answers where nothing of ours is in between."""
    asked = json.dumps(
        {name: {**request, **_plain(request)} for name, request in REQUESTS.items()},
    )
    done = subprocess.run(
        [sys.executable, "-c", DIRECT, f"{served.name}_app"], input=asked, capture_output=True, text=True, cwd=APPS
    )
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    answers: dict[str, Any] = json.loads(last[last.index("{") :])
    return answers


def _plain(request: dict[str, Any]) -> dict[str, Any]:
    return {"content": base64.b64encode(request["content"]).decode()} if "content" in request else {}


def comparable(headers: list[tuple[str, str]] | httpx.Headers) -> list[tuple[str, str]]:
    pairs = headers.multi_items() if isinstance(headers, httpx.Headers) else headers
    own = ("x-amzn-requestid", "x-amzn-trace-id", "apigw-requestid", *VARYING)
    found = [(name.lower(), value) for name, value in pairs if name.lower() not in own]
    # Frameworks keep the methods that a path allows in sets.
    return sorted((name, ", ".join(sorted(value.split(", "))) if name == "allow" else value) for name, value in found)


@pytest.mark.parametrize("kind", FRONTS)
def test_an_application_answers_behind_a_front_as_it_does_itself(
    served: Served, direct: dict[str, Any], kind: str
) -> None:
    with httpx.Client(base_url=served.urls[kind], timeout=60) as client:
        for name, request in REQUESTS.items():
            response = client.request(**request)
            status, headers, body = direct[name]
            expected = base64.b64decode(body)
            assert (name, response.status_code) == (name, status)
            assert (name, response.content) == (name, expected)
            theirs = [pair for pair in comparable(headers) if pair[0] != "content-type" or expected]
            ours = [pair for pair in comparable(response.headers) if pair[0] != "content-type" or expected]
            assert (name, ours) == (name, theirs)


@pytest.mark.parametrize("kind", FRONTS)
def test_an_error_of_the_application_reaches_nobody_but_the_log(served: Served, kind: str) -> None:
    response = httpx.get(f"{served.urls[kind]}/error", timeout=60)
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "Traceback" not in response.text


def test_server_sent_events_arrive_one_by_one(served: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    for kind in ("function_url", "rest"):
        url = f"{served.urls[kind]}/events"
        with httpx.stream("GET", url, params={"gate": str(gate)}, timeout=60) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            pieces = response.iter_raw()
            assert next(pieces) == b"data: 0\n\n"  # while the application waits for the gate
            gate.touch()
            assert b"".join(pieces) == b"data: 1\n\ndata: 2\n\n"
        gate.unlink()


def test_a_background_task_runs_behind_the_response(served: Served) -> None:
    if served.name == "django":
        pytest.skip("Django has none")
    for kind in ("http_api", "function_url"):
        counts = [httpx.get(f"{served.urls[kind]}/late", timeout=60).json()["before"] for _ in range(3)]
        assert counts == [counts[0], counts[0] + 1, counts[0] + 2]


@pytest.mark.parametrize("mode", ["asyncio", "threads", "processes"])
def test_an_application_serves_many_at_once(mode: str) -> None:
    concurrent = function(
        "starlette", max_concurrency=4, environment={"HANDLERKIT_CONCURRENCY": mode, "MARK": ""}, memory_mb=1024
    )
    with LocalLambda(concurrent) as service, ThreadPoolExecutor(4) as threads:
        plain = HttpFront(service, [HttpRoute(function_name="starlette", kind="http_api")]).start()
        streamed = HttpFront(service, [HttpRoute(function_name="starlette", streamed=True)]).start()
        urls = [f"{plain}/items/{number}" for number in range(6)] + [f"{streamed}/events"] * 2
        answers = list(threads.map(lambda url: httpx.get(url, timeout=60), urls))
    assert [answer.json()["name"] for answer in answers[:6]] == [str(number) for number in range(6)]
    assert {answer.json()["pool"] for answer in answers[:6]} == {"open"}
    assert [answer.text for answer in answers[6:]] == ["data: 0\n\ndata: 1\n\ndata: 2\n\n"] * 2


def test_the_lifespan_ends_when_the_environment_is_told_to(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with LocalLambda(function("starlette", environment={"MARK": str(mark)})) as service:
        url = HttpFront(service, [HttpRoute(function_name="starlette", streamed=True)]).start()
        assert httpx.get(f"{url}/cookies", timeout=60).status_code == 200
        assert not mark.exists()
    assert mark.read_text() == "shut down"

"""HTTP handlers: ASGI applications against mangum, a typed function against aws-lambda-powertools' resolver, requests
read from events, and how soon a stream's first byte is there. The others run on awslambdaric."""

import json
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench import parts, stopwatch, tables

FIGURES = {"wall p50, µs": "wall_us.p50", "CPU, µs": "cpu_us", "invocations/s": "per_second"}
START = {"start → first response, ms": "first_ms", "of it the invocation, ms": "invocation_ms"}
LIMIT = 0.6
REQUEST_LIMIT_US = 15.0
_HEADERS = {
    "accept": "application/json, text/plain, */*",
    "accept-encoding": "gzip, deflate, br",
    "accept-language": "de-DE,de;q=0.9,en;q=0.6",
    "content-type": "application/json",
    "host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
    "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
    "x-forwarded-for": "203.0.113.17",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """One function on both sides."""

    title: str
    ours: str
    theirs: str
    event: Path
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What was measured."""

    duels: dict[str, stopwatch.Duel]
    starts: dict[str, stopwatch.Duel]
    first_byte: stopwatch.Duel
    requests_us: dict[str, float]


def event(method: str, path: str, body: str | None = None) -> dict[str, Any]:
    """A request in payload format 2.0."""
    context = {
        "accountId": "123456789012",
        "apiId": "a1b2c3d4e5",
        "domainName": _HEADERS["host"],
        "domainPrefix": "a1b2c3d4e5",
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.17",
            "userAgent": _HEADERS["user-agent"],
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": "$default",
        "stage": "$default",
        "time": "01/Jan/2026:00:00:00 +0000",
        "timeEpoch": 1767225600000,
    }
    found = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "tag=a&tag=b&q=x%20y",
        "cookies": ["session=s1", "theme=dark"],
        "headers": _HEADERS,
        "queryStringParameters": {"tag": "a,b", "q": "x y"},
        "requestContext": context,
        "isBase64Encoded": False,
    }
    return found if body is None else {**found, "body": body}


def event_file(name: str, content: dict[str, Any]) -> Path:
    """The event as a file that the server can read."""
    path = parts.BUILD / f"http-{name}.json"
    path.write_text(json.dumps(content))
    return path


def contests(*, quick: bool) -> list[Contest]:
    """What is served on both sides."""
    hello = event_file("hello", event("GET", "/"))
    order = event_file("order", event("POST", "/orders", '{"article": "book", "quantity": 2}'))
    count = 800 if quick else 3_000
    plain = Contest(title="ASGI, the bare protocol", ours="plain", theirs="plain", event=hello, count=count)
    fastapi = Contest(title="FastAPI, hello world", ours="fastapi", theirs="fastapi", event=hello, count=count)
    without = Contest(
        title="FastAPI; theirs without lifespan",
        ours="fastapi",
        theirs="fastapi_without_lifespan",
        event=hello,
        count=count,
    )
    typed = Contest(
        title="a typed function (theirs: powertools)",
        ours="bench_http_handler.place",
        theirs="bench_http_handler_powertools.handler",
        event=order,
        count=count,
    )
    return [plain, fastapi, without, typed]


def _sides(contest: Contest) -> tuple[str, str]:
    ours = contest.ours if "." in contest.ours else f"bench_asgi.{contest.ours}"
    return ours, contest.theirs if "." in contest.theirs else f"bench_asgi_mangum.{contest.theirs}"


def measure(ours: parts.Runtime, theirs: parts.Runtime, *, rounds: int, quick: bool) -> Results:
    """Turn by turn, with the same libraries in the function's folder."""
    task = parts.task_with_lock("bench")
    ours, theirs = ours.with_task(task), theirs.with_task(task)
    duels, starts = {}, {}
    for contest in contests(quick=quick):
        first, second = _sides(contest)
        load = stopwatch.Load(
            events=(contest.event,), count=contest.count, warmup=max(contest.count // 10, 2), is_traced=False
        )
        measures = [
            partial(run, ours, first, load),
            partial(run, theirs, second, load),
        ]
        duels[contest.title] = stopwatch.Duel(**_named(stopwatch.take_turns(rounds, measures)))
        if contest.ours == "fastapi" or "typed" in contest.title:
            begin = [
                partial(first_response, ours, first, contest.event),
                partial(first_response, theirs, second, contest.event),
            ]
            starts[contest.title] = stopwatch.Duel(**_named(stopwatch.take_turns(rounds, begin)))
    return Results(
        duels=duels,
        starts=starts,
        first_byte=_first_byte(ours, theirs, rounds=rounds, quick=quick),
        requests_us=requests_us(task, quick=quick),
    )


def run(runtime: parts.Runtime, handler: str, load: stopwatch.Load) -> stopwatch.Figures:
    """One run without a failed invocation; an application with a lifespan has a second connection, for its end."""
    figures = stopwatch.flatten(stopwatch.run(runtime, handler, load))
    if figures["failures"] or figures["connections"] > 2:
        raise stopwatch.RunError(f"{runtime.name}: not a clean run: {figures}")
    return figures


def _named(turns: list[list[stopwatch.Figures]]) -> dict[str, list[stopwatch.Figures]]:
    return dict(zip(("ours", "theirs"), turns, strict=True))


def first_response(runtime: parts.Runtime, handler: str, path: Path) -> stopwatch.Figures:
    """From starting the process to the response to its first event."""
    figures = run(runtime, handler, stopwatch.Load(events=(path,), count=1, is_traced=False))
    invocation_ms = figures["wall_us.p50"] / 1000
    return {"first_ms": figures["start_ms"] + invocation_ms, "invocation_ms": invocation_ms}


def _first_byte(ours: parts.Runtime, theirs: parts.Runtime, *, rounds: int, quick: bool) -> stopwatch.Duel:
    """A response of 1 MiB in 16 pieces with 1 ms between them: our first byte against their whole response."""
    content = event("GET", "/stream")
    content["requestContext"]["domainName"] = "abc.lambda-url.eu-central-1.on.aws"
    load = stopwatch.Load(events=(event_file("stream", content),), count=20 if quick else 60, warmup=2)
    streamed, whole = stopwatch.take_turns(
        rounds,
        [
            partial(run, ours, "bench_asgi.streaming", load),
            partial(run, theirs, "bench_asgi_mangum.plain", load),
        ],
    )
    return stopwatch.Duel(
        ours=[{"us": one["first_us.p50"]} for one in streamed], theirs=[{"us": one["wall_us.p50"]} for one in whole]
    )


_READ = """
import json, sys
from time import process_time_ns
from handlerkit import HttpRequest

def read(event):
    request = HttpRequest(event)
    line = request.method, request.path, request.query["q"]
    return line, request.headers["user-agent"], request.cookies, request.content

def timed(event, count):
    best = None
    for _ in range(7):
        began = process_time_ns()
        for _ in range(count):
            read(event)
        took = (process_time_ns() - began) / count / 1000
        best = took if best is None else min(best, took)
    return best

events = json.load(sys.stdin)
print(json.dumps({name: timed(event, int(sys.argv[1])) for name, event in events.items()}))
"""


def requests_us(task: Path, *, quick: bool) -> dict[str, float]:
    """CPU time, µs, from a parsed event to a request of which method, path, query, a header, cookies and body are read;
    the best of seven runs."""
    v2 = event("POST", "/orders/a%20b", '{"article": "book", "quantity": 2}')
    cookies = {**_HEADERS, "cookie": "session=s1; theme=dark"}
    lists = {name: [value] for name, value in cookies.items()}
    query = {"tag": ["a", "b"], "q": ["x y"]}
    v1 = {
        "resource": "/{proxy+}", "path": "/orders/a%20b", "httpMethod": "POST", "headers": cookies,
        "multiValueHeaders": lists, "queryStringParameters": {"tag": "b", "q": "x y"},
        "multiValueQueryStringParameters": query, "pathParameters": None, "stageVariables": None,
        "requestContext": {"stage": "prod", "path": "/prod/orders", "identity": {"sourceIp": "203.0.113.17"}},
        "body": v2["body"], "isBase64Encoded": False,
    }  # fmt: skip
    alb = {
        "requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "POST", "path": "/orders/a%20b",
        "multiValueQueryStringParameters": {"tag": ["a", "b"], "q": ["x%20y"]}, "multiValueHeaders": lists,
        "body": v2["body"], "isBase64Encoded": False,
    }  # fmt: skip
    done = subprocess.run(
        [str(parts.BUILD / "venv" / "bin" / "python"), "-c", _READ, "1000" if quick else "5000"],
        input=json.dumps({"HTTP API": v2, "REST API": v1, "load balancer, lists": alb}),
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(task)},
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def table(duels: dict[str, stopwatch.Duel], figures: dict[str, str]) -> str:
    """A row per contest; in each cell the ratio, ours, theirs."""
    rows = [
        [title, *(tables.versus(duel.ratio(figure), *duel.medians(figure)) for figure in figures.values())]
        for title, duel in duels.items()
    ]
    return tables.markdown(["", *figures], rows)


def other_table(results: Results) -> str:
    """Our first byte against their whole response, and what reading a request costs."""
    duel = results.first_byte
    rows = [
        ["first byte of 1 MiB in 16 pieces / the whole of it, µs", tables.versus(duel.ratio("us"), *duel.medians("us"))]
    ]
    rows += [[f"event → HttpRequest, {name}, CPU µs", f"{took:.1f}"] for name, took in results.requests_us.items()]
    return tables.markdown(["", ""], rows)


def budgets(results: Results) -> list[tables.Budget]:
    """What users would choose between: both sides as they come, so not the row that switches theirs down."""
    found = [
        tables.Budget(what=f"{title}, {name}", ratio=duel.ratio(figure), limit=LIMIT)
        for title, duel in results.duels.items()
        if "without" not in title
        for name, figure in (("wall p50", "wall_us.p50"), ("CPU", "cpu_us"))
    ]
    slowest = max(results.requests_us.values())
    return [*found, tables.Budget(what="event → HttpRequest, of 15 µs", ratio=slowest / REQUEST_LIMIT_US, limit=1.0)]

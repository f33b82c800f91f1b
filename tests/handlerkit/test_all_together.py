"""Everything in one function, many invocations at once: each line, metric and span is its own invocation's."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from handlerkit.testing import http_event, sqs_event
from lambda_emulator import FunctionConfiguration, InvocationResult, LocalLambda, TraceNode
from tests.counterparts import awslambdaric_path, needs_awslambdaric

CODE = """
import asyncio
from handlerkit import asgi_handler, batch_handler, custom_resource, get_logger, http_handler, logs, metrics, traced
from handlerkit import HttpRequest, HttpResponse, tracing
from handlerkit.events import CustomResourceEvent, SqsRecord
from handlerkit.idempotency import Idempotency, MemoryStore
from handlerkit.metrics import BatchMetrics

log = get_logger()

def work(owner):
    logs.bind(owner=owner)
    log.info("began", password="hunter2")
    with tracing.span("inside", owner=owner):
        metrics.properties(owner=owner).add("work", 1, "Count")
    log.info("ended")

@traced
def charge(owner):
    work(owner)

def guarded():
    return Idempotency(MemoryStore(), key=lambda record: record.body["n"])

together = {"observers": [BatchMetrics()], "max_workers": 8, "trace_records": True}

@batch_handler(idempotency=guarded(), **together)
def threads(record: SqsRecord[dict], context):
    charge(context.aws_request_id)
    if record.body["fails"]:
        raise ValueError("no")

@batch_handler(idempotency=guarded(), **together)
async def tasks(record: SqsRecord[dict], context):
    await asyncio.sleep(0.002)
    charge(context.aws_request_id)
    if record.body["fails"]:
        raise ValueError("no")

@http_handler(idempotency=Idempotency(MemoryStore(), key=lambda request: request.headers["key"]))
async def web(request: HttpRequest, context):
    await asyncio.sleep(0.002)
    charge(context.aws_request_id)
    return HttpResponse({"id": context.aws_request_id}, 201)

async def app(scope, receive, send):
    await asyncio.sleep(0.002)
    charge(scope["aws.context"].aws_request_id)
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b""})

asgi = asgi_handler(app, lifespan="off")

@custom_resource
async def resource(event: CustomResourceEvent, context):
    await asyncio.sleep(0.002)
    charge(context.aws_request_id)
"""
COUNT = 6
REQUEST = {"RequestType": "Create", "StackId": "s", "RequestId": "r", "LogicalResourceId": "Site"}
EVENTS: dict[str, Any] = {
    "threads": lambda n: sqs_event([{"n": f"{n}-{one}", "fails": one == 1} for one in range(4)]),
    "tasks": lambda n: sqs_event([{"n": f"{n}-{one}", "fails": one == 1} for one in range(4)]),
    "web": lambda n: http_event("POST", "/", headers={"key": str(n)}),
    "asgi": lambda n: http_event("POST", "/"),
    "resource": lambda n: {**REQUEST, "RequestId": str(n)},
}


def answer_is_right(name: str, event: dict[str, Any], answer: Any) -> bool:
    if name in ("threads", "tasks"):
        return bool(answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]})
    return bool(answer.get("statusCode") == 201 or answer.get("PhysicalResourceId"))


def functions(folder: Path, mode: str) -> list[FunctionConfiguration]:
    (folder / "app.py").write_text(CODE)
    more: dict[str, Any] = {}
    environment = {"HANDLERKIT_LOG_LEVEL": "INFO"}
    if mode == "awslambdaric":
        paths = [str(awslambdaric_path()), str(folder), *sys.path]
        environment["PYTHONPATH"] = ":".join(path for path in paths if path)
    else:
        environment["HANDLERKIT_CONCURRENCY"] = mode
        more["max_concurrency"] = COUNT
    fields: dict[str, Any] = {"task_root": folder, "timeout_s": 60, "memory_mb": 1024, "tracing": "Active"}
    fields |= {"log_format": "JSON", "environment": environment, **more}
    if mode == "awslambdaric":
        command = (sys.executable, "-m", "awslambdaric")
        return [
            FunctionConfiguration(name=name, handler=f"app.{name}", command=(*command, f"app.{name}"), **fields)
            for name in EVENTS
        ]
    return [FunctionConfiguration(name=name, handler=f"app.{name}", **fields) for name in EVENTS]


MODES = ["processes", "threads", "asyncio", pytest.param("awslambdaric", marks=needs_awslambdaric())]


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_lost_and_nothing_is_anothers(tmp_path: Path, mode: str) -> None:
    results: dict[str, list[tuple[dict[str, Any], InvocationResult]]] = {}
    with (
        LocalLambda(*functions(tmp_path, mode)) as service,
        ThreadPoolExecutor(1 if mode == "awslambdaric" else COUNT) as pool,
    ):
        for name, make in EVENTS.items():
            events = [make(n) for n in range(COUNT)]
            done = list(pool.map(lambda event, name=name: service.invoke(name, event), events))
            results[name] = list(zip(events, done, strict=True))
        rejected = service.xray_daemon.rejected
        found = {
            name: [(event, one, records_of(one), nodes_of(one)) for event, one in pairs]
            for name, pairs in results.items()
        }
    assert rejected == []
    for name, invocations in found.items():
        calls = 4 if name in ("threads", "tasks") else 1
        for event, result, records, spans in invocations:
            assert answer_is_right(name, event, result.json()), (name, result.payload)
            # Those of invocations beside it are in the environment's log, too.
            lines = [record for record in records if record.get("event") in ("began", "ended")]
            works = [record for record in records if "work" in record]
            assert all(one["request_id"] == one["owner"] for one in (*lines, *works))
            assert sum(line["request_id"] == result.request_id for line in lines) == 2 * calls
            counts = [one["work"] for one in works if one["request_id"] == result.request_id]
            assert sum(len(count) if isinstance(count, list) else 1 for count in counts) == calls
            inside = [one for one in spans if one.name == "inside"]
            assert [one.annotations["owner"] for one in inside] == [result.request_id] * calls
            assert "hunter2" not in json.dumps(records)


def nodes_of(result: InvocationResult) -> list[TraceNode]:
    """All spans of one invocation, whatever encloses them."""
    return [node for root in result.trace.roots for node in root.walk()]


def records_of(result: InvocationResult) -> list[dict[str, Any]]:
    """Lines and metrics of one invocation."""
    return list(result.log_records)

"""Decorated handlers where an event loop runs already: our runtime's asyncio mode, and tests that await."""

import asyncio
import functools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from handlerkit import batch_handler, event_handler
from handlerkit.events import EventValidationError, SqsRecord
from handlerkit.idempotency import AlreadyInProgressError, Idempotency, MemoryStore
from handlerkit.scope import current
from handlerkit.testing import FakeContext, http_event, sqs_event
from lambda_emulator import FunctionConfiguration, LocalLambda

CODE = """
import asyncio, os, pathlib
from handlerkit import batch_handler, event_handler, get_logger
from handlerkit.events import SqsRecord
from handlerkit.scope import current

log = get_logger()

async def meet(context, count):
    folder = pathlib.Path(os.environ["MEETING"])
    (folder / context.aws_request_id).touch()
    while len(list(folder.iterdir())) < count:
        await asyncio.sleep(0.005)

@event_handler
async def typed(event: dict, context):
    await meet(context, event["count"])
    log.info("met", n=event["n"])
    return {"n": event["n"], "request": current.get().context.aws_request_id}

@batch_handler(max_workers=2)
async def batch(record: SqsRecord[dict], context):
    await meet(context, record.body["count"])
    log.info("met", n=record.body["n"])
    if record.body["n"] == 1:
        raise ValueError("no")
"""


@pytest.mark.parametrize("mode", ["asyncio", "threads"])
def test_decorated_coroutines_run_at_the_same_time_each_in_its_own_invocation(tmp_path: Path, mode: str) -> None:
    (tmp_path / "app.py").write_text(CODE)
    (tmp_path / "typed").mkdir()
    (tmp_path / "batch").mkdir()
    events: dict[str, list[Any]] = {
        "typed": [{"n": n, "count": 4} for n in range(4)],
        "batch": [sqs_event([{"n": n, "count": 4}, {"n": 10 + n, "count": 4}]) for n in range(4)],
    }
    functions = [
        FunctionConfiguration(
            name=name,
            handler=f"app.{name}",
            task_root=tmp_path,
            max_concurrency=4,
            memory_mb=1024,
            timeout_s=30,
            log_format="JSON",
            environment={"HANDLERKIT_CONCURRENCY": mode, "MEETING": str(tmp_path / name)},
        )
        for name in events
    ]
    with LocalLambda(*functions) as service, ThreadPoolExecutor(4) as pool:
        typed = list(pool.map(lambda event: service.invoke("typed", event), events["typed"]))
        batches = list(pool.map(lambda event: service.invoke("batch", event), events["batch"]))
        logged = [record for one in (*typed, *batches) for record in one.log_records if record.get("event") == "met"]
    assert [one.json() for one in typed] == [{"n": n, "request": one.request_id} for n, one in enumerate(typed)]
    identity = events["batch"][1]["Records"][0]["messageId"]
    assert [one.json()["batchItemFailures"] for one in batches] == [[], [{"itemIdentifier": identity}], [], []]
    requests = {one.request_id: {n} for n, one in enumerate(typed)}
    requests |= {one.request_id: {n, 10 + n} for n, one in enumerate(batches)}
    seen: dict[str, set[int]] = {}
    for record in logged:
        seen.setdefault(record["request_id"], set()).add(record["n"])
    assert seen == requests


def test_a_handler_is_awaited_inside_a_loop_and_waits_outside_of_one() -> None:
    @event_handler
    async def handler(event: dict[str, int], context: Any = None) -> dict[str, int]:
        await asyncio.sleep(0)
        scope = current.get()
        assert scope is not None
        assert scope.event is event
        return {"n": event["n"] + 1}

    async def inside() -> Any:
        return await asyncio.gather(*(handler({"n": n}, FakeContext()) for n in range(3)))

    assert handler({"n": 1}) == {"n": 2}
    assert asyncio.run(inside()) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert asyncio.run(_awaited(handler.__lambda_raw__, b'{"n": 5}')) == b'{"n":6}'
    assert current.get() is None


async def _awaited(call: Any, *arguments: Any) -> Any:
    return await call(*arguments, None)


def test_what_is_wrong_with_an_event_is_said_alike() -> None:
    @event_handler
    async def handler(event: dict[str, int]) -> dict[str, int]:
        return event

    with pytest.raises(EventValidationError):
        asyncio.run(_awaited(handler, {"n": "x"}))

    @event_handler
    async def web(event: "dict[str, int]") -> dict[str, int]:
        return event

    event = http_event("POST", "/", body="{}")
    assert asyncio.run(_awaited(web, event)) == web(event)
    assert asyncio.run(_awaited(web, event))["statusCode"] == 422


def test_batches_are_awaited_inside_a_loop() -> None:
    @batch_handler
    async def handler(record: SqsRecord[dict[str, int]]) -> None:
        if record.body["n"] == 2:
            raise ValueError("no")

    event = sqs_event([{"n": n} for n in (1, 2, 3)])
    expected = {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
    assert asyncio.run(_awaited(handler, event)) == expected == handler(event)
    raw = asyncio.run(_awaited(handler.__lambda_raw__, json.dumps(event).encode()))
    assert json.loads(raw) == expected


def test_idempotent_coroutines_run_once_inside_a_loop() -> None:
    calls: list[int] = []

    @event_handler(idempotency=Idempotency(MemoryStore(), key=lambda event: event["n"]))
    async def handler(event: dict[str, int]) -> dict[str, int]:
        calls.append(event["n"])
        await asyncio.sleep(0)
        return {"n": event["n"], "call": len(calls)}

    async def inside() -> list[Any]:
        first = await handler({"n": 1})
        both = await asyncio.gather(handler({"n": 2}), handler({"n": 2}), return_exceptions=True)
        return [first, await handler({"n": 1}), *both]

    first, replayed, one, other = asyncio.run(inside())
    assert first == replayed == {"n": 1, "call": 1}
    assert one == {"n": 2, "call": 2}
    assert isinstance(other, AlreadyInProgressError) or other == one
    assert calls == [1, 2]


def test_coroutines_that_a_wrapper_hides_are_awaited_inside_a_loop() -> None:
    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            return function(*arguments, **keywords)

        return call

    def run_elsewhere(function: Any) -> Any:
        @functools.wraps(function)
        def call(*arguments: Any) -> Any:
            with ThreadPoolExecutor(1) as thread:
                return thread.submit(asyncio.run, function(*arguments)).result()

        return call

    async def double(event: dict[str, int]) -> int:
        await asyncio.sleep(0)
        return event["n"] * 2

    async def record(record: SqsRecord[dict[str, int]]) -> None:
        await asyncio.sleep(0)

    for wrapper in (logged, run_elsewhere):
        handler = event_handler(wrapper(double))
        assert asyncio.run(_awaited(handler, {"n": 2})) == 4 == handler({"n": 2})
        once = event_handler(idempotency=Idempotency(MemoryStore(), key=lambda event: event["n"]))(wrapper(double))
        assert asyncio.run(_awaited(once, {"n": 2})) == 4
        batch = batch_handler(wrapper(record))
        event = sqs_event([{"n": 1}])
        assert asyncio.run(_awaited(batch, event)) == {"batchItemFailures": []} == batch(event)

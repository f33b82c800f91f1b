"""Logs of whole functions: in our runtime, one at a time and many at once, and in AWS's own client."""

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda
from tests.counterparts import awslambdaric_path, needs_awslambdaric

APP = """
    import time

    from handlerkit import event_handler, get_logger
    from handlerkit.logs import bind

    log = get_logger()
    log.info("loaded")


    @event_handler
    def handler(event: dict, context) -> str:
        import logging

        bind(owner=context.aws_request_id)
        log.info("in the handler", nested={"text": "two\\nlines"})
        for _ in range(event["steps"]):
            time.sleep(0.001)
            log.warning("step")
        logging.getLogger("lib").error("by logging")
        print("printed")
        return context.aws_request_id
"""
Serve = Callable[..., LocalLambda]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A local Lambda with the function."""
    services: list[LocalLambda] = []
    (tmp_path / "app.py").write_text(textwrap.dedent(APP))

    def make(*, theirs: bool = False, environment: dict[str, str] | None = None, **fields: Any) -> LocalLambda:
        paths = [str(Path(__file__).parents[3] / "src"), *(entry for entry in sys.path if "site-packages" in entry)]
        if theirs:
            paths.insert(0, str(awslambdaric_path()))
            fields["command"] = (sys.executable, "-m", "awslambdaric", "app.handler")
        configuration = FunctionConfiguration(
            handler="app.handler",
            task_root=tmp_path,
            timeout_s=20,
            memory_mb=512,
            environment={"PYTHONPATH": ":".join(paths), **(environment or {})},
            **fields,
        )
        services.append(LocalLambda(configuration))
        return services[-1]

    yield make
    for service in services:
        service.close()


def parsed(log: str) -> list[dict[str, Any]]:
    """The function's own lines: all that are JSON and none of the platform's."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if "level" in line]


@pytest.mark.parametrize(("log_format", "telemetry_fd"), [(None, False), ("JSON", True)])
@pytest.mark.parametrize("theirs", [False, pytest.param(True, marks=needs_awslambdaric())])
def test_every_line_is_there_once_and_as_it_is(
    serve: Serve, log_format: str | None, telemetry_fd: bool, theirs: bool
) -> None:
    service = serve(theirs=theirs, log_format=log_format, telemetry_fd=telemetry_fd)
    first = service.invoke("function", {"steps": 1})
    second = service.invoke("function", {"steps": 0})
    assert [line["event"] for line in parsed(first.init_log + first.log)] == [
        "loaded", "in the handler", "step", "by logging",
    ]  # fmt: skip
    assert [line["event"] for line in parsed(second.log)] == ["in the handler", "by logging"]
    for result, cold in ((first, True), (second, False)):
        for line in parsed(result.log)[-2:]:
            assert line["request_id"] == line["owner"] == result.request_id
            assert (line["cold_start"], line["function_name"]) == (cold, "function")
        assert result.log.count("printed") == 1


def test_a_function_configured_for_text_logs_text(serve: Serve) -> None:
    result = serve(log_format="Text").invoke("function", {"steps": 0})
    lines = [line.split("\t") for line in result.log.splitlines() if line.startswith("[")]
    assert [line[0] for line in lines] == ["[INFO]", "[ERROR]"]
    assert {line[2] for line in lines} == {result.request_id}
    assert 'nested={"text":"two\\nlines"}' in lines[0][3]


def test_the_level_of_the_function_counts(serve: Serve) -> None:
    result = serve(log_format="JSON", log_level="ERROR").invoke("function", {"steps": 3})
    assert [line["event"] for line in parsed(result.log)] == ["by logging"]


@pytest.mark.parametrize("mode", ["threads", "processes"])
def test_lines_of_many_at_once_are_each_of_its_own_invocation_and_in_no_other_record(serve: Serve, mode: str) -> None:
    service = serve(max_concurrency=4, environment={"HANDLERKIT_CONCURRENCY": mode})
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda steps: service.invoke("function", {"steps": steps}), [3, 5, 8, 2] * 4))
    lines = {json.dumps(line): line for result in results for line in parsed(result.log)}.values()
    own = [line for line in lines if "event" in line and "owner" in line]
    printed = [line for line in lines if line.get("message") == "printed"]
    assert all(line["request_id"] == line["owner"] for line in own)
    ids = {result.json() for result in results}
    assert {line["request_id"] for line in own} == ids
    assert {line["requestId"] for line in printed} <= ids
    assert not [line for line in lines if "event" in str(line.get("message"))]  # a record within a record


PLAIN = """
    import contextvars
    import threading

    from handlerkit import event_handler, get_logger

    log = get_logger()
    log.info("loaded")


    @event_handler
    def decorated(event: dict) -> None:
        log.info("decorated")


    {kind} handler(event, context):
        import logging

        own = context.aws_request_id
        log.info("plain", owner=own)
        for target in (log.info, contextvars.copy_context().run):
            arguments = ("nobody's",) if target == log.info else (log.info, "by a thread with the context")
            thread = threading.Thread(target=target, args=arguments)
            thread.start()
            thread.join()
        logging.getLogger("lib").error("by logging", extra={{"owner": own}})
        decorated({{}}, context)
        log.info("plain again", owner=own)
        return own
"""


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("one at a time", "def"),
        ("one at a time", "async def"),
        ("threads", "def"),
        ("threads", "async def"),
        ("processes", "def"),
        ("asyncio", "async def"),
    ],
)
def test_lines_of_an_undecorated_handler_are_of_its_invocation(
    serve: Serve, tmp_path: Path, mode: str, kind: str
) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(PLAIN.format(kind=kind)))
    if mode == "one at a time":
        service = serve(tracing="Active")
        results = [service.invoke("function", {}) for _ in range(3)]
    else:
        service = serve(tracing="Active", max_concurrency=4, environment={"HANDLERKIT_CONCURRENCY": mode})
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda _: service.invoke("function", {}), range(12)))
    found = {json.dumps(line): line for result in results for line in parsed(result.init_log + result.log)}.values()
    owned = [line for line in found if "owner" in line]
    ids = {result.json() for result in results}
    for event in ("plain", "by logging", "plain again"):
        assert {line["owner"] for line in owned if line["event"] == event} == ids
    assert all(line["request_id"] == line["owner"] for line in owned)
    for event in ("by a thread with the context", "decorated"):
        assert {line["request_id"] for line in found if line["event"] == event} == ids
    assert not any("request_id" in line for line in found if line["event"] in ("loaded", "nobody's"))
    decorated = {line["request_id"]: line for line in found if line["event"] == "decorated"}
    for line in owned:
        theirs = {**decorated[line["request_id"]], "owner": line["owner"]}
        own_fields = ("timestamp", "level", "event", "logger", "cold_start")
        assert {name: value for name, value in line.items() if name not in own_fields} == {
            name: value for name, value in theirs.items() if name not in own_fields
        }

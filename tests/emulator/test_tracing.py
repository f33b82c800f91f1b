"""Active tracing: the platform's segments, and inside of them those of the function, under any runtime."""

import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, InvalidConfiguration, LocalLambda, Trace
from lambda_emulator.segment_rules import problems
from tests.counterparts import awslambdaric_path, needs_awslambdaric

Start = Callable[..., LocalLambda]
ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
APP = """
    import os, time
    from handlerkit import event_handler
    from handlerkit.tracing import annotate, outgoing_headers, span

    @event_handler
    def handler(event: dict):
        with span("work", mark=event.get("mark", 0)):
            time.sleep(event.get("nap", 0))
            if event.get("fail"):
                raise ValueError("no such order")
        annotate(mark=event.get("mark", 0))
        return {"seen": os.environ.get("_X_AMZN_TRACE_ID"), "sent": outgoing_headers()}
"""
ASYNC_APP = """
    import asyncio
    from handlerkit.tracing import span, traced

    async def handler(event, context):
        async with span("work", mark=event["mark"]):
            await asyncio.sleep(event["nap"])
"""
PLAIN_APP = """
    import time
    from threading import Thread
    from handlerkit.tracing import outgoing_headers, span

    def handler(event, context):
        with span("work", mark=event["mark"]):
            time.sleep(event["nap"])
        nobodys = Thread(target=lambda: span("nobody's").end())
        nobodys.start()
        nobodys.join()
        assert context.xray_trace_id.startswith(outgoing_headers()["X-Amzn-Trace-Id"].partition(";")[0])
"""


@pytest.fixture
def service(task_root: Path, start_lambda: Start) -> Callable[..., LocalLambda]:
    def start(program: str = APP, **fields: Any) -> LocalLambda:
        (task_root / "app.py").write_text(textwrap.dedent(program))
        settings: dict[str, Any] = {
            "handler": "app.handler",
            "task_root": task_root,
            "timeout_s": 30,
            "tracing": "Active",
        }
        return start_lambda(FunctionConfiguration(**(settings | fields)))

    return start


def names(trace: Trace) -> list[str]:
    """Of the function's segment: what is directly inside."""
    (root,) = trace.roots
    (function,) = root.children
    assert (root.document["origin"], function.document["origin"]) == ("AWS::Lambda", "AWS::Lambda::Function")
    return [node.name for node in function.children]


def test_the_platforms_segments_are_around_the_functions_own(service: Callable[..., LocalLambda]) -> None:
    local = service()
    cold = local.invoke("function", {})
    warm = local.invoke("function", {})
    assert names(cold.trace) == ["Initialization", "Invocation", "## handler", "Overhead"]
    assert names(warm.trace) == ["Invocation", "## handler", "Overhead"]
    assert cold.trace.trace_id != warm.trace.trace_id
    handler = cold.trace.find("## handler")
    assert handler.annotations == {"ColdStart": True, "Service": "function", "mark": 0}
    assert [node.name for node in handler.children] == ["work"]
    assert warm.trace.find("## handler").annotations["ColdStart"] is False
    function = cold.trace.roots[0].children[0]
    assert cold.json()["seen"] == f"Root={cold.trace.trace_id};Parent={function.document['id']};Sampled=1"
    assert (function.duration_ms or 0) >= cold.report.duration_ms
    assert [problem for document in cold.trace.documents for problem in problems(document)] == []
    assert local.xray_daemon.rejected == []


def test_the_trace_as_text_has_a_line_for_each_piece_of_work(service: Callable[..., LocalLambda]) -> None:
    lines = service().invoke("function", {"fail": True, "mark": 7}).trace.lines()
    assert lines[0].startswith("trace 1-")
    assert lines[1].startswith("function (AWS::Lambda)  ")
    assert "   │  └─ work  " in next(line for line in lines if "work" in line)
    assert "mark=7  fault  ValueError: no such order" in next(line for line in lines if "work" in line)
    assert lines[-1].startswith("   └─ Overhead  ")


def test_a_failed_invocation_is_a_fault_with_the_runtimes_cause(service: Callable[..., LocalLambda]) -> None:
    result = service().invoke("function", {"fail": True})
    root = result.trace.roots[0]
    assert root.document["fault"] is root.children[0].document["fault"] is True
    assert root.children[0].document["cause"]["exceptions"][0]["message"] == "no such order"


def test_a_callers_trace_is_continued_and_its_decision_kept(service: Callable[..., LocalLambda]) -> None:
    local = service()
    result = local.invoke("function", {}, trace_header=f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=1:a:b")
    assert result.trace.trace_id == ROOT
    assert result.trace.roots[0].document["parent_id"] == PARENT
    assert result.json()["sent"]["X-Amzn-Trace-Id"].endswith(";Sampled=1;Lineage=1:a:b")
    refused = local.invoke("function", {}, trace_header=f"Root={ROOT[:-1]}4;Parent={PARENT};Sampled=0")
    assert refused.trace.documents == ()
    assert refused.json()["sent"]["X-Amzn-Trace-Id"].endswith("Sampled=0")


def test_without_active_tracing_a_header_is_passed_on_and_nothing_kept(service: Callable[..., LocalLambda]) -> None:
    local = service(tracing="PassThrough")
    assert local.invoke("function", {}).json() == {"seen": None, "sent": {}}
    result = local.invoke("function", {}, trace_header=f"Root={ROOT}")
    assert result.json()["seen"] == f"Root={ROOT}"
    with pytest.raises(ValueError, match="tracing='Active'"):
        _ = result.trace


def test_another_mode_is_refused(task_root: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="use 'Active' or 'PassThrough'"):
        FunctionConfiguration(handler="app.handler", task_root=task_root, tracing="On")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "program"),
    [("threads", APP), ("threads", PLAIN_APP), ("asyncio", ASYNC_APP), ("processes", APP), ("processes", PLAIN_APP)],
)
def test_concurrent_invocations_never_share_a_span(
    service: Callable[..., LocalLambda], mode: str, program: str
) -> None:
    local = service(program, max_concurrency=3, environment={"HANDLERKIT_CONCURRENCY": mode})
    barrier = threading.Barrier(3)

    def invoke(mark: int) -> Any:
        barrier.wait(30)
        return local.invoke("function", {"mark": mark, "nap": 0.02 * (mark % 3)})

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(invoke, range(6)))
    for mark, result in enumerate(results):
        assert result.function_error is None
        assert result.trace.find("work").annotations["mark"] == mark
        marks = {node.annotations.get("mark", mark) for root in result.trace.roots for node in root.walk()}
        assert marks == {mark}
        assert len(result.trace.roots) == 1
        assert "nobody's" not in str(result.trace.documents)


@needs_awslambdaric()
def test_it_is_the_same_under_awss_own_runtime_client(service: Callable[..., LocalLambda]) -> None:
    local = service(
        command=(sys.executable, "-m", "awslambdaric", "app.handler"),
        environment={"PYTHONPATH": f"{awslambdaric_path()}:{Path(__file__).parents[2] / 'src'}"},
    )
    first, second = local.invoke("function", {}), local.invoke("function", {"mark": 2})
    assert names(first.trace) == ["Initialization", "Invocation", "## handler", "Overhead"]
    assert names(second.trace) == ["Invocation", "## handler", "Overhead"]
    assert second.trace.find("work").annotations == {"mark": 2}


def test_a_function_that_is_killed_has_sent_what_was_over(service: Callable[..., LocalLambda]) -> None:
    program = """
        import os
        from handlerkit import event_handler
        from handlerkit.tracing import span

        @event_handler
        def handler(event: dict):
            with span("done"):
                pass
            os._exit(1)
    """
    trace = service(program).invoke("function", {}).trace
    assert "done" in [node.name for root in trace.roots for node in root.walk()]
    assert trace.find("function").document["fault"]

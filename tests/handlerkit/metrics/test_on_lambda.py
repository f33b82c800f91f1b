"""Metrics of whole functions: in our runtime, one at a time and many at once, and in AWS's own client."""

import json
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda
from tests.counterparts import awslambdaric_path, needs_awslambdaric

from .schema import checked

APP = """
    import os

    from handlerkit import event_handler, metrics

    metrics.configure(namespace="Shop", cold_start=True)


    @event_handler
    def handler(event: dict, context) -> None:
        mine = metrics.properties(owner=context.aws_request_id)
        for n in range(event["times"]):
            mine.add("n", n, "Count")
        if event["fails"]:
            raise ValueError("failed")
"""


def service(
    folder: Path, *, theirs: bool = False, environment: dict[str, str] | None = None, **fields: Any
) -> LocalLambda:
    """A local Lambda with the function."""
    (folder / "app.py").write_text(textwrap.dedent(APP))
    paths = [str(Path(__file__).parents[3] / "src"), *(entry for entry in sys.path if "site-packages" in entry)]
    if theirs:
        paths.insert(0, str(awslambdaric_path()))
        fields["command"] = (sys.executable, "-m", "awslambdaric", "app.handler")
    return LocalLambda(
        FunctionConfiguration(
            handler="app.handler",
            task_root=folder,
            timeout_s=20,
            memory_mb=512,
            environment={"PYTHONPATH": ":".join(paths), **(environment or {})},
            **fields,
        )
    )


def documents(log: str) -> list[dict[str, Any]]:
    """All of a log, as the specification has it."""
    return [checked(line) for line in log.splitlines() if line.startswith('{"_aws"')]


@pytest.mark.parametrize(("log_format", "telemetry_fd"), [(None, False), ("JSON", True)])
@pytest.mark.parametrize("theirs", [False, pytest.param(True, marks=needs_awslambdaric())])
def test_documents_are_lines_of_their_own_whatever_the_log_is(
    tmp_path: Path, log_format: Any, telemetry_fd: bool, theirs: bool
) -> None:
    # At ERROR: metrics have no level, and are wanted at any.
    level = "ERROR" if log_format else None
    with service(tmp_path, theirs=theirs, log_format=log_format, telemetry_fd=telemetry_fd, log_level=level) as local:
        failed = local.invoke("function", {"times": 150, "fails": True})
        warm = local.invoke("function", {"times": 1, "fails": False})
        found, found_warm = documents(failed.log), documents(warm.log)
    assert failed.function_error == "Unhandled"
    assert [document["ColdStart"] for document in found if "ColdStart" in document] == [1]
    values = [document["n"] for document in found if "n" in document]
    assert [n for some in values for n in some] == list(range(150))
    assert {document["request_id"] for document in found} == {failed.request_id}
    assert [document["n"] for document in found_warm] == [0]


@pytest.mark.parametrize("mode", ["threads", "processes"])
def test_metrics_of_many_at_once_are_each_of_its_own_invocation(tmp_path: Path, mode: str) -> None:
    with service(tmp_path, max_concurrency=4, environment={"HANDLERKIT_CONCURRENCY": mode}) as local:
        with ThreadPoolExecutor(8) as pool:
            events = [{"times": 1 + n % 5, "fails": n % 3 == 0} for n in range(16)]
            results = list(pool.map(lambda event: local.invoke("function", event), events))
        text = "".join(result.log for result in results)
    mine = {json.dumps(one): one for one in documents(text) if "owner" in one}.values()
    assert all(document["request_id"] == document["owner"] for document in mine)
    counts = {one["owner"]: len(one["n"]) if isinstance(one["n"], list) else 1 for one in mine}
    assert counts == {result.request_id: event["times"] for result, event in zip(results, events, strict=True)}

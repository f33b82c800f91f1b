"""The telemetry descriptor of managed runtimes: records of several lines stay one event."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda
from tests.counterparts import awslambdaric_path, needs_awslambdaric
from tests.emulator.conftest import MakeFunction
from tests.emulator.test_telemetry import EXAMPLES, events_of

Start = Callable[..., LocalLambda]
APP = """
import logging

def handler(event, context):
    logging.getLogger().warning("one record,\\ntwo lines")
    print("plain")
    try:
        raise ValueError("logged")
    except ValueError:
        logging.getLogger().exception("with traceback")
    return event
"""


@pytest.mark.parametrize("client", ["ours", pytest.param("awslambdaric", marks=needs_awslambdaric())])
@pytest.mark.parametrize("log_format", [None, "JSON"])
def test_a_record_of_several_lines_is_one_event(
    start_lambda: Start, task_root: Path, tmp_path: Path, client: str, log_format: Any
) -> None:
    (task_root / "app.py").write_text(APP)
    file = tmp_path / "telemetry.jsonl"
    environment = {"TELEMETRY_FILE": str(file)}
    command = None
    if client == "awslambdaric":
        environment["PYTHONPATH"] = str(awslambdaric_path())
        command = (sys.executable, "-m", "awslambdaric", "app.handler")
    function = FunctionConfiguration(
        handler="app.handler",
        task_root=task_root,
        command=command,
        environment=environment,
        extensions=EXAMPLES,
        telemetry_fd=True,
        log_format=log_format,
        timeout_s=20,
        memory_mb=256,
    )
    service = start_lambda(function)
    result = service.invoke("function", 1)
    assert result.report.status == "success"
    service.close()
    records = [event["record"] for event in events_of(file) if event["type"] == "function"]
    assert "plain" in records
    framed = [record for record in records if record != "plain"]
    assert len(framed) == 2
    if log_format is None:
        first, second = framed
        assert first.endswith(f"\t{result.request_id}\tone record,\ntwo lines")
        assert second.endswith("ValueError: logged")
        assert f"{first}\n" in result.log
    else:
        assert framed[0]["message"] == "one record,\ntwo lines"
        assert (framed[1]["errorType"], framed[1]["requestId"]) == ("ValueError", result.request_id)
        assert json.loads(result.log.splitlines()[1])["message"] == "one record,\ntwo lines"


def test_without_it_there_is_no_descriptor(make_function: MakeFunction, start_lambda: Start) -> None:
    program = "import os, json\nserve(lambda body: json.dumps(os.environ.get('_LAMBDA_TELEMETRY_LOG_FD')).encode())"
    assert start_lambda(make_function(program)).invoke("function").json() is None


def test_descriptors_are_given_back(make_function: MakeFunction, start_lambda: Start) -> None:
    before = os.listdir("/dev/fd")
    service = start_lambda(make_function("serve(lambda body: body)", telemetry_fd=True))
    assert service.invoke("function", 1).json() == 1
    service.close()
    assert len(os.listdir("/dev/fd")) <= len(before)

"""SnapStart from the platform's side: snapshot, restore, hooks, and what is written of them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lambda_emulator import FunctionConfiguration, InvalidConfiguration, LocalLambda
from tests.emulator.conftest import MakeFunction

Start = Callable[..., LocalLambda]
RESTORED = """
    response, _ = call("GET", "/restore/next")
    {after}
    serve(lambda body: body)
"""


def test_our_runtimes_hooks_run_around_the_snapshot(start_lambda: Start, task_root: Path) -> None:
    (task_root / "app.py").write_text(
        "from runtime import register_after_restore, register_before_snapshot\n"
        "seen = []\n"
        "register_before_snapshot(seen.append, 'before')\n"
        "register_after_restore(seen.append, 'after')\n"
        "def handler(event, context):\n"
        "    return seen\n"
    )
    service = start_lambda(FunctionConfiguration(handler="app.handler", task_root=task_root, snap_start=True))
    cold, warm = service.invoke("function"), service.invoke("function")
    assert (cold.json(), warm.json()) == (["before", "after"], ["before", "after"])
    lines = [line.partition(" ")[0] for line in cold.init_log.splitlines()]
    assert lines == ["INIT_START", "RESTORE_START", "RESTORE_REPORT"]
    assert re.search(r"RESTORE_REPORT Restore Duration: \d+\.\d\d ms\n", cold.init_log)
    pattern = r"Max Memory Used: \d+ MB\tRestore Duration: (\d+\.\d\d) ms\tBilled Restore Duration: \d+ ms\t\n$"
    found = re.search(pattern, cold.log)
    assert found is not None
    assert float(found[1]) == cold.report.restore_ms
    assert (cold.report.init_ms, warm.report.restore_ms) == (None, None)
    assert "Restore Duration" not in warm.log


def test_time_in_after_restore_hooks_counts_to_the_restore(make_function: MakeFunction, start_lambda: Start) -> None:
    program = RESTORED.format(after="import time; time.sleep(0.2)")
    result = start_lambda(make_function(program, snap_start=True)).invoke("function", 1)
    assert result.report.restore_ms is not None
    assert result.report.restore_ms >= 200


def test_a_runtime_without_interest_in_snapshots_goes_straight_on(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    result = start_lambda(make_function("serve(lambda body: body)", snap_start=True)).invoke("function", 1)
    assert (result.json(), result.report.restore_ms, result.report.init_ms) == (1, 0, None)


def test_hooks_that_fail_after_the_restore_are_what_the_caller_sees(
    make_function: MakeFunction, start_lambda: Start
) -> None:
    after = (
        "call('POST', '/restore/error', b'{\"errorType\":\"E\"}', "
        "{'Lambda-Runtime-Function-Error-Type': 'Runtime.AfterRestoreError'}); raise SystemExit(65)"
    )
    result = start_lambda(make_function(RESTORED.format(after=after), snap_start=True)).invoke("function")
    assert (result.function_error, result.json()) == ("Unhandled", {"errorType": "E"})
    assert result.report.error_type == "Runtime.AfterRestoreError"


def test_hooks_that_never_end_meet_a_limit_of_their_own(make_function: MakeFunction, start_lambda: Start) -> None:
    program = RESTORED.format(after="import time; time.sleep(600)")
    function = make_function(program, snap_start=True, restore_timeout_s=0.3)
    result = start_lambda(function).invoke("function")
    assert result.json()["errorType"] == "Runtime.RestoreHookUserTimeout"
    assert (result.report.status, result.report.error_type) == ("timeout", "Runtime.RestoreHookUserTimeout")


def test_json_logs_tell_of_the_restore(make_function: MakeFunction, start_lambda: Start) -> None:
    function = make_function(RESTORED.format(after=""), snap_start=True, log_format="JSON")
    result = start_lambda(function).invoke("function", 1)
    start, restore, report = (json.loads(line) for line in result.init_log.splitlines())
    assert (start["type"], start["record"]["initializationType"]) == ("platform.initStart", "snap-start")
    assert (restore["type"], report["type"]) == ("platform.restoreStart", "platform.restoreReport")
    last = json.loads(result.log.splitlines()[-1])
    assert last["record"]["metrics"]["restoreDurationMs"] == result.report.restore_ms


def test_there_is_more_time_to_initialise(make_function: MakeFunction) -> None:
    limits = [
        make_function("", **fields).init_limit_s
        for fields in (
            {},
            {"snap_start": True},
            {"max_concurrency": 2, "timeout_s": 900},
            {"snap_start": True, "init_timeout_s": 1.5},
        )
    ]
    assert limits == [10, 130, 900, 1.5]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"snap_start": True}, "snap_start is not possible with max_concurrency"),
        ({"log_format": "Text"}, "log_format 'Text' is not possible with max_concurrency"),
    ],
)
def test_managed_instances_have_no_snapshots_and_no_text_logs(
    make_function: MakeFunction, fields: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidConfiguration, match=reason):
        make_function("", max_concurrency=2, **fields)

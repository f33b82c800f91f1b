"""The platform's lines to the last tab, and a buffer that stays within its bounds."""

import re

import pytest

from lambda_emulator import Report, log_lines
from lambda_emulator.log_lines import LogBuffer


def report(**fields: object) -> Report:
    values: dict[str, object] = {
        "duration_ms": 3.01,
        "billed_ms": 4,
        "memory_mb": 128,
        "max_memory_mb": 36,
        "init_ms": None,
        "status": "success",
        "error_type": None,
    }
    return Report(**(values | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "rest"),
    [
        ({}, ""),
        ({"init_ms": 110.1}, "Init Duration: 110.10 ms\t"),
        ({"status": "error", "error_type": "Runtime.ExitError"}, "Status: error\tError Type: Runtime.ExitError\t"),
        ({"status": "timeout", "error_type": "Sandbox.Timedout"}, "Status: timeout\t"),
    ],
)
def test_a_report_line_ends_in_a_tab(fields: dict[str, object], rest: str) -> None:
    assert log_lines.report_line("id", report(**fields)) == (
        "REPORT RequestId: id\tDuration: 3.01 ms\tBilled Duration: 4 ms\t"
        f"Memory Size: 128 MB\tMax Memory Used: 36 MB\t{rest}\n"
    )


def test_start_and_end_lines() -> None:
    assert log_lines.start_line("id", "$LATEST") == "START RequestId: id Version: $LATEST\n"
    assert log_lines.end_line("id") == "END RequestId: id\n"


def test_init_report_lines() -> None:
    assert log_lines.init_report_line(268.24, "init", "error", "Runtime.ImportModuleError") == (
        "INIT_REPORT Init Duration: 268.24 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n"
    )
    assert log_lines.init_report_line(10000, "invoke", "timeout", "Sandbox.Timedout") == (
        "INIT_REPORT Init Duration: 10000.00 ms\tPhase: invoke\tStatus: timeout\n"
    )


def test_a_timeout_line_begins_with_the_time() -> None:
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z id Task timed out after 3\.00 seconds\n\n"
    assert re.fullmatch(pattern, log_lines.timeout_line("id", 3))


def test_lines_of_the_platform_begin_on_a_line_of_their_own() -> None:
    log = LogBuffer()
    log.line("START\n")
    log.output(b"no line end")
    log.line("END\n")
    assert log.take() == "START\nno line end\nEND\n"
    assert log.take() == ""


def test_output_may_be_cut_anywhere_and_need_not_be_text() -> None:
    log = LogBuffer()
    for byte in "h\u00e9\n".encode() + b"\xff":
        log.output(bytes([byte]))
    assert log.take() == "h\u00e9\n\ufffd"


def test_of_too_much_output_the_end_is_kept_and_the_rest_counted() -> None:
    log = LogBuffer(limit_bytes=10)
    for number in range(5):
        log.output(b"line%d\n" % number)
    assert log.take() == "[local lambda: 24 bytes of earlier output are not shown]\nline4\n"
    log.output(b"again\n")
    assert log.take() == "again\n"

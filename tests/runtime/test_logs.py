"""Logs: text and JSON, telemetry frames, `print`, and the standard library's `logging` left in one piece."""

import json
import os
import re
import struct
from pathlib import Path

import pytest

from tests.runtime.conftest import Serve, Start
from tests.runtime.platform import Platform, event

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
JSON_FORMAT = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "DEBUG"}


def test_a_text_record_has_level_time_request_id_and_message(serve: Serve) -> None:
    code = (
        "import logging\ndef handler(event, context):\n    logging.warning('low %s', 'disk')\n    logging.info('no')\n"
    )
    outcome = serve(code, b"{}")
    assert re.fullmatch(rf"\[WARNING\]\t{MOMENT}\tid-1\tlow disk\n", outcome.stdout)


def test_a_text_record_with_an_exception_ends_with_a_newline(serve: Serve) -> None:
    code = """
    import logging
    def handler(event, context):
        try:
            raise ValueError("cause")
        except ValueError:
            logging.exception("failed")
        print("next line")
    """
    lines = serve(code, b"{}").stdout.splitlines()
    assert lines[0].endswith("\tfailed")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-2:] == ["ValueError: cause", "next line"]


def test_a_json_record_is_one_line_with_the_managed_runtimes_keys(serve: Serve) -> None:
    code = """
    import logging, datetime
    log = logging.getLogger("orders")
    def handler(event, context):
        log.info("Zoë said %d\\nlines", 2, extra={"order": {"id": 7}, "when": datetime.date(2026, 1, 2), "no": None})
        log.log(25, {"kept": ["as", "object"]})
    """
    outcome = serve(code, event(aws_tenant_id="tenant-1"), env=JSON_FORMAT)
    first, second = (json.loads(line) for line in outcome.stdout.splitlines())
    assert re.fullmatch(MOMENT, first.pop("timestamp"))
    assert first == {
        "level": "INFO",
        "message": "Zoë said 2\nlines",
        "logger": "orders",
        "requestId": "id-1",
        "tenantId": "tenant-1",
        "order": {"id": 7},
        "when": "2026-01-02",
    }
    assert second["message"] == {"kept": ["as", "object"]}
    assert second["level"] == "INFO"
    assert "Zoë" in outcome.stdout


def test_a_json_record_carries_the_exception_with_its_cause(serve: Serve) -> None:
    code = """
    import logging
    def handler(event, context):
        try:
            try:
                {}["key"]
            except KeyError as error:
                raise ValueError("outer") from error
        except ValueError:
            logging.exception("failed")
    """
    (line,) = serve(code, b"{}", env=JSON_FORMAT).stdout.splitlines()
    record = json.loads(line)
    assert (record["errorType"], record["errorMessage"]) == ("ValueError", "outer")
    assert any("Caused by: KeyError: 'key'" in block for block in record["stackTrace"])
    assert re.search(r"app\.py:handler:\d+$", record["location"])


@pytest.mark.parametrize(
    "value", ["object()", "{1: {2, 3}}", "float('nan')", "type('B', (), {'__str__': lambda s: 1 / 0})()", "b'\\xff'"]
)
def test_what_json_cannot_express_is_written_as_text_and_never_breaks_the_handler(serve: Serve, value: str) -> None:
    code = (
        f"import logging\ndef handler(event, context):\n    logging.error('x', extra={{'v': {value}}})\n    return 1\n"
    )
    outcome = serve(code, b"{}", env=JSON_FORMAT)
    record = json.loads(outcome.stdout)
    assert "v" in record
    assert outcome.answers[0].body == b"1"


def test_the_record_is_not_altered_for_handlers_that_follow(serve: Serve) -> None:
    code = """
    import logging, time
    seen = []
    class Second(logging.Handler):
        def emit(self, record): seen.append([record.levelno, record.levelname, record.msg])
    logging.getLogger().addHandler(Second())
    logging.addLevelName(25, "NOTICE")
    def handler(event, context):
        logging.log(25, "hello")
        return [seen, logging.Formatter.converter is time.localtime]
    """
    outcome = serve(code, b"{}", env=JSON_FORMAT)
    assert json.loads(outcome.answers[0].body) == [[[25, "NOTICE", "hello"]], True]


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("DEBUG", "DIWE"), ("TRACE", "DIWE"), ("INFO", "IWE"), ("WARN", "WE"), ("error", "E"),
        ("FATAL", ""), ("nonsense", "WE"), ("", "WE"),
    ],
)  # fmt: skip
def test_the_level_variable_filters(serve: Serve, level: str, shown: str) -> None:
    code = """
    import logging
    def handler(event, context):
        for write, letter in zip((logging.debug, logging.info, logging.warning, logging.error), "DIWE"):
            write(letter)
    """
    outcome = serve(code, b"{}", env={"AWS_LAMBDA_LOG_LEVEL": level})
    assert "".join(line.rsplit("\t", 1)[1] for line in outcome.stdout.splitlines()) == shown


def test_basic_config_is_honoured(serve: Serve) -> None:
    code = """
    import logging, sys
    logging.basicConfig(level=logging.INFO, stream=sys.stdout)
    def handler(event, context):
        logging.info("shown")
        logging.basicConfig(level="DEBUG", format="%(levelname)s|%(message)s|%(aws_request_id)s")
        logging.debug("custom")
        logging.basicConfig(handlers=[logging.StreamHandler(sys.stderr)])
        logging.error("theirs alone")
    """
    outcome = serve(code, b"{}")
    first, second = outcome.stdout.splitlines()
    assert first.startswith("[INFO]\t")
    assert second == "DEBUG|custom|id-1"
    assert outcome.stderr == "ERROR:root:theirs alone\n"


def test_records_carry_the_request_id_of_their_invocation_also_from_threads_and_at_init(serve: Serve) -> None:
    code = """
    import logging, threading
    logging.warning("init")
    def handler(event, context):
        thread = threading.Thread(target=logging.warning, args=("thread",))
        thread.start()
        thread.join()
        logging.warning("main")
    """
    outcome = serve(code, b"{}", b"{}")
    ids = [line.split("\t")[2:] for line in outcome.stdout.splitlines()]
    assert ids == [["", "init"], ["id-1", "thread"], ["id-1", "main"], ["id-2", "thread"], ["id-2", "main"]]


def test_print_is_out_before_the_process_is_killed_and_in_order_with_records(start: Start, platform: Platform) -> None:
    code = """
    import logging, os, signal, sys
    def handler(event, context):
        print("one")
        logging.warning("two")
        print("three", end="")
        logging.warning("four")
        print("\\ud800 five")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    platform.deliver(event())
    outcome = start(code).end()
    assert outcome.status == -9
    lines = outcome.stdout.splitlines()
    assert lines[0] == "one"
    assert lines[1].endswith("\ttwo")
    assert lines[2].startswith("three[WARNING]")
    assert lines[3] == "\\ud800 five"


def test_an_unfinished_line_is_out_when_the_invocation_ends(start: Start, platform: Platform) -> None:
    served = start("def handler(event, context):\n    print('no newline', end='')\n")
    platform.deliver(event())
    served.wait_for_answers(1)
    assert served.process.stdout is not None
    assert served.process.stdout.read(10) == b"no newline"


def test_the_uncaught_error_record_in_text_is_readable_anywhere(serve: Serve) -> None:
    outcome = serve("def handler(event, context):\n    raise ValueError('boom')\n", b"{}")
    first, *rest = outcome.stdout.splitlines()
    assert re.fullmatch(rf"\[ERROR\]\t{MOMENT}\tid-1\tValueError: boom", first)
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[1].startswith("  File ")
    assert "\r" not in outcome.stdout
    assert "\u00a0" not in outcome.stdout
    assert outcome.stdout.endswith("\n")


def test_the_uncaught_error_record_in_json_is_one_line(serve: Serve) -> None:
    code = "def handler(event, context):\n    raise ValueError('bo\\nom')\n"
    outcome = serve(code, event(aws_tenant_id="t"), env={"AWS_LAMBDA_LOG_FORMAT": "json"})
    (line,) = outcome.stdout.splitlines()
    record = json.loads(line)
    assert re.fullmatch(MOMENT, record["timestamp"])
    assert (record["level"], record["errorType"], record["errorMessage"]) == ("ERROR", "ValueError", "bo\nom")
    assert (record["requestId"], record["tenantId"]) == ("id-1", "t")
    assert "in handler" in record["stackTrace"][0]


FRAMES = {
    "plain": 0xA55A0003,
    "warning": 0xA55A0013,
    "error": 0xA55A0017,
    "json warning": 0xA55A0012,
    "json error": 0xA55A0016,
}


@pytest.mark.parametrize(
    ("env", "kinds"),
    [
        ({}, ["plain", "plain", "plain"]),
        ({"AWS_LAMBDA_LOG_LEVEL": "INFO"}, ["plain", "warning", "error"]),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON"}, ["plain", "json warning", "json error"]),
    ],
)
def test_telemetry_frames(
    start: Start, platform: Platform, tmp_path: Path, env: dict[str, str], kinds: list[str]
) -> None:
    code = """
    import logging
    def handler(event, context):
        context.log("raw text")
        logging.warning("a\\nrecord")
        raise ValueError("boom")
    """
    with (tmp_path / "telemetry").open("wb") as telemetry:
        number = telemetry.fileno()
        served = start(code, env={**env, "_LAMBDA_TELEMETRY_LOG_FD": str(number)}, pass_fds=[number])
        platform.deliver(event())
        served.wait_for_answers(1)
        outcome = served.terminate()
    assert outcome.stdout == ""
    data, found = (tmp_path / "telemetry").read_bytes(), []
    while data:
        kind, length, moment = struct.unpack(">IIQ", data[:16])
        assert abs(moment / 1e6 - os.stat(tmp_path / "telemetry").st_mtime) < 60
        found.append((kind, data[16 : 16 + length].decode()))
        data = data[16 + length :]
    assert [kind for kind, _ in found] == [FRAMES[name] for name in kinds]
    assert found[0][1] == "raw text"
    assert "a\nrecord" in found[1][1] or "a\\nrecord" in found[1][1]
    assert "boom" in found[2][1]


def test_a_record_that_cannot_be_formatted_is_reported_on_stderr_and_harms_nothing(serve: Serve) -> None:
    outcome = serve("import logging\ndef handler(event, context):\n    logging.error('%d', 'x')\n    return 1\n", b"{}")
    assert outcome.answers[0].body == b"1"
    assert "Logging error" in outcome.stderr


def test_logging_looks_untouched_after_its_late_set_up(serve: Serve) -> None:
    code = """
    import sys
    before = len(sys.meta_path)
    import logging, logging.handlers
    def handler(event, context):
        return [before - len(sys.meta_path), type(logging.__loader__).__name__, type(logging.__spec__.loader).__name__]
    """
    outcome = serve(code, b"{}")
    assert json.loads(outcome.answers[0].body) == [1, "SourceFileLoader", "SourceFileLoader"]


def test_an_extra_field_never_takes_the_place_of_the_records_own(serve: Serve) -> None:
    code = """
    import logging
    def handler(event, context):
        logging.error("x", extra={"requestId": "mine", "level": "mine", "timestamp": "mine", "logger": "mine", "k": 1})
    """
    record = json.loads(serve(code, b"{}", env=JSON_FORMAT).stdout)
    assert (record["requestId"], record["level"], record["logger"], record["k"]) == ("id-1", "ERROR", "root", 1)
    assert re.fullmatch(MOMENT, record["timestamp"])


def test_a_record_whose_exception_is_text_already_keeps_it(serve: Serve) -> None:
    code = """
    import logging
    def handler(event, context):
        text = "Traceback of another process"
        record = logging.makeLogRecord({"msg": "from afar", "levelno": 40, "levelname": "ERROR", "exc_text": text})
        logging.getLogger().handle(record)
    """
    record = json.loads(serve(code, b"{}", env=JSON_FORMAT).stdout)
    assert record["stackTrace"] == ["Traceback of another process"]


def test_a_dict_is_the_message_only_where_it_is_not_a_format(serve: Serve) -> None:
    code = "import logging\ndef handler(event, context): logging.error({'%s': 1}, 'x')\n"
    record = json.loads(serve(code, b"{}", env=JSON_FORMAT).stdout)
    assert record["message"] == "{'x': 1}"


def test_a_recursion_without_end_in_a_record_is_the_handlers_own_error(serve: Serve) -> None:
    code = """
    import logging
    class Deep:
        def __str__(self): return str(self)
    def handler(event, context): logging.error("%s", Deep())
    """
    outcome = serve(code, b"{}")
    assert json.loads(outcome.answers[0].body)["errorType"] == "RecursionError"


def test_logging_that_was_imported_before_us_is_set_up_too(serve: Serve, tmp_path: Path) -> None:
    outcome = serve(
        "import logging\ndef handler(event, context): logging.warning('here')\n",
        b"{}",
        files={"sitecustomize.py": "import logging\n"},
        env={"PYTHONPATH": str(tmp_path)},
        entry="module",
    )
    assert re.fullmatch(rf"\[WARNING\]\t{MOMENT}\tid-1\there\n", outcome.stdout)

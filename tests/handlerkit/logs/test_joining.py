"""`logging`, `warnings` and structlog join when they come, each in a fresh process; what costs nothing until then."""

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from tests.handlerkit.test_imports import loaded_by

HEAVY = {"structlog", "pydantic", "boto3", "asyncio", "logging", "json", "re", "typing", "inspect", "dataclasses"}


def run(code: str, **environment: str) -> list[Any]:
    """The lines that a program writes to standard output; its standard error must stay empty."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONWARNINGS": "", **environment},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_logger_loads_nothing_heavy() -> None:
    code = "from handlerkit import get_logger; log = get_logger('app'); log.info('order.received', order_id=1)"
    code += "\ntry: 1 / 0\nexcept Exception: log.exception('failed')"
    assert not loaded_by(f"import io, sys\nsys.stdout = io.StringIO()\n{code}\nsys.stdout = sys.__stdout__") & HEAVY


def test_a_logger_has_the_name_of_its_module() -> None:
    assert run("from handlerkit import get_logger; get_logger().info('a'); get_logger('b', c=1).info('d')") == [
        {"timestamp": Anything(), "level": "INFO", "event": "a", "logger": "__main__"},
        {"timestamp": Anything(), "level": "INFO", "event": "d", "logger": "b", "c": 1},
    ]


class Anything:
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


BEFORE = "import logging\nfrom handlerkit import get_logger\nlog = get_logger()\n"
AFTER = "from handlerkit import get_logger\nlog = get_logger()\nimport logging\n"


@pytest.mark.parametrize("start", [BEFORE, AFTER], ids=["before", "after"])
def test_records_of_logging_are_lines_whenever_it_is_imported(start: str) -> None:
    code = """
from handlerkit import event_handler
from handlerkit.logs import bind
from handlerkit.testing import FakeContext
log = logging.getLogger("lib")
log.setLevel("INFO")
@event_handler
def handler(event: object, context: object) -> None:
    bind(user="u")
    log.info("order %s", "A-17", extra={"order": {"id": 1}, "password": "x", "level": "mine"})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
    log.warning("%d", "not a number")
    log.warning({"a": float("nan")})
    log.error("stack", stack_info=True)
handler({}, FakeContext(aws_request_id="r-1"))
"""
    first, failed, wrong, document, stack = run(start + code)
    assert first["event"] == "order A-17"
    assert (first["logger"], first["level"], first["level_"]) == ("lib", "INFO", "mine")
    assert (first["request_id"], first["user"], first["order"]) == ("r-1", "u", {"id": 1})
    assert first["password"] == "[redacted]"
    assert failed["exception"]["type"] == "ZeroDivisionError"
    assert (wrong["event"], wrong["args"]) == ("%d", ["not a number"])
    assert document["event"] == {"a": "NaN"}
    assert any("in handler" in line for line in stack["stack"])


def test_the_level_that_was_set_is_the_root_loggers_too() -> None:
    code = AFTER + "logging.getLogger('lib').info('shown')\nlogging.getLogger('lib').debug('not')"
    assert run(code) == []  # logging's own default is WARNING
    assert [line["event"] for line in run(code, HANDLERKIT_LOG_LEVEL="INFO")] == ["shown"]
    assert [line["event"] for line in run(code, AWS_LAMBDA_LOG_LEVEL="DEBUG")] == ["shown", "not"]


def test_a_program_with_handlers_of_its_own_keeps_them() -> None:
    code = """
import logging, sys
logging.basicConfig(format='{"own": "%(message)s"}', stream=sys.stdout)
from handlerkit import get_logger
get_logger().info("line")
logging.warning("record")
"""
    line, record = run(code)
    assert line["event"] == "line"
    assert record == {"own": "record"}


def test_logging_can_be_left_alone() -> None:
    code = (
        "from handlerkit import logs\nlogs.configure(stdlib=False)\nimport logging\nprint(len(logging.root.handlers))"
    )
    assert run(code) == [0]


def test_the_formatter_of_awss_client_is_replaced_and_its_handler_stays() -> None:
    code = """
import logging
class LambdaLoggerHandler(logging.Handler):
    def emit(self, record):
        print(self.format(record), end="")
logging.getLogger().addHandler(LambdaLoggerHandler())
from handlerkit import get_logger
get_logger()
logging.warning("record")
assert len(logging.getLogger().handlers) == 1
"""
    (line,) = run(code)
    assert line["event"] == "record"


@pytest.mark.parametrize("early", [True, False])
def test_warnings_are_lines(early: bool) -> None:
    start = "from handlerkit import get_logger; log = get_logger()\n"
    code = "import warnings\n" + start if early else start + "import warnings\n"
    (line,) = run(code + "warnings.warn('old way', DeprecationWarning)")
    assert (line["level"], line["event"]) == ("WARN", "old way")
    assert (line["category"], line["logger"], line["line"]) == ("DeprecationWarning", "py.warnings", 3)


STRUCTLOG = """
log = structlog.get_logger("lib", bound=1)
log.debug("not wanted")
log.info("by structlog", order={"id": 1}, password="x")
log.bind(a=1).warning("%s left", 3)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
structlog.contextvars.bind_contextvars(user="u")
log.critical("with its context")
mine.info("mine, with its context")
structlog.get_logger().error("no name")
"""


@pytest.mark.parametrize("early", [True, False])
def test_structlogs_own_loggers_come_the_same_way(early: bool) -> None:
    start = "from handlerkit import get_logger; mine = get_logger('mine')\n"
    lines = run(("import structlog\n" + start if early else start + "import structlog\n") + STRUCTLOG)
    info, warning, failed, critical, mine, unnamed = lines
    assert (info["event"], info["logger"], info["bound"], info["order"]) == ("by structlog", "lib", 1, {"id": 1})
    assert info["password"] == "[redacted]"
    assert (warning["event"], warning["level"], warning["a"]) == ("3 left", "WARN", 1)
    assert failed["exception"]["type"] == "ZeroDivisionError"
    assert (critical["user"], critical["level"]) == ("u", "FATAL")
    assert (mine["user"], mine["logger"]) == ("u", "mine")
    assert "logger" not in unnamed
    assert [line["timestamp"] for line in lines] == sorted(line["timestamp"] for line in lines)


def test_what_is_in_structlogs_context_does_not_reach_the_next_invocation() -> None:
    code = """
from handlerkit import event_handler, get_logger
import structlog
log = get_logger()
@event_handler
def handler(event: dict) -> None:
    if event["binds"]:
        structlog.contextvars.bind_contextvars(user="u")
    structlog.get_logger().info("structlog")
    log.info("ours")
handler({"binds": True})
handler({"binds": False})
"""
    assert [line.get("user") for line in run(code)] == ["u", "u", None, None]


def test_the_level_of_structlog_follows() -> None:
    code = """
from handlerkit import logs
import structlog
logs.configure(level="DEBUG")
structlog.get_logger().debug("shown")
logs.configure(level="ERROR")
structlog.get_logger().warning("not")
"""
    assert [line["event"] for line in run(code)] == ["shown"]


def test_a_program_that_configures_structlog_keeps_that() -> None:
    code = """
import structlog
structlog.configure(processors=[structlog.processors.JSONRenderer()])
from handlerkit import get_logger
get_logger()
structlog.get_logger().info("own")
"""
    assert run(code) == [{"event": "own"}]


def test_the_lines_of_a_batch_come_the_same_way_without_logging() -> None:
    code = """
import sys
from handlerkit import batch_handler, get_logger
from handlerkit.events import SqsRecord
from handlerkit.testing import FakeContext, sqs_event
log = get_logger()
before = "logging" in sys.modules
@batch_handler
def handler(record: SqsRecord[str]) -> None:
    if record.body == "bad":
        raise ValueError("no")
handler(sqs_event(["good", "bad"]), FakeContext(aws_request_id="r-1"))
handler(sqs_event(["good"]), FakeContext(aws_request_id="r-2"))
assert ("logging" in sys.modules) == before
"""
    failed, summary, good = run(code)
    assert failed["event"].endswith("failed: ValueError: no")
    assert failed["exception"]["message"] == "no"
    assert [frame["function"] for frame in failed["exception"]["stack"]] == ["handler"]  # and none of this package
    assert failed["logger"] == summary["logger"] == "handlerkit.batch"
    assert (summary["batch_records"], summary["batch_failed"], summary["level"]) == (2, 1, "WARN")
    assert summary["request_id"] == "r-1"
    assert (good["batch_finished"], good["level"], good["request_id"]) == (1, "INFO", "r-2")


def test_a_variable_without_meaning_is_told_of_once() -> None:
    code = "from handlerkit import get_logger; get_logger().info('a'); get_logger().info('b')"
    complaint, *rest = run(code, HANDLERKIT_LOG_LEVEL="loud")
    assert complaint["event"].startswith("HANDLERKIT_LOG_LEVEL is ignored: 'loud'")
    assert [line["event"] for line in rest] == ["a", "b"]


def test_an_import_that_fails_does_not_fail_differently() -> None:
    code = """
import sys
from handlerkit.late_imports import when_imported
when_imported("no_such_module", print)
when_imported("colorsys", lambda module: print("1"))
when_imported("colorsys", lambda module: print("2"))
when_imported("colorsys", lambda module: 1 / 0)
try:
    import no_such_module
except ModuleNotFoundError:
    print("3")
sys.stderr = sys.stdout = sys.stdout
real = sys.stderr
class Quiet:
    def write(self, text): assert "ZeroDivisionError" in text or text == "\\n"
    def flush(self): pass
sys.stderr = Quiet()
import colorsys
for loader in (colorsys.__spec__.loader, colorsys.__loader__):
    assert "importlib" in type(loader).__module__  # the real one again
assert colorsys.rgb_to_hsv
when_imported("colorsys", lambda module: print("4"))
"""
    assert run(code) == [3, 1, 2, 4]

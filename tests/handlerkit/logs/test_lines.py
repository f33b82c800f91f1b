"""What stands in a line, and that a line is written whatever it is given."""

import contextlib
import contextvars
import dataclasses
import datetime
import decimal
import enum
import io
import json
import math
import re
import sys
import uuid
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from handlerkit import event_handler, tolerant_json
from handlerkit.log_output import LineOutput
from handlerkit.logs.invocation import InvocationLog
from handlerkit.logs.redaction import Redaction
from handlerkit.logs.shortening import shortened
from handlerkit.scope import current
from handlerkit.testing import FakeContext

from .conftest import Log, MakeLog


def test_a_line_says_when_how_bad_what_and_where_from(log: Log) -> None:
    log.logger.info("order.received", order_id="A-17", quantity=2, paid=False, note=None, total=1.5)
    line = log.last
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "INFO", "event": "order.received", "logger": "app",
        "order_id": "A-17", "quantity": 2, "paid": False, "note": None, "total": 1.5,
    }  # fmt: skip


def test_the_time_is_now_in_utc(log: Log) -> None:
    before = datetime.datetime.now(datetime.UTC)
    log.logger.info("now")
    after = datetime.datetime.now(datetime.UTC)
    written = datetime.datetime.fromisoformat(log.last["timestamp"])
    assert before - datetime.timedelta(milliseconds=1) <= written <= after


def test_an_invocation_is_named_in_each_of_its_lines(make_log: MakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    log = make_log({"HANDLERKIT_SERVICE": "shop", "AWS_LAMBDA_FUNCTION_NAME": "from-environment"})
    log.logger.info("outside")

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        log.logger.info("inside")

    context = FakeContext(function_name="orders", function_version="7", memory_limit_in_mb=512, aws_request_id="r-1")
    context.tenant_id = "blue"
    handler({"headers": {"X-Correlation-ID": "c-1"}}, context)
    outside, inside = log.lines
    assert outside["service"] == inside["service"] == "shop"
    assert outside["function_name"] == "from-environment"
    assert "request_id" not in outside
    assert isinstance(inside.pop("cold_start"), bool)
    del inside["timestamp"], inside["level"], inside["event"], inside["logger"], inside["service"]
    assert inside == {
        "function_name": "orders", "function_version": "7", "function_memory_mb": 512, "request_id": "r-1",
        "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "tenant_id": "blue", "correlation_id": "c-1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "level"),
    [
        ("debug", "DEBUG"), ("info", "INFO"), ("msg", "INFO"), ("warning", "WARN"), ("warn", "WARN"),
        ("error", "ERROR"), ("exception", "ERROR"), ("critical", "FATAL"), ("fatal", "FATAL"),
    ],
)  # fmt: skip
def test_levels_have_the_names_that_lambda_filters_by(make_log: MakeLog, method: str, level: str) -> None:
    log = make_log(level="debug")
    getattr(log.logger, method)("event")
    assert log.last["level"] == level


def test_a_level_may_be_a_number(log: Log) -> None:
    log.logger.log(35, "odd")
    log.logger.log("error", "named")
    log.logger.log(3, "nobody wants it")
    assert [line["level"] for line in log.lines] == ["WARN", "ERROR"]
    with pytest.raises(ValueError, match="'loud' is no log level"):
        log.logger.log("loud", "what")


def test_a_bound_logger_is_structlogs(log: Log) -> None:
    structlog = pytest.importorskip("structlog")
    bound = log.logger.bind(a=1, b=2)
    assert isinstance(bound, structlog.typing.BindableLogger)
    bound.info("both")
    bound.unbind("a").info("one")
    bound.try_unbind("b", "c").info("other")
    bound.new(z=3).info("new", a=4)
    shown = [{key: line[key] for key in "abz" if key in line} for line in log.lines]
    assert shown == [{"a": 1, "b": 2}, {"b": 2}, {"a": 1}, {"a": 4, "z": 3}]
    with pytest.raises(KeyError):
        bound.unbind("c")
    own = {name for name in dir(structlog.typing.FilteringBoundLogger) if not name.startswith("_")}
    assert own <= set(dir(log.logger))


async def _all_levels(logger: Any) -> None:
    for name in ("adebug", "ainfo", "awarning", "aerror", "acritical", "aexception"):
        await getattr(logger, name)("%s of it", name)


def test_structlogs_asynchronous_methods_are_there(make_log: MakeLog) -> None:
    log = make_log(level="debug")
    with contextlib.suppress(StopIteration):
        _all_levels(log.logger).send(None)
    assert log.lines[0]["event"] == "adebug of it"
    assert len(log.lines) == 6


def test_arguments_go_into_the_event(log: Log) -> None:
    log.logger.info("%s of %d", "one", 3)
    log.logger.info("%(a)s", {"a": 1})
    log.logger.info("100%")
    log.logger.info("%d left", "none")
    events = [line["event"] for line in log.lines]
    assert events == ["one of 3", "1", "100%", "%d left"]
    assert log.last["args"] == ["none"]


# What peers lose, mix, or raise for.
NAMES = ["name", "filename", "module", "message", "level", "timestamp", "event", "logger", "args", "self", "exception"]


@pytest.mark.parametrize("name", NAMES)
def test_a_value_may_have_any_name_and_is_there(log: Log, name: str) -> None:
    log.logger.info("what happened", **{name: "mine"})
    line = log.last
    assert "mine" in line.values()
    assert line["event"] == "what happened"
    assert line["level"] == "INFO"
    assert line["timestamp"].endswith("Z")


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class Evil(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")


class Color(enum.Enum):
    RED = "red"


class Order(BaseModel):
    order_id: str
    at: datetime.datetime
    key: SecretStr = SecretStr("hidden")


@dataclasses.dataclass
class Point:
    x: int
    y: float
    secret: str = dataclasses.field(default="s", repr=False)


ORDER = Order(order_id="A", at=datetime.datetime(2026, 1, 2))  # noqa: DTZ001
CIRCULAR: dict[str, Any] = {"a": 1}
CIRCULAR["self"] = [CIRCULAR]
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]

DEGRADED = [
    (math.nan, "NaN"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
    ("NaN", "NaN"),
    ("123", "123"),
    ("1e5", "1e5"),
    ([1, math.nan], [1, "NaN"]),
    ({(1, 2): "tuple"}, {"(1, 2)": "tuple"}),
    ({1: "int", None: "none"}, {"1": "int", "None": "none"}),
    (CIRCULAR, {"a": 1, "self": ["<circular dict>"]}),
    (Unspeakable(), "<Unspeakable whose str() raised RuntimeError>"),
    ({"deep": {"in": Unspeakable()}}, {"deep": {"in": "<Unspeakable whose str() raised RuntimeError>"}}),
    (b"\xffbytes", "\\xffbytes"),
    (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2026-01-02T03:04:05Z"),
    (datetime.date(2026, 1, 2), "2026-01-02"),
    (decimal.Decimal("12.50"), 12.5),
    (decimal.Decimal(3), 3),
    (decimal.Decimal("NaN"), "NaN"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Color.RED, "red"),
    ({"b"}, ["b"]),
    (ValueError("wrong"), "ValueError: wrong"),
    (Order, f"{Order.__module__}.Order"),
    (ORDER, {"order_id": "A", "at": "2026-01-02T00:00:00", "key": "**********"}),
    (Point(1, math.nan), {"x": 1, "y": "NaN"}),
    (10**5000, "<int of 16610 bits>"),
]


@pytest.mark.parametrize(("value", "expected"), DEGRADED, ids=[str(at) for at in range(len(DEGRADED))])
def test_what_json_cannot_say_is_degraded_and_nothing_is_lost(log: Log, value: Any, expected: Any) -> None:
    log.logger.info("event", value=value, other="kept")
    assert log.last["value"] == expected
    assert log.last["other"] == "kept"


def test_structures_without_an_end_have_one(log: Log) -> None:
    log.logger.info("deep", value=DEEP)
    log.logger.info("wide", value=[[n] for n in range(100_000)])
    log.logger.info("evil", value=Evil(a=1))
    deep, wide, evil = log.lines
    assert "list of 1" in json.dumps(deep["value"])
    assert len(json.dumps(wide["value"])) < 300_000
    assert evil["event"] == "evil"


def test_a_generator_is_not_drained(log: Log) -> None:
    items = iter([1, 2])
    log.logger.info("lazy", items=items)
    assert list(items) == [1, 2]


@pytest.mark.parametrize("text", ["a\nb\r\nc", "\u2028", "\x00\x1b[31m", '"quoted" \\', "ß→😀", ""])
def test_one_event_is_one_line(log: Log, text: str) -> None:
    log.logger.info(text, value=text, **{text or "empty": 1})
    assert log.text.count("\n") == 1
    assert "\r" not in log.text
    assert log.last["event"] == log.last["value"] == text


def test_a_lone_surrogate_is_escaped(log: Log, tmp_path: Any) -> None:
    with open(tmp_path / "out", "w+", encoding="utf-8") as stream:
        log.change(stream=stream)
        log.logger.info("half \ud83d", name="ß\udc80")
        stream.seek(0)
        line = json.loads(stream.read())
    assert line["event"] == "half \ud83d"
    assert line["name"] == "ß\udc80"


def test_a_stream_that_is_not_utf_8_gets_escapes(log: Log, tmp_path: Any) -> None:
    with open(tmp_path / "out", "w+", encoding="latin-1") as stream:
        log.change(stream=stream)
        log.logger.info("ß 😀")
        stream.seek(0)
        text = stream.read()
    assert "ß \\ud83d\\ude00" in text
    assert json.loads(text)["event"] == "ß 😀"


def test_an_event_may_be_a_dict_or_nothing(log: Log) -> None:
    log.logger.info({"a": {"b": math.nan}, "password": "x"})
    log.logger.info()
    log.logger.info(event="by keyword")
    log.logger.info(None, a=1)
    events = [line["event"] for line in log.lines]
    assert events == [{"a": {"b": "NaN"}, "password": "[redacted]"}, "", "by keyword", ""]


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner) | st.tuples(inner),
    max_leaves=20,
)


@hypothesis.given(st.text(), st.dictionaries(st.text(), JSON_LIKE, max_size=6))
@hypothesis.settings(max_examples=60, deadline=None)
def test_whatever_is_logged_is_one_line_of_json(event: str, values: dict[str, Any]) -> None:
    log = Log({})
    for _ in range(2):  # the second time by what the first one has learnt
        log.logger.info(event, **values)
    first, second = log.lines
    assert first.pop("timestamp")
    assert second.pop("timestamp")
    assert first == second
    assert first["event"] == event
    assert set(values) - {"exc_info", "stack_info", "stacklevel"} <= {name.rstrip("_") for name in first} | set(first)


# Secrets.

SECRETS = [
    "password", "db_password", "passwordHash", "DB_PASSWORD", "secret", "clientSecret", "client_secret_value", "token",
    "accessToken", "access-token", "id_token", "X-Api-Key", "apiKey", "apikey", "Authorization", "proxy-authorization",
    "aws_secret_access_key", "aws_access_key_id", "private_key", "credentials", "Set-Cookie", "cookie",
]  # fmt: skip
HARMLESS = ["token_count", "tokens", "secret_arn", "author", "keys", "passenger", "cookies_accepted", "key", "monkey"]


@pytest.mark.parametrize("key", SECRETS)
def test_a_secret_is_not_written_wherever_it_stands(log: Log, key: str) -> None:
    log.logger.info("e", **{key: "hunter2"})
    for _ in range(3):  # the second time all that it has learnt is of use
        log.logger.info("e", nested={"list": [{key: "hunter2"}]})
    log.logger.bind(**{key: "hunter2"}).info("e")
    log.logger.info("e", model=Point(1, 2), **{key: {"inner": "hunter2"}})
    assert "hunter2" not in log.text
    assert log.text.count("[redacted]") == 6


@pytest.mark.parametrize("key", HARMLESS)
def test_what_is_no_secret_is_written(log: Log, key: str) -> None:
    for _ in range(2):
        log.logger.info("e", **{key: "plain"})
        assert log.last[key] == "plain"


def test_the_patterns_of_secrets_can_be_changed(make_log: MakeLog) -> None:
    log = make_log(redact=["iban", "x_*", "*pin*"])
    log.logger.info("e", iban="i", xRay="x", pin_code="p", password="shown")
    assert [log.last[key] for key in ("iban", "xRay", "pin_code", "password")] == ["[redacted]"] * 3 + ["shown"]
    with pytest.raises(ValueError, match="'a\\*b'"):
        make_log(redact=["a*b"])
    with pytest.raises(TypeError, match="list of patterns"):
        make_log(redact="iban")


# Exceptions.


def failing(depth: int) -> None:
    if depth:
        failing(depth - 1)
    raise ValueError("innermost")


def test_an_exception_is_data(log: Log) -> None:
    try:
        try:
            failing(0)
        except ValueError as error:
            error.add_note("while testing")
            raise RuntimeError("outer") from error
    except RuntimeError:
        log.logger.exception("failed", order_id=1)
    exception = log.last["exception"]
    assert (exception["type"], exception["message"]) == ("RuntimeError", "outer")
    assert exception["stack"][-1]["function"] == "test_an_exception_is_data"
    assert exception["stack"][-1]["file"] == __file__
    assert exception["cause"]["message"] == "innermost"
    assert exception["cause"]["notes"] == ["while testing"]
    assert [frame["function"] for frame in exception["cause"]["stack"]] == ["test_an_exception_is_data", "failing"]
    assert log.last["order_id"] == 1


def test_exc_info_may_be_true_an_exception_or_a_triple(log: Log) -> None:
    error = KeyError("k")
    log.logger.error("a", exc_info=error)
    log.logger.error("b", exc_info=(KeyError, error, None))
    log.logger.error("c", exc_info=True)
    log.logger.error("d", exc_info=(None, None, None))
    log.logger.exception("e")
    assert [line.get("exception", {}).get("type") for line in log.lines] == ["KeyError", "KeyError", None, None, None]


def test_exceptions_are_bounded(log: Log) -> None:
    try:
        failing(900)
    except ValueError as error:
        log.logger.exception("deep")
        group = ExceptionGroup("many", [error] * 50)
    log.logger.error("group", exc_info=group)
    circle, second = ValueError("1"), ValueError("2")
    circle.__cause__, second.__cause__ = second, circle
    log.logger.error("circle", exc_info=circle)
    deep, many, circled = log.lines
    assert len(deep["exception"]["stack"]) == 51
    assert {"omitted": 852} in deep["exception"]["stack"]
    assert len(many["exception"]["exceptions"]) == 21
    assert circled["exception"]["cause"]["message"] == "2"
    assert len(log.text) < 200_000


def test_an_exception_that_cannot_be_described_is_still_there(log: Log) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    log.logger.error("mute", exc_info=Mute())
    assert log.last["exception"]["message"] == "<Mute whose str() raised RuntimeError>"
    assert log.last["exception"]["type"].endswith("Mute")


def test_the_stack_is_there_if_asked_for(log: Log) -> None:
    log.logger.info("where", stack_info=True)
    assert any("test_the_stack_is_there_if_asked_for" in frame for frame in log.last["stack"][-2:])


# Length.


@pytest.mark.parametrize("unit", ["x", "ß", "😀", '"', "\x01"])
def test_a_message_of_megabytes_is_shortened_with_a_mark(log: Log, unit: str) -> None:
    log.logger.info(unit * 2_000_000, order_id="A-17")
    line = log.last
    assert len(log.text.encode()) <= 262_144 + 1
    assert len(log.text.encode()) > 200_000
    assert line["event"].endswith(" bytes, shortened]")
    assert line["shortened"] == ["event"]
    assert line["order_id"] == "A-17"


def test_long_values_are_cut_before_short_ones(make_log: MakeLog) -> None:
    log = make_log(max_line_bytes=2_000)
    log.logger.info("e", a="x" * 3_000, b=["y" * 900], c="z" * 10)
    line = log.last
    assert len(log.text) <= 2_001
    assert line["shortened"] == ["a"]
    assert line["b"] == ["y" * 900]
    assert line["c"] == "z" * 10


def test_thousands_of_values_are_cut_off(make_log: MakeLog) -> None:
    log = make_log(max_line_bytes=4_000)
    log.logger.info("e", **{f"key{n}": n for n in range(10_000)})
    assert len(log.text) <= 4_001
    assert "values left out" in log.last["shortened"]


def test_a_line_that_fits_is_not_touched() -> None:
    line = {"event": "ß" * 100}
    text = tolerant_json.encode(line)
    assert shortened(line, text, 212) == text
    assert len(text.encode()) == 212


# Streams.


def test_every_line_is_one_write(log: Log) -> None:
    writes: list[str] = []

    class Stream:
        encoding = "utf-8"

        def write(self, text: str) -> None:
            writes.append(text)

        def flush(self) -> None: ...

    log.change(stream=Stream())
    log.logger.info("a")
    log.logger.info("b" * 10_000)
    assert [text[-1] for text in writes] == ["\n", "\n"]


def test_a_record_hook_gets_the_line_and_its_level(log: Log) -> None:
    records: list[tuple[str, int]] = []

    class Stream:
        def __lambda_record__(self, text: str, level: int) -> None:
            records.append((text, level))

    log.change(stream=Stream())
    log.logger.error("a")
    assert [(json.loads(text)["event"], level) for text, level in records] == [("a", 40)]


class Undecorated:
    """A standard output that knows the invocation, and the invocation itself."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.trace_id = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        self.function_arn = self.tenant_id = None

    def __lambda_invocation__(self) -> Any:
        return self if self.request_id else None


def test_where_no_decorator_is_the_runtimes_invocation_is_in_the_line(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = Undecorated("r-1")
    monkeypatch.setattr(sys, "__stdout__", runtime)
    for runtime.request_id in ("r-1", "r-1", "r-2", ""):
        log.logger.info("a")
    assert [line.get("request_id") for line in log.lines] == ["r-1", "r-1", "r-2", None]
    assert [line.get("trace_id") for line in log.lines] == ["1-5759e988-bd862e3fe1be46a994272793"] * 3 + [None]
    assert not any("function_arn" in line or "cold_start" in line for line in log.lines)


def test_a_record_keeps_the_invocation_that_it_was_made_in(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stdout__", Undecorated("r-1"))
    texts = [log.pipeline.text(30, "lib", "a", {}, request_id=made_in) for made_in in ("r-1", "r-0", "", None)]
    assert [json.loads(text).get("request_id") for text in texts] == ["r-1", "r-0", None, "r-1"]
    assert ["trace_id" in json.loads(text) for text in texts] == [True, False, False, True]


def test_new_settings_are_those_of_an_undecorated_handler_too(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stdout__", Undecorated("r-1"))
    log.logger.info("a")
    log.change(keys={"request_id": "id"}, fields={"stage": "test"})
    log.logger.info("b")
    assert (log.last["id"], log.last["stage"]) == ("r-1", "test")


def test_without_a_standard_output_lines_go_to_standard_error(
    make_log: MakeLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for closed in (None, _closed()):
        log = make_log(stream=None)
        monkeypatch.setattr(sys, "stdout", closed)
        log.logger.info("still here")
        assert "still here" in capsys.readouterr().err


def test_with_no_stream_at_all_nothing_is_raised(make_log: MakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log = make_log(stream=None)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", _closed())
        patched.setattr(sys, "stderr", None)
        log.logger.info("to nobody")


def _closed() -> Any:
    import io

    stream = io.StringIO()
    stream.close()
    return stream


# Forms.


def test_powertools_names_serve_existing_dashboards(make_log: MakeLog) -> None:
    log = make_log({"HANDLERKIT_LOG_KEYS": "powertools", "HANDLERKIT_SERVICE": "shop"})

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        log.logger.warning("hello", order_id=1)
        try:
            failing(0)
        except ValueError:
            log.logger.exception("failed")

    handler({"requestContext": {"requestId": "c-1"}}, FakeContext(aws_request_id="r-1"))
    first, second = log.lines
    assert list(first)[:3] == ["timestamp", "level", "message"]
    assert first["message"] == "hello"
    assert first["level"] == "WARNING"
    assert re.fullmatch(r"handler:\d+", first["location"])
    assert first["function_request_id"] == "r-1"
    assert first["function_memory_size"] == 128
    assert first["function_arn"].endswith(":orders")
    assert (first["service"], first["correlation_id"], first["order_id"]) == ("shop", "c-1", 1)
    assert second["exception_name"] == "ValueError"
    assert "Traceback (most recent call last)" in second["exception"]
    assert second["stack_trace"]["value"] == "innermost"


def test_single_keys_can_be_renamed_or_left_out(make_log: MakeLog) -> None:
    log = make_log({"AWS_LAMBDA_FUNCTION_NAME": "f"}, keys={"event": "msg", "function_name": None})
    log.logger.info("hello", event="mine", msg="theirs")
    assert log.last["msg"] == "hello"
    assert log.last["msg_"] == "theirs"
    assert log.last["event"] == "mine"
    assert "function_name" not in log.last
    with pytest.raises(ValueError, match="no field 'evnt'"):
        make_log(keys={"evnt": "m"})
    with pytest.raises(ValueError, match="cannot be without 'level'"):
        make_log(keys={"level": None})


def test_text_for_those_who_configured_text(make_log: MakeLog) -> None:
    log = make_log({"AWS_LAMBDA_LOG_FORMAT": "Text"})

    @event_handler
    def handler(event: dict[str, Any], context: Any) -> None:
        log.logger.info("two\nlines", order="A 17", n=1, s="plain")

    handler({}, FakeContext(aws_request_id="r-1"))
    level, timestamp, request_id, words = log.text.rstrip("\n").split("\t")
    assert (level, request_id) == ("[INFO]", "r-1")
    assert timestamp.endswith("Z")
    assert words.startswith("two\\nlines logger=app ")
    assert words.endswith('order="A 17" n=1 s=plain')
    log.logger.info("x" * 2_000_000)
    assert len(log.text) < 300_000


def test_a_terminal_gets_colour_and_tracebacks(make_log: MakeLog) -> None:
    for environ, start in (({}, "\x1b[31mERROR\x1b[0m failed"), ({"NO_COLOR": "1"}, "ERROR failed")):
        log = make_log({"HANDLERKIT_LOG_FORMAT": "console", **environ})
        try:
            failing(0)
        except ValueError as error:
            log.logger.error("failed", exc_info=ExceptionGroup("two", [error]), n=1)
        first, *rest = log.text.splitlines()
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} ", first[:13])
        assert first[13:] == f"{start}  n=1  (app)"
        assert rest[0] == "ExceptionGroup: two (1 sub-exception)"
        assert rest[-1] == "  | ValueError: innermost"


def test_fields_of_the_process_are_redacted_as_all_values_are(make_log: MakeLog) -> None:
    log = make_log(fields={"team": "blue", "db_password": "hunter2", "vault": {"token": "hunter2"}})
    log.logger.info("fast")
    log.logger.info("careful", kind=object)
    log.change(redact=["team"])
    log.logger.info("other rules")
    assert log.text.count("hunter2") == 2  # of the last line, whose rules know nothing of tokens
    assert [line["team"] for line in log.lines] == ["blue", "blue", "[redacted]"]


def test_a_logger_shows_the_names_of_what_is_bound_and_no_values(log: Log) -> None:
    shown = repr(log.logger.bind(password="hunter2", order_id=1))
    assert shown == "<Logger app with password, order_id bound>"
    assert repr(log.logger) == "<Logger app with nothing bound>"


def test_a_runtime_that_cannot_take_a_record_costs_no_invocation(
    make_log: MakeLog, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(io.StringIO):
        def __lambda_record__(self, text: str, level: int) -> None:
            raise OSError("no space")

    log = make_log()
    log.change(stream=Broken())
    log.logger.info("kept")
    assert json.loads(capsys.readouterr().err)["event"] == "kept"


def test_the_time_goes_on_from_second_to_second(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = 1_700_000_000_999_000_000
    monkeypatch.setattr("handlerkit.logs.lines.time.time_ns", lambda: now_ns)
    log.logger.info("before")
    now_ns += 2_000_000
    log.logger.info("after")
    now_ns -= 2_000_000_000
    log.logger.info("somebody has set the clock")
    times = [line["timestamp"] for line in log.lines]
    assert times == ["2023-11-14T22:13:20.999Z", "2023-11-14T22:13:21.001Z", "2023-11-14T22:13:19.001Z"]


def test_a_record_of_another_invocation_than_the_present_one_is_not_made_its_own(log: Log) -> None:
    @event_handler
    def handler(event: dict[str, int], context: FakeContext) -> list[str]:
        ids = (context.aws_request_id, "another", None)
        return [log.pipeline.text(20, "app", "e", {}, request_id=one) for one in ids]

    context = FakeContext()
    lines = [json.loads(text) for text in handler({"n": 1}, context)]
    assert [line["request_id"] for line in lines] == [context.aws_request_id, "another", context.aws_request_id]
    assert [line.get("cold_start") is None for line in lines] == [False, True, False]


def test_debug_lines_of_an_invocation_that_has_ended_are_kept_for_nobody(make_log: MakeLog) -> None:
    log = make_log(debug_buffer_bytes=10_000)
    contexts: list[contextvars.Context] = []

    @event_handler
    def handler(event: object) -> None:
        contexts.append(contextvars.copy_context())

    handler({}, None)
    contexts[0].run(log.logger.debug, "too late")
    contexts[0].run(log.logger.info, "late")
    assert [line["event"] for line in log.lines] == ["late"]
    scope = contexts[0].run(current.get)
    assert scope is not None
    assert [one.buffer for one in scope.values.values() if isinstance(one, InvocationLog)] == [None]


def test_names_that_were_looked_at_are_not_remembered_without_end() -> None:
    redaction = Redaction(["*token"])
    for number in range(10_000):
        assert not redaction.is_secret(f"key_{number}")
    assert len(redaction.harmless) <= 4_096
    assert redaction.harmless <= set(redaction._known)


def test_short_values_are_left_whole_or_left_out(make_log: MakeLog) -> None:
    log = make_log(max_line_bytes=1_024)
    log.logger.info("e", **{f"key_{number}": "short" for number in range(500)})
    line = log.last
    assert len(log.text.encode()) <= 1_025
    assert "values left out" in line["shortened"]
    assert {line[key] for key in line if key.startswith("key_")} == {"short"}


def test_long_lines_are_written_one_after_another() -> None:
    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            assert output._lock.locked() == (len(text) > 2_000)
            return super().write(text)

    stream = Watched()
    output = LineOutput(stream)
    output.write("short", 20)
    output.write("x" * 3_000, 20)
    assert not output._lock.locked()
    assert len(stream.getvalue()) == 3_007


def test_a_lock_that_a_forked_child_has_inherited_holds_a_line_up_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlerkit.log_output.WAIT_S", 0.01)
    output = LineOutput(io.StringIO())
    output._lock.acquire()
    output.write("x" * 3_000, 20)
    assert len(output.stream.getvalue()) == 3_001


def test_exceptions_that_caused_each_other_are_each_told_once(log: Log) -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    log.logger.error("e", exc_info=first)
    assert log.text.count('"first"') == log.text.count('"second"') == 1
    assert "cause" not in log.last["exception"]["cause"]

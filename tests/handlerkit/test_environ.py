"""Environment variables: all of them are on one page, read where they should be, and mean the same everywhere."""

import re
from pathlib import Path

import pytest

from handlerkit.environ import forks_workers_later, idempotency_is_disabled, is_off, is_on, service_name, wants_info
from handlerkit.logs.settings import Settings as LogSettings
from handlerkit.metrics.settings import Settings as MetricSettings
from handlerkit.tracing.settings import Settings as TraceSettings
from runtime.environ import Settings as RuntimeSettings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text()
SOURCES = {path.relative_to(ROOT / "src"): path.read_text() for path in (ROOT / "src").rglob("*.py")}
NAME = re.compile(r"\b(?:HANDLERKIT|POWERTOOLS|AWS|_X_AMZN)_[A-Z_]+[A-Z]\b|\bNO_COLOR\b")
NOT_READ = {"AWS_ACCESS_KEY"}
"""Names that the code mentions for other reasons."""
WHERE_THE_ENVIRONMENT_IS_READ = {
    "batch/plan.py",
    "http/asgi.py",
    "idempotency/dynamodb_client.py",
    "idempotency/execution.py",
    "idempotency/options.py",
    "logs/process.py",
    "metrics/process.py",
    "scope.py",
    "tracing/settings.py",
}


def test_every_variable_of_ours_is_on_the_page_and_none_that_does_not_exist() -> None:
    text = "\n".join([*SOURCES.values(), (ROOT / "bootstrap").read_text()])
    read = set(re.findall(r"\bHANDLERKIT_[A-Z_]+[A-Z]\b", text))
    table = PAGE.split("## Variables of others")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == read


def test_every_variable_that_handlerkit_reads_is_on_the_page() -> None:
    read = set()
    for path, text in SOURCES.items():
        if path.parts[0] == "handlerkit":
            read |= {name for name in re.findall(r"""["']([A-Z_]+)["']""", text) if NAME.fullmatch(name)}
    assert read - NOT_READ <= set(NAME.findall(PAGE))
    assert not NOT_READ & set(NAME.findall(PAGE))


def test_the_environment_is_read_in_few_places() -> None:
    pattern = re.compile(r"\bos\.environ\b|from os import .*\benviron\b|\bgetenv\b")
    found = {
        str(path.relative_to("handlerkit"))
        for path, text in SOURCES.items()
        if path.parts[0] == "handlerkit" and pattern.search(text)
    }
    assert found == WHERE_THE_ENVIRONMENT_IS_READ


@pytest.mark.parametrize(
    ("text", "on", "off"),
    [("1", True, False), ("True", True, False), (" on ", True, False), ("YES", True, False), ("0", False, True),
     ("False", False, True), ("No", False, True), ("off", False, True), ("", False, False), (None, False, False),
     ("perhaps", False, False)],
)  # fmt: skip
def test_words_of_switches_mean_the_same_everywhere(text: str | None, on: bool, off: bool) -> None:
    assert (is_on(text), is_off(text)) == (on, off)
    if text is not None:
        assert MetricSettings({"HANDLERKIT_METRICS_DISABLED": text}).enabled is not on
        assert MetricSettings({"HANDLERKIT_METRICS_COLD_START": text}).cold_start is on
        assert idempotency_is_disabled({"HANDLERKIT_IDEMPOTENCY_DISABLED": text}) is on
        assert TraceSettings({"HANDLERKIT_TRACING": text}).is_on is not off
        assert TraceSettings({"POWERTOOLS_TRACE_DISABLED": text}).is_on is not on


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HANDLERKIT_SERVICE": "a", "POWERTOOLS_SERVICE_NAME": "b", "AWS_LAMBDA_FUNCTION_NAME": "c"}, "a"),
        ({"HANDLERKIT_SERVICE": "", "POWERTOOLS_SERVICE_NAME": "b", "AWS_LAMBDA_FUNCTION_NAME": "c"}, "b"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "c"}, "c"),
    ],
)
def test_logs_metrics_and_traces_name_the_same_service(environ: dict[str, str], expected: str) -> None:
    found = {LogSettings(environ).service, MetricSettings(environ).service, TraceSettings(environ).service}
    assert found == {expected} == {service_name(environ)}


def test_a_service_that_nobody_names_is_none() -> None:
    assert service_name({}) is None
    assert LogSettings({}).service is None


@pytest.mark.parametrize("concurrency", [None, "", "processes", "Processes", "threads", "asyncio"])
@pytest.mark.parametrize("preload", [None, "", "0", "1"])
def test_what_is_loaded_for_later_forks_is_known_as_the_runtime_decides_it(
    concurrency: str | None, preload: str | None
) -> None:
    environ = {"AWS_LAMBDA_MAX_CONCURRENCY": "4"}
    environ |= {} if concurrency is None else {"HANDLERKIT_CONCURRENCY": concurrency}
    environ |= {} if preload is None else {"HANDLERKIT_PRELOAD": preload}
    runtime = RuntimeSettings(environ)
    assert forks_workers_later(environ) is (runtime.concurrency == "processes" and runtime.preload)
    del environ["AWS_LAMBDA_MAX_CONCURRENCY"]
    assert not forks_workers_later(environ)


@pytest.mark.parametrize(("level", "expected"), [("INFO", True), ("debug", True), ("WARN", False), ("", False)])
def test_a_level_asks_for_info(level: str, expected: bool) -> None:
    assert wants_info({"AWS_LAMBDA_LOG_LEVEL": level}) is expected

"""The benches work: their command, their arithmetic, their servers on a handful of invocations. No figure is judged."""

import doctest
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import asynchronous, concurrency, idempotency, parts, stopwatch, streams, tables, telemetry, tracing, typed
from bench.dynamodb import DynamoDB

ROOT = Path(__file__).resolve().parent.parent.parent
needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))) or not sys.platform.startswith("linux"),
    reason="the benches' servers need Linux and a C compiler",
)


def runtime(**variables: str) -> parts.Runtime:
    """Our runtime as it is in this checkout; the benches themselves measure an installed one."""
    functions = ROOT / "bench" / "functions"
    return parts.Runtime(
        name="ours", command=(sys.executable, "-B", "-m", "runtime"), environment=variables, task=functions
    )


def event(folder: Path, text: str) -> Path:
    """An event's file."""
    path = folder / "event.json"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["payloads", "soak", "stopwatch", "tables", "work"])
def test_the_examples_in_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"bench.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_the_command_explains_itself_and_names_every_section() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert all(section in done.stdout for section in command.SECTIONS)


def test_all_sections_are_measured_unless_some_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.options([]).what == list(command.SECTIONS)
    assert command.options(["stream", "--quick"]).what == ["stream"]
    with pytest.raises(SystemExit):
        command.options(["stream", "speed"])
    assert "unknown: speed; there are invoke, start, " in capsys.readouterr().err


def test_a_budget_is_judged_by_the_ratio_that_is_shown() -> None:
    assert tables.Budget(what="memory", ratio=0.504, limit=0.5).met
    assert not tables.Budget(what="memory", ratio=0.506, limit=0.5).met
    assert tables.Budget(what="throughput", ratio=2.196, limit=2.2, at_least=True).met
    assert tables.Budget(what="memory", ratio=0.6, limit=0.5).line() == "- **missed**: memory 0.60×, budget ≤ 0.50×"


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    # The machine was slow for both in the third round; the ratio does not see it.
    duel = stopwatch.Duel(ours=figures("us", 10, 20, 300), theirs=figures("us", 20, 40, 600))
    assert duel.ratio("us") == 0.5
    assert duel.medians("us") == (20, 40)


def figures(name: str, *values: float) -> list[stopwatch.Figures]:
    """Rounds that measured one thing."""
    return [{name: value} for value in values]


def test_what_a_coroutine_adds_is_told_apart_from_the_invocation() -> None:
    def rounds(value: float) -> list[stopwatch.Figures]:
        return [dict.fromkeys(asynchronous.FIGURES.values(), value)]

    result = asynchronous.Rounds(ours=rounds(30), ours_plain=rounds(20), theirs=rounds(150), theirs_plain=rounds(50))
    assert result.invocation.ratio("cpu_us") == 0.2
    assert result.added.ratio("cpu_us") == 0.1
    assert result.own.ratio("cpu_us") == 1.5
    assert all(budget.met for budget in asynchronous.budgets(result))
    assert asynchronous.table(result).count("**0.20×**") == 3


def test_a_first_byte_is_compared_with_the_time_to_the_whole_buffered_answer() -> None:
    result = streams.FirstByte(
        streamed=[{"first_us.p50": 10, "wall_us.p50": 80}],
        buffered=[{"first_us.p50": 40, "wall_us.p50": 50}],
        theirs=[{"first_us.p50": 60, "wall_us.p50": 100}],
    )
    row = streams.first_byte_table({"5 MiB": result}).splitlines()[-1]
    assert [cell for cell in row.split() if "×" in cell] == ["**0.10×**", "**0.20×**", "**0.80×**"]


def test_idempotency_is_judged_by_requests_starts_and_keys() -> None:
    def duel(ours: float, theirs: float) -> stopwatch.Duel:
        names = [*idempotency.LATENCY.values(), *idempotency.START.values()]
        return stopwatch.Duel(ours=[dict.fromkeys(names, ours)], theirs=[dict.fromkeys(names, theirs)])

    costs = [{"requests": 2, "received": 14_838, "sent": 106}, {"requests": 20, "received": 12_130, "sent": 690}]
    results = idempotency.Results(
        counts={"a batch of 10, new": costs},
        latencies={"one order, new": duel(3, 4)},
        starts={"one order": duel(100, 400)},
        keys_us={"a text": 2.5, "an event": 11},
    )
    assert "2 / 20 | 14,838 / 12,130 |      106 / 690" in idempotency.counts_table(results)
    assert idempotency.latency_table(results).count("**0.75×** 3.00 / 4.00") == 2
    assert idempotency.start_table(results).count("**0.25×** 100 / 400") == 3
    assert "11.0" in idempotency.key_table(results)
    assert [budget.met for budget in idempotency.budgets(results)] == [True, True, False]


@needs_compiler
def test_an_idempotent_function_takes_two_requests_and_its_replay_one(tmp_path: Path) -> None:
    with DynamoDB() as database:
        ours = runtime(**database.environment)
        for handlers, text, length in (
            (idempotency.PLACE, '{"order_id": "o-1"}', 2_000),
            (idempotency.BATCH, typed.event(10).decode(), 20_000),
        ):
            database.begin_anew("ours")
            load = stopwatch.Load(events=(event(tmp_path, text),), count=1)
            for requests in (2, 1):
                assert stopwatch.run(ours, handlers[0], load)["failures"] == 0
                counts = database.counts()
                assert counts["requests"] == requests
                assert 0 < counts["received"] < length


def test_a_library_is_taken_with_all_that_it_needs_and_no_extras() -> None:
    found = parts.distributions("pydantic")
    assert {"pydantic", "pydantic-core"} <= {name.replace("_", "-") for name in found}
    assert "email-validator" not in found
    with pytest.raises(parts.MissingError, match="a-library-that-is-not-there is not installed"):
        parts.distributions("a-library-that-is-not-there")


@needs_compiler
@pytest.mark.parametrize(
    ("handler", "text", "length"),
    [
        ("small", '{"a": 1}', 94),
        ("asynchronous", '{"a": 1}', 94),
        ("asynchronous_by_run", '{"a": 1}', 94),
        ("stream", '{"pieces": 40, "bytes": 50000, "pause_ms": 0}', 2_000_000),
        ("buffered", '{"pieces": 40, "bytes": 50000, "pause_ms": 0}', 2_000_000),
    ],
)
def test_the_server_measures_a_client_one_invocation_after_the_other(
    tmp_path: Path, handler: str, text: str, length: int
) -> None:
    load = stopwatch.Load(events=(event(tmp_path, text),), count=5, warmup=1)
    measured = stopwatch.run(runtime(), handler, load)
    assert (measured["invocations"], measured["failures"], measured["connections"]) == (5, 0, 1)
    assert measured["response_bytes"] == length
    assert 0 < measured["first_us"]["p50"] <= measured["wall_us"]["p50"]
    assert_positive(measured, "per_second", "cpu_us", "start_ms", "rss_kib")


@needs_compiler
@pytest.mark.parametrize("mode", concurrency.MODES)
def test_the_other_server_measures_a_client_with_several_invocations_at_once(tmp_path: Path, mode: str) -> None:
    load = stopwatch.Load(events=(event(tmp_path, '{"a": 1}'),), count=30, warmup=3, at_once=3, pinned=False)
    measured = stopwatch.run(runtime(HANDLERKIT_CONCURRENCY=mode), "small", load)
    assert (measured["invocations"], measured["failures"], measured["connections"]) == (30, 0, 3)
    assert measured["processes"] == (4 if mode == "processes" else 1)
    assert measured["cpu_us"] >= 0  # counted in clock ticks of 10 ms over all processes: this may be less than one
    assert_positive(measured, "per_second", "start_ms", "start_pss_kib", "pss_kib")


@needs_compiler
@pytest.mark.parametrize("at_once", [0, 2])
def test_a_client_that_cannot_start_is_an_error_with_its_last_words(tmp_path: Path, at_once: int) -> None:
    load = stopwatch.Load(events=(event(tmp_path, "{}"),), count=1, at_once=at_once)
    with pytest.raises(stopwatch.RunError, match="no_such_function"):
        stopwatch.run(runtime(), "no_such_function", load)


def assert_positive(measured: Mapping[str, float], *names: str) -> None:
    """Every figure has been taken."""
    assert {name: measured[name] for name in names if not measured[name] > 0} == {}


def test_spans_are_counted_in_a_process_of_their_own_and_budgets_follow() -> None:
    ours = runtime()
    figures = tracing.spans(ours, sys.executable, "bench_tracing", "eleven", sampled="1", count=20)
    assert figures["cpu_us"] > 0
    with pytest.raises(stopwatch.RunError, match="bench_nothing"):
        tracing.spans(ours, sys.executable, "bench_nothing", "one", sampled="0", count=20)
    duel = stopwatch.Duel(ours=[{"cpu_us": 1.0, "first_ms": 1.0}], theirs=[{"cpu_us": 4.0, "first_ms": 2.0}])
    results = tracing.Results(
        spans={("one", "1"): dict.fromkeys([*tracing.OTHERS, tracing.FLOOR], duel)}, starts={"powertools": duel}
    )
    assert [budget.met for budget in tracing.budgets(results)] == [True, True, False]
    assert "handler and 1 span, sampled" in tracing.table(results)
    assert "powertools" in tracing.start_table(results)


def test_the_costs_of_logs_and_metrics_are_measured_by_name(tmp_path: Path) -> None:
    script, result = ROOT / "bench" / "functions" / "bench_telemetry_cost.py", tmp_path / "figures.json"
    command = [sys.executable, str(script), "handlerkit", str(result), "20"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    figures = json.loads(result.read_text())
    assert set(figures) == {*telemetry.LOGS, *telemetry.METRICS}
    duel = stopwatch.Duel(ours=[figures], theirs=[figures])
    start = stopwatch.Duel(
        ours=[{"first_ms": 1.0, "invocation_ms": 0.5}], theirs=[{"first_ms": 4.0, "invocation_ms": 0.5}]
    )
    results = telemetry.Results(operations=duel, start=start)
    assert "a log line with context" in telemetry.table(results, telemetry.LOGS)
    assert "0.25×" in telemetry.start_table(results)
    assert [budget.met for budget in telemetry.log_budgets(results)] == [False, True]
    assert len(telemetry.metric_budgets(results)) == 3

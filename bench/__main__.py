"""The command: `python -m bench [what ...] [--quick]`."""

import argparse
import json
import os
import platform
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import (
    asynchronous,
    batch,
    concurrency,
    http,
    idempotency,
    invocations,
    layer,
    local,
    parts,
    pollers,
    rie,
    soak,
    starts,
    stopwatch,
    streams,
    tables,
    telemetry,
    tracing,
    typed,
    work,
)

SECTIONS = (
    "invoke",
    "start",
    "layer",
    "typed",
    "batch",
    "idempotency",
    "logs",
    "metrics",
    "tracing",
    "http",
    "stream",
    "async",
    "concurrency",
    "rie",
    "local",
    "pollers",
    "soak",
    "work",
)


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Our runtime against awslambdaric, turn by turn on one core; prints Markdown tables.",
    )
    parser.add_argument(
        "what", nargs="*", metavar="what", help=f"some of: {', '.join(SECTIONS)} (default: all of them)"
    )
    parser.add_argument("--quick", action="store_true", help="under a minute in all, noisier figures")
    parser.add_argument("--rounds", type=int, metavar="N", help="turns per contender and event")
    parser.add_argument("--events", metavar="NAMES", help="comma-separated, some of: small,7 kB,150 kB,5.8 MB")
    parser.add_argument(
        "--handler", choices=("small", "echo", "both"), default="both",
        help="answer with a few bytes, or with the event (default: a table for each)",
    )  # fmt: skip
    parser.add_argument(
        "--coalesce",
        action="store_true",
        help="the server acknowledges and sends the next event in one write",
    )
    parser.add_argument(
        "--all-cores", action="store_true", help="concurrency: use every core, not one (faster, noisier)"
    )
    parser.add_argument("--ours", metavar="COMMAND", help="measure this client in place of ours")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every round's figures there")
    parser.add_argument("--check", action="store_true", help="end with status 1 when a budget is missed")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.what) - set(SECTIONS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    chosen.what = chosen.what or list(SECTIONS)
    return chosen


def main() -> int:
    """Measure, print as it goes, and return the exit status."""
    chosen = options()
    began = time.monotonic()
    try:
        parts.server()
        contenders = parts.contenders()
        if chosen.ours:
            contenders = _replaced(contenders, chosen.ours)
        report = Report()
        print(_machine())
        sections = {
            "invoke": _invoke,
            "start": _start,
            "layer": _layer,
            "typed": _typed,
            "batch": _batch,
            "idempotency": _idempotency,
            "logs": _logs,
            "metrics": _metrics,
            "tracing": _tracing,
            "http": _http,
            "stream": _stream,
            "async": _async,
            "concurrency": _concurrency,
            "rie": _rie,
            "local": _local,
            "pollers": _pollers,
            "soak": _soak,
            "work": _work,
        }
        for name in SECTIONS:
            if name in chosen.what:
                sections[name](chosen, contenders, report)
    except parts.MissingError as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 2
    except stopwatch.RunError as failed:
        print(f"bench: {failed}", file=sys.stderr)
        return 1
    if report.budgets:
        print("\n### Budgets\n")
        print("\n".join(budget.line() for budget in report.budgets))
    print(f"\nTook {time.monotonic() - began:.0f} s.")
    if chosen.json:
        chosen.json.write_text(json.dumps(report.raw, indent=1))
    return int(chosen.check and not all(budget.met for budget in report.budgets))


class Report:
    """What the sections leave for the end: verdicts, and the figures of every round."""

    def __init__(self) -> None:
        """Empty."""
        self.budgets: list[tables.Budget] = []
        self.raw: dict[str, Any] = {}
        self.telemetry: telemetry.Results | None = None

    def show(self, title: str, table: str) -> None:
        """Print a section now: the next one may take minutes."""
        print(f"\n### {title}\n\n{table}", flush=True)


def _invoke(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    plan = invocations.Plan.of(quick=chosen.quick)
    counts = plan.counts
    if chosen.events:
        wanted = [name.strip() for name in chosen.events.split(",")]
        if unknown := set(wanted) - set(counts):
            raise parts.MissingError(f"no event {', '.join(unknown)}; there are {', '.join(counts)}")
        counts = {name: counts[name] for name in wanted}
    plan = invocations.Plan(rounds=chosen.rounds or plan.rounds, counts=counts)
    titles = {
        "small": "An invocation, small answer (ratio, ours / awslambdaric)",
        "echo": "An invocation, the event as answer (ratio, ours / awslambdaric)",
    }
    for handler in ("small", "echo") if chosen.handler == "both" else (chosen.handler,):
        results = invocations.duels(contenders.ours, contenders.counterpart, handler, plan, coalesce=chosen.coalesce)
        report.show(titles[handler], invocations.table(results))
        report.raw[f"invoke {handler}"] = {name: asdict(duel) for name, duel in results.items()}
        if handler == "small" and "small" in results:
            report.budgets += invocations.budgets(results["small"])


def _start(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    results = starts.duels(contenders, chosen.rounds or (20 if chosen.quick else 60))
    report.show("A start (ratio, ours / awslambdaric)", starts.table(results))
    report.raw["start"] = {name: asdict(duel) for name, duel in results.items()}
    report.budgets += starts.budgets(contenders, results)


def _layer(chosen: argparse.Namespace, _contenders: parts.Contenders, report: Report) -> None:
    built = layer.layers()
    results = layer.duels(chosen.rounds or (20 if chosen.quick else 60), built.full.path)
    report.show("A start inside the layer's sandbox (ratio, ours / awslambdaric)", layer.start_table(results))
    report.show("Sizes", layer.size_table(built))
    report.raw["layer"] = {name: asdict(duel) for name, duel in results.items()}
    report.budgets += layer.budgets(results, built)


def _typed(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    results = typed.duels(contenders.bootstrap, contenders.counterpart, quick=chosen.quick)
    title = "A typed SQS batch, whole invocation (ratio, ours / awslambdaric + aws-lambda-powertools)"
    report.show(title, typed.table(results))
    report.budgets += typed.budgets(results)
    report.raw["typed"] = {str(records): asdict(duel) for records, duel in results.items()}


def _batch(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    rounds = chosen.rounds or (3 if chosen.quick else 7)
    results = batch.duels(contenders.bootstrap, contenders.counterpart, rounds=rounds, quick=chosen.quick)
    others = "(ratio, ours / awslambdaric + aws-lambda-powertools)"
    report.show(f"An SQS batch, record by record, whole invocation {others}", batch.table(results))
    report.show(f"A start with a typed batch {others}", batch.start_table(results))
    report.budgets += batch.budgets(results)
    report.raw["batch"] = {
        "start": asdict(results.start),
        "memory": {str(records): pair for records, pair in results.memory.items()},
        **{str(records): asdict(duel) for records, duel in results.sizes.items()},
    }


def _idempotency(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    rounds = chosen.rounds or (2 if chosen.quick else 7)
    results = idempotency.measure(contenders.bootstrap, contenders.counterpart, rounds=rounds)
    others = "(ratio, ours / awslambdaric + aws-lambda-powertools)"
    title = "Idempotency: what an invocation costs at DynamoDB (ours / aws-lambda-powertools)"
    report.show(title, idempotency.counts_table(results))
    report.show(f"An idempotent invocation, moto as DynamoDB {others}", idempotency.latency_table(results))
    report.show(f"A start of an idempotent function {others}", idempotency.start_table(results))
    report.show("Extracting and hashing an idempotency key (ours alone)", idempotency.key_table(results))
    report.budgets += idempotency.budgets(results)
    report.raw["idempotency"] = asdict(results)


def _logs(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    results = _telemetry(chosen, contenders, report)
    others = "(ratio, ours / aws-lambda-powertools)"
    report.show(f"Logs {others}", telemetry.table(results, telemetry.LOGS))
    title = "A start with logger, sampled trace and metrics (ratio, ours / awslambdaric + aws-lambda-powertools)"
    report.show(title, telemetry.start_table(results))
    report.budgets += telemetry.log_budgets(results)


def _metrics(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    results = _telemetry(chosen, contenders, report)
    report.show("Metrics (ratio, ours / aws-lambda-powertools)", telemetry.table(results, telemetry.METRICS))
    report.budgets += telemetry.metric_budgets(results)


def _telemetry(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> telemetry.Results:
    """Measured once for both sections."""
    if report.telemetry is None:
        rounds = chosen.rounds or (3 if chosen.quick else 7)
        report.telemetry = telemetry.duels(contenders, rounds=rounds, quick=chosen.quick)
        report.raw["telemetry"] = asdict(report.telemetry)
    return report.telemetry


def _tracing(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    rounds = chosen.rounds or (3 if chosen.quick else 9)
    results = tracing.duels(contenders, rounds=rounds, quick=chosen.quick)
    report.show("Spans, CPU of one invocation (ratio, ours / theirs)", tracing.table(results))
    title = "A start whose first invocation is traced (ratio, ours / awslambdaric with a library)"
    report.show(title, tracing.start_table(results))
    report.budgets += tracing.budgets(results)
    report.raw["tracing"] = {
        "start": {name: asdict(duel) for name, duel in results.starts.items()},
        **{
            f"{handler} {sampled}": {name: asdict(duel) for name, duel in found.items()}
            for (handler, sampled), found in results.spans.items()
        },
    }


def _http(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    rounds = chosen.rounds or (3 if chosen.quick else 7)
    results = http.measure(contenders.bootstrap, contenders.counterpart, rounds=rounds, quick=chosen.quick)
    title = "An HTTP request, whole invocation (ratio, ours / awslambdaric + mangum or aws-lambda-powertools)"
    report.show(title, http.table(results.duels, http.FIGURES))
    report.show("A start with an HTTP handler (ratio, ours / theirs)", http.table(results.starts, http.START))
    report.show("Streams and requests", http.other_table(results))
    report.budgets += http.budgets(results)
    report.raw["http"] = {
        "duels": {title: asdict(duel) for title, duel in results.duels.items()},
        "starts": {title: asdict(duel) for title, duel in results.starts.items()},
        "first byte": asdict(results.first_byte),
        "requests": results.requests_us,
    }


def _stream(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    rounds, count = (3, 500) if chosen.quick else (7, 2_000)
    first = streams.first_bytes(contenders.ours, contenders.counterpart, rounds=chosen.rounds or rounds, count=count)
    title = "The first byte of a stream (ratio, ours / the time to the same bytes as one buffered response)"
    report.show(title, streams.first_byte_table(first))
    long = streams.long_streams(contenders.ours, rounds=chosen.rounds or (2 if chosen.quick else 5))
    report.show("A stream of 100 MB (ours alone: awslambdaric cannot stream)", streams.long_table(long))
    report.raw["stream"] = {"first byte": {name: asdict(result) for name, result in first.items()}, "long": long}


def _async(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    rounds, count = (3, 2_000) if chosen.quick else (7, 5_000)
    result = asynchronous.rounds(contenders.ours, contenders.counterpart, rounds=chosen.rounds or rounds, count=count)
    report.show("An asynchronous handler, small event (ratio)", asynchronous.table(result))
    report.raw["async"] = asdict(result)
    report.budgets += asynchronous.budgets(result)


def _concurrency(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    if stopwatch.core() is None:
        print("\nconcurrency: skipped, it reads processor time and memory as Linux tells them", flush=True)
        return
    rounds, share = (2, 0.2) if chosen.quick else (5, 1.0)
    results = concurrency.duels(
        contenders.ours,
        contenders.counterpart,
        rounds=chosen.rounds or rounds,
        share=share,
        pinned=not chosen.all_cores,
    )
    cores = "all cores" if chosen.all_cores else "one core"
    report.show(f"Eight invocations at once on {cores} (ratio, ours / awslambdaric)", concurrency.table(results))
    report.raw["concurrency"] = {
        name: {mode: asdict(duel) for mode, duel in modes.items()} for name, modes in results.items()
    }
    report.budgets += concurrency.budgets(results)


def _rie(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    rounds, count = (5, 300) if chosen.quick else (10, 500)
    result = rie.duel(contenders.ours, contenders.counterpart, rounds=chosen.rounds or rounds, count=count)
    report.show("A caller's round trip through AWS's emulator (ratio, ours / awslambdaric)", rie.table(result))
    report.raw["rie"] = asdict(result)
    report.budgets += rie.budgets(result)


def _local(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    rounds, count = (5, 200) if chosen.quick else (10, 1_000)
    results = local.run(contenders.bootstrap, rounds=chosen.rounds or rounds, count=count)
    for title, table in local.tables_of(results):
        report.show(title, table)
    report.raw["local"] = asdict(results)
    report.budgets += local.budgets(results)


def _pollers(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:  # noqa: ARG001
    rounds, messages = (2, 100) if chosen.quick else (5, 200)
    results = pollers.measure(rounds=chosen.rounds or rounds, messages=messages)
    report.show(f"{messages} messages from a source (ratio, a mapping / bare boto3 calls)", pollers.table(results))
    report.raw["pollers"] = {name: asdict(result) for name, result in results.items()}


def _soak(chosen: argparse.Namespace, contenders: parts.Contenders, report: Report) -> None:
    count = 20_000 if chosen.quick else 100_000
    results = {runtime.name: soak.run(runtime, count) for runtime in (contenders.ours, contenders.counterpart)}
    report.show("Resident memory over a long run, KiB", soak.table(results, count))
    report.raw["soak"] = results


def _work(chosen: argparse.Namespace, _contenders: parts.Contenders, report: Report) -> None:
    if not work.is_possible():
        print("\nwork: skipped, there is no valgrind to count instructions", flush=True)
        return
    results = work.counted(quick=chosen.quick)
    title = "The work of a record, handler alone (ratio, ours / aws-lambda-powertools)"
    report.show(title, work.table(results))
    report.raw["work"] = {
        name: {str(records): asdict(one) for records, one in sizes.items()} for name, sizes in results.items()
    }
    for name, grown in work.growth(results).items():
        report.budgets.append(
            tables.Budget(what=f"{name}, a record of the largest batch over one of 200", ratio=grown, limit=1.1)
        )


def _replaced(contenders: parts.Contenders, command: str) -> parts.Contenders:
    """`command` in both of our places, for a look at a prototype."""
    runtime = parts.Runtime(name="ours", command=tuple(shlex.split(command)))
    return parts.Contenders(ours=runtime, bootstrap=runtime, counterpart=contenders.counterpart)


def _machine() -> str:
    core = stopwatch.core()
    pinned = f"client and server on core {core}" if core is not None else "not pinned: this system cannot"
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, {pinned}."
    )


if __name__ == "__main__":
    sys.exit(main())

"""What one operation of a logging or metrics library costs: `python bench_telemetry_cost.py LIBRARY RESULT`.

CPU time in a process that does nothing else, standard output to where the caller leads it; the figures go to the file
RESULT. Run with the library of that name, `handlerkit` or `powertools`, on the path.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Operation = Callable[[int], None]
"""Does it as many times as it is told."""
EVENT = {"requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}, "headers": {"accept": "*/*"}}
METRICS = (1, 10, 99)


class Context:
    """What a runtime gives."""

    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    function_name = "orders"
    function_version = "7"
    memory_limit_in_mb = "512"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
    tenant_id = None
    xray_trace_id = None


def fail(depth: int) -> None:
    """Raise from a stack of ordinary depth."""
    if depth:
        fail(depth - 1)
    raise ValueError("the order is not there")


def of_handlerkit() -> dict[str, Operation]:
    """Ours."""
    from handlerkit import event_handler, get_logger, metrics

    def counted(names: list[str]) -> Operation:
        @event_handler
        def handler(_event: object, _context: Any) -> None:  # as it comes: theirs reads no event either
            for name in names:
                metrics.add(name, 1.5, "Count")

        return repeated(handler)

    return {**log_operations(get_logger(), event_handler), **metric_operations(counted)}


def of_powertools() -> dict[str, Operation]:
    """The same on aws-lambda-powertools."""
    from aws_lambda_powertools import Logger, Metrics

    log = Logger(service="orders")
    metrics = Metrics(namespace="Shop", service="orders")
    decorate = log.inject_lambda_context(correlation_id_path="requestContext.requestId", clear_state=True)

    def counted(names: list[str]) -> Operation:
        @metrics.log_metrics
        def handler(_event: dict[str, Any], _context: Any) -> None:
            for name in names:
                metrics.add_metric(name, "Count", 1.5)

        return repeated(handler)

    return {**log_operations(log, decorate), **metric_operations(counted)}


def log_operations(log: Any, decorate: Callable[[Any], Any]) -> dict[str, Operation]:
    """With a logger, inside an invocation as `decorate` makes it; both libraries are called alike."""

    def line() -> None:
        log.info("order.received", order_id="A-17", quantity=2, paid=True)

    def nested() -> None:
        log.info("order.received", order={"id": "A-17", "items": [{"sku": "B-1", "quantity": 2}]})

    def silent() -> None:
        log.debug("order.received", order_id="A-17", quantity=2, paid=True)

    def exception() -> None:
        try:
            fail(8)
        except ValueError:
            log.exception("failed")

    def inside(work: Callable[[], None]) -> Operation:
        @decorate
        def handler(event: dict[str, Any], _context: Any) -> None:
            for _ in range(event["times"]):
                work()

        return lambda times: handler({"times": times, **EVENT}, Context())

    @decorate
    def one_line(_event: dict[str, Any], _context: Any) -> None:
        line()

    return {
        "a log line with context": inside(line),
        "a log line with nested values": inside(nested),
        "a debug line that is not wanted": inside(silent),
        "an exception, 9 frames": inside(exception),
        "an invocation with one line": repeated(one_line),
    }


def metric_operations(counted: Callable[[list[str]], Operation]) -> dict[str, Operation]:
    """Invocations with so many metrics."""
    return {
        f"an invocation with {count} metrics": counted([f"metric{number}" for number in range(count)])
        for count in METRICS
    }


def repeated(handler: Callable[..., Any]) -> Operation:
    """One invocation after the other."""

    def operation(times: int) -> None:
        context = Context()
        for _ in range(times):
            handler(EVENT, context)

    return operation


def main() -> None:
    """Measure each operation, and write microseconds of CPU by name."""
    operations = {"handlerkit": of_handlerkit, "powertools": of_powertools}[sys.argv[1]]()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # as runtimes have it
    figures = {}
    for name, operation in operations.items():
        times = int(sys.argv[3]) // (20 if "99" in name or "exception" in name else 1)
        operation(times // 10 + 1)
        began_s = time.process_time()
        operation(times)
        figures[name] = (time.process_time() - began_s) / times * 1e6
    Path(sys.argv[2]).write_text(json.dumps(figures))


if __name__ == "__main__":
    main()

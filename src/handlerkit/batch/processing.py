"""`process`, `process_async`: a batch in a plain function call, for handlers that do more than one thing."""

from __future__ import annotations

import sys

from handlerkit.scope import Opened
from handlerkit.signature import signature_of

from .options import Options
from .plan import Plan
from .reading import RecordReader

__all__ = ["process", "process_async"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .hooks import BatchObserver, RecordIdempotency, RecordObserver
    from .poison import PoisonRecord


if TYPE_CHECKING:

    def process(
        event: Any,
        function: Callable[..., Any],
        /,
        *,
        context: Any = None,
        record: Any = None,
        ordering: str | None = None,
        max_workers: int = 1,
        stop_margin_ms: int | None = 500,
        on_poison: Callable[[PoisonRecord], Any] | None = None,
        raise_when_all_failed: bool = True,
        partial_response: bool = True,
        log_payloads: bool = False,
        sqs: Any = None,
        idempotency: RecordIdempotency | None = None,
        observers: Sequence[BatchObserver | RecordObserver] = (),
        trace_records: bool = False,
    ) -> dict[str, Any]: ...

    async def process_async(
        event: Any,
        function: Callable[..., Any],
        /,
        *,
        context: Any = None,
        record: Any = None,
        ordering: str | None = None,
        max_workers: int = 1,
        stop_margin_ms: int | None = 500,
        on_poison: Callable[[PoisonRecord], Any] | None = None,
        raise_when_all_failed: bool = True,
        partial_response: bool = True,
        log_payloads: bool = False,
        sqs: Any = None,
        idempotency: RecordIdempotency | None = None,
        observers: Sequence[BatchObserver | RecordObserver] = (),
        trace_records: bool = False,
    ) -> dict[str, Any]: ...

else:

    def process(event, function, /, *, context=None, record=None, **options):
        """Run a function on each record of a parsed event; the partial-batch response to return.

        `record` is the record's type where the function's annotation does not say it; the options are those of
        `batch_handler`.
        """
        plan, reader = _planned(function, record, options, sys._getframe(1).f_locals)
        event = getattr(event, "raw", event)
        with Opened(function, event, context):
            return plan.response(event, context, reader)

    def process_async(event, function, /, *, context=None, record=None, **options):
        """The same where an event loop runs already: to be awaited."""
        plan, reader = _planned(function, record, options, sys._getframe(1).f_locals)
        return _processed(plan, reader, function, getattr(event, "raw", event), context)


async def _processed(
    plan: Plan, reader: RecordReader, function: Callable[..., Any], event: Any, context: Any
) -> dict[str, Any]:
    with Opened(function, event, context):
        return await plan.response_async(event, context, reader)


def _planned(
    function: Callable[..., Any], record: Any, options: dict[str, Any], names: dict[str, Any]
) -> tuple[Plan, RecordReader]:
    function = getattr(function, "func", function) if hasattr(function, "__lambda_raw__") else function
    signature = signature_of(function)
    plan = Plan(function, Options.of(options), signature)
    reader = RecordReader(record if record is not None else signature.annotation(names))
    plan.check(reader)
    return plan, reader

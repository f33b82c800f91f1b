"""`batch_handler`: a function of one record as a Lambda handler of whole batches.

Like `event_handler` it makes an ordinary `handler(event, context)` for any runtime that also has the raw hook,
`__lambda_raw__(body: bytes, context) -> bytes`; both give the same response.
"""

from __future__ import annotations

import sys

from handlerkit.events.generics import Generic, TypeVar
from handlerkit.events.readers import parsed
from handlerkit.running_loop import is_in_loop
from handlerkit.scope import in_scope, in_scope_async
from handlerkit.signature import may_be_awaited, signature_of

from .options import Options
from .plan import Plan
from .reading import RecordReader

__all__ = ["BatchHandler", "batch_handler"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any, overload

    from handlerkit.scope import Scope

    from .hooks import BatchObserver, RecordIdempotency, RecordObserver
    from .poison import PoisonRecord

    Awaited = Callable[..., Coroutine[Any, Any, Any]]

F = TypeVar("F", bound="Callable[..., Any]")

# From here on equal texts are shared while an event is parsed: its records have many of them, and together they stay
# within three times its size. Ten messages with the shortest bodies have as much.
SHARED_BYTES = 4_000
# From here on it is parsed in portions. In smaller ones, whose objects fit into the processor's caches, sharing is as
# quick.
PORTIONED_BYTES = 32_000


class BatchHandler(Generic[F]):
    """A function of one record as a Lambda handler. `func` is the function itself, for tests that need no event."""

    __name__: str
    __qualname__: str

    def __init__(
        self, func: F, record: Any = None, options: dict[str, Any] | None = None, names: dict[str, Any] | None = None
    ) -> None:
        self.func = func
        self._record = record
        self._signature = signature_of(func)
        self._may_be_awaited = may_be_awaited(func)
        self._plan = Plan(func, Options.of(options or {}), self._signature)
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            if hasattr(func, name):
                setattr(self, name, getattr(func, name))
        self.__wrapped__ = func
        try:
            self._reader: RecordReader | None = self._made_reader(names or {})
        except NameError:
            self._reader = None  # a name that the module defines further down: resolved with the first event

    def __repr__(self) -> str:
        return f"<batch_handler {getattr(self.func, '__qualname__', self.func)}>"

    if TYPE_CHECKING:

        @overload
        def __call__(self: BatchHandler[Awaited], event: Any, context: Any = ...) -> Any: ...
        @overload
        def __call__(self, event: Any, context: Any = ...) -> dict[str, Any]: ...

    def __call__(self, event: Any, context: Any = None) -> Any:
        """Handle a parsed event, or a view of one; the response as a dict.

        Inside an event loop that runs already, an `async def` function's is to be awaited.
        """
        if self._may_be_awaited and is_in_loop():
            return in_scope_async(self, self._answer_parsed_async, event, context)
        return in_scope(self, self._answer_parsed, event, context)

    if TYPE_CHECKING:

        @overload
        def __lambda_raw__(self: BatchHandler[Awaited], body: bytes, context: Any) -> Any: ...
        @overload
        def __lambda_raw__(self, body: bytes, context: Any) -> bytes: ...

    def __lambda_raw__(self, body: bytes, context: Any) -> Any:
        """Handle an event's bytes; the response's bytes, to be awaited where `__call__`'s response is."""
        if self._may_be_awaited and is_in_loop():
            return in_scope_async(self, self._answer_bytes_async, body, context)
        return in_scope(self, self._answer_bytes, body, context)

    def _answer_parsed(self, event: Any, context: Any, scope: Scope) -> dict[str, Any]:
        event = scope.event = getattr(event, "raw", event)
        return self._plan.response(event, context, self._known_reader())

    def _answer_bytes(self, body: bytes, context: Any, scope: Scope) -> bytes:
        reader = self._reader or self._known_reader()
        portions = self._plan.portions(body, reader) if len(body) >= PORTIONED_BYTES else None
        if portions is None:
            event = scope.event = parsed("event", body, len(body) >= SHARED_BYTES)
            response = self._plan.response(event, context, reader)
        else:
            scope.event = portions
            response = self._plan.response_to_portions(portions, context, reader, scope)
        return NOTHING_FAILED_JSON if response == NOTHING_FAILED else _encoded(response)

    async def _answer_parsed_async(self, event: Any, context: Any, scope: Scope) -> dict[str, Any]:
        event = scope.event = getattr(event, "raw", event)
        return await self._plan.response_async(event, context, self._known_reader())

    async def _answer_bytes_async(self, body: bytes, context: Any, scope: Scope) -> bytes:
        event = scope.event = parsed("event", body, len(body) >= SHARED_BYTES)
        return _encoded(await self._plan.response_async(event, context, self._known_reader()))

    def _known_reader(self) -> RecordReader:
        if self._reader is None:
            self._reader = self._made_reader({})
        return self._reader

    def _made_reader(self, names: dict[str, Any]) -> RecordReader:
        reader = RecordReader(self._record if self._record is not None else self._signature.annotation(names))
        self._plan.check(reader)
        return reader


NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}
NOTHING_FAILED_JSON = b'{"batchItemFailures":[]}'


def _encoded(response: dict[str, Any]) -> bytes:
    from handlerkit.reply import encoded

    return encoded(response)


if TYPE_CHECKING:

    @overload
    def batch_handler(func: F, /) -> BatchHandler[F]: ...
    @overload
    def batch_handler(
        *,
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
    ) -> Callable[[F], BatchHandler[F]]: ...


def batch_handler(
    func: F | None = None, /, *, record: Any = None, **options: Any
) -> BatchHandler[F] | Callable[[F], BatchHandler[F]]:
    """Make a Lambda handler of a function that takes one record, and the context if it has a place for it.

    The mapping must list `ReportBatchItemFailures`, or Lambda ignores the response and takes everything as done; where
    it cannot, say `partial_response=False`, and any failure fails the batch.

    - `record`: the record's type where the annotation cannot say it.
    - `ordering`: the source's own; `"key"` gives up a stream's order between keys.
    - `max_workers`: records at once, in threads, or in tasks for `async def`; lanes keep the order.
    - `stop_margin_ms`: no record starts when less time is left; None never stops.
    - `on_poison`: called with a record that cannot be read; when it succeeds, that record is settled.
    - `raise_when_all_failed`: a batch of which nothing was finished fails, so that the Errors metric shows it.
    - `log_payloads`: put records that failed into the log.
    - `sqs`: boto3's client, for `RetryRecord(retry_in=...)`.
    - `idempotency`, `observers`: see `hooks`.
    - `trace_records`: a span for each record, linked to the trace of whoever sent the message.
    """
    names = dict(sys._getframe(1).f_locals)
    if func is not None:
        return BatchHandler(func, names=names)
    return lambda function: BatchHandler(function, record, options, names)

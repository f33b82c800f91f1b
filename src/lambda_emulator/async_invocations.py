"""Asynchronous invocation: an accepted event is run, run again, and in the end one of four things.

Rules, as recorded on AWS where they could be:

- All attempts have the same request id; code, alias and settings are those of the moment of the attempt.
- After a function error up to two retries, the first a minute later, the second two minutes after that. When the next
  one would come after the event's maximum age, there is no waiting for it: the event has failed at once.
- An invocation that is refused (429, 5xx) goes back to the queue, for 1 second, then 2, 4 and so on up to 5 minutes,
  until the maximum age; that uses up no retry.
- With a reserved concurrency of 0 the event fails at once.
- A failed event goes to its version's dead-letter queue and to its qualifier's destination for failures, a successful
  one to that for successes. If that fails it is counted, and not tried again.
- A chain of functions that send to each other is cut after 16 invocations of one of them.

Every accepted event is in `outcomes` in the end, or in `pending`. To be used inside one event loop.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from lambda_emulator.async_event import (
    EventNews,
    EventOutcome,
    NeverRan,
    QueuedEvent,
    Ran,
    RetryPlanned,
    Surroundings,
)
from lambda_emulator.clock import Clock
from lambda_emulator.destination_document import Condition, EventResult
from lambda_emulator.duplicates import Duplicates
from lambda_emulator.errors import InvokeError, ResourceNotFound
from lambda_emulator.event_invoke_config import EventInvokeConfig
from lambda_emulator.event_routes import EventRoutes
from lambda_emulator.functions import Target
from lambda_emulator.metrics import Metrics
from lambda_emulator.result import Completion

__all__ = ["AsyncInvocations"]

# Before the first and the second retry.
_RETRY_DELAYS_S = (60.0, 120.0)
_FIRST_BACK_OFF_S, _LAST_BACK_OFF_S = 1.0, 300.0
# About so many invocations of a chain, documented.
_MAX_CHAIN = 16
# Outcomes that are kept for reading.
_KEPT = 10_000


# When an event runs for the second time that is delivered twice.
_DUPLICATE_AFTER_S = 1.0


class AsyncInvocations:
    """From acceptance to the outcome."""

    def __init__(
        self,
        clock: Clock,
        surroundings: Surroundings,
        routes: EventRoutes,
        metrics: Metrics,
        duplicates: Duplicates | None = None,
    ) -> None:
        self.outcomes: deque[EventOutcome] = deque(maxlen=_KEPT)
        self._clock = clock
        self._around = surroundings
        self._routes = routes
        self._metrics = metrics
        self._duplicates = duplicates or Duplicates()
        self._pending: dict[asyncio.Task[None], QueuedEvent] = {}
        self._listeners: list[Callable[[EventNews], object]] = []

    def listen(self, listener: Callable[[EventNews], object]) -> None:
        """Have it called, in the event loop, with every planned retry and every outcome from now on."""
        self._listeners.append(listener)

    def accept(self, event: QueuedEvent) -> "asyncio.Future[Completion]":
        """Take it over; the future is of its first attempt, with `NeverRan` if there is none."""
        self._record("AsyncEventsReceived", 1, event)
        first = self._begin(event)
        if self._duplicates.chosen():
            self._begin(replace(event, duplicate=True))
        return first

    def _begin(self, event: QueuedEvent) -> "asyncio.Future[Completion]":
        first: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        what = f"asynchronous invocation {event.invocation.request_id} of {event.name.name}"
        task = self._clock.create_task(self._run(event, first), what=what)
        self._pending[task] = event
        task.add_done_callback(lambda _: self._ended(task, first))
        return first

    @property
    def pending(self) -> list[QueuedEvent]:
        """Accepted, and neither done nor given up."""
        return list(self._pending.values())

    async def close(self) -> None:
        """Forget what is pending."""
        tasks = list(self._pending)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[None]", first: "asyncio.Future[Completion]") -> None:
        del self._pending[task]
        if not task.cancelled() and (error := task.exception()) is not None and not first.done():
            first.set_exception(error)
        if not first.done():
            first.cancel()
        elif not first.cancelled():
            first.exception()  # nobody may be waiting for it, and that is no news for the event loop

    async def _run(self, event: QueuedEvent, first: "asyncio.Future[Completion]") -> None:
        progress = _Progress()
        if event.duplicate:
            await self._clock.sleep(_DUPLICATE_AFTER_S)
        try:
            condition = await self._until_decided(event, progress, first)
        except ResourceNotFound:
            outcome = _outcome(event, "FunctionDeleted", progress)
        else:
            outcome = await self._deliver(event, condition, progress)
        if outcome.condition != "Success":
            self._record("AsyncEventsDropped", 1, event)
        if not first.done():
            first.set_exception(NeverRan(f"{event.invocation.request_id} never ran: {outcome.condition}"))
        self.outcomes.append(outcome)
        self._tell(outcome)

    async def _until_decided(
        self, event: QueuedEvent, progress: "_Progress", first: "asyncio.Future[Completion]"
    ) -> Condition | Literal["RecursionStopped"]:
        if event.chain.count(event.name.name) >= _MAX_CHAIN:
            self._record("RecursiveInvocationsDropped", 1, event)
            return "RecursionStopped"
        refusals = 0
        while True:
            config = self._config(event)
            if self._around.reserved(event.name.name) == 0:
                return "ZeroReservedConcurrency"
            ran = await self._attempt(event, progress)
            left_s = event.accepted_s + config.max_age_s - self._clock.time()
            if ran is None:
                pause_s = min(_FIRST_BACK_OFF_S * 2 ** min(refusals, 16), _LAST_BACK_OFF_S, left_s)
                refusals += 1
                if left_s <= 0:
                    return "EventAgeExceeded"
                self._tell_retry(event, progress, pause_s, refused=True)
                await self._clock.sleep(pause_s)
                if pause_s == left_s:
                    return "EventAgeExceeded"
                continue
            refusals = 0
            progress.ran(ran)
            if not first.done():
                first.set_result(ran.completion)
            if not ran.answer.failed:
                return "Success"
            if progress.attempts > config.retries:
                return "RetriesExhausted"
            pause_s = _RETRY_DELAYS_S[progress.attempts - 1]
            if pause_s >= left_s:
                return "EventAgeExceeded"
            self._tell_retry(event, progress, pause_s, refused=False)
            await self._clock.sleep(pause_s)

    async def _attempt(self, event: QueuedEvent, progress: "_Progress") -> Ran | None:
        """None if it is refused; the code is what there is when its turn has come."""
        async with self._around.turn(event.name.name):
            now_s = self._clock.time()
            if now_s - event.accepted_s >= self._config(event).max_age_s:
                return None
            progress.target = target = self._around.target(event.name)
            self._record("AsyncEventAge", (now_s - event.accepted_s) * 1000, event)
            try:
                return await self._around.attempt(event, target)
            except ResourceNotFound:
                raise
            except InvokeError:
                return None

    async def _deliver(
        self, event: QueuedEvent, condition: Condition | Literal["RecursionStopped"], progress: "_Progress"
    ) -> EventOutcome:
        """Send the result where it is to go. What is not taken is counted, and told."""
        if condition == "RecursionStopped":
            return _outcome(event, condition, progress)
        target = progress.target or self._around.target(event.name)
        config, last = self._config(event), progress.last
        result = EventResult(
            request_id=event.invocation.request_id,
            function_arn=_qualified(event),
            condition=condition,
            invoke_count=progress.attempts,
            payload=event.invocation.payload,
            at_s=self._clock.time(),
            executed_version=last.executed_version if last else None,
            response=last.answer.payload if last else None,
            failed=last is not None and last.answer.failed,
        )
        trace_header = event.invocation.trace_header
        delivered: list[str] = []
        undelivered: list[tuple[str, str]] = []

        async def send(arn: str | None, sending: Callable[[str], Awaitable[None]], metric: str) -> None:
            if arn is None:
                return
            try:
                await sending(arn)
            except Exception as error:  # noqa: BLE001 (boto3 raises what it likes; the event's fate is told all the same)
                self._record(metric, 1, event)
                undelivered.append((arn, f"{type(error).__name__}: {error}"))
            else:
                delivered.append(arn)

        async def to_destination(arn: str) -> None:
            def send_event(target: str, payload: bytes, trace_header: str | None) -> object:
                return self._around.send_event(target, payload, trace_header, (*event.chain, event.name.name))

            await self._routes.send_document(arn, result, trace_header, send_event)

        async def to_dead_letters(arn: str) -> None:
            await self._routes.send_dead_letter(arn, result, trace_header)

        if condition == "Success":
            await send(config.on_success, to_destination, "DestinationDeliveryFailures")
        else:
            dead_letter_arn = target.version.configuration.dead_letter_arn
            await send(dead_letter_arn, to_dead_letters, "DeadLetterErrors")
            await send(config.on_failure, to_destination, "DestinationDeliveryFailures")
        return replace(_outcome(event, condition, progress), delivered=tuple(delivered), undelivered=tuple(undelivered))

    def _config(self, event: QueuedEvent) -> EventInvokeConfig:
        configs = self._around.function(event.name).event_invoke_configs
        return configs.get(event.name.qualifier or "$LATEST") or EventInvokeConfig()

    def _tell_retry(self, event: QueuedEvent, progress: "_Progress", in_s: float, *, refused: bool) -> None:
        self._tell(
            RetryPlanned(
                request_id=event.invocation.request_id,
                function=event.name.name,
                attempts=progress.attempts,
                refused=refused,
                in_s=in_s,
            )
        )

    def _tell(self, news: EventNews) -> None:
        for listener in self._listeners:
            listener(news)

    def _record(self, metric: str, value: float, event: QueuedEvent) -> None:
        self._metrics.record(
            metric, value, self._clock.time(), function=event.name.name, qualifier=event.name.qualifier
        )


@dataclass(slots=True)
class _Progress:
    """Of one event."""

    target: Target | None = None
    attempts: int = 0
    last: Ran | None = None

    def ran(self, ran: Ran) -> None:
        self.attempts += 1
        self.last = ran


def _qualified(event: QueuedEvent) -> str:
    arn = event.invocation.function_arn
    return arn if event.name.qualifier else f"{arn}:$LATEST"


def _outcome(
    event: QueuedEvent,
    condition: Condition | Literal["FunctionDeleted", "RecursionStopped"],
    progress: _Progress,
) -> EventOutcome:
    return EventOutcome(
        request_id=event.invocation.request_id,
        function_arn=_qualified(event),
        condition=condition,
        invoke_count=progress.attempts,
        payload=event.invocation.payload,
        response=progress.last.answer.payload if progress.last else None,
        duplicate=event.duplicate,
    )

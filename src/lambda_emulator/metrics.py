"""What CloudWatch would count in the namespace AWS/Lambda, kept for tests and for a live view to read.

A measurement is kept under each set of dimensions that Lambda uses: the whole account, the function, the function and
the alias or version that was asked for (`orders:live`), and with an alias also the version that ran. Sums, counts and
extremes are exact for ever; of single values the last 10,000 of each series are kept.

| metric | unit | recorded |
|---|---|---|
| Invocations, Errors, Throttles | count | Invocations when a function begins, throttled requests are none of them |
| Duration | milliseconds | at the invocation's end |
| ConcurrentExecutions, UnreservedConcurrentExecutions | count | when an invocation begins |
| ProvisionedConcurrencyInvocations, ProvisionedConcurrencySpilloverInvocations | count | when an invocation begins |
| ProvisionedConcurrentExecutions, ProvisionedConcurrencyUtilization | count, ratio | when an invocation begins |
| AsyncEventsReceived, AsyncEventsDropped, AsyncEventAge | count, count, milliseconds | acceptance, drop, each attempt |
| DeadLetterErrors, DestinationDeliveryFailures | count | when a queue, topic, bus or function does not take it |
| RecursiveInvocationsDropped | count | when a chain of functions is cut |
| IteratorAge, OffsetLag | milliseconds, count | by what reads a stream |
"""

import threading
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Dimensions", "Metrics", "Statistics", "Value"]

# Bounds memory over a long run; an hour of a value each 360 ms.
_KEPT = 10_000

Dimensions: TypeAlias = tuple[str | None, str | None, str | None]
"""Function, resource (the qualifier), executed version; None for what is not told apart."""


@dataclass(frozen=True, slots=True)
class Value:
    """One measurement."""

    time_s: float
    """Of the local Lambda's clock, seconds since the epoch."""
    value: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of all measurements of a series.

    >>> Statistics(count=2, sum=5.0, minimum=1.0, maximum=4.0).average
    2.5
    """

    count: int = 0
    sum: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0

    @property
    def average(self) -> float:
        """0 where nothing was measured."""
        return self.sum / self.count if self.count else 0.0

    def including(self, value: float) -> "Statistics":
        """With one measurement more."""
        if not self.count:
            return Statistics(1, value, value, value)
        return Statistics(self.count + 1, self.sum + value, min(self.minimum, value), max(self.maximum, value))


class Metrics:
    """Series by name and dimensions. May be read and written from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statistics: dict[tuple[str, Dimensions], Statistics] = {}
        self._values: dict[tuple[str, Dimensions], deque[Value]] = {}

    def record(
        self,
        metric: str,
        value: float,
        time_s: float,
        *,
        function: str | None = None,
        qualifier: str | None = None,
        version: str | None = None,
    ) -> None:
        """Add a measurement to every series that it belongs to; without a function to the account's alone."""
        dimensions: list[Dimensions] = [(None, None, None)]
        if function is not None:
            dimensions.append((function, None, None))
            if qualifier is not None:
                dimensions.append((function, qualifier, None))
                if version is not None and version != qualifier:
                    dimensions.append((function, qualifier, version))
        with self._lock:
            for each in dimensions:
                key = (metric, each)
                self._statistics[key] = self._statistics.get(key, Statistics()).including(value)
                self._values.setdefault(key, deque(maxlen=_KEPT)).append(Value(time_s, value))

    def statistics(
        self, metric: str, *, function: str | None = None, qualifier: str | None = None, version: str | None = None
    ) -> Statistics:
        """All that was measured: of the account, a function, its alias or version, or a version under an alias."""
        with self._lock:
            return self._statistics.get((metric, (function, qualifier, version)), Statistics())

    def sum(
        self, metric: str, *, function: str | None = None, qualifier: str | None = None, version: str | None = None
    ) -> float:
        """The sum; 0 where nothing was measured."""
        return self.statistics(metric, function=function, qualifier=qualifier, version=version).sum

    def maximum(
        self, metric: str, *, function: str | None = None, qualifier: str | None = None, version: str | None = None
    ) -> float:
        """The largest value; 0 where nothing was measured."""
        return self.statistics(metric, function=function, qualifier=qualifier, version=version).maximum

    def values(
        self,
        metric: str,
        *,
        function: str | None = None,
        qualifier: str | None = None,
        version: str | None = None,
        since_s: float = 0.0,
    ) -> list[Value]:
        """The last measurements in order, from `since_s` of the clock on."""
        with self._lock:
            kept = self._values.get((metric, (function, qualifier, version)), ())
            return [each for each in kept if each.time_s >= since_s]

    def names(self) -> list[str]:
        """Of all metrics that have a measurement."""
        with self._lock:
            return sorted({name for name, _ in self._statistics})

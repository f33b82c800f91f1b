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

import math
import threading
from collections import defaultdict, deque
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


class _Series:
    """Measurements of one metric under one set of dimensions."""

    __slots__ = ("count", "maximum", "minimum", "sum", "values")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.minimum = math.inf
        self.maximum = -math.inf
        self.values: deque[tuple[float, float]] = deque(maxlen=_KEPT)

    def add(self, time_s: float, value: float) -> None:
        self.count += 1
        self.sum += value
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        self.values.append((time_s, value))

    def statistics(self) -> Statistics:
        return Statistics(self.count, self.sum, self.minimum, self.maximum)


class Metrics:
    """Series by name and dimensions. May be read and written from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: defaultdict[tuple[str, Dimensions], _Series] = defaultdict(_Series)

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
                self._series[metric, each].add(time_s, value)

    def statistics(
        self, metric: str, *, function: str | None = None, qualifier: str | None = None, version: str | None = None
    ) -> Statistics:
        """All that was measured: of the account, a function, its alias or version, or a version under an alias."""
        with self._lock:
            series = self._series.get((metric, (function, qualifier, version)))
            return Statistics() if series is None else series.statistics()

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
            series = self._series.get((metric, (function, qualifier, version)))
            return [] if series is None else [Value(*each) for each in series.values if each[0] >= since_s]

    def names(self) -> list[str]:
        """Of all metrics that have a measurement."""
        with self._lock:
            return sorted({name for name, _ in self._series})

"""`Metrics`: a namespace, dimensions and properties that metrics are added under. Never changed, so freely shared."""

from __future__ import annotations

import time

from handlerkit.scope import current

from .checks import LARGEST, metric_name, namespace_name, number, property_name, resolution_of, timestamp_of, unit_name
from .documents import Destination, property_text, series_of
from .settings import checked_dimensions

__all__ = ["Metrics"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from .documents import Series
    from .process import Process
    from .timing import Timer

NUMBERS = frozenset({int, float})
MAX_KNOWN = 1_000
"""Names whose checks are remembered."""


class Metrics:
    """Adds metrics to one namespace, under one or several dimension sets, with properties.

    `Metrics("Shop")` goes to a namespace of its own; the functions of `handlerkit.metrics` are those of a `Metrics()`.
    The methods that add something to it return another one.
    """

    __slots__ = ("_added", "_destinations", "_known", "_namespace", "_process", "_properties", "_sets", "_timestamp_ms")

    def __init__(self, namespace: str | None = None, *, process: Process | None = None) -> None:
        if process is None:
            from .process import process_metrics

            process = process_metrics()
        self._process = process
        self._namespace = None if namespace is None else namespace_name(namespace)
        self._sets: list[dict[str, str]] | None = None
        self._added: dict[str, str] = {}
        self._properties: dict[str, str] = {}
        self._timestamp_ms: int | None = None
        self._known: dict[tuple[Any, Any, Any], Series] = {}
        self._destinations: tuple[object, list[Destination]] | None = None

    def add(self, name: str, value: float = 1, unit: str | None = None, *, resolution: int = 60) -> None:
        """Count one value of a metric; several values of one name are kept, not summed.

        Outside of an invocation it is written at once. Raises `TypeError` and `ValueError` for what CloudWatch does not
        take: a name of more than 255 characters or of a dimension, an unknown unit, NaN.
        """
        series = self._known.get((name, unit, resolution))
        if series is None:
            series = self._checked(name, unit, resolution)
        if type(value) not in NUMBERS or not -LARGEST <= value <= LARGEST:
            value = number(value)
        known, process = self._destinations, self._process
        destinations = known[1] if known is not None and known[0] is process.version else self.destinations()
        scope = current.get()
        store = process.outside if scope is None else scope.values.get(process) or process.opened(scope)
        store.add(destinations, series, value)

    def timer(self, name: str, unit: str = "Milliseconds", *, resolution: int = 60) -> Timer:
        """`with metrics.timer("lookup"):` or `@metrics.timer("lookup")` adds the time that it takes, also on errors.

        `unit` is Seconds, Milliseconds or Microseconds.
        """
        from .timing import Timer  # late: not all measure times

        self._checked(name, unit, resolution)
        return Timer(self, name, unit, resolution)

    def dimensions(self, **values: object) -> Metrics:
        """Metrics with these dimensions in addition, in each of the dimension sets."""
        other = self._other()
        other._added = {**self._added, **checked_dimensions(values)}
        other._refuse_taken(values)
        return other

    def dimension_sets(self, *sets: Mapping[str, object]) -> Metrics:
        """Metrics under these dimension sets, for the default one; `{}` is the set without dimensions."""
        other = self._other()
        other._sets = [checked_dimensions(one) for one in sets]
        other._added = {}
        return other

    def properties(self, **values: object) -> Metrics:
        """Metrics with these values beside them: to be searched for in the log, and no dimensions."""
        other = self._other()
        other._properties = {
            **self._properties,
            **{property_name(name): property_text(value) for name, value in values.items()},
        }
        return other

    def namespace(self, name: str) -> Metrics:
        """Metrics of another namespace."""
        other = self._other()
        other._namespace = namespace_name(name)
        return other

    def at(self, when: float | datetime) -> Metrics:
        """Metrics of another time: epoch milliseconds, or a datetime with its zone.

        Raises `ValueError` for more than 14 days ago or 2 hours ahead.
        """
        other = self._other()
        other._timestamp_ms = timestamp_of(when, time.time_ns() // 1_000_000)
        return other

    def flush(self) -> None:
        """Write now what the invocation has added so far, under whatever namespace."""
        self._process.flush()

    def destinations(self) -> list[Destination]:
        """Where a metric goes: one, or several where dimension sets differ in a value."""
        known = self._destinations
        version = self._process.version
        if known is not None and known[0] is version:
            return known[1]
        settings = self._process.settings
        sets = [settings.effective_dimensions] if self._sets is None else self._sets
        groups: list[list[dict[str, str]]] = []
        for one in [{**names, **self._added} for names in (sets or [{}])]:
            for group in groups:
                if all(values.get(name, value) == value for values in group for name, value in one.items()):
                    group.append(one)
                    break
            else:
                groups.append([one])
        namespace = self._namespace or settings.effective_namespace
        made = [Destination(namespace, group, self._properties, self._timestamp_ms) for group in groups]
        self._destinations = (version, made)
        return made

    def _other(self) -> Metrics:
        other = Metrics(self._namespace, process=self._process)
        other._sets, other._added, other._properties = self._sets, self._added, self._properties
        other._timestamp_ms = self._timestamp_ms
        return other

    def _checked(self, name: str, unit: str | None, resolution: int) -> Series:
        series = series_of(metric_name(name), unit_name(unit), resolution_of(resolution))
        if any(name in destination.dimensions for destination in self.destinations()):
            raise ValueError(f"{name!r} is a dimension here and cannot be a metric, too")
        if len(self._known) < MAX_KNOWN:
            self._known[(name, unit, resolution)] = series
        return series

    def _refuse_taken(self, names: Mapping[str, object]) -> None:
        for name in names:
            if name in self._properties:
                raise ValueError(f"{name!r} is a property here and cannot be a dimension, too")

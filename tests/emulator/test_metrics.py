"""Metrics by function, alias and version."""

from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator import Metrics


def test_a_measurement_counts_for_every_series_that_it_belongs_to() -> None:
    metrics = Metrics()
    metrics.record("Invocations", 1, 10, function="orders", qualifier="live", version="2")
    metrics.record("Invocations", 1, 20, function="orders", qualifier="2", version="2")
    metrics.record("Invocations", 1, 30, function="other", version="$LATEST")
    assert metrics.sum("Invocations") == 3
    assert metrics.sum("Invocations", function="orders") == 2
    assert metrics.sum("Invocations", function="orders", qualifier="live") == 1
    assert metrics.sum("Invocations", function="orders", qualifier="live", version="2") == 1
    assert metrics.sum("Invocations", function="orders", qualifier="live", version="1") == 0
    assert [each.time_s for each in metrics.values("Invocations", since_s=15)] == [20, 30]
    assert metrics.names() == ["Invocations"]


def test_what_was_never_measured_is_nothing() -> None:
    metrics = Metrics()
    assert (metrics.sum("Errors"), metrics.maximum("Duration"), metrics.statistics("Errors").average) == (0, 0, 0)
    assert metrics.values("Errors") == []


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_statistics_are_those_of_all_values(values: list[float]) -> None:
    metrics = Metrics()
    for index, value in enumerate(values):
        metrics.record("Duration", value, index, function="orders")
    statistics = metrics.statistics("Duration", function="orders")
    assert (statistics.count, statistics.minimum, statistics.maximum) == (len(values), min(values), max(values))
    assert abs(statistics.sum - sum(values)) < 1e-3
    assert [each.value for each in metrics.values("Duration", function="orders")] == values


def test_single_values_are_bounded_and_sums_are_not() -> None:
    metrics = Metrics()
    for index in range(10_005):
        metrics.record("Invocations", 1, index)
    assert metrics.sum("Invocations") == 10_005
    assert len(metrics.values("Invocations")) == 10_000

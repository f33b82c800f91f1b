"""Documents keep X-Ray's rules and sizes, whatever they are to hold."""

import enum
import json
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlerkit.tracing import span
from handlerkit.tracing.document import MAX_BYTES, clean_name, datagram
from handlerkit.tracing.emitter import Emitter
from handlerkit.tracing.header import TraceHeader
from handlerkit.tracing.spans import Span
from handlerkit.tracing.trace import XRayTrace
from lambda_emulator.segment_rules import problems

from .conftest import Invocation, header


class Nothing:
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Order:
    number: int
    lines: tuple[str, ...]


def made(name: str = "work", /, **annotations: Any) -> Span:
    """A span that is sent nowhere."""
    trace = XRayTrace(TraceHeader.parse(header()), Emitter("127.0.0.1:9"))
    return Span(trace, name, None, annotations or None)


def document(span: Span, limit: int = MAX_BYTES) -> dict[str, Any]:
    """What would be sent for it, which must keep the rules and the size."""
    span.end_ns = max(span.start_ns, span.end_ns)
    sent = datagram(span, limit)
    assert len(sent) <= limit + 40  # the daemon's line
    found: dict[str, Any] = json.loads(sent.partition(b"\n")[2], parse_constant=pytest.fail)
    assert problems(found) == []
    return found


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=50),
    st.binary(max_size=20),
    st.decimals(),
    st.just(Nothing()),
    st.just(Colour.RED),
    st.just(Order(1, ("a",))),
    st.sampled_from([object, print, {1, 2}, iter([1]), 10**400, {(1, 2): 3}, {}.keys()]),
)
ANYTHING = st.recursive(
    ODD, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=9), inner, max_size=4))
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.text(),
    annotations=st.dictionaries(st.text(max_size=20), ANYTHING, max_size=8),
    metadata=st.dictionaries(
        st.text(max_size=20), st.dictionaries(st.text(max_size=9), ANYTHING, max_size=4), max_size=4
    ),
    events=st.dictionaries(st.text(max_size=9), ANYTHING, max_size=3),
    limit=st.sampled_from([1_400, 8_000, MAX_BYTES]),
)
def test_any_content_makes_a_document_that_x_ray_takes(
    name: str, annotations: dict[str, Any], metadata: dict[str, Any], events: dict[str, Any], limit: int
) -> None:
    one = made(name)
    one.annotations = annotations
    one.metadata = metadata
    one.events = [("happened", one.start_ns, events)] if events else None
    document(one, limit)


def test_annotations_are_text_numbers_and_bools_and_their_keys_are_cleaned() -> None:
    odd: dict[str, Any] = {
        "order-id": "A-17",
        "weight": Decimal("1.5"),
        "colour": Colour.RED,
        "none": None,
        "flag": True,
    }
    said = document(
        made(
            **odd,
            ratio=math.nan,
            many=10**30,
            nothing=Nothing(),
            long="x" * 5_000,
            big=[1, 2],
        )
    )["annotations"]
    assert said["order_id"] == "A-17"
    assert said["weight"] == "1.5"
    assert (said["colour"], said["flag"], said["ratio"], said["big"]) == ("red", True, "nan", "[1, 2]")
    assert said["nothing"] == "<Nothing>"
    assert len(said["long"]) == 1_000
    assert "none" not in said


def test_more_annotations_than_x_ray_indexes_are_cut() -> None:
    assert len(document(made("many", **{f"key_{number}": number for number in range(80)}))["annotations"]) == 50


def test_names_are_cleaned_and_cut() -> None:
    assert document(made("orders?*(new)"))["name"] == "ordersnew"
    assert document(made("ü" * 300))["name"] == "ü" * 200
    assert clean_name("") == "unnamed"
    assert document(made(7))["name"] == "7"  # type: ignore[arg-type]


def test_a_circle_in_metadata_is_named_and_depth_has_an_end() -> None:
    circle: dict[str, Any] = {"a": 1}
    circle["self"] = circle
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    one = made()
    one.add_metadata("circle", circle)
    one.add_metadata("deep", deep)
    one.add_metadata("order", Order(1, ("a", "b")))
    said = document(one)["metadata"]["default"]
    assert said["circle"] == {"a": 1, "self": "<circular>"}
    assert "too deep" in json.dumps(said["deep"])
    assert said["order"] == {"number": 1, "lines": ["a", "b"]}


def test_the_largest_metadata_goes_first_and_a_mark_says_so() -> None:
    one = made(order="A-17")
    one.add_metadata("response", "x" * 2_000_000)
    one.add_metadata("small", {"kept": True})
    said = document(one)
    assert said["metadata"]["default"] == {"small": {"kept": True}}
    assert said["metadata"]["handlerkit"]["left_out"] == ["metadata default.response (2000002 characters)"]
    assert said["annotations"] == {"order": "A-17"}


def raised(depth: int) -> Exception:
    """An exception from that deep down."""
    try:
        if depth:
            raise raised(depth - 1)
        raise ValueError("m" * 10_000)
    except ValueError as error:
        return error


def test_a_document_with_much_of_everything_keeps_ids_and_times_and_what_has_room() -> None:
    for limit in (60_000, 8_000, 3_000, 1_400, 500):
        one = made("n" * 200, **{f"key_{number}": "v" * 900 for number in range(50)})
        one.add_metadata("large", "x" * 60_000)
        one.record_exception(raised(20))
        said = document(one, limit)
        assert said["fault"] is True
        if limit >= 3_000:
            left_out = said["metadata"]["handlerkit"]["left_out"]
            assert left_out[0].startswith("metadata default.large")
        if limit == 60_000:
            assert said["cause"]["exceptions"][0]["stack"]
            assert len(said["annotations"]) == 50


def test_an_endless_recursion_tells_its_innermost_frames() -> None:
    def again() -> None:
        again()

    one = made()
    try:
        again()
    except RecursionError as error:
        one.record_exception(error)
    (told,) = document(one)["cause"]["exceptions"]
    assert len(told["stack"]) == 50
    assert told["truncated"] > 500


def test_metadata_that_changes_while_it_is_written_is_written_somehow() -> None:
    class Growing(dict):  # type: ignore[type-arg]
        def items(self) -> Any:
            for pair in list(super().items()):
                self[f"more {len(self)}"] = 1
                yield pair

    one = made()
    one.add_metadata("growing", Growing(a=1))
    document(one)


def test_a_namespace_of_awss_own_is_renamed() -> None:
    one = made()
    one.add_metadata("a", 1, namespace="AWS.mine")
    assert document(one)["metadata"] == {"_AWS.mine": {"a": 1}}


def test_a_machine_that_lets_only_small_datagrams_through_gets_small_ones(
    invocation: Invocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Emitter, "send", _only_below(9_216, Emitter.send))

    def body() -> None:
        with span("work", order="A-17") as work:
            work.add_metadata("large", "x" * 20_000)
            work.add_metadata("small", 1)

    said = invocation(body).find("work").document
    assert said["metadata"]["default"] == {"small": 1}


def _only_below(size: int, send: Any) -> Any:
    return lambda emitter, data: len(data) < size and send(emitter, data)

"""Bad input: a clear error, in bounded time and memory, and the same by bytes and by dict."""

import json
import time
from functools import partial
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlerkit import event_handler
from handlerkit.events import EventFieldError, EventValidationError, SqsEvent, detect, parse
from handlerkit.events.errors import shortened
from handlerkit.events.json_text import MalformedJsonError, load
from handlerkit.events.view import View
from handlerkit.testing import sqs_event
from tests.handlerkit.samples import SAMPLES, Sample, read_all, view_for


class Order(pydantic.BaseModel):
    """A payload."""

    order_id: str
    quantity: float


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "Expecting value at character 0"),
        (b'{"a":', "Expecting value at character 5"),
        (b'{"a": NaN}', "NaN is not a JSON value"),
        (b"[-Infinity]", "-Infinity is not a JSON value"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b"{} {}", "Extra data at character 3"),
        (b"1" * 5000, "Exceeds the limit"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
    ],
)
def test_text_that_is_not_json_is_refused_with_its_place(text: bytes, reason: str) -> None:
    with pytest.raises(MalformedJsonError, match=reason):
        load(text)
    with pytest.raises(EventValidationError) as caught:
        parse(SqsEvent, text)
    assert not caught.value.is_json
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"\xef\xbb\xbf{}", {}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"\\ud83d"', "\ud83d"),
        (b"[" * 500 + b"]" * 500, None),
        (b" [1] ", [1]),
    ],
)
def test_what_the_standard_parser_takes_is_taken(text: bytes, value: Any) -> None:
    found = load(text)
    assert found == json.loads(text.removeprefix(b"\xef\xbb\xbf"))
    if value is not None:
        assert found == value


@pytest.mark.parametrize(
    "body",
    [
        '{"order_id": "a", "quantity": NaN}',
        '{"order_id": "\\ud83d", "quantity": 1}',
        "[" * 20_000,
        '{"order_id": 1, "order_id": "a", "quantity": "x"}',
        "\x00",
        "1" * 5000,
    ],
)
def test_a_bad_payload_is_refused_alike_by_both_ways(body: str) -> None:
    @event_handler
    def handler(event: SqsEvent[Order]) -> None:
        raise AssertionError("not reached")

    event = sqs_event([body])
    messages = []
    for call in (lambda: handler(event, None), lambda: handler.__lambda_raw__(json.dumps(event).encode(), None)):
        with pytest.raises(EventValidationError, match=r"records\[0\]\.body") as caught:
            call()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert len(messages[0]) < 500


def test_six_megabytes_in_one_string_are_no_burden() -> None:
    event = sqs_event(["x" * 6_000_000])
    body = json.dumps(event).encode()
    started = time.perf_counter()
    view = parse(SqsEvent, body)
    assert len(view.records[0].body) == 6_000_000
    assert len(repr(view.records[0])) < 500
    with pytest.raises(EventValidationError) as caught:
        parse(SqsEvent[Order], body)
    assert len(str(caught.value)) < 400
    assert time.perf_counter() - started < 5


def test_the_first_problems_of_many_are_shown_and_the_rest_counted() -> None:
    with pytest.raises(EventValidationError) as caught:
        parse(list[int], json.dumps(["x"] * 1000))
    assert len(caught.value.problems) == 1000
    assert str(caught.value).endswith("; and 995 more")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({}, "an empty object"),
        ({str(n): n for n in range(9)}, "an object with '0', '1', '2', '3', …"),
        ([1, 2], "an array of 2"),
        pytest.param(10**5000, "a number of more than 100 digits", id="digits"),
        (b"ab", "b'ab'"),
        (1.5, "1.5"),
    ],
)
def test_values_are_shown_in_outline(value: Any, shown: str) -> None:
    assert shortened(value) == shown


@given(st.text() | st.binary() | st.dictionaries(st.text(), st.text()), st.integers(min_value=10, max_value=200))
def test_no_shown_value_is_longer_than_its_limit(value: Any, limit: int) -> None:
    assert len(shortened(value, limit)) <= limit


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def paths_of(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [prefix] if prefix else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        found += paths_of(inner, (*prefix, step))
    return found


def replaced(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    step, *rest = path
    value[step] = replaced(value[step], tuple(rest), junk) if rest else junk
    return value


@st.composite
def mutants(draw: st.DrawFn) -> tuple[Sample, Any]:
    """A sample with junk in up to three places."""
    sample = draw(st.sampled_from(SAMPLES))
    event = sample.parsed()
    for _ in range(draw(st.integers(1, 3))):
        paths = paths_of(event)
        if paths:
            event = replaced(event, draw(st.sampled_from(paths)), draw(JUNK))
    return sample, event


@given(mutants())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_sample_fails_in_our_words_or_not_at_all(mutant: tuple[Sample, Any]) -> None:
    sample, event = mutant
    assert isinstance(detect(event), str)
    kind = view_for(sample)
    if kind is None:
        return
    view = outcome(lambda: parse(kind, event))
    assert len(repr(view)) < 2000
    if isinstance(view, View):
        for name in view._fields:
            outcome(partial(getattr, view, name))
        outcome(lambda: read_all(view))


@given(mutants())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_sample_goes_the_same_way_by_bytes_and_by_dict(mutant: tuple[Sample, Any]) -> None:
    sample, event = mutant
    try:
        text = json.dumps(event, allow_nan=False).encode()
    except ValueError:
        return
    kind = view_for(sample)

    @event_handler(event=object if kind is None else kind, check_answer=False)
    def handler(event: Any) -> Any:
        if isinstance(event, View):
            read_all(event)
        return event

    assert outcome(lambda: json.loads(handler.__lambda_raw__(text, None))) == outcome(lambda: handler(event, None))


def outcome(call: Any) -> Any:
    try:
        return call()
    except (EventFieldError, EventValidationError) as error:
        return f"{type(error).__name__}: {error}"[:2100]


@given(mutants())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_batch_with_typed_bodies_goes_the_same_way(mutant: tuple[Sample, Any]) -> None:
    _, event = mutant
    try:
        text = json.dumps(event, allow_nan=False).encode()
    except ValueError:
        return

    @event_handler
    def handler(event: SqsEvent[Order]) -> Any:
        return [record.body for record in event]

    assert outcome(lambda: json.loads(handler.__lambda_raw__(text, None))) == outcome(lambda: handler(event, None))

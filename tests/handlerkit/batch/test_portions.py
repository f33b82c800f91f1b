"""Large events, of which no more is parsed at a time than a portion: the same answers as from the whole event."""

from __future__ import annotations

import gc
import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import handlerkit.batch.handler
import handlerkit.batch.portions
from handlerkit import DropRecord, batch_handler
from handlerkit.batch import UntrustedBatchError
from handlerkit.batch.portions import Portions
from handlerkit.batch.reading import RecordReader
from handlerkit.events import DynamoDBRecord, EventValidationError, KinesisRecord, SqsRecord
from handlerkit.events.json_text import load
from handlerkit.testing import FakeContext, dynamodb_event, kinesis_event, sqs_event

COMPACT, SPACED = (",", ":"), (", ", ": ")
ANY, SQS = RecordReader(None), RecordReader(SqsRecord)


class Order(BaseModel):
    n: int


@pytest.fixture(autouse=True)
def one_record_is_a_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or two: a portion ends with the first record that goes over its size."""
    monkeypatch.setattr(handlerkit.batch.handler, "PORTIONED_BYTES", 0)
    monkeypatch.setattr(handlerkit.batch.portions, "MOST_BYTES", 1)


def body_of(event: dict[str, Any], separators: tuple[str, str] = COMPACT) -> bytes:
    return json.dumps(event, separators=separators).encode()


def orders(count: int) -> dict[str, Any]:
    return sqs_event([{"n": number} for number in range(count)])


def portions_of(body: bytes, reader: RecordReader = ANY) -> tuple[list[list[dict[str, Any]]], Portions | None]:
    """The records of each portion, and what gave them."""
    portions = Portions.of(body, reader, False)
    return [list(found.raws) for found, _ in portions or ()], portions


def answer(handler: Any, event: dict[str, Any] | bytes, context: Any = None) -> Any:
    body = event if isinstance(event, bytes) else body_of(event)
    return json.loads(handler.__lambda_raw__(body, context or FakeContext()))


# --- cutting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separators", [COMPACT, SPACED])
@pytest.mark.parametrize(
    "event",
    [
        orders(5),
        sqs_event(["a"] * 3, queue="orders.fifo"),
        kinesis_event([{"n": 1}] * 4),
        dynamodb_event(({"id": 1}, {"id": 1, "n": 2}), (None, {"id": 2})),
    ],
    ids=["sqs", "fifo", "kinesis", "dynamodb"],
)
def test_portions_are_the_records_of_the_event_in_order(event: dict[str, Any], separators: tuple[str, str]) -> None:
    pieces, portions = portions_of(body_of(event, separators))
    assert [record for piece in pieces for record in piece] == event["Records"]
    assert len(pieces) == len(event["Records"])
    assert portions is not None
    assert portions.last is not None
    assert portions.records == len(event["Records"])


def test_a_portion_has_as_many_records_as_fit_and_the_one_that_goes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    event = orders(7)
    one = len(body_of(event["Records"][0]))
    monkeypatch.setattr(handlerkit.batch.portions, "MOST_BYTES", one * 2 + 2)
    assert [len(piece) for piece in portions_of(body_of(event))[0]] == [3, 3, 1]


def test_half_of_an_event_is_the_largest_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlerkit.batch.portions, "MOST_BYTES", 64_000)
    assert [len(piece) for piece in portions_of(body_of(orders(10)))[0]] == [5, 5]


@pytest.mark.parametrize(
    "event",
    [
        {"Records": []},
        {"Records": [1, 2]},
        {"records": {"orders-0": [{"offset": 1}]}},
        {"tasks": [{"taskId": "1"}]},
        {"window": {}, "Records": [{"eventID": "1"}, {"eventID": "2"}]},
        {"Records": [{"eventID": "1"}, {"eventID": "2"}], "window": {"start": "", "end": ""}},
        {},
    ],
)
def test_what_is_no_array_of_records_and_nothing_else_has_no_portions(event: dict[str, Any]) -> None:
    assert Portions.of(body_of(event), ANY, False) is None


@pytest.mark.parametrize("body", [b"", b"[]", b'{"Records":[{"', b'{"Records":[{"]}', b'{"Records":[{"a"', b"null"])
def test_what_is_not_even_an_event_is_cut_into_nothing(body: bytes) -> None:
    assert portions_of(body)[0] == []


TEXT = st.one_of(
    st.text(max_size=12),
    st.sampled_from([',{"messageId"', ', {"messageId":"x"}', '"},{"messageId":"', "]}", "\\", '"']),
)
NESTED = st.recursive(
    st.one_of(st.none(), st.integers(), TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(TEXT | st.just("messageId"), inner, max_size=3)
    ),
    max_leaves=6,
)
RECORD = st.builds(
    lambda number, first, rest: {
        **({} if not first else {"messageId": f"m-{number}"}),
        **rest,
        "messageId": f"m-{number}",
    },
    st.integers(0, 999),
    st.booleans(),
    st.dictionaries(st.sampled_from(["body", "attributes", "x", "eventSource"]), NESTED, max_size=3),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    records=st.lists(RECORD, min_size=1, max_size=6),
    separators=st.sampled_from([COMPACT, SPACED]),
    ascii_only=st.booleans(),
    portion_bytes=st.integers(1, 200),
)
def test_whatever_records_hold_portions_are_the_beginning_of_them_and_all_of_them_if_they_say_so(
    records: list[dict[str, Any]], separators: tuple[str, str], ascii_only: bool, portion_bytes: int
) -> None:
    text = json.dumps({"Records": records}, separators=separators, ensure_ascii=ascii_only)
    body = text.encode("utf-8", "surrogatepass")
    portions = Portions.of(body, SQS, False)
    if portions is None:
        return
    portions._portion_bytes = portion_bytes
    given = [record for found, _ in portions for record in found.raws]
    assert given == records[: len(given)]
    assert portions.records == len(given)
    assert (portions.last is not None) == (len(given) == len(records))


def test_a_mark_within_a_record_is_no_place_to_cut() -> None:
    inner = [{"x": 1}, {"messageId": "m-9"}, {"messageId": "m-8"}]
    event = {"Records": [{"messageId": "m-1", "body": "1"}, {"messageId": "m-2", "more": inner}, {"messageId": "m-3"}]}
    pieces, portions = portions_of(body_of(event), SQS)
    assert portions is not None
    assert portions.last is None
    assert pieces == [event["Records"][:1]]


@pytest.mark.parametrize(
    "tail",
    [
        b',{"messageId":"3"}],"More":[{}]}',
        b',{"messageId":"3"}],"Records":[{"messageId":"4"}]}',
        b',{"messageId":"3"]}',
        b',{"messageId":]}',
        b",{]}",
        b"]]}",
        b"}]}",
        b',{"messageId":"3"}]}]}',
    ],
)
def test_an_end_that_is_another_is_not_taken_for_the_end_of_the_records(tail: bytes) -> None:
    pieces, portions = portions_of(b'{"Records":[{"messageId":"1"},{"messageId":"2"}' + tail, SQS)
    assert portions is not None
    assert portions.last is None
    assert pieces[0] == [{"messageId": "1"}]
    assert pieces[1:] in ([], [[{"messageId": "2"}]])


# --- running ----------------------------------------------------------------------------------------------------------


FATES = st.lists(st.sampled_from(["done", "done", "done", "fail", "drop", "poison"]), min_size=1, max_size=9)
MAKERS: dict[str, Any] = {
    "sqs": (SqsRecord[Order], lambda payloads: sqs_event(payloads)),
    "fifo": (
        SqsRecord[Order],
        lambda payloads: sqs_event(payloads, queue="orders.fifo", message_group_ids="abcabcabc"),
    ),
    "kinesis": (KinesisRecord[Order], lambda payloads: kinesis_event(payloads)),
}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fates=FATES, source=st.sampled_from(sorted(MAKERS)), separators=st.sampled_from([COMPACT, SPACED]))
def test_a_batch_in_portions_does_and_answers_what_the_whole_event_does(
    fates: list[str], source: str, separators: tuple[str, str]
) -> None:
    kind, event_of = MAKERS[source]
    seen: list[int] = []

    @batch_handler(record=kind, raise_when_all_failed=False)
    def handler(record: Any) -> None:
        payload = record.data if source == "kinesis" else record.body
        seen.append(payload.n)
        if fates[payload.n] == "fail":
            raise ValueError("no")
        if fates[payload.n] == "drop":
            raise DropRecord("gone")

    event = event_of([{"n": "x" if fate == "poison" else number} for number, fate in enumerate(fates)])
    logging.getLogger("handlerkit.batch").disabled = True
    try:
        whole, seen_whole = handler(event, FakeContext()), seen.copy()
        seen.clear()
        assert answer(handler, body_of(event, separators)) == whole
        assert seen == seen_whole
    finally:
        logging.getLogger("handlerkit.batch").disabled = False


class Weight(BaseModel):
    kg: float


@pytest.mark.parametrize("kg", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_json_is_none_in_a_record_either(kg: str) -> None:
    seen = []

    @batch_handler
    def handler(record: SqsRecord[Weight]) -> None:
        seen.append(record.body.kg)

    event = sqs_event(['{"kg": 1}', f'{{"kg": {kg}}}', '{"kg": 2}'])
    assert answer(handler, event) == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
    assert seen == [1, 2]


def test_a_record_in_a_portion_shows_all_that_came_with_it() -> None:
    seen = []

    @batch_handler
    def handler(record: SqsRecord[Order]) -> None:
        seen.append((record.raw, record.message_id, record.body.n, record.body is record.body))

    event = orders(3)
    assert answer(handler, event) == {"batchItemFailures": []}
    assert seen == [(one, one["messageId"], number, True) for number, one in enumerate(event["Records"])]


def test_records_packed_by_the_producer_library_are_unpacked_in_their_portion(kpl_event: dict[str, Any]) -> None:
    seen: list[int] = []

    @batch_handler
    def handler(record: KinesisRecord[Order]) -> None:
        seen.append(record.data.n)

    assert answer(handler, kpl_event) == {"batchItemFailures": []}
    assert seen == [0, 1, 2, 3]


def test_a_packed_record_that_cannot_be_unpacked_fails_in_its_portion(kpl_event: dict[str, Any]) -> None:
    seen: list[int] = []

    @batch_handler
    def handler(record: KinesisRecord[Order]) -> None:
        seen.append(record.data.n)

    packed, plain = kpl_event["Records"]
    packed["kinesis"]["data"] = packed["kinesis"]["data"][:-8] + "AAAAAAA="
    event = {"Records": [plain, packed]}
    number = packed["kinesis"]["sequenceNumber"]
    assert answer(handler, event) == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert seen == [3]


def test_a_changed_item_whose_own_keys_look_like_a_record_is_no_trouble() -> None:
    seen = []

    @batch_handler
    def handler(record: DynamoDBRecord) -> None:
        seen.append(record.raw["dynamodb"]["NewImage"])

    event = dynamodb_event((None, {"id": 1}), (None, {"eventID": "x", "id": 2}), (None, {"id": 3}))
    images = [one["dynamodb"]["NewImage"] for one in event["Records"]]
    assert answer(handler, event) == {"batchItemFailures": []}
    assert seen == images


@pytest.mark.parametrize("tail", [b"]}", b'],"more":[]}'])
@pytest.mark.parametrize("fails_at", [None, 0, 1, 3])
def test_where_portions_end_early_the_rest_is_run_once_behind_what_was(tail: bytes, fails_at: int | None) -> None:
    seen = []

    @batch_handler
    def handler(record: SqsRecord[Order]) -> None:
        seen.append(record.body.n)
        if record.body.n == fails_at:
            raise ValueError("no")

    event = orders(4)
    event["Records"][2]["looks"] = [{"x": 1}, {"messageId": "m-9"}, {"messageId": "m-8"}]
    body = body_of(event).removesuffix(b"]}") + tail
    failed = [] if fails_at is None else [{"itemIdentifier": event["Records"][fails_at]["messageId"]}]
    assert answer(handler, body) == {"batchItemFailures": failed}
    assert seen == [0, 1, 2, 3]


def test_a_first_key_without_end_is_no_mark() -> None:
    event = {"Records": [{"k" * 50: number, "messageId": f"m-{number}"} for number in range(4)]}
    assert Portions.of(body_of(event), SQS, False) is None


class Clock:
    """A context whose time passes when records say so."""

    aws_request_id = "r"

    def __init__(self, left_ms: int) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


def test_time_that_runs_out_is_noticed_between_portions_too() -> None:
    clock = Clock(10_000)
    seen = []

    @batch_handler
    def handler(record: SqsRecord[Order]) -> None:
        seen.append(record.body.n)
        if record.body.n == 2:
            clock.left_ms = 100

    event = orders(5)
    late = [{"itemIdentifier": one["messageId"]} for one in event["Records"][3:]]
    assert answer(handler, event, clock) == {"batchItemFailures": late}
    assert seen == [0, 1, 2]


@pytest.mark.parametrize(("margin_ms", "done"), [(500, 7), (None, 9)])
def test_there_is_time_kept_to_parse_the_whole_event(
    monkeypatch: pytest.MonkeyPatch, margin_ms: int | None, done: int
) -> None:
    body = body_of(orders(9))
    monkeypatch.setattr(handlerkit.batch.portions, "WHOLE_BYTES_PER_MS", len(body) // 1_000)
    clock = Clock(6_000)
    seen = []

    @batch_handler(stop_margin_ms=margin_ms)
    def handler(record: SqsRecord[Order]) -> None:
        seen.append(record.body.n)
        clock.left_ms -= 700

    answer(handler, body, clock)
    assert seen == [*range(done)]


def test_an_event_that_breaks_off_fails_the_invocation_whatever_was_done_before() -> None:
    seen = []

    @batch_handler
    def handler(record: SqsRecord[Order]) -> None:
        seen.append(record.body.n)

    body = body_of(orders(4))
    broken = body[: body.rindex(b"{") + 30] + b"]}"
    with pytest.raises(EventValidationError, match="not JSON"):
        handler.__lambda_raw__(broken, FakeContext())
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("damage", [{}, {"messageId": ""}, {"messageId": 7}])
def test_a_record_without_identity_fails_the_whole_batch_in_whichever_portion_it_is(damage: dict[str, Any]) -> None:
    event = orders(4)
    del event["Records"][2]["messageId"]
    event["Records"][2] |= damage

    @batch_handler
    def handler(record: SqsRecord[Order]) -> None:
        assert record.body.n >= 0

    with pytest.raises(UntrustedBatchError):
        handler.__lambda_raw__(body_of(event), FakeContext())


def two_arrays(first: dict[str, Any], second: dict[str, Any]) -> bytes:
    return b'{"Records":' + body_of(first["Records"]) + b',"Records":' + body_of(second["Records"]) + b"}"


@pytest.mark.parametrize("others", [1, 4, 9])
@pytest.mark.parametrize("fails_at", [None, 0, 2])
def test_what_ran_of_one_array_of_records_is_never_taken_for_what_is_in_another(
    others: int, fails_at: int | None
) -> None:
    seen = []

    @batch_handler
    def handler(record: SqsRecord[Order]) -> None:
        seen.append(record.message_id)
        if record.body.n == fails_at:
            raise ValueError("no")

    second = orders(others)
    for record in second["Records"]:
        record["messageId"] += "-second"
    with pytest.raises(UntrustedBatchError, match="two arrays"):
        handler.__lambda_raw__(two_arrays(orders(4), second), FakeContext())
    assert not any(one.endswith("-second") for one in seen)


def test_a_batch_in_order_by_key_that_goes_well_is_never_parsed_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlerkit.batch.handler, "parsed", None)
    monkeypatch.setattr(handlerkit.batch.portions, "parsed", None)
    seen: list[int] = []

    @batch_handler(ordering="key")
    def handler(record: KinesisRecord[Order]) -> None:
        seen.append(record.data.n)

    assert answer(handler, kinesis_event([{"n": n} for n in range(5)])) == {"batchItemFailures": []}
    assert seen == [0, 1, 2, 3, 4]


def test_order_by_key_is_refused_to_a_queue_before_its_first_portion_runs() -> None:
    seen: list[Any] = []
    with pytest.raises(ValueError, match="ordering='key' is for kinesis and dynamodb"):
        answer(batch_handler(ordering="key")(seen.append), orders(5))
    assert not seen


def test_what_would_be_one_portion_is_not_cut_nor_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Portions.of(body_of(orders(1)), ANY, False) is None
    large = orders(3)
    large["Records"][1]["body"] = "x" * 9_000
    large["Records"].pop()
    monkeypatch.setattr(handlerkit.batch.portions, "MOST_BYTES", 64_000)
    assert Portions.of(body_of(large), ANY, False) is None


def parsed_records() -> int:
    return sum(type(one) is dict and "receiptHandle" in one for one in gc.get_objects())


def test_no_more_than_one_portion_is_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlerkit.batch.portions, "MOST_BYTES", len(body_of(orders(1)["Records"][0])) * 2)
    held = []

    @batch_handler
    def handler(record: SqsRecord[Order]) -> None:
        held.append(parsed_records())

    body = body_of(orders(12))
    before = parsed_records()
    assert answer(handler, body) == {"batchItemFailures": []}
    assert [count - before for count in held] == [2] * 12


def test_nothing_of_a_portion_is_held_while_the_next_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []

    def watched(text: bytes) -> Any:
        held.append(parsed_records())
        return load(text)

    @batch_handler
    def handler(record: SqsRecord[Order]) -> Any:
        return record.raw

    handler.__lambda_raw__(body_of(orders(2)), FakeContext())
    body = body_of(orders(4))
    before = parsed_records()
    monkeypatch.setattr(handlerkit.batch.portions, "load", watched)
    assert answer(handler, body) == {"batchItemFailures": []}
    assert [count - before for count in held] == [0] * 4


# --- signals ----------------------------------------------------------------------------------------------------------


def test_the_summary_is_of_all_portions(caplog: pytest.LogCaptureFixture) -> None:
    @batch_handler
    def handler(record: SqsRecord[Order]) -> None:
        assert record.body.n >= 0

    caplog.set_level(logging.INFO)
    answer(handler, orders(5))
    assert "batch of 5 from sqs.standard: 5 finished" in caplog.text

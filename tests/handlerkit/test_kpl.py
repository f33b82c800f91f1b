"""Records that the Kinesis producer library packed into one."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlerkit.events import EventFieldError, KinesisEvent, kpl, parse
from handlerkit.events.kpl import MAGIC, user_records
from handlerkit.testing import kinesis_event
from tests.handlerkit.samples import ROOT


def varint(number: int) -> bytes:
    out = b""
    while True:
        out += bytes([number & 127 | (128 if number > 127 else 0)])
        number >>= 7
        if not number:
            return out


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(records: list[tuple[str, bytes, str | None]]) -> bytes:
    """An aggregate as the producer library writes it."""
    message = b"".join(field(1, key.encode()) for key, _, _ in records)
    hashes = [hash_key for _, _, hash_key in records if hash_key is not None]
    message += b"".join(field(2, one.encode()) for one in hashes)
    for index, (_, data, hash_key) in enumerate(records):
        inner = field(1, index) + (field(2, hashes.index(hash_key)) if hash_key is not None else b"")
        message += field(3, inner + field(3, data) + field(4, field(1, b"tag")))
    return MAGIC + message + hashlib.md5(message).digest()


def test_packed_records_come_out_one_by_one_under_the_outer_sequence_number() -> None:
    raw = kinesis_event([packed([("a", b"1", None), ("b", b"2", "9")]), b"3"])
    event = parse(KinesisEvent[int], raw)
    assert [record.data for record in event] == [1, 2, 3]
    assert [record.partition_key for record in event] == ["a", "b", "key-1"]
    assert [record.sub_sequence_number for record in event] == [0, 1, None]
    assert [record.explicit_hash_key for record in event] == [None, "9", None]
    assert len({record.sequence_number for record in event}) == 2
    assert len(raw["Records"]) == 2


def test_the_recorded_sample_holds_user_records() -> None:
    event = parse(KinesisEvent, (ROOT / "kinesis/kpl-sample-lambda-event.json").read_bytes())
    assert len(event) > len(event.raw["Records"])
    assert all(record.data for record in event)


@pytest.mark.parametrize("damage", [slice(0, -1), slice(0, 10), slice(1, None), slice(0, 4)])
def test_what_does_not_hold_together_is_an_ordinary_record(damage: slice) -> None:
    data = packed([("a", b"1", None)])[damage]
    record = kinesis_event([data])["Records"][0]
    assert user_records(record) == [record]


def summed(message: bytes) -> bytes:
    return MAGIC + message + hashlib.md5(message).digest()


@pytest.mark.parametrize(
    "message",
    [
        field(3, field(1, 7)),
        field(3, b""),
        b"\x0d1234",
        b"\xff" * 12,
        field(1, b"\xff"),
        b"\x0a\x7f",
        field(1, 5),
        field(3, 5),
        b"",
    ],
)
def test_a_sum_that_is_right_over_nonsense_is_an_ordinary_record(message: bytes) -> None:
    record = kinesis_event([summed(message)])["Records"][0]
    assert user_records(record) == [record]


@given(st.lists(st.tuples(st.text(min_size=1), st.binary(), st.none() | st.text(min_size=1)), min_size=1, max_size=5))
def test_what_is_packed_is_unpacked(records: list[tuple[str, bytes, str | None]]) -> None:
    raw = kinesis_event([packed(records)])["Records"][0]
    found = [(one["kinesis"]["partitionKey"], base64.b64decode(one["kinesis"]["data"])) for one in user_records(raw)]
    assert found == [(key, data) for key, data, _ in records]


def test_flattened_records_of_pipes_are_unpacked_in_their_shape() -> None:
    flat: dict[str, Any] = kinesis_event([packed([("a", b"1", None)])])["Records"][0]
    flat = {**flat.pop("kinesis"), **flat}
    assert user_records(flat)[0]["partitionKey"] == "a"
    assert "kinesis" not in user_records(flat)[0]


def test_more_user_records_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kpl, "MAX_USER_RECORDS", 3)
    event = parse(KinesisEvent, json.dumps(kinesis_event([packed([("a", b"1", None)] * 4)])))
    with pytest.raises(EventFieldError, match="more than 3 records packed into one"):
        _ = event.records

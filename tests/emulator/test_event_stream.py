"""Frames of the Invoke API's event stream, taken apart by AWS's own parser."""

import json
from typing import Any

from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator import event_stream


def messages_in(data: bytes, sizes: list[int] | None = None) -> list[Any]:
    """What botocore makes of the bytes, however they are cut."""
    buffer = EventStreamBuffer()
    found = []
    for size in sizes or [len(data)]:
        piece, data = data[:size], data[size:]
        buffer.add_data(piece)
        found += list(buffer)
    buffer.add_data(data)
    return found + list(buffer)


NAMES = st.text(min_size=1, max_size=40).filter(lambda text: len(text.encode()) < 256)
VALUES = st.text(max_size=200)


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.binary(max_size=5_000))
def test_any_frame_is_read_as_it_was_meant(headers: dict[str, str], payload: bytes) -> None:
    (message,) = messages_in(event_stream.frame(headers.items(), payload))
    assert (message.headers, message.payload) == (headers, payload)


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 200), max_size=8))
def test_frames_may_follow_one_another_and_be_cut_anywhere(payloads: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(map(event_stream.payload_chunk, payloads)) + event_stream.invoke_complete(None, None, None)
    *chunks, last = messages_in(stream, sizes)
    assert [chunk.payload for chunk in chunks] == payloads
    assert {chunk.headers[":event-type"] for chunk in chunks} <= {"PayloadChunk"}
    assert last.headers[":event-type"] == "InvokeComplete"


def test_the_two_events_declare_what_sdks_insist_on() -> None:
    chunk, end = messages_in(event_stream.payload_chunk(b"\x00data") + event_stream.invoke_complete("E", "{}", "bG9n"))
    assert chunk.headers == {
        ":event-type": "PayloadChunk",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
    assert end.headers == {
        ":event-type": "InvokeComplete",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    assert json.loads(end.payload) == {"ErrorCode": "E", "ErrorDetails": "{}", "LogResult": "bG9n"}


def test_all_three_members_are_there_where_there_is_nothing_to_say() -> None:
    (end,) = messages_in(event_stream.invoke_complete(None, None, None))
    assert json.loads(end.payload) == {"ErrorCode": None, "ErrorDetails": None, "LogResult": None}

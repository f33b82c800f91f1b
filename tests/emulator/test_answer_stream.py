"""A stream between its two ends, in one event loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from lambda_emulator.answer_stream import AnswerStream, StreamFailure

FULL = b"x" * 64 * 1024


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(main, 10))


async def settled() -> None:
    """Everything that can go on has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_piece_is_there_before_the_next_is_produced() -> None:
    async def main() -> None:
        stream = AnswerStream()
        assert await stream.feed(b"one")
        assert await stream.read() == b"one"
        reading = asyncio.create_task(stream.read())
        await settled()
        assert not reading.done()
        assert await stream.feed(b"two")
        assert await reading == b"two"

    run(main())


def test_a_producer_waits_for_its_consumer() -> None:
    async def main() -> None:
        stream = AnswerStream()
        assert await stream.feed(FULL)
        waiting = asyncio.create_task(stream.feed(b"more"))
        await settled()
        assert not waiting.done()
        assert stream.produced_bytes == len(FULL)
        assert await stream.read() == FULL
        assert await waiting
        assert await stream.read() == b"more"

    run(main())


def test_what_was_produced_is_read_after_the_end_too() -> None:
    async def main() -> None:
        stream = AnswerStream()
        await stream.feed(b"last")
        stream.end()
        assert stream.has_ended
        assert [await stream.read(), await stream.read(), await stream.read()] == [b"last", b"", b""]
        assert stream.failure is None

    run(main())


def test_only_the_first_end_counts() -> None:
    stream = AnswerStream()
    stream.end(StreamFailure(error_type="A"))
    stream.end(StreamFailure(error_type="B"))
    assert stream.failure == StreamFailure(error_type="A")


@pytest.mark.parametrize("waiting_for", ["feed", "read"])
def test_a_cut_wakes_whoever_waits(waiting_for: str) -> None:
    async def main() -> None:
        stream = AnswerStream()
        if waiting_for == "feed":
            await stream.feed(FULL)
            waiting: asyncio.Task[Any] = asyncio.create_task(stream.feed(b"more"))
        else:
            waiting = asyncio.create_task(stream.read())
        await settled()
        stream.end(StreamFailure(error_type="E"))
        assert not await waiting
        assert not await stream.feed(b"too late")

    run(main())


def test_without_a_consumer_everything_is_taken_and_thrown_away() -> None:
    async def main() -> None:
        stream = AnswerStream()
        await stream.feed(FULL)
        waiting = asyncio.create_task(stream.feed(FULL))
        await settled()
        stream.abandon()
        assert await waiting
        assert await stream.feed(FULL)
        assert stream.produced_bytes == 3 * len(FULL)
        stream.end()
        await stream.wait_until_ended()
        assert await stream.read() == b""

    run(main())

"""Handlers that do what the managed runtime does not: they stream, await, and go on after their answer."""

import asyncio
import os
import pathlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

# The function runs on what `bootstrap` finds, and that is the package under test.
from runtime import StreamingResponse, after_response, on_shutdown

LOOPS: set[int] = set()
"""Event loops that this process has run coroutines in."""


def stream(event: Any, _context: Any) -> Iterator[bytes]:
    """Yield numbered pieces; fail where the event says so."""
    for number in range(event["pieces"]):
        if number == event.get("fail_at"):
            raise ValueError(f"piece {number} is missing")
        yield b"x" * event["bytes"] if "bytes" in event else b"%d;" % number


async def stream_asynchronously(event: Any, _context: Any) -> AsyncIterator[str]:
    """The same from an asynchronous generator, as text."""
    for number in range(event["pieces"]):
        await asyncio.sleep(0)
        yield f"{number};"


def stream_http(_event: Any, _context: Any) -> StreamingResponse:
    """A streamed response with a status and a header."""
    return StreamingResponse([b"one ", b"two"], status_code=201, headers={"X-Order": "17"})


async def wait(event: Any, context: Any) -> Any:
    """Two things at once, in the loop that all invocations share."""
    LOOPS.add(id(asyncio.get_running_loop()))
    if "fail" in event:
        raise ValueError(event["fail"])
    parts = await asyncio.gather(_later(event["text"]), _later(context.aws_request_id))
    return {"parts": parts, "loops": len(LOOPS)}


async def _later(value: Any) -> Any:
    await asyncio.sleep(0.01)
    return value


def work_afterwards(event: Any, _context: Any) -> Any:
    """Answer at once, and leave work for after the answer."""
    after_response(_note, event["note"], event["number"])
    return {"answered": event["number"], "noted": pathlib.Path(event["note"]).exists()}


def _note(path: str, number: int) -> None:
    time.sleep(0.05)
    with pathlib.Path(path).open("a") as note:
        note.write(f"{number}\n")


def tidy(event: Any, _context: Any) -> Any:
    """Answer; the hook below runs when the environment ends, if it is given the chance."""
    return {"pid": os.getpid(), "note": event.get("note")}


if os.environ.get("SHUTDOWN_NOTE"):
    on_shutdown(_note, os.environ["SHUTDOWN_NOTE"], 0)

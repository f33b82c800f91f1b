"""Handlers for many invocations at once; what they share with each other is the sandbox's own /tmp."""

import asyncio
import os
import pathlib
import time
from collections.abc import Iterator
from typing import Any

PATIENCE_S = 10


def handler(event: Any, context: Any) -> Any:
    """Do what the event asks for by its key `do`."""
    return globals()[event["do"]](event, context)


def echo(event: Any, _context: Any) -> Any:
    """Give the event back."""
    return event


def meet(event: Any, context: Any) -> Any:
    """Return when `count` invocations are in here at the same time."""
    ends_at = time.monotonic() + PATIENCE_S
    while not _all_here(event, context):
        if time.monotonic() > ends_at:
            raise TimeoutError("alone")
        time.sleep(0.002)
    return _who(event, context)


async def meet_asynchronously(event: Any, context: Any) -> Any:
    """The same, all of them in one event loop where there is one."""
    async with asyncio.timeout(PATIENCE_S):
        while not _all_here(event, context):
            await asyncio.sleep(0.002)
    return _who(event, context)


def _all_here(event: Any, context: Any) -> bool:
    folder = pathlib.Path("/tmp", event["meeting"])
    folder.mkdir(exist_ok=True)
    (folder / context.aws_request_id).touch()
    return len(list(folder.iterdir())) >= int(event["count"])


def _who(event: Any, context: Any) -> Any:
    print(f"met {event['number']} in {context.aws_request_id}")
    return {
        "number": event["number"],
        "request_id": context.aws_request_id,
        "trace_id": os.environ.get("_X_AMZN_TRACE_ID"),
        "pid": os.getpid(),
    }


def fail(event: Any, _context: Any) -> Any:
    """Raise."""
    raise LookupError(event["message"])


def crash(event: Any, _context: Any) -> Any:
    """End the process without a word."""
    os._exit(event["status"])


def sleep(event: Any, _context: Any) -> Any:
    """Take longer than allowed."""
    time.sleep(event["seconds"])


def stream(event: Any, _context: Any) -> Iterator[bytes]:
    """Yield numbered pieces."""
    for number in range(event["pieces"]):
        yield b"%d;" % number


if os.environ.get("SAY_GOODBYE"):
    from runtime import on_shutdown

    on_shutdown(print, "goodbye")

"""Waiting for one of two things, in an event loop."""

import asyncio

__all__ = ["either"]


async def either(wanted: asyncio.Event, disconnected: asyncio.Event) -> bool:
    """Wait for either; true if the wanted one is there."""
    waits = [asyncio.ensure_future(event.wait()) for event in (wanted, disconnected)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return wanted.is_set()

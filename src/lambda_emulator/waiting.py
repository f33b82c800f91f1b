"""Waiting for one of two things, in an event loop, without a task for each: it is done twice in every invocation."""

import asyncio
from collections.abc import Callable

__all__ = ["Signal", "either"]


class Signal(asyncio.Event):
    """An event that tells more than its waiting tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Callable[[], None]] = []
        """Called by `set`."""

    def set(self) -> None:
        """Wake all that wait, and all that listen."""
        super().set()
        for listener in tuple(self.listeners):
            listener()


async def either(wanted: Signal, disconnected: Signal) -> bool:
    """Wait for either; true if the wanted one is there."""
    if not (wanted.is_set() or disconnected.is_set()):
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        for signal in (wanted, disconnected):
            signal.listeners.append(wake)
        try:
            await woken
        finally:
            for signal in (wanted, disconnected):
                signal.listeners.remove(wake)
    return wanted.is_set()

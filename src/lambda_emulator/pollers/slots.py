"""A number of places whose limit moves: who finds none free waits, in the order of asking."""

import asyncio

from lambda_emulator.clock import Clock

__all__ = ["Slots"]


class Slots:
    """To be used inside one event loop."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._changed = asyncio.Event()
        self.used = 0

    def set_limit(self, limit: int) -> None:
        """From now on; whoever has a place keeps it."""
        self._limit = limit
        self._changed.set()

    async def take(self) -> None:
        """Take a place, waiting for one if need be."""
        while self.used >= self._limit:
            self._changed.clear()
            with self._clock.idle():
                await self._changed.wait()
        self.used += 1

    def give_back(self) -> None:
        """One place is free again."""
        self.used -= 1
        self._changed.set()

    @property
    def all_taken(self) -> bool:
        """No place is free."""
        return self.used >= self._limit

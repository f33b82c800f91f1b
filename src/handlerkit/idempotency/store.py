"""What a store must do; five calls. All of them block; `asynchronous` code makes them in a thread if they may wait."""

from __future__ import annotations

__all__ = ["Store", "now_ms"]

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from .records import Claim, Completion, Record, Release

    class Store(Protocol):
        """Keeps records by the rules of `states`; each call is atomic per key.

        A call that raises `StoreError` may have had its effect; repeating it with the same owner is harmless.
        """

        @property
        def waits(self) -> bool:
            """Whether calls wait for a disk or a network."""

        @property
        def max_result_bytes(self) -> int | None:
            """The longest result that can be kept, in UTF-8; None for any."""

        def claim(self, claim: Claim, /) -> Record:
            """The record as it stands now: the claim was granted if the record is owned by it."""

        def complete(self, done: Completion, /) -> Record | None:
            """The record as it stands now: this is the completion if the record is owned by it and completed."""

        def release(self, release: Release, /) -> None:
            """Take the record away if it is in progress and owned by the release."""

        def claim_many(self, claims: Sequence[Claim], /) -> list[Record]:
            """The same for each of several different keys, in their order."""

        def complete_many(self, done: Sequence[Completion], releases: Sequence[Release] = (), /) -> list[Record | None]:
            """Complete and release several different keys; the records of those completed, in their order."""

else:
    Store = object


def now_ms() -> int:
    """The clock that stores use unless they are given another."""
    return time.time_ns() // 1_000_000

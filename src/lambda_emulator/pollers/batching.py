"""When a batch is full: by its count, by the event's 6 MB, or by its window. Pure; time is given, not asked.

The window begins with the first record. A record that would not fit any more is not taken, so its batch closes before
it; a record that is alone in its batch always fits.
"""

from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

__all__ = ["MAX_EVENT_BYTES", "BatchAssembler", "Sized"]

# The synchronous payload, less the envelope of the records.
MAX_EVENT_BYTES: Final = 6 * 1024 * 1024
_ENVELOPE_BYTES: Final = len('{"Records":[]}')


class Sized(Protocol):
    """What is put into batches."""

    @property
    def size_bytes(self) -> int:
        """In the event."""


_T = TypeVar("_T", bound=Sized)


class BatchAssembler(Generic[_T]):
    """Gathers one batch."""

    def __init__(self, *, batch_size: int, window_s: float, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._batch_size = batch_size
        self._window_s = window_s
        self._left_bytes = max_bytes - _ENVELOPE_BYTES
        self._records: list[_T] = []
        self._overflowed = False
        self.closes_at_s: float | None = None
        """The end of the window; None before the first record."""

    @property
    def records(self) -> Sequence[_T]:
        """What has been gathered."""
        return self._records

    @property
    def missing(self) -> int:
        """How many records the batch can still take by count; 0 once it is full."""
        return 0 if self._overflowed else self._batch_size - len(self._records)

    def offer(self, record: _T, now_s: float) -> bool:
        """Take it, or say False: it belongs to the next batch, and this one is full."""
        size_bytes = record.size_bytes
        if self.missing <= 0:
            return False
        if self._records and size_bytes > self._left_bytes:
            self._overflowed = True
            return False
        if self.closes_at_s is None:
            self.closes_at_s = now_s + self._window_s
        self._records.append(record)
        self._left_bytes -= size_bytes
        return True

    def is_due(self, now_s: float) -> bool:
        """Whether the batch is to be sent now; never without a record."""
        return self.closes_at_s is not None and (self.missing <= 0 or now_s >= self.closes_at_s)

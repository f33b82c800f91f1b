"""An event's bytes as portions of its records, parsed when their turn has come, so that a batch never holds more of
its records as Python objects than one portion. A parsed record takes two to three times its bytes, and in a large
event every one of them is fetched from memory twice; a portion stays in the processor's cache from parser to function.

The event is cut where a record begins as the first one does: `,{"messageId"`. Inside a JSON text a quote is escaped,
so that these bytes can only stand where objects follow each other. They might do so within a record; but then a
bracket is open, what was cut is no list of values, and the portions end early. Whoever wants more than they gave
parses the whole. So a cut is right or it is noticed, whatever the event holds.
"""

from __future__ import annotations

from handlerkit.events.errors import EventValidationError
from handlerkit.events.json_text import MalformedJsonError, load
from handlerkit.events.readers import parsed

from .errors import UntrustedBatchError
from .sources import found_in

__all__ = ["Portions"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .reading import RecordReader, RecordReading
    from .sources import Found, Source

# Half of the event, so that with what is parsed it takes less than three times its size; above, what fits into a cache.
# With it comes the rest of the record that goes over.
SHARE = 2
MOST_BYTES = 64_000
# Parsing the whole where that must be, and answering, takes up to 6 ms a megabyte of one processor; a function of the
# least memory has a fourteenth of it.
WHOLE_BYTES_PER_MS = 10_000
# How an array of records begins, as AWS writes it and as `json.dumps` does, and with what a record follows another.
COMPACT, SPACED = b'{"Records":[{"', b'{"Records": [{"'
END = b"]}"
# The longest name of a first key is 16 characters.
KEY_BYTES = 40


class Portions:
    """The portions of one event, one after the other, as the records found in each and how they are read.

    Each record is in one of them, in order; `records` is how many were in those given. They end early where something
    is not as it should be: then `last` is None at the end, and the event is to be read as a whole, which says what it
    is, and whether they were of it (`are_of`). Nothing holds a portion but its taker, and the last one.
    """

    __slots__ = (
        "_begin",
        "_body",
        "_by_key",
        "_identifiers",
        "_mark",
        "_portion_bytes",
        "_reader",
        "_source",
        "last",
        "records",
    )

    def __init__(self, body: bytes, begin: int, mark: bytes, reader: RecordReader, by_key: bool) -> None:
        self._body = body
        self._begin = begin
        self._mark = mark
        self._reader = reader
        self._by_key = by_key
        self._portion_bytes = min((len(body) - begin - len(END)) // SHARE, MOST_BYTES)
        self._source: Source | None = None
        self._identifiers: Sequence[Any] = []
        self.last: Found | None = None
        self.records = 0

    @classmethod
    def of(cls, body: Any, reader: RecordReader, by_key: bool) -> Portions | None:
        """The portions of a batch; None for other events, and for one that is not to be cut."""
        if type(body) is not bytes or not body.endswith(END):
            return None
        if body.startswith(COMPACT):
            begin, separator = len(COMPACT) - 2, b","
        elif body.startswith(SPACED):
            begin, separator = len(SPACED) - 2, b", "
        else:
            return None
        key_end = body.find(b'"', begin + 2, begin + KEY_BYTES)
        if key_end < 0:
            return None
        portions = cls(body, begin, separator + body[begin : key_end + 1], reader, by_key)
        # What has one portion, as the largest single records have, is parsed without being copied.
        return portions if body.find(portions._mark, begin + portions._portion_bytes) > 0 else None

    def __iter__(self) -> Portions:
        return self

    def __next__(self) -> tuple[Found, RecordReading]:
        body, mark, begin = self._body, self._mark, self._begin
        if self.last is not None:
            raise StopIteration
        end = body.find(mark, begin + self._portion_bytes)
        piece = memoryview(body)[begin : end if end > 0 else -len(END)]
        try:
            event = {"Records": load(b"".join((b"[", piece, b"]")))}
            if self._source is None:
                found = found_in(event, self._reader.sources, self._by_key)
                self._source = found.source
            else:
                found = self._source.find(event, self._by_key)
        except (MalformedJsonError, EventValidationError, UntrustedBatchError):
            raise StopIteration from None
        self.records += len(found.raws)
        self._identifiers = found.identifiers
        if end < 0:
            self.last = found
        else:
            self._begin = end + mark.index(b"{")
        return found, self._reader.of(found)

    @property
    def whole_ms(self) -> int:
        """The time to keep for parsing the whole event after all."""
        return len(self._body) // WHOLE_BYTES_PER_MS

    def are_of(self, whole: Found) -> bool:
        """Whether the records given are the first of the whole event's. They are not where it has a second array of
        records, as JSON allows: then the last one is the event's, whatever stood before it."""
        given = self._identifiers
        return whole.identifiers[self.records - len(given) : self.records] == given

    def whole_event(self) -> dict[str, Any]:
        """All of it, parsed at once. Raises `EventValidationError`."""
        return parsed("event", self._body, shares=True)  # type: ignore[no-any-return]  # it begins with a brace

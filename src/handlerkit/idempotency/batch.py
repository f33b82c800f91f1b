"""The records of one batch under guard: claimed together ahead of their run, completed together behind it.

A `BatchGuard` belongs to a function; a `BatchSession` to one batch. Keys are claimed a hundred records at a time, when
the first of them is to run. Completions are written at the end, or when the oldest has waited for `write_every_ms`:
what a crash may lose of work done. Records of one key in the same batch run once.
"""

from __future__ import annotations

from threading import Lock

from .batch_writing import AT_ONCE, Entry, Writing
from .errors import AlreadyInProgressError, ResultNotKeptError, StoreError
from .execution import Guard
from .extraction import argument_reader
from .options import scope_of

__all__ = ["BatchGuard", "BatchSession"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Lock as AsyncLock
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from handlerkit.batch.hooks import RecordFacts

    from .options import Idempotency


class BatchGuard:
    """A record function's idempotency. Raises `TypeError` for a key that it cannot have."""

    def __init__(self, options: Idempotency, function: Callable[..., Any]) -> None:
        if options.key is None and options.payload is not None:
            raise TypeError("payload= needs key=: a record's own identifier never comes with another payload")
        self.options = options
        read = None if options.key is None else argument_reader(function, options.key)
        payload = None if options.payload is None else argument_reader(function, options.payload)
        self.reads_record = read is not None
        self.guard = Guard(options, scope_of(function, options.name), read or _itself, payload)

    def session(
        self,
        raws: Sequence[dict[str, Any]],
        names: Sequence[object],
        read: Callable[[dict[str, Any]], Any],
        context: Any,
        keeps_values: bool,
    ) -> BatchSession:
        """One batch's session. `names` are the records' own identifiers, the keys where the options name none."""
        return BatchSession(self, raws, names, read, context, keeps_values)


class BatchSession:
    """Use `reading` for records, `run` or `run_async` for each, and `end` once. Threads may run records."""

    def __init__(
        self,
        batch: BatchGuard,
        raws: Sequence[dict[str, Any]],
        names: Sequence[object],
        read: Callable[[dict[str, Any]], Any],
        context: Any,
        keeps_values: bool,
    ) -> None:
        self._batch = batch
        self._options = batch.options
        self._raws = raws
        self._names = names
        self._read = read
        self._context = context
        self._keeps_values = keeps_values
        self._records: dict[int, Any] = {}
        self._entries: dict[int, Entry] = {}
        self._by_key: dict[str, Entry] = {}
        self._claiming = Lock()
        self._claiming_async: AsyncLock | None = None
        self._writing = Writing(batch.options, keeps_values)

    def reading(self, raw: dict[str, Any]) -> Any:
        """A record, once read ahead for its key."""
        found = self._records.pop(id(raw), self)
        return self._read(raw) if found is self else found

    def run(self, record: Any, facts: RecordFacts, call: Callable[[], Any], /) -> Any:
        """The result of `call()`, or of the execution that was first."""
        position = facts.position
        entry = self._entries.get(position)
        if entry is None:
            with self._claiming:
                entry = self._entries.get(position) or self._claimed_from(position, record)
        if entry.error is not None:
            raise entry.error
        if entry.attempt is None:
            return call()
        if self._must_go_alone(entry):
            self._writing.write()
            return self._batch.guard.run(self._arguments(position, record), {}, self._context, call)
        settled = self._settled(entry)
        if settled is not None:
            return settled[0]
        try:
            result = self._batch.guard.finished(call())
        except BaseException as error:
            if self._failed(position, entry, error):
                self._writing.write()
            raise
        if self._done(position, entry, result):
            self._writing.write()
        return result

    async def run_async(self, record: Any, facts: RecordFacts, call: Callable[[], Awaitable[Any]], /) -> Any:
        """The same for a function that is awaited."""
        position = facts.position
        entry = self._entries.get(position)
        if entry is None:
            entry = await self._claimed_from_async(position, record)
        if entry.error is not None:
            raise entry.error
        if entry.attempt is None:
            return await call()
        if self._must_go_alone(entry):
            await self._in_thread(self._writing.write)
            return await self._batch.guard.run_async(self._arguments(position, record), {}, self._context, call)
        settled = self._settled(entry)
        if settled is not None:
            return settled[0]
        try:
            result = await call()
        except BaseException as error:
            if self._failed(position, entry, error):
                await self._in_thread(self._writing.write)
            raise
        if self._done(position, entry, result):
            await self._in_thread(self._writing.write)
        return result

    def end(self) -> list[tuple[int, Exception | None, Any]]:
        """Write what is unwritten and release what was never run. Results that do not count: (position, error, value).

        What still runs keeps its key, and writes its own completion.
        """
        self._writing.end()
        for entry in list(self._entries.values()):
            attempt, record = entry.attempt, entry.record
            if attempt is not None and record is not None and attempt.owns(record) and not entry.has_started:
                self._writing.release(entry, has_failed=False)
        self._writing.write()
        return self._writing.corrections

    async def end_async(self) -> list[tuple[int, Exception | None, Any]]:
        """The same inside an event loop."""
        await self._in_thread(self.end)
        return self._writing.corrections

    def _arguments(self, position: int, record: Any) -> tuple[Any, ...]:
        return (record,) if self._batch.reads_record else (self._names[position],)

    def _claimed_from(self, position: int, record: Any) -> Entry:
        """Claim the keys of this record and of those behind it that have none yet."""
        window: list[Entry] = []
        entries = {}
        for at in range(position, len(self._raws)):
            if len(window) == AT_ONCE:
                break
            if at not in self._entries:
                ahead = record if at == position else self._read_ahead(at)
                if ahead is None:
                    continue  # it cannot be read: should its own turn find otherwise, it is claimed then
                entry = entries[at] = self._prepared(at, ahead)
                if entry.attempt is not None and entry.first is None:
                    window.append(entry)
        claims = [entry.attempt.claim() for entry in window if entry.attempt is not None]
        try:
            found = self._options.store.claim_many(claims) if claims else []
        except StoreError as error:
            for entry in window:
                entry.error = error
        else:
            for entry, one in zip(window, found, strict=True):
                entry.record = one
        self._entries.update(entries)
        return entries[position]

    async def _claimed_from_async(self, position: int, record: Any) -> Entry:
        from asyncio import Lock as AsyncLock

        if self._claiming_async is None:
            self._claiming_async = AsyncLock()
        async with self._claiming_async:
            entry: Entry = self._entries.get(position) or await self._in_thread(self._claimed_from, position, record)
        return entry

    def _read_ahead(self, at: int) -> Any:
        """A record before its turn; None if it cannot be read, which its own turn will say."""
        raw = self._raws[at]
        if not self._batch.reads_record:
            return raw
        try:
            found = self._records[id(raw)] = self._read(raw)
        except Exception:  # noqa: BLE001  # whatever it is, it is that record's
            return None
        return found

    def _prepared(self, at: int, record: Any) -> Entry:
        entry = Entry()
        try:
            attempt = self._batch.guard.attempt(self._arguments(at, record), {}, self._context)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is that record's
            entry.error = error
            return entry
        entry.attempt = attempt
        if attempt is not None:
            entry.first = self._by_key.setdefault(attempt.key, entry)
            if entry.first is entry:
                entry.first = None
        return entry

    def _must_go_alone(self, entry: Entry) -> bool:
        """Whether it has to claim by itself: the first of its key failed, or it is to wait for another execution."""
        if entry.first is not None:
            return entry.first.has_failed or entry.first.error is not None
        assert entry.attempt is not None
        assert entry.record is not None
        return entry.attempt.may_wait and not entry.attempt.is_settled(entry.record)

    def _settled(self, entry: Entry) -> tuple[Any] | None:
        """The result that a duplicate gets; None if the record is to run. Raises what stands in its way."""
        attempt, first = entry.attempt, entry.first
        assert attempt is not None
        try:
            if first is not None:
                assert first.attempt is not None
                attempt.refuse_other_payload(first.attempt.fingerprint)
                if first.completion is not None:
                    return (attempt.replay_of(first.completion.result),)
                if first.record is None or first.attempt.owns(first.record):
                    raise AlreadyInProgressError(attempt.key)
                return (attempt.replayed(first.record),)
            assert entry.record is not None
            if attempt.owns(entry.record):
                entry.has_started = True
                return None
            return (attempt.replayed(entry.record),)
        except ResultNotKeptError:
            if self._keeps_values:
                raise
            return (None,)  # it was done, and nobody asks for its result

    def _done(self, position: int, entry: Entry, result: Any) -> bool:
        """Note a completion; whether it is time to write."""
        assert entry.attempt is not None
        return self._writing.complete(position, entry, entry.attempt.completion(result), result)

    def _failed(self, position: int, entry: Entry, error: BaseException) -> bool:
        """Note a release, or a completion with the exception that is to be remembered."""
        assert entry.attempt is not None
        remembered = entry.attempt.completion_of(error)
        if remembered is not None:
            return self._writing.complete(position, entry, remembered, None)
        return self._writing.release(entry, has_failed=True)

    async def _in_thread(self, step: Callable[..., Any], *arguments: Any) -> Any:
        from .threads import settled

        return await settled(self._options.store, step, *arguments)


def _itself(name: object) -> object:
    """The key of a record that names itself."""
    return name

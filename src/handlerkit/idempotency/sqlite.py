"""Records in an SQLite file: for one machine with several processes, such as the local Lambda.

Each call is one transaction, which takes the file's write lock first, so that processes take turns. A connection
belongs to a thread and to a process: forked children open their own.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager

from .errors import StoreError
from .records import Record
from .states import after_claim, after_completion, after_release
from .store import now_ms

__all__ = ["SQLiteStore"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from .records import Claim, Completion, Release

SCHEMA = """CREATE TABLE IF NOT EXISTS idempotency (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, completed INTEGER NOT NULL, lease_until_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL, data TEXT NOT NULL, validation TEXT NOT NULL) WITHOUT ROWID"""
INDEX = "CREATE INDEX IF NOT EXISTS idempotency_expiry ON idempotency (expires_at_ms)"
SELECT = "SELECT owner, completed, lease_until_ms, expires_at_ms, data, validation FROM idempotency WHERE id = ?"
REPLACE = "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?)"
DELETE = "DELETE FROM idempotency WHERE id = ?"
SWEEP = "DELETE FROM idempotency WHERE expires_at_ms <= ? AND lease_until_ms <= ?"

# Every so many claims of a connection, those that are over are deleted.
SWEEP_EVERY = 500


class _Lifetime:
    """A connection's: over when its thread ends, or its store goes."""

    __slots__ = ("__weakref__",)


class SQLiteStore:
    """A file, made with the first call. `timeout_s` is how long to wait for another process's transaction."""

    waits = True
    max_result_bytes: int | None = None

    def __init__(
        self, path: str | os.PathLike[str], *, timeout_s: float = 5.0, clock_ms: Callable[[], int] = now_ms
    ) -> None:
        self._path = os.fspath(path)
        if self._path in ("", ":memory:"):
            raise ValueError("SQLiteStore keeps records in a file; MemoryStore keeps them in memory")
        self._timeout_s = timeout_s
        self._clock_ms = clock_ms
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"SQLiteStore({self._path!r})"

    def claim(self, claim: Claim, /) -> Record:
        """See `Store`."""
        return self.claim_many([claim])[0]

    def complete(self, done: Completion, /) -> Record | None:
        """See `Store`."""
        return self.complete_many([done])[0]

    def release(self, release: Release, /) -> None:
        """See `Store`."""
        self.complete_many([], [release])

    def claim_many(self, claims: Sequence[Claim], /) -> list[Record]:
        """See `Store`."""
        found = []
        with self._transaction() as database:
            now = self._clock_ms()
            self._sweep_now_and_then(database, now)
            for claim in claims:
                before = _read(database, claim.key)
                record = after_claim(before, claim, now)
                if record is not before:
                    _write(database, record)
                found.append(record)
        return found

    def complete_many(self, done: Sequence[Completion], releases: Sequence[Release] = (), /) -> list[Record | None]:
        """See `Store`."""
        found = []
        with self._transaction() as database:
            now = self._clock_ms()
            for release in releases:
                before = _read(database, release.key)
                if before is not None and after_release(before, release, now) is None:
                    database.execute(DELETE, (release.key,))
            for one in done:
                before = _read(database, one.key)
                record = after_completion(before, one, now)
                if record is not None and record is not before:
                    _write(database, record)
                found.append(record)
        return found

    def record(self, key: str) -> Record | None:
        """How a key stands, for tests."""
        with self._transaction() as database:
            return _read(database, key)

    def close(self) -> None:
        """Close this thread's connection; the next call opens another."""
        database = getattr(self._local, "database", None)
        if database is not None:
            self._local.database = self._local.lifetime = None
            database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        import sqlite3  # late: an extension module

        try:
            database = self._connection()
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"SQLite file {self._path}: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        import sqlite3

        local = self._local
        database: sqlite3.Connection | None = getattr(local, "database", None)
        if database is None or local.process != os.getpid():
            from weakref import finalize  # late: of no use before there is a connection

            # No other thread uses it; but the last to hold the store closes those of all threads.
            database = sqlite3.connect(
                self._path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False
            )
            try:
                self._use_wal(database)
                database.execute("PRAGMA synchronous = NORMAL")  # in WAL a crash of the process loses nothing
                database.execute(SCHEMA)
                database.execute(INDEX)
            except BaseException:
                database.close()
                raise
            local.database, local.process, local.claims = database, os.getpid(), 0
            # One that is left open is a ResourceWarning from Python 3.13 on. By `__del__` it would be, too, where the
            # collector finds both at once: it may begin with the connection.
            local.lifetime = _Lifetime()
            finalize(local.lifetime, database.close)
        return database

    def _use_wal(self, database: sqlite3.Connection) -> None:
        """Switch the file to write-ahead logging. While another connection does so, SQLite refuses at once and does
        not wait its time limit; so the waiting is done here.
        """
        import sqlite3

        ends_at = time.monotonic() + self._timeout_s
        while True:
            try:
                database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > ends_at:
                    raise
                time.sleep(0.01)

    def _sweep_now_and_then(self, database: sqlite3.Connection, now: int) -> None:
        self._local.claims += 1
        if self._local.claims % SWEEP_EVERY == 0:
            database.execute(SWEEP, (now, now))


def _read(database: sqlite3.Connection, key: str) -> Record | None:
    row = database.execute(SELECT, (key,)).fetchone()
    if row is None:
        return None
    owner, completed, lease_until_ms, expires_at_ms, data, validation = row
    return Record(
        key=key,
        owner=owner,
        is_completed=bool(completed),
        lease_until_ms=lease_until_ms,
        expires_at_ms=expires_at_ms,
        result=data,
        fingerprint=validation,
    )


def _write(database: sqlite3.Connection, record: Record) -> None:
    database.execute(
        REPLACE,
        (
            record.key,
            record.owner,
            int(record.is_completed),
            record.lease_until_ms,
            record.expires_at_ms,
            record.result,
            record.fingerprint,
        ),
    )

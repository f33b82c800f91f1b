"""What a function says of its record by raising, and what becomes of a whole batch. Imports nothing."""

from __future__ import annotations

__all__ = ["BatchFailedError", "DropRecord", "RetryRecord", "UntrustedBatchError", "words_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta


class RetryRecord(Exception):  # noqa: N818  # a decision of the function's, not an error of anyone's
    """Raised by a function: not now, bring the record again. The same as any failure, but expected.

    `retry_in` asks SQS to hide the message that long (12 hours at most), where the handler was given an `sqs` client.
    """

    def __init__(self, reason: str = "", *, retry_in: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_in = retry_in


class DropRecord(Exception):  # noqa: N818  # as above
    """Raised by a function: this record is settled, do not bring it again.

    Queues and streams go on behind it, Firehose leaves it out, S3 Batch Operations reports a permanent failure.
    """


class UntrustedBatchError(Exception):
    """A batch whose response could not be relied on, so that all of it has to come again."""


class BatchFailedError(Exception):
    """A batch of which nothing was finished, or one that has to come again as a whole. No payload is in its message.

    `failed` are the identifiers of records that failed, `not_started` how many were never run.
    """

    def __init__(self, source: str, records: int, failed: tuple[object, ...], not_started: int, first: str) -> None:
        super().__init__(source, records, failed, not_started, first)
        self.source = source
        self.records = records
        self.failed = failed
        self.not_started = not_started
        self.first = first

    def __str__(self) -> str:
        rest = f", {self.not_started} not started" if self.not_started else ""
        first = f"; first: {self.first}" if self.first else ""
        return f"{len(self.failed)} of {self.records} records of {self.source} failed{rest}{first}"


def words_of(error: BaseException | None) -> str:
    """What an error says; one that fails to say it (its `__str__` raises) concerns no record but its own."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # of the user's own
        return "(it cannot say what)"

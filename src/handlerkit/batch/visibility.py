"""`RetryRecord(retry_in=...)` for SQS: the message stays hidden that long, by ChangeMessageVisibility.

Only pacing: the record is reported as failed either way, so what goes wrong here is logged and changes nothing.
"""

from __future__ import annotations

from .errors import RetryRecord, words_of
from .outcomes import Outcome

__all__ = ["MAX_HIDDEN_S", "defer"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .reporting import Reporter
    from .sources import Found

# SQS: 12 hours from the receipt, which was a moment ago.
MAX_HIDDEN_S = 43_200 - 900
ENTRIES_PER_REQUEST = 10


def defer(sqs: Any, found: Found, outcomes: list[Outcome | None], reporter: Reporter) -> None:
    """Hide the messages whose functions asked for it."""
    entries: list[dict[str, Any]] = []
    for at, outcome in enumerate(outcomes):
        error = outcome.error if outcome is not None and outcome.state == Outcome.RETRY else None
        if not isinstance(error, RetryRecord) or error.retry_in is None:
            continue
        try:
            seconds = min(max(round(error.retry_in.total_seconds()), 0), MAX_HIDDEN_S)
        except Exception as trouble:  # noqa: BLE001  # a number, or whatever else it was given
            reporter.not_deferred(f"{type(trouble).__name__}: {words_of(trouble)}")
        else:
            receipt = found.raws[at].get("receiptHandle")
            entries.append({"Id": str(len(entries)), "ReceiptHandle": receipt, "VisibilityTimeout": seconds})
    if not entries:
        return
    try:
        queue_url = _queue_url(sqs, str(found.raws[0].get("eventSourceARN")))
        for first in range(0, len(entries), ENTRIES_PER_REQUEST):
            some = entries[first : first + ENTRIES_PER_REQUEST]
            answer = sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=some)
            for refused in answer.get("Failed", ()):
                reporter.not_deferred(f"{refused.get('Code')}: {refused.get('Message')}")
    except Exception as error:  # noqa: BLE001  # of the client's: network, permissions, a queue that is gone
        reporter.not_deferred(f"{type(error).__name__}: {words_of(error)}")


def _queue_url(sqs: Any, arn: str) -> str:
    """The queue's address at the client's endpoint; asking for it would need one more permission."""
    account, name = arn.split(":")[4:6]
    return f"{str(sqs.meta.endpoint_url).rstrip('/')}/{account}/{name}"

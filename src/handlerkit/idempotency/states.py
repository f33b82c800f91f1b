"""The state machine of a record. Pure: knows no store; every store keeps to these tables.

               claim                    complete, by its owner
    absent ─────────────▶ in progress ─────────────────────────▶ completed
      ▲                    │   │   ▲                                 │ ttl over
      └────────────────────┘   │   │ claim                           ▼
        release, by its owner  │   │                              expired ──claim──▶ in progress
                               ▼   │
                          abandoned (lease over; its owner may still complete or release it, until it is claimed)

Only the owner completes or releases, whose token the record carries: an execution that was taken over changes
nothing. A claim repeated by its owner stands, so that a request whose answer was lost can be sent again; so does a
completion.
"""

from __future__ import annotations

from .records import Record

__all__ = [
    "ABANDONED",
    "ABSENT",
    "CLAIM",
    "COMPLETE",
    "COMPLETED",
    "EXPIRED",
    "IN_PROGRESS",
    "NEXT",
    "RELEASE",
    "after_claim",
    "after_completion",
    "after_release",
    "state_of",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .records import Claim, Completion, Release

ABSENT, IN_PROGRESS, ABANDONED, COMPLETED, EXPIRED = "absent", "in progress", "abandoned", "completed", "expired"
CLAIM, COMPLETE, RELEASE = "claim", "complete", "release"

NEXT = {
    (ABSENT, CLAIM): IN_PROGRESS,
    (ABANDONED, CLAIM): IN_PROGRESS,
    (EXPIRED, CLAIM): IN_PROGRESS,
    (IN_PROGRESS, COMPLETE): COMPLETED,
    (ABANDONED, COMPLETE): COMPLETED,
    (IN_PROGRESS, RELEASE): ABSENT,
    (ABANDONED, RELEASE): ABSENT,
}
"""Which step leads where; `COMPLETE` and `RELEASE` only by the owner. What is not here changes nothing."""


def state_of(record: Record | None, now_ms: int) -> str:
    """How a record stands at a moment.

    >>> state_of(None, 0)
    'absent'
    >>> state_of(Record(key="k", owner="a", is_completed=False, lease_until_ms=9, expires_at_ms=99), 9)
    'abandoned'
    """
    if record is None:
        return ABSENT
    if record.is_completed:
        return COMPLETED if now_ms < record.expires_at_ms else EXPIRED
    return IN_PROGRESS if now_ms < record.lease_until_ms else ABANDONED


def after_claim(record: Record | None, claim: Claim, now_ms: int) -> Record:
    """The record after a claim, which was granted if the record is owned by it."""
    if (state_of(record, now_ms), CLAIM) not in NEXT:
        assert record is not None
        return record
    lease_until_ms = now_ms + claim.lease_ms
    return Record(
        key=claim.key,
        owner=claim.owner,
        is_completed=False,
        lease_until_ms=lease_until_ms,
        expires_at_ms=max(now_ms + claim.ttl_s * 1000, lease_until_ms),
        fingerprint=claim.fingerprint,
    )


def after_completion(record: Record | None, done: Completion, now_ms: int) -> Record | None:
    """The record after a completion, which stands if the record is owned by it and completed."""
    if record is None or not record.is_owned_by(done) or (state_of(record, now_ms), COMPLETE) not in NEXT:
        return record
    return Record(
        key=done.key,
        owner=done.owner,
        is_completed=True,
        lease_until_ms=record.lease_until_ms,
        expires_at_ms=now_ms + done.ttl_s * 1000,
        result=done.result,
        fingerprint=done.fingerprint,
    )


def after_release(record: Record | None, release: Release, now_ms: int) -> Record | None:
    """The record after a release; None if that took it away."""
    if record is None or not record.is_owned_by(release) or (state_of(record, now_ms), RELEASE) not in NEXT:
        return record
    return None

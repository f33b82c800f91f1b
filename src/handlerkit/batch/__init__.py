"""Batches: a function of one record as the handler of all, with the partial-batch response that its source takes.

What a record's failure does to the others is the source's ordering policy: the table in `policies`. Names are resolved
when they are first used.
"""

from __future__ import annotations

__all__ = [
    "POLICIES",
    "BatchFailedError",
    "BatchHandler",
    "BatchSummary",
    "ByGroup",
    "ByKey",
    "ByPartition",
    "ByShard",
    "DropRecord",
    "Independent",
    "Ordering",
    "PoisonQueue",
    "PoisonRecord",
    "RecordFacts",
    "RecordIdempotency",
    "RecordObserver",
    "RetryRecord",
    "UntrustedBatchError",
    "batch_handler",
    "process",
    "process_async",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import BatchFailedError, DropRecord, RetryRecord, UntrustedBatchError
    from .handler import BatchHandler, batch_handler
    from .hooks import BatchSummary, RecordFacts, RecordIdempotency, RecordObserver
    from .poison import PoisonQueue, PoisonRecord
    from .policies import POLICIES, ByGroup, ByKey, ByPartition, ByShard, Independent, Ordering
    from .processing import process, process_async

_NAMES = {
    "errors": "BatchFailedError DropRecord RetryRecord UntrustedBatchError",
    "handler": "BatchHandler batch_handler",
    "hooks": "BatchSummary RecordFacts RecordIdempotency RecordObserver",
    "poison": "PoisonQueue PoisonRecord",
    "policies": "POLICIES ByGroup ByKey ByPartition ByShard Independent Ordering",
    "processing": "process process_async",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Effects that happen once, though events come twice: `@idempotent`, `Idempotency`, and the stores they write to.

Importing this package loads nothing; names are resolved when they are first used.
"""

from __future__ import annotations

__all__ = [
    "AlreadyInProgressError",
    "BadKeyError",
    "Claim",
    "Completion",
    "DynamoDBStore",
    "Idempotency",
    "IdempotencyError",
    "KeyMissingError",
    "Layout",
    "MemoryStore",
    "OwnershipLostError",
    "PayloadMismatchError",
    "Record",
    "RedisStore",
    "Release",
    "RememberedError",
    "Replay",
    "ResultNotKeptError",
    "ResultNotRestoredError",
    "SQLiteStore",
    "Store",
    "StoreError",
    "idempotent",
    "jmespath",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .decorator import idempotent
    from .dynamodb import DynamoDBStore
    from .dynamodb_items import Layout
    from .errors import (
        AlreadyInProgressError,
        BadKeyError,
        IdempotencyError,
        KeyMissingError,
        OwnershipLostError,
        PayloadMismatchError,
        RememberedError,
        ResultNotKeptError,
        ResultNotRestoredError,
        StoreError,
    )
    from .extraction import jmespath
    from .memory import MemoryStore
    from .options import Idempotency, Replay
    from .records import Claim, Completion, Record, Release
    from .redis import RedisStore
    from .sqlite import SQLiteStore
    from .store import Store


_HOME = {
    "AlreadyInProgressError": "errors",
    "BadKeyError": "errors",
    "Claim": "records",
    "Completion": "records",
    "DynamoDBStore": "dynamodb",
    "Idempotency": "options",
    "IdempotencyError": "errors",
    "KeyMissingError": "errors",
    "Layout": "dynamodb_items",
    "MemoryStore": "memory",
    "OwnershipLostError": "errors",
    "PayloadMismatchError": "errors",
    "Record": "records",
    "RedisStore": "redis",
    "Release": "records",
    "RememberedError": "errors",
    "Replay": "options",
    "ResultNotKeptError": "errors",
    "ResultNotRestoredError": "errors",
    "SQLiteStore": "sqlite",
    "Store": "store",
    "StoreError": "errors",
    "idempotent": "decorator",
    "jmespath": "extraction",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""What can be wrong, by who is wrong: the caller's key or payload, another execution, or the store. Imports nothing.

Whatever of these is raised before the function was called means that it was not called.
"""

from __future__ import annotations

__all__ = [
    "AlreadyInProgressError",
    "BadKeyError",
    "IdempotencyError",
    "KeyMissingError",
    "OwnershipLostError",
    "PayloadMismatchError",
    "RememberedError",
    "ResultNotKeptError",
    "ResultNotRestoredError",
    "StoreError",
]


class IdempotencyError(Exception):
    """The root of all of them."""


class BadKeyError(IdempotencyError):
    """The key or the payload has no stable form: NaN, an object of a class that nothing is known of."""


class KeyMissingError(BadKeyError):
    """There is no key in what the function was given, or a part of it is missing. The function was not called."""


class PayloadMismatchError(IdempotencyError):
    """The key was used before with another payload. The function was not called."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return f"{self.key} was used before with another payload"


class AlreadyInProgressError(IdempotencyError):
    """Another execution has the key; `lease_left_ms` from now it will be done, or taken over."""

    def __init__(self, key: str, lease_left_ms: int = 0) -> None:
        super().__init__(key, lease_left_ms)
        self.key = key
        self.lease_left_ms = lease_left_ms

    def __str__(self) -> str:
        return f"{self.key} is being executed elsewhere, for {self.lease_left_ms} ms more at most"


class OwnershipLostError(IdempotencyError):
    """This execution took longer than its lease and another one took over: its result is not the one that counts."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return f"{self.key} was taken over by another execution while this one ran"


class ResultNotKeptError(IdempotencyError):
    """The work was done before, but its result could not be stored: too large, or of a class without a stored form."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key = key
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.key} was done before; its result was not kept: {self.reason}"


class ResultNotRestoredError(IdempotencyError):
    """The work was done before; its stored result is of a class that this program does not have (any more)."""


class RememberedError(IdempotencyError):
    """The first execution raised an exception that is remembered, of a class that cannot be made again."""


class StoreError(IdempotencyError):
    """The store refused or could not be reached. `outcome_is_unknown`: what was asked for may have happened."""

    def __init__(self, message: str, *, outcome_is_unknown: bool = True) -> None:
        super().__init__(message)
        self.outcome_is_unknown = outcome_is_unknown

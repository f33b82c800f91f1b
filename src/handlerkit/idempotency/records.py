"""A record's values: what is claimed, how it is completed, how it stands. Times in milliseconds since the epoch.

Knows no clock and no store.
"""

from __future__ import annotations

__all__ = ["Claim", "Completion", "Record", "Release"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Value:
    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.__slots__))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class Claim(_Value):
    """One execution asks for a key. `owner` is a token of its own, never used twice.

    `lease_ms` is how long the execution can live at most, `ttl_s` how long its result is to be kept.
    """

    __slots__ = ("fingerprint", "key", "lease_ms", "owner", "ttl_s")

    def __init__(self, *, key: str, owner: str, lease_ms: int, ttl_s: int, fingerprint: str = "") -> None:
        self.key = key
        self.owner = owner
        self.lease_ms = lease_ms
        self.ttl_s = ttl_s
        self.fingerprint = fingerprint


class Completion(_Value):
    """The execution that owns the key is done; `result` is what `results.encoded` made of its result."""

    __slots__ = ("fingerprint", "key", "owner", "result", "ttl_s")

    def __init__(self, *, key: str, owner: str, result: str, ttl_s: int, fingerprint: str = "") -> None:
        self.key = key
        self.owner = owner
        self.result = result
        self.ttl_s = ttl_s
        self.fingerprint = fingerprint


class Release(_Value):
    """The execution that owns the key failed: the next may try."""

    __slots__ = ("key", "owner")

    def __init__(self, *, key: str, owner: str) -> None:
        self.key = key
        self.owner = owner


class Record(_Value):
    """How a key stands in a store.

    `lease_until_ms` counts while it is in progress. `expires_at_ms` is when it may be forgotten, never before the
    lease is over.
    """

    __slots__ = ("expires_at_ms", "fingerprint", "is_completed", "key", "lease_until_ms", "owner", "result")

    def __init__(
        self,
        *,
        key: str,
        owner: str,
        is_completed: bool,
        lease_until_ms: int,
        expires_at_ms: int,
        result: str = "",
        fingerprint: str = "",
    ) -> None:
        self.key = key
        self.owner = owner
        self.is_completed = is_completed
        self.lease_until_ms = lease_until_ms
        self.expires_at_ms = expires_at_ms
        self.result = result
        self.fingerprint = fingerprint

    def is_owned_by(self, one: Any) -> bool:
        """Whether the claim, completion or release is the owner's."""
        return bool(self.owner) and self.owner == one.owner

"""`Idempotency`: a store, where the key is, and what happens in each case; checked where it is written.

Immutable: one may serve any number of functions and threads. What belongs to a call lives in the call.
"""

from __future__ import annotations

__all__ = ["Idempotency", "Replay"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .batch import BatchGuard
    from .execution import Guard
    from .extraction import Extraction
    from .store import Store

DEFAULT_TTL_S = 3600
# A sort key of DynamoDB has 1,024 bytes at most.
MAX_NAME_BYTES = 500


class Replay:
    """What `on_replay` is told: the key, and the result that the duplicate gets."""

    __slots__ = ("key", "result")

    def __init__(self, key: str, result: Any) -> None:
        self.key = key
        self.result = result

    def __repr__(self) -> str:
        return f"Replay({self.key!r})"


class Idempotency:
    """How a function's effect is kept to once per key.

    - `key`: a callable of what the function takes, a parameter's name, or `jmespath(...)`. For `batch_handler` it may
      be left out: the record's own identifier.
    - `payload`: the same kinds; a key that comes again with another payload is refused.
    - `ttl_s`: how long the result is kept, and a duplicate is known as one.
    - `name`: what the keys of this function begin with, instead of the functions' own names.
    - `missing_key`: `"error"`, or `"skip"` to run without protection.
    - `on_concurrent`: `"error"`, so that the source tries again; or `"wait"` for the other's result.
    - `remember`: exceptions that are a result: a duplicate gets them again. All others release the key.
    - `on_replay`: called with a `Replay` for each duplicate that gets a stored result.
    - `lease_s`: a fixed lease instead of the invocation's remaining time.
    - `enabled`: False runs everything unprotected, as does HANDLERKIT_IDEMPOTENCY_DISABLED=1: for tests.
    - `write_every_ms`: in a batch, completions are written together, at its end or after this time.
    """

    __slots__ = (
        "enabled",
        "key",
        "lease_ms",
        "name",
        "on_replay",
        "payload",
        "remember",
        "skips_missing",
        "store",
        "ttl_s",
        "waits",
        "write_every_ms",
    )

    def __init__(
        self,
        store: Store,
        *,
        key: Callable[..., Any] | str | Extraction | None = None,
        payload: Callable[..., Any] | str | Extraction | None = None,
        ttl_s: int = DEFAULT_TTL_S,
        name: str | None = None,
        missing_key: str = "error",
        on_concurrent: str = "error",
        remember: tuple[type[Exception], ...] = (),
        on_replay: Callable[[Replay], object] | None = None,
        lease_s: float | None = None,
        enabled: bool = True,
        write_every_ms: int = 1000,
    ) -> None:
        for needed in ("claim", "complete", "release", "claim_many", "complete_many"):
            if not callable(getattr(store, needed, None)):
                raise TypeError(f"{store!r} is no store: it has no {needed}()")
        if missing_key not in ("error", "skip"):
            raise ValueError(f"missing_key={missing_key!r}: 'error' or 'skip'")
        if on_concurrent not in ("error", "wait"):
            raise ValueError(f"on_concurrent={on_concurrent!r}: 'error' or 'wait'")
        if ttl_s < 1 or ttl_s != int(ttl_s):
            raise ValueError(f"ttl_s={ttl_s!r}: whole seconds, at least 1")
        if lease_s is not None and not lease_s > 0:
            raise ValueError(f"lease_s={lease_s!r}: seconds, more than 0")
        if name is not None and not 0 < len(name.encode()) <= MAX_NAME_BYTES:
            raise ValueError(f"name={name[:50]!r}: 1 to {MAX_NAME_BYTES} bytes")
        remembered: tuple[Any, ...] = tuple(remember)
        if not all(isinstance(one, type) and issubclass(one, Exception) for one in remembered):
            raise TypeError(f"remember={remember!r}: a tuple of exception classes")
        self.store = store
        self.key = key
        self.payload = payload
        self.ttl_s = ttl_s
        self.name = name
        self.skips_missing = missing_key == "skip"
        self.waits = on_concurrent == "wait"
        self.remember = remembered
        self.on_replay = on_replay
        self.lease_ms = None if lease_s is None else int(lease_s * 1000)
        self.enabled = enabled
        self.write_every_ms = write_every_ms

    def __repr__(self) -> str:
        return f"Idempotency({self.store!r}, key={self.key!r})"

    def for_function(self, function: Callable[..., Any]) -> Guard:
        """What guards one function. Raises `TypeError` for a key that it cannot have."""
        from .execution import Guard
        from .extraction import argument_reader

        if self.key is None:
            raise TypeError("key= is missing: a callable, a parameter's name, or jmespath(...)")
        payload = None if self.payload is None else argument_reader(function, self.payload)
        return Guard(self, scope_of(function, self.name), argument_reader(function, self.key), payload)

    def for_records(self, function: Callable[..., Any]) -> BatchGuard:
        """What guards a function that is given the records of batches."""
        from .batch import BatchGuard

        return BatchGuard(self, function)


def scope_of(function: Callable[..., Any], name: str | None) -> str:
    """What the keys of a function begin with: no two functions share one, unless they are told to."""
    if name is not None:
        return name
    if getattr(function, "__name__", "") == "<lambda>":
        raise TypeError("a lambda shares its name with every other one, and so its keys: give Idempotency(name=...)")
    from os import environ

    code = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"
    deployed = environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    return f"{deployed}.{code}" if deployed else code

"""Records in Redis or Valkey: each step is one script, which the server runs by itself.

A record is a hash. The scripts take the time from the server, so machines' clocks do not matter. Redis forgets a
record when its time is over; one that evicts keys before (`maxmemory-policy` other than `noeviction`) forgets results,
and one that fails over may lose the last of them.
"""

from __future__ import annotations

from .errors import StoreError
from .records import Record
from .redis_scripts import CLAIM, COMPLETE, RELEASE, Script

__all__ = ["RedisStore"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .records import Claim, Completion, Release


class RedisStore:
    """`client` is a `redis.Redis` or `valkey.Valkey`; keys in the database begin with `prefix`.

    With `clock_ms` the scripts are given the time instead of asking the server.
    """

    waits = True
    # Redis takes 512 MB; a result of more than some MB would hold up everybody else.
    max_result_bytes: int | None = 8 * 1024 * 1024

    def __init__(self, client: Any, *, prefix: str = "idempotency:", clock_ms: Callable[[], int] | None = None) -> None:
        if not callable(getattr(client, "evalsha", None)) or not callable(getattr(client, "pipeline", None)):
            raise TypeError(f"{client!r} is no client: redis.Redis(...)")
        if type(client).__module__.partition(".")[2].startswith("asyncio"):
            raise TypeError("RedisStore takes the ordinary client; async functions call it in threads")
        self._client = client
        self._prefix = prefix
        self._clock_ms = clock_ms

    def __repr__(self) -> str:
        return f"RedisStore({self._client!r})"

    def claim(self, claim: Claim, /) -> Record:
        """See `Store`."""
        return self._claimed(claim, self._run(CLAIM, self._key(claim.key), self._claim_arguments(claim)))

    def complete(self, done: Completion, /) -> Record | None:
        """See `Store`."""
        return _record(done.key, self._run(COMPLETE, self._key(done.key), self._complete_arguments(done)))

    def release(self, release: Release, /) -> None:
        """See `Store`."""
        self._run(RELEASE, self._key(release.key), [release.owner])

    def claim_many(self, claims: Sequence[Claim], /) -> list[Record]:
        """See `Store`; all in one write and one read of the connection."""
        calls = [(CLAIM, self._key(one.key), self._claim_arguments(one)) for one in claims]
        return [self._claimed(one, row) for one, row in zip(claims, self._run_many(calls), strict=True)]

    def complete_many(self, done: Sequence[Completion], releases: Sequence[Release] = (), /) -> list[Record | None]:
        """See `Store`; all in one write and one read of the connection."""
        calls: list[tuple[Script, str, list[Any]]] = [
            (COMPLETE, self._key(one.key), self._complete_arguments(one)) for one in done
        ]
        calls += [(RELEASE, self._key(one.key), [one.owner]) for one in releases]
        rows = self._run_many(calls)
        return [_record(one.key, row) for one, row in zip(done, rows, strict=False)]

    def _key(self, key: str) -> str:
        return self._prefix + key

    def _now(self) -> int:
        return 0 if self._clock_ms is None else self._clock_ms()

    def _claim_arguments(self, claim: Claim) -> list[Any]:
        return [claim.owner, self._now(), claim.lease_ms, claim.ttl_s * 1000, claim.fingerprint]

    def _complete_arguments(self, done: Completion) -> list[Any]:
        return [done.owner, self._now(), done.ttl_s * 1000, done.result, done.fingerprint]

    def _claimed(self, claim: Claim, row: Any) -> Record:
        record = _record(claim.key, row)
        if record is None:
            raise StoreError(f"Redis: the claim of {claim.key} left no record")
        return record

    def _run(self, script: Script, key: str, arguments: list[Any]) -> Any:
        try:
            try:
                return self._client.evalsha(script.sha1, 1, key, *arguments)
            except Exception as error:
                if type(error).__name__ != "NoScriptError":
                    raise
                return self._client.eval(script.text, 1, key, *arguments)
        except Exception as error:
            raise _translated(error) from error

    def _run_many(self, calls: list[tuple[Script, str, list[Any]]]) -> list[Any]:
        if not calls:
            return []
        try:
            pipeline = self._client.pipeline(transaction=False)
            for script in {script.sha1: script for script, _, _ in calls}.values():
                pipeline.script_load(script.text)
            loads = len({script.sha1 for script, _, _ in calls})
            for script, key, arguments in calls:
                pipeline.evalsha(script.sha1, 1, key, *arguments)
            return list(pipeline.execute()[loads:])
        except Exception as error:
            raise _translated(error) from error


def _translated(error: Exception) -> StoreError:
    """Our error for what the client raises."""
    name = type(error).__name__
    unknown = name in ("ConnectionError", "TimeoutError", "BusyLoadingError") or isinstance(error, OSError)
    needed = " (the user needs EVALSHA, EVAL, SCRIPT LOAD, TIME, HMGET, HSET, PEXPIRE and DEL)"
    advice = needed if name in ("NoPermissionError", "AuthenticationError") else ""
    return StoreError(f"Redis: {name}: {error}{advice}", outcome_is_unknown=unknown)


def _record(key: str, row: Any) -> Record | None:
    if not row:
        return None
    owner, completed, lease, expires, data, fingerprint = (
        one.decode() if isinstance(one, bytes) else str(one) for one in row
    )
    return Record(
        key=key,
        owner=owner,
        is_completed=completed == "1",
        lease_until_ms=int(lease),
        expires_at_ms=int(expires),
        result=data,
        fingerprint=fingerprint,
    )

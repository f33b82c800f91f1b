"""One call under guard: claim, run, complete or release. The function runs only when its claim is known to stand.

`Guard` belongs to a function and is immutable; an `Attempt` belongs to one call and holds its owner token.
"""

from __future__ import annotations

from os import environ, urandom
from time import monotonic, sleep

from handlerkit.environ import idempotency_is_disabled

from .errors import AlreadyInProgressError, KeyMissingError, OwnershipLostError, PayloadMismatchError, StoreError
from .extraction import key_value
from .invocation import lease_ms, remaining_ms
from .keys import FINGERPRINT, fingerprint_of, key_text
from .options import Replay
from .records import Claim, Completion, Record, Release
from .results import encoded, encoded_exception, not_kept, restored

__all__ = ["Attempt", "Guard", "waiting_times_s"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from typing import Any

    from .options import Idempotency

# What a waiting duplicate leaves of its own time, to say so.
RESERVE_MS = 100
# Of a function called inside: whatever `remember` says, they are no result but pass.
PASSING = (StoreError, AlreadyInProgressError, OwnershipLostError)


class Guard:
    """A function's idempotency. `read` and `payload` are given what the function is given."""

    __slots__ = ("_payload", "_read", "options", "scope")

    def __init__(
        self, options: Idempotency, scope: str, read: Callable[..., Any], payload: Callable[..., Any] | None
    ) -> None:
        self.options = options
        self.scope = scope
        self._read = read
        self._payload = payload

    @property
    def reads_no_payload(self) -> bool:
        """Whether the payload is not looked at."""
        return self._payload is None

    def attempt(self, args: tuple[Any, ...], kwargs: dict[str, Any], context: Any) -> Attempt | None:
        """A new attempt; None if the call is to go unprotected, which the options must say. Raises `BadKeyError`."""
        options = self.options
        if not options.enabled or idempotency_is_disabled(environ):
            return None
        try:
            key = key_text(self.scope, key_value(self._read, args, kwargs))
        except KeyMissingError:
            if options.skips_missing:
                return None
            raise
        fingerprint = "" if self._payload is None else fingerprint_of(self._payload(*args, **kwargs))
        return Attempt(options, key, fingerprint, context)

    def run(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context: Any,
        call: Callable[[], Any],
        made_of: Callable[[Any], Any] | None = None,
    ) -> Any:
        """The result of `call()`, or of the execution that was first; `made_of` makes what is kept and returned of it.

        If `made_of` raises, the work is done nevertheless, and duplicates get `ResultNotKeptError`.
        """
        attempt = self.attempt(args, kwargs, context)
        if attempt is None:
            return call() if made_of is None else made_of(call())
        store = self.options.store
        record = store.claim(attempt.claim())
        if not attempt.owns(record):
            for pause_s in waiting_times_s(attempt, record):
                sleep(pause_s)
                record = store.claim(attempt.claim())
                if attempt.is_settled(record):
                    break
            if not attempt.owns(record):
                return attempt.replayed(record)
        try:
            result = self.finished(call())
        except BaseException as error:
            attempt.after_failure(error)
            raise
        if made_of is not None:
            try:
                result = made_of(result)
            except Exception as error:
                attempt.after_unusable_result(error)
                raise
        return attempt.after_success(result)

    def finished(self, result: Any) -> Any:
        """The result, if the work behind it is done. Raises `TypeError` for what would have to be awaited."""
        if not hasattr(result, "__await__"):
            return result
        if hasattr(result, "close"):
            result.close()  # no warning of something never awaited: the error says it
        raise TypeError(f"{self.scope} returned something to await: only `async def` functions can be guarded so")

    async def run_async(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context: Any,
        call: Callable[[], Awaitable[Any]],
        made_of: Callable[[Any], Any] | None = None,
    ) -> Any:
        """The same for a function that is awaited; the store's waiting is done in threads."""
        from asyncio import sleep as pause  # late: asyncio costs 30 ms

        from .threads import claimed, settled

        attempt = self.attempt(args, kwargs, context)
        if attempt is None:
            return await call() if made_of is None else made_of(await call())
        store = self.options.store
        record = await claimed(store, attempt)
        if not attempt.owns(record):
            for pause_s in waiting_times_s(attempt, record):
                await pause(pause_s)
                record = await claimed(store, attempt)
                if attempt.is_settled(record):
                    break
            if not attempt.owns(record):
                return attempt.replayed(record)
        try:
            result = await call()
        except BaseException as error:
            await settled(store, attempt.after_failure, error)
            raise
        if made_of is not None:
            try:
                result = made_of(result)
            except Exception as error:
                await settled(store, attempt.after_unusable_result, error)
                raise
        return await settled(store, attempt.after_success, result)


class Attempt:
    """One call's own: its key, its owner token, and what follows from how the record stands."""

    __slots__ = ("_options", "context", "fingerprint", "key", "owner")

    def __init__(self, options: Idempotency, key: str, fingerprint: str, context: Any) -> None:
        self._options = options
        self.key = key
        self.owner = urandom(16).hex()
        self.fingerprint = fingerprint
        self.context = context

    def claim(self) -> Claim:
        """What is asked of the store; the lease counts from now."""
        options = self._options
        lease = lease_ms(self.context, options.lease_ms)
        return Claim(key=self.key, owner=self.owner, lease_ms=lease, ttl_s=options.ttl_s, fingerprint=self.fingerprint)

    def owns(self, record: Record) -> bool:
        """Whether the claim was granted."""
        return record.is_owned_by(self)

    def is_settled(self, record: Record) -> bool:
        """Whether there is nothing to wait for."""
        return record.is_completed or self.owns(record)

    @property
    def may_wait(self) -> bool:
        """Whether a concurrent duplicate waits for the other's result."""
        return self._options.waits

    def left_ms(self) -> int:
        """How long this call may go on."""
        left = remaining_ms(self.context)
        return lease_ms(self.context, self._options.lease_ms) if left is None else left

    def replayed(self, record: Record) -> Any:
        """What a duplicate gets. Raises what stands in its way, or the exception that is remembered."""
        self.refuse_other_payload(record.fingerprint)
        if not record.is_completed:
            from .store import now_ms

            raise AlreadyInProgressError(self.key, max(0, record.lease_until_ms - now_ms()))
        return self.replay_of(record.result)

    def replay_of(self, text: str) -> Any:
        """A stored result, told to the hook. Raises the exception that is remembered, `ResultNotKeptError`, ..."""
        result = restored(self.key, text)
        if self._options.on_replay is not None:
            self._options.on_replay(Replay(self.key, result))
        return result

    def refuse_other_payload(self, theirs: str) -> None:
        """Raises `PayloadMismatchError`; what another tool wrote is not compared."""
        mine = self.fingerprint
        if mine and theirs.startswith(FINGERPRINT) and mine != theirs:
            raise PayloadMismatchError(self.key)

    def completion(self, result: Any) -> Completion:
        """The completion with this result, or, if that cannot be kept, with the reason. Raises nothing: it is done."""
        limit = self._options.store.max_result_bytes
        try:
            text = encoded(result)
        except Exception as error:  # noqa: BLE001  # of the result's own classes; the work is done whatever it is
            text = not_kept(str(error) or type(error).__name__)
        else:
            if limit is not None and len(text) * 4 > limit and (size := len(text.encode())) > limit:
                text = not_kept(f"it takes {size:,} bytes, and the store keeps {limit:,}")
        return self._completed(text)

    def completion_of(self, error: BaseException) -> Completion | None:
        """The completion with this exception, if it is one to be remembered."""
        if not isinstance(error, self._options.remember) or isinstance(error, PASSING):
            return None
        return self._completed(encoded_exception(error))

    def as_if_recorded(self, done: Completion) -> Record:
        """The record that there would be, had it been possible to write it: the work is done, and its result counts."""
        return Record(
            key=self.key, owner=self.owner, is_completed=True, lease_until_ms=0, expires_at_ms=0, result=done.result
        )

    def release(self) -> Release:
        """The opposite of the claim."""
        return Release(key=self.key, owner=self.owner)

    def after_success(self, result: Any) -> Any:
        """Write the completion. The result that counts: this one, or another's that took over and was done first."""
        try:
            record = self.complete(self.completion(result))
        except StoreError as error:
            unrecorded(self.key, error)
            return result
        return self.after_completion(record, result)

    def after_unusable_result(self, error: Exception) -> None:
        """Write that the work is done, though nothing can be made of its result. Raises nothing: the error goes on."""
        try:
            self.complete(self._completed(not_kept(f"{type(error).__name__}: {error}")))
        except StoreError as trouble:
            unrecorded(self.key, trouble)

    def complete(self, done: Completion) -> Record | None:
        """Write a completion; if the store refuses it, one without the result. Raises `StoreError`."""
        store = self._options.store
        try:
            return store.complete(done)
        except StoreError as error:
            if error.outcome_is_unknown:
                raise
            return store.complete(self._completed(not_kept(f"the store refused it: {error}")))

    def after_completion(self, record: Record | None, result: Any) -> Any:
        """The result that counts. Raises `OwnershipLostError` while another execution has the key."""
        if record is not None and record.is_completed:
            return result if self.owns(record) else restored(self.key, record.result)
        raise OwnershipLostError(self.key)

    def after_failure(self, error: BaseException) -> None:
        """Release the key, or remember the exception. Raises nothing: the function's own exception goes on."""
        try:
            remembered = self.completion_of(error)
            if remembered is not None:
                self.complete(remembered)
            else:
                self._options.store.release(self.release())
        except StoreError as trouble:
            unreleased(self.key, trouble)

    def _completed(self, text: str) -> Completion:
        return Completion(
            key=self.key, owner=self.owner, result=text, ttl_s=self._options.ttl_s, fingerprint=self.fingerprint
        )


def waiting_times_s(attempt: Attempt, record: Record) -> Iterator[float]:
    """Pauses between claims while another has the key and there is time; none if the call is not to wait."""
    if not attempt.may_wait or record.is_completed:
        return
    attempt.refuse_other_payload(record.fingerprint)
    end_s = monotonic() + (attempt.left_ms() - RESERVE_MS) / 1000
    pause_s = 0.02
    while (left_s := end_s - monotonic()) > 0:
        yield min(pause_s, left_s)
        pause_s = min(pause_s * 1.6, 1.0)


def unrecorded(key: str, error: StoreError) -> None:
    """Say that the work is done and nobody will know: the limit of what a store beside the effect can do."""
    from logging import getLogger  # late: only when it has to be said

    getLogger("handlerkit.idempotency").error(
        "%s is done, but that could not be written: a duplicate after the lease will do it again (%s)", key, error
    )


def unreleased(key: str, error: StoreError) -> None:
    """Say that a key stays locked until its lease is over."""
    from logging import getLogger  # late: as above

    getLogger("handlerkit.idempotency").warning("%s failed and stays locked until its lease is over (%s)", key, error)

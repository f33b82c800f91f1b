"""`@idempotent`: what runs, what a duplicate gets, and each way in which the best-known library goes wrong."""

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, get_ident
from typing import Any

import pytest

from handlerkit import batch_handler, custom_resource, event_handler, http_handler, metrics, traced
from handlerkit.idempotency import (
    AlreadyInProgressError,
    BadKeyError,
    Claim,
    Completion,
    Idempotency,
    KeyMissingError,
    MemoryStore,
    OwnershipLostError,
    PayloadMismatchError,
    Record,
    Release,
    RememberedError,
    Replay,
    ResultNotKeptError,
    Store,
    StoreError,
    idempotent,
    jmespath,
)
from handlerkit.idempotency.execution import waiting_times_s
from handlerkit.idempotency.invocation import SKEW_MS
from handlerkit.idempotency.store import now_ms
from handlerkit.scope import Opened
from handlerkit.testing import FakeContext

from .stores_under_test import Clock


class FailingStore(MemoryStore):
    """Fails at one step, before or after its effect."""

    def __init__(self, step: str, *, after: bool = False) -> None:
        super().__init__()
        self.step = step
        self.after = after

    def claim(self, claim: Claim, /) -> Record:
        record: Record = self._fail("claim", lambda: MemoryStore.claim(self, claim))
        return record

    def complete(self, done: Completion, /) -> Record | None:
        record: Record | None = self._fail("complete", lambda: MemoryStore.complete(self, done))
        return record

    def release(self, release: Release, /) -> None:
        self._fail("release", lambda: MemoryStore.release(self, release))

    def _fail(self, step: str, call: Callable[[], Any]) -> Any:
        if step != self.step:
            return call()
        if self.after:
            call()
        raise StoreError("no answer")


def test_a_duplicate_gets_the_first_result_and_runs_nothing(store: Store) -> None:
    runs: list[str] = []

    @idempotent(store, key="order_id")
    def place(order_id: str, *, quantity: int = 1) -> dict[str, Any]:
        runs.append(order_id)
        return {"order": order_id, "quantity": quantity, "run": len(runs)}

    assert place("o-1") == place("o-1", quantity=2) == {"order": "o-1", "quantity": 1, "run": 1}
    assert place("o-2")["run"] == 2
    assert runs == ["o-1", "o-2"]


def test_a_coroutine_function_is_awaited_and_replayed(store: Store) -> None:
    runs: list[str] = []

    @idempotent(store, key=lambda order: order["id"])
    async def place(order: dict[str, str]) -> int:
        runs.append(order["id"])
        await asyncio.sleep(0)
        return len(runs)

    async def twice() -> list[int]:
        return [await place({"id": "o-1"}), await place({"id": "o-1"})]

    assert asyncio.run(twice()) == [1, 1]
    assert len(runs) == 1


def test_an_event_loop_never_waits_for_a_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    for step in ("claim", "complete", "release"):

        def noted(*arguments: Any, call: Callable[..., Any] = getattr(store, step)) -> Any:
            threads.append(get_ident())
            return call(*arguments)

        monkeypatch.setattr(store, step, noted)

    @idempotent(store, key="key")
    async def work(key: str) -> None:
        if key == "bad":
            raise ValueError

    asyncio.run(work("k"))
    with pytest.raises(ValueError):
        asyncio.run(work("bad"))
    assert len(threads) == 4
    assert (get_ident() in threads) is isinstance(store, MemoryStore)  # which has nothing to wait for


def test_a_failed_coroutine_can_be_tried_again(store: Store) -> None:
    failures = [ValueError("first")]

    @idempotent(store, key="key")
    async def work(key: str) -> str:
        if failures:
            raise failures.pop()
        return "done"

    with pytest.raises(ValueError, match="first"):
        asyncio.run(work("k"))
    assert asyncio.run(work("k")) == "done"


def test_methods_are_guarded_with_their_instance_left_alone() -> None:
    class Shop:
        def __init__(self) -> None:
            self.placed: list[str] = []

        @idempotent(MemoryStore(), key="order_id", name="shop")
        def place(self, order_id: str) -> int:
            self.placed.append(order_id)
            return len(self.placed)

        @classmethod
        @idempotent(MemoryStore(), key=jmespath("id"))
        def check(cls, order: dict[str, str]) -> str:
            return f"{cls.__name__} {order['id']}"

    shop = Shop()
    assert (shop.place("o-1"), shop.place("o-1"), shop.place("o-2")) == (1, 1, 2)
    assert Shop.check({"id": "o-1"}) == "Shop o-1"
    assert shop.place.__name__ == "place"


@pytest.mark.parametrize("result", [None, 0, 0.0, False, "", [], {}, (), set()])
def test_a_falsy_result_is_replayed_as_itself(result: Any) -> None:
    runs = []

    @idempotent(MemoryStore(), key="key")
    def work(key: str) -> Any:
        runs.append(key)
        return result

    first, second = work("k"), work("k")
    assert (first, type(first)) == (second, type(second)) == (result, type(result))
    assert len(runs) == 1


def test_nested_functions_on_one_store_do_not_mix_their_keys() -> None:
    store = MemoryStore()

    @idempotent(store, key="key")
    def inner(key: str) -> str:
        return "inner"

    @idempotent(store, key="key")
    def outer(key: str) -> str:
        return f"outer of {inner(key)}"

    assert [outer("k"), outer("k"), inner("k")] == ["outer of inner", "outer of inner", "inner"]
    assert len(store) == 2
    assert all(record.is_completed for record in store._records.values())


def test_threaded_functions_on_one_store_do_not_mix_their_keys() -> None:
    store = MemoryStore()

    def made(name: str) -> Callable[[int], str]:
        @idempotent(store, key="number", name=name)
        def work(number: int) -> str:
            return f"{name} {number}"

        return work

    functions = {name: made(name) for name in ("a", "b", "c")}
    calls = [(name, number) for number in range(50) for name in functions]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda call: functions[call[0]](call[1]), calls * 2, timeout=60))
    assert results[len(calls) :] == [f"{name} {number}" for name, number in calls]
    assert len(store) == len(calls)


def test_each_function_on_a_shared_store_has_its_own_options() -> None:
    store = MemoryStore()
    runs = []

    @idempotent(store, key="a")
    def first(a: str) -> None:
        runs.append("first")

    @idempotent(store, key=jmespath("b.c"))
    def second(event: dict[str, Any]) -> None:
        runs.append("second")

    first("x")
    second({"b": {"c": 1}})
    second({"b": {"c": 1}, "other": 2})
    with pytest.raises(KeyMissingError):
        second({"b": {}})
    assert runs == ["first", "second"]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (None, "the key is missing: it is None"),
        ("", "the key is missing: it is ''"),
        ([], "the key is missing: it is []"),
        (["u-1", None], "a part of the key is missing: [1]"),
        ({"user": "u-1", "order": None}, "a part of the key is missing: ['order']"),
        (("u-1", {"a": [""]}), "a part of the key is missing: [1]['a'][0]"),
    ],
)
def test_a_missing_key_or_part_of_one_is_an_error_and_nothing_runs(key: Any, told: str) -> None:
    @idempotent(MemoryStore(), key="key")
    def work(key: Any) -> None:
        raise AssertionError("ran")

    with pytest.raises(KeyMissingError, match=re.escape(told)):
        work(key)


def test_a_key_that_cannot_be_found_is_an_error_with_its_cause() -> None:
    @idempotent(MemoryStore(), key=lambda event: event["id"])
    def work(event: dict[str, str]) -> None:
        raise AssertionError("ran")

    with pytest.raises(KeyMissingError, match="KeyError") as caught:
        work({})
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_missing_key_runs_unprotected_only_if_that_was_chosen() -> None:
    runs = []
    store = MemoryStore()

    @idempotent(store, key="key", missing_key="skip")
    def work(key: Any) -> None:
        runs.append(key)

    work(None)
    work(None)
    assert len(runs) == 2
    assert len(store) == 0


@pytest.mark.parametrize("key", [float("nan"), float("inf"), object(), {"a": {1: object()}}])
def test_a_key_without_a_stable_form_is_an_error_and_nothing_runs(key: Any) -> None:
    @idempotent(MemoryStore(), key="key")
    def work(key: Any) -> None:
        raise AssertionError("ran")

    with pytest.raises(BadKeyError):
        work(key)


def test_a_huge_key_makes_a_record_key_of_the_same_length_as_any_other() -> None:
    store = MemoryStore()

    @idempotent(store, key="key", name="n")
    def work(key: str) -> int:
        return len(key)

    assert work("x" * 1_000_000) == 1_000_000
    assert [len(key) for key in store._records] == [2 + 64]


def test_a_key_that_is_used_again_with_another_payload_is_refused(store: Store) -> None:
    @idempotent(store, key="order_id", payload=lambda order_id, amount: amount)
    def place(order_id: str, amount: int) -> int:
        return amount

    assert place("o-1", 5) == place("o-1", 5) == 5
    with pytest.raises(PayloadMismatchError, match="another payload"):
        place("o-1", 6)


def test_a_concurrent_duplicate_is_an_error_so_that_the_source_tries_again() -> None:
    @idempotent(MemoryStore(), key="key")
    def work(key: str, again: bool) -> None:
        if again:
            work(key, False)

    with pytest.raises(AlreadyInProgressError, match="being executed elsewhere"):
        work("k", True)


def test_a_concurrent_duplicate_may_wait_for_the_others_result() -> None:
    entered, go_on = Event(), Event()

    @idempotent(MemoryStore(), key="key", on_concurrent="wait")
    def work(key: str) -> str:
        entered.set()
        assert go_on.wait(30)
        return "once"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(work, "k")
        assert entered.wait(30)
        second = pool.submit(work, "k")
        go_on.set()
        assert (first.result(30), second.result(30)) == ("once", "once")


def test_a_waiting_duplicate_runs_itself_when_the_other_fails() -> None:
    entered, go_on = Event(), Event()
    runs = []

    @idempotent(MemoryStore(), key="key", on_concurrent="wait")
    def work(key: str) -> str:
        runs.append(key)
        if len(runs) == 1:
            entered.set()
            assert go_on.wait(30)
            raise ValueError("first")
        return "second"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(work, "k")
        assert entered.wait(30)
        second = pool.submit(work, "k")
        go_on.set()
        assert isinstance(first.exception(30), ValueError)
        assert second.result(30) == "second"


@pytest.mark.parametrize(("slow_ms", "left_ms"), [(0, 60_000), (59_000, 1_000), (3_600_000, 0)])
def test_a_refused_duplicate_is_told_how_long_the_other_may_run(slow_ms: int, left_ms: int) -> None:
    now = now_ms()
    store = MemoryStore(clock_ms=lambda: now - slow_ms)  # of another machine
    guard = Idempotency(store, key="key", name="n").for_function(lambda key: None)
    attempt = guard.attempt(("k",), {}, None)
    assert attempt is not None
    store.claim(Claim(key=attempt.key, owner="other", lease_ms=60_000, ttl_s=60))
    with pytest.raises(AlreadyInProgressError) as caught:
        guard.run(("k",), {}, None, lambda: None)
    passed_ms = now_ms() - now
    assert max(0, left_ms - passed_ms) <= caught.value.lease_left_ms <= left_ms


class BusyStore(MemoryStore):
    """Another execution has every key; at the third claim of a duplicate it is done, or has failed."""

    def __init__(self, other_fails: bool) -> None:
        super().__init__()
        self.other_fails = other_fails
        self.claims = 0

    def claim(self, claim: Claim, /) -> Record:
        self.claims += 1
        if self.claims == 1:
            super().claim(Claim(key=claim.key, owner="other", lease_ms=60_000, ttl_s=60))
        if self.claims == 3 and self.other_fails:
            self.release(Release(key=claim.key, owner="other"))
        elif self.claims == 3:
            self.complete(Completion(key=claim.key, owner="other", result='"theirs"', ttl_s=60))
        return super().claim(claim)


@pytest.mark.parametrize(("other_fails", "result"), [(False, "theirs"), (True, "ours")])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_waiting_duplicate_asks_until_the_other_is_decided_and_no_longer(
    is_async: bool, other_fails: bool, result: str
) -> None:
    store = BusyStore(other_fails)

    def work(key: str) -> str:
        return "ours"

    async def work_async(key: str) -> str:
        return "ours"

    guarded: Any = idempotent(store, key="key", on_concurrent="wait", lease_s=20)(work_async if is_async else work)
    found = asyncio.run(guarded("k")) if is_async else guarded("k")
    assert (found, store.claims) == (result, 3)


def test_a_waiting_duplicate_asks_more_and_more_rarely_until_a_tenth_of_a_second_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 100.0
    monkeypatch.setattr("handlerkit.idempotency.execution.monotonic", lambda: now_s)
    guard = Idempotency(MemoryStore(), key="key", name="n", on_concurrent="wait").for_function(lambda key: None)
    attempt = guard.attempt(("k",), {}, FakeContext(remaining_ms=10_000))
    assert attempt is not None
    others = Record(key=attempt.key, owner="other", is_completed=False, lease_until_ms=1, expires_at_ms=1)
    pauses_s = []
    for pause_s in waiting_times_s(attempt, others):
        pauses_s.append(pause_s)
        now_s += pause_s
    assert pauses_s[:3] == pytest.approx([0.02, 0.032, 0.0512])
    assert max(pauses_s) == 1.0
    assert now_s == pytest.approx(109.9, abs=0.01)


def test_a_waiting_duplicate_gives_up_before_its_own_time_is_over() -> None:
    store = MemoryStore()
    store.claim(Claim(key="n#x", owner="other", lease_ms=60_000, ttl_s=60))
    guard = Idempotency(store, key="key", name="n", on_concurrent="wait").for_function(lambda key: None)
    attempt = guard.attempt(("k",), {}, None)
    assert attempt is not None
    store.claim(Claim(key=attempt.key, owner="other", lease_ms=60_000, ttl_s=60))
    with pytest.raises(AlreadyInProgressError):
        guard.run(("k",), {}, FakeContext(remaining_ms=150), lambda: None)

    async def waiting() -> None:
        await guard.run_async(("k",), {}, FakeContext(remaining_ms=150), lambda: asyncio.sleep(0))

    with pytest.raises(AlreadyInProgressError):
        asyncio.run(waiting())


def test_an_exception_releases_the_key_unless_it_is_to_be_remembered(store: Store) -> None:
    class Busy(Exception):
        pass

    runs = []

    @idempotent(store, key="key", remember=(ZeroDivisionError,))
    def work(key: str) -> None:
        runs.append(key)
        raise Busy if len(runs) == 1 else ZeroDivisionError("by", 0)

    with pytest.raises(Busy):
        work("k")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError) as caught:
            work("k")
        assert caught.value.args == ("by", 0)
    assert len(runs) == 2


def test_a_remembered_exception_of_an_unknown_class_says_what_it_said() -> None:
    class Declined(Exception):
        pass

    @idempotent(MemoryStore(), key="key", remember=(Declined,))
    def work(key: str) -> None:
        raise Declined("no funds")

    with pytest.raises(Declined):
        work("k")
    with pytest.raises(RememberedError, match="Declined: no funds"):
        work("k")


@pytest.mark.parametrize("after", [False, True])
def test_the_function_does_not_run_when_the_claim_is_unknown(after: bool) -> None:
    runs = []

    @idempotent(FailingStore("claim", after=after), key="key")
    def work(key: str) -> None:
        runs.append(key)

    @idempotent(FailingStore("claim", after=after), key="key")
    async def work_async(key: str) -> None:
        runs.append(key)

    with pytest.raises(StoreError):
        work("k")
    with pytest.raises(StoreError):
        asyncio.run(work_async("k"))
    assert runs == []


def test_work_that_is_done_is_not_failed_by_a_completion_that_cannot_be_written(caplog: Any) -> None:
    @idempotent(FailingStore("complete"), key="key")
    def work(key: str) -> str:
        return "done"

    with caplog.at_level(logging.ERROR):
        assert work("k") == "done"
    assert "is done, but that could not be written" in caplog.text


def test_the_functions_own_exception_survives_a_release_that_fails(caplog: Any) -> None:
    @idempotent(FailingStore("release"), key="key")
    def work(key: str) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        work("k")
    assert "stays locked" in caplog.text


class Opaque:
    pass


def test_a_result_that_has_no_stored_form_does_not_make_the_work_run_again() -> None:
    runs = []

    @idempotent(MemoryStore(), key="key")
    def work(key: str) -> Opaque:
        runs.append(key)
        return Opaque()

    assert isinstance(work("k"), Opaque)
    with pytest.raises(ResultNotKeptError, match="has no stored form"):
        work("k")
    assert len(runs) == 1


@pytest.mark.parametrize("is_async", [False, True])
def test_work_of_whose_result_nothing_can_be_made_is_done_nevertheless(is_async: bool) -> None:
    guard = Idempotency(MemoryStore(), key="key", name="n").for_function(lambda key: None)
    runs = []

    def work() -> str:
        runs.append(1)
        return "result"

    async def work_async() -> str:
        return work()

    def made_of(result: str) -> str:
        raise LookupError("no document")

    def call() -> Any:
        if is_async:
            return asyncio.run(guard.run_async(("k",), {}, None, work_async, made_of))
        return guard.run(("k",), {}, None, work, made_of)

    with pytest.raises(LookupError, match="no document"):
        call()
    with pytest.raises(ResultNotKeptError, match="LookupError: no document"):
        call()
    assert runs == [1]


def test_a_result_of_hundreds_of_kilobytes_is_kept_by_every_store(store: Store) -> None:
    runs = []

    @idempotent(store, key="key")
    def work(key: str) -> str:
        runs.append(key)
        return "x" * 390_000

    assert work("k") == work("k") == "x" * 390_000
    assert runs == ["k"]


@pytest.mark.parametrize(("limit", "is_kept"), [(102, True), (101, False), (81, False)])
def test_a_result_is_measured_in_bytes_and_not_in_characters(limit: int, is_kept: bool) -> None:
    store = MemoryStore()
    store.max_result_bytes = limit
    work = idempotent(store, key="key")(_faces)
    assert work("k") == _faces("k")
    if is_kept:
        assert work("k") == _faces("k")
    else:
        with pytest.raises(ResultNotKeptError, match=f"it takes 102 bytes, and the store keeps {limit}"):
            work("k")


def _faces(key: str) -> str:
    return "\N{GRINNING FACE}" * 25  # 4 bytes each, and two quotation marks


def test_a_result_that_is_too_large_for_the_store_does_not_make_the_work_run_again(store: Store) -> None:
    limit = store.max_result_bytes or 100_000_000
    if limit > 1_000_000:
        return  # nothing that a function may return is too large
    runs = []

    @idempotent(store, key="key")
    def work(key: str, size: int) -> str:
        runs.append(key)
        return "ü" * (size // 2)

    assert len(work("k", limit)) == limit // 2
    with pytest.raises(ResultNotKeptError, match="the store keeps 400,000"):
        work("k", limit)
    assert work("fits", limit - 2) == work("fits", limit - 2)
    assert len(runs) == 2


def test_an_execution_that_was_taken_over_returns_the_result_that_counts(clock: Clock) -> None:
    store = MemoryStore(clock_ms=clock)
    runs: list[int] = []

    @idempotent(store, key="key", lease_s=10)
    def work(key: str) -> str:
        runs.append(1)
        if len(runs) == 1:
            clock.move(10_000)
            assert work(key) == "newer"
            return "older"
        return "newer"

    assert work("k") == "newer"
    assert work("k") == "newer"
    assert len(runs) == 2


def test_an_execution_that_was_taken_over_fails_while_the_newer_one_runs(clock: Clock) -> None:
    store = MemoryStore(clock_ms=clock)
    guard = Idempotency(store, key="key", name="n", lease_s=10).for_function(lambda key: None)

    def slow() -> str:
        clock.move(10_000)
        attempt = guard.attempt(("k",), {}, None)
        assert attempt is not None
        assert attempt.owns(store.claim(attempt.claim()))
        return "older"

    with pytest.raises(OwnershipLostError, match="taken over"):
        guard.run(("k",), {}, None, slow)


def test_the_lease_is_the_invocations_remaining_time_wherever_the_context_is(clock: Clock) -> None:
    store = MemoryStore(clock_ms=clock)
    leases: list[int] = []

    @idempotent(store, key="key")
    def work(key: str, context: Any = None) -> None:
        leases.extend(record.lease_until_ms - clock() for record in store._records.values() if not record.is_completed)

    context = FakeContext(remaining_ms=5_000)
    work("argument", context)
    work("keyword", context=context)
    with Opened(work, None, context):
        work("around")
    work("nowhere")
    assert [SKEW_MS + 4_000 < lease <= SKEW_MS + 5_000 for lease in leases] == [True, True, True, False]
    assert leases[3] == 900_000


def test_lambdas_need_a_name_for_their_keys() -> None:
    with pytest.raises(TypeError, match="give Idempotency"):
        idempotent(MemoryStore(), key=str)(lambda number: number)
    named: Callable[[int], int] = idempotent(MemoryStore(), key=str, name="double")(lambda number: 2 * number)
    assert named(2) == 4


def test_what_passes_is_not_remembered_whatever_was_said() -> None:
    """A nested function whose key is busy, or whose store is out of reach, has not failed for good."""
    store, inner_store = MemoryStore(), FailingStore("claim")

    @idempotent(inner_store, key="key")
    def inner(key: str) -> str:
        return "inner"

    @idempotent(store, key="key", remember=(Exception,))
    def outer(key: str) -> str:
        return inner(key)

    with pytest.raises(StoreError):
        outer("k")
    inner_store.step = ""
    busy = Claim(key="", owner="other", lease_ms=60_000, ttl_s=60)
    attempt = Idempotency(inner_store, key="key").for_function(inner).attempt(("k",), {}, None)
    assert attempt is not None
    busy.key = attempt.key
    inner_store.claim(busy)
    with pytest.raises(AlreadyInProgressError):
        outer("k")
    inner_store.release(Release(key=attempt.key, owner="other"))
    assert outer("k") == "inner"


def test_half_an_emoji_in_an_exceptions_words_or_a_reason_is_kept(store: Store) -> None:
    class Odd:
        pass

    Odd.__qualname__ = "half \ud83d"
    runs: list[str] = []

    @idempotent(store, key="key", remember=(ValueError,))
    def work(key: str) -> Any:
        runs.append(key)
        if key == "raises":
            raise ValueError("half \ud83d")
        return Odd()

    for _ in range(2):
        with pytest.raises(ValueError, match="half \ud83d"):
            work("raises")
    assert type(work("odd")).__qualname__ == "half \ud83d"
    with pytest.raises(ResultNotKeptError, match="half \ud83d"):
        work("odd")
    assert runs == ["raises", "odd"]


def test_a_hook_is_told_of_replays() -> None:
    seen: list[Replay] = []

    @idempotent(MemoryStore(), key="key", on_replay=seen.append)
    def work(key: str) -> int:
        return 5

    work("k")
    assert not seen
    work("k")
    assert [(one.result, one.key[-66:-64]) for one in seen] == [(5, "k#")]


@pytest.mark.parametrize("switch", ["option", "environment"])
def test_it_can_be_switched_off_for_tests(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    store = MemoryStore()
    if switch == "environment":
        monkeypatch.setenv("HANDLERKIT_IDEMPOTENCY_DISABLED", "1")

    @idempotent(store, key="key", enabled=switch != "option")
    def work(key: str) -> None:
        runs.append(key)

    @idempotent(store, key="key", enabled=switch != "option")
    async def work_async(key: str) -> None:
        runs.append(key)

    work("k")
    work("k")
    asyncio.run(work_async("k"))
    assert len(runs) == 3
    assert len(store) == 0


def test_a_function_that_returns_something_to_await_is_refused_and_the_key_released() -> None:
    store = MemoryStore()

    async def later() -> None:
        raise AssertionError("ran")

    @idempotent(store, key="key")
    def work(key: str) -> Any:
        return later()

    with pytest.raises(TypeError, match="only `async def`"):
        work("k")
    assert len(store) == 0


def test_a_cancelled_coroutine_releases_its_key() -> None:
    store = MemoryStore()

    @idempotent(store, key="key")
    async def work(key: str) -> None:
        await asyncio.sleep(60)

    async def cancelled() -> None:
        task = asyncio.create_task(work("k"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert len(store) == 0


def test_what_cannot_be_is_refused_where_it_is_written() -> None:
    store = MemoryStore()

    def function(order: str) -> None:
        pass

    def generator(order: str) -> Any:
        yield order

    wrong: list[tuple[dict[str, Any], Any, str]] = [
        ({"key": "ordr"}, function, "did you mean 'order'"),
        ({"key": "x"}, function, "it has order"),
        ({}, function, "key= is missing"),
        ({"key": 5}, function, "a callable"),
        ({"key": "order"}, generator, "generator"),
        ({"key": "order"}, staticmethod(function), "put @staticmethod above"),
        ({"key": jmespath("a"), "name": "n"}, lambda: None, "takes nothing"),
    ]
    for options, one, said in wrong:
        with pytest.raises(TypeError, match=said):
            idempotent(store, **options)(one)
    values: list[tuple[dict[str, Any], str]] = [
        ({"missing_key": "ignore"}, "missing_key"),
        ({"on_concurrent": "run"}, "on_concurrent"),
        ({"ttl_s": 0}, "ttl_s"),
        ({"lease_s": 0}, "lease_s"),
        ({"name": "x" * 501}, "name"),
    ]
    for options, said in values:
        with pytest.raises(ValueError, match=said):
            Idempotency(store, key="order", **options)
    with pytest.raises(TypeError, match="remember"):
        Idempotency(store, key="order", remember=("ValueError",))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="is no store"):
        Idempotency({}, key="order")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not to both"):
        idempotent(Idempotency(store, key="order"), key="order")


@pytest.mark.parametrize(
    "handler",
    [
        event_handler(lambda event: event),
        batch_handler(lambda record: None),
        http_handler(lambda: None),
        custom_resource(lambda event: None),
        traced(event_handler(lambda event: event)),
        metrics.timer("taken")(event_handler(lambda event: event)),
    ],
    ids=repr,
)
def test_a_handler_is_refused_for_its_events_are_not_read_yet(handler: Any) -> None:
    with pytest.raises(TypeError, match="put it under the handler's decorator, or give that one idempotency="):
        idempotent(MemoryStore(), key=lambda event: event["id"], name="work")(handler)


def test_under_a_handler_the_key_is_found_in_the_event_that_is_read() -> None:
    runs: list[int] = []

    @event_handler
    @idempotent(MemoryStore(), key=lambda order: order["id"])
    def work(order: dict[str, str]) -> int:
        runs.append(1)
        return len(runs)

    assert work.__lambda_raw__(b'{"id": "a"}', FakeContext()) == b"1"
    assert work.__lambda_raw__(b'{"id":"a","again":"1"}', FakeContext()) == b"1"
    assert runs == [1]


def test_a_claim_that_is_granted_after_its_coroutine_was_cancelled_is_released() -> None:
    entered, go_on, released = Event(), Event(), Event()

    class Slow(MemoryStore):
        waits = True

        def claim(self, claim: Claim, /) -> Record:
            entered.set()
            assert go_on.wait(30)
            return super().claim(claim)

        def release(self, release: Release, /) -> None:
            super().release(release)
            released.set()

    store = Slow()

    @idempotent(store, key="key")
    async def work(key: str) -> None:
        raise AssertionError("ran")

    async def cancelled() -> None:
        task = asyncio.create_task(work("k"))
        await asyncio.to_thread(entered.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert await asyncio.to_thread(released.wait, 30)

    asyncio.run(cancelled())
    assert len(store) == 0


def test_a_coroutine_cancelled_at_any_moment_of_its_claim_or_its_work_releases_its_key() -> None:
    store = MemoryStore()
    store.waits = True

    @idempotent(store, key="key")
    async def work(key: str) -> None:
        await asyncio.sleep(60)

    async def cancelled() -> None:
        task = asyncio.create_task(work("k"))
        while not len(store):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(store) == 0

    asyncio.run(cancelled())

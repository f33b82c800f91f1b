"""What every store must do: the state machine, by claims, completions and releases."""

from threading import Barrier, Thread

import pytest

from handlerkit.idempotency import Claim, Completion, Release, Store

from .stores_under_test import Clock

LEASE_MS = 10_000
TTL_S = 60


def claim(key: str = "k", owner: str = "a", **changes: object) -> Claim:
    values: dict[str, object] = {"lease_ms": LEASE_MS, "ttl_s": TTL_S, **changes}
    return Claim(key=key, owner=owner, **values)  # type: ignore[arg-type]


def completion(key: str = "k", owner: str = "a", result: str = "1") -> Completion:
    return Completion(key=key, owner=owner, result=result, ttl_s=TTL_S)


def is_done(store: Store, done: Completion) -> bool:
    record = store.complete(done)
    return record is not None and record.is_completed and record.is_owned_by(done)


def test_the_first_claim_is_granted_and_the_second_is_not(store: Store) -> None:
    assert store.claim(claim(owner="a")).owner == "a"
    refused = store.claim(claim(owner="b"))
    assert (refused.owner, refused.is_completed) == ("a", False)


def test_a_claim_that_is_repeated_by_its_owner_stands(store: Store) -> None:
    store.claim(claim())
    assert store.claim(claim()).owner == "a"


def test_a_completed_key_gives_its_result_and_fingerprint(store: Store) -> None:
    store.claim(claim(fingerprint="h1:x"))
    assert is_done(store, completion(result='"ü"'))
    found = store.claim(claim(owner="b"))
    assert (found.owner, found.is_completed, found.result, found.fingerprint) in (
        ("a", True, '"ü"', "h1:x"),
        ("a", True, '"ü"', ""),
    )


def test_a_completion_that_is_repeated_stands_and_changes_nothing(store: Store) -> None:
    store.claim(claim())
    assert is_done(store, completion(result="1"))
    assert is_done(store, completion(result="1"))
    assert store.claim(claim(owner="b")).result == "1"


def test_a_late_claim_of_an_owner_that_has_completed_changes_nothing(store: Store) -> None:
    store.claim(claim())
    store.complete(completion())
    assert store.claim(claim()).is_completed
    assert store.claim(claim(owner="b")).is_completed


def test_a_lease_is_kept_to_its_last_millisecond_and_not_longer(store: Store, clock: Clock) -> None:
    store.claim(claim(owner="a"))
    clock.move(LEASE_MS - 1)
    assert store.claim(claim(owner="b")).owner == "a"
    clock.move(1)
    assert store.claim(claim(owner="b")).owner == "b"


def test_an_execution_that_was_taken_over_cannot_overwrite_the_newer_ones_result(store: Store, clock: Clock) -> None:
    store.claim(claim(owner="slow"))
    clock.move(LEASE_MS)
    store.claim(claim(owner="next"))
    store.complete(completion(owner="next", result='"next"'))
    found = store.complete(completion(owner="slow", result='"slow"'))
    assert found is not None
    assert (found.owner, found.result) == ("next", '"next"')
    assert store.claim(claim(owner="c")).result == '"next"'


def test_an_execution_that_was_taken_over_cannot_complete_in_the_newer_ones_place(store: Store, clock: Clock) -> None:
    store.claim(claim(owner="slow"))
    clock.move(LEASE_MS)
    store.claim(claim(owner="next"))
    found = store.complete(completion(owner="slow"))
    assert found is not None
    assert (found.owner, found.is_completed) == ("next", False)


def test_an_execution_that_failed_late_cannot_delete_a_completed_record(store: Store, clock: Clock) -> None:
    store.claim(claim(owner="slow"))
    clock.move(LEASE_MS)
    store.claim(claim(owner="next"))
    store.release(Release(key="k", owner="slow"))
    assert store.claim(claim(owner="c")).owner == "next"
    store.complete(completion(owner="next"))
    for owner in ("slow", "next"):
        store.release(Release(key="k", owner=owner))
        assert store.claim(claim(owner="c")).is_completed


def test_an_owner_whose_lease_is_over_may_complete_while_nobody_took_over(store: Store, clock: Clock) -> None:
    store.claim(claim())
    clock.move(LEASE_MS + 1)
    assert is_done(store, completion())
    assert store.claim(claim(owner="b")).is_completed


def test_a_released_key_is_free_at_once(store: Store) -> None:
    store.claim(claim(owner="a"))
    store.release(Release(key="k", owner="a"))
    store.release(Release(key="k", owner="a"))
    assert store.complete(completion(owner="a")) is None
    assert store.claim(claim(owner="b")).owner == "b"


def test_a_result_is_kept_for_its_time_and_not_longer(store: Store, clock: Clock) -> None:
    store.claim(claim(owner="a"))
    store.complete(completion(owner="a"))
    clock.move(TTL_S * 1000 - 1)
    assert store.claim(claim(owner="b")).is_completed
    clock.move(1)
    assert store.claim(claim(owner="b")).owner == "b"


def test_a_lease_that_is_longer_than_the_results_time_is_kept_nevertheless(store: Store, clock: Clock) -> None:
    store.claim(claim(owner="a", lease_ms=120_000, ttl_s=1))
    clock.move(119_999)
    assert store.claim(claim(owner="b")).owner == "a"


def test_many_keys_are_claimed_with_each_its_own_answer(store: Store, clock: Clock) -> None:
    store.claim(claim("done", "x"))
    store.complete(completion("done", "x", '"x"'))
    store.claim(claim("busy", "x"))
    keys = ["k1", "done", "k2", "busy", "k3"]
    records = store.claim_many([claim(key, f"me-{key}") for key in keys])
    assert [record.key for record in records] == keys
    assert [record.owner for record in records] == ["me-k1", "x", "me-k2", "x", "me-k3"]
    assert [record.is_completed for record in records] == [False, True, False, False, False]


def test_many_keys_are_completed_and_released_together(store: Store, clock: Clock) -> None:
    store.claim_many([claim(key, "me") for key in ("k1", "k2", "k3", "k4")])
    clock.move(LEASE_MS)
    store.claim(claim("k2", "other"))
    records = store.complete_many(
        [completion(key, "me") for key in ("k1", "k2")], [Release(key="k3", owner="me"), Release(key="k4", owner="me")]
    )
    assert [record is not None and (record.owner, record.is_completed) for record in records] == [
        ("me", True),
        ("other", False),
    ]
    found = store.claim_many([claim(key, "next") for key in ("k1", "k2", "k3", "k4")])
    assert [record.owner for record in found] == ["me", "other", "next", "next"]


def test_nothing_to_claim_or_complete_is_no_request(store: Store) -> None:
    assert store.claim_many([]) == []
    assert store.complete_many([]) == []


def test_more_than_a_hundred_keys_are_claimed_and_completed(store: Store) -> None:
    keys = [f"k{number}" for number in range(120)]
    assert all(record.owner == "me" for record in store.claim_many([claim(key, "me") for key in keys]))
    releases = [Release(key=key, owner="me") for key in keys[70:]]
    done = store.complete_many([completion(key, "me") for key in keys[:70]], releases)
    assert all(record is not None and record.is_completed for record in done)
    found = store.claim_many([claim(key, "b") for key in keys])
    assert [record.owner for record in found] == ["me"] * 70 + ["b"] * 50


def test_one_of_many_simultaneous_claims_is_granted(store: Store) -> None:
    barrier = Barrier(6)
    owners: list[str] = []

    def contend(name: str) -> None:
        barrier.wait()
        owners.append(store.claim(claim(owner=name)).owner)
        if hasattr(store, "close"):
            store.close()

    threads = [Thread(target=contend, args=(f"t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(owners) == 6
    assert len(set(owners)) == 1


@pytest.mark.parametrize(("lease_ms", "kept_ms"), [(5_000, 60_000), (120_000, 120_000)])
def test_a_record_may_be_forgotten_when_its_time_and_its_lease_are_over(
    store: Store, clock: Clock, lease_ms: int, kept_ms: int
) -> None:
    claimed_ms = clock()
    record = store.claim(Claim(key="k", owner="a", lease_ms=lease_ms, ttl_s=60))
    assert record.lease_until_ms - claimed_ms == lease_ms
    assert kept_ms <= record.expires_at_ms - claimed_ms <= kept_ms + 1_000  # DynamoDB has whole seconds
    clock.move(30_000)
    completed = store.complete(Completion(key="k", owner="a", result="1", ttl_s=60))
    assert completed is not None
    assert 60_000 <= completed.expires_at_ms - clock() <= 61_000

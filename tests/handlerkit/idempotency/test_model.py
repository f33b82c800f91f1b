"""A model of executions that overlap, crash, come late and lose answers, on machines whose clocks differ.

What must hold: at most one execution that can still be alive owns a key; a result is neither lost nor overwritten
before its time; every duplicate sees the first result; what failed can be tried again; what was lost on the way can
be sent again.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from handlerkit.idempotency import Claim, Completion, Record, Release, Store, StoreError
from handlerkit.idempotency.invocation import SKEW_MS

from .stores_under_test import Clock, Servers, store_of

# Machines' clocks differ by this much at most, in sum by what the lease allows.
SKEWS_MS = (-SKEW_MS // 2, 0, SKEW_MS // 2)
TTL_S = 30
# DynamoDB keeps whole seconds, and the two clocks of a writer and a reader differ.
TTL_SLACK_MS = 2 * SKEW_MS
KEYS = ("k1", "k2", "k3")
FAULTS = ("", "", "", "before", "after")
EXAMPLES = {"memory": 150, "sqlite": 30, "redis": 60, "dynamodb": 12, "dynamodb-old-engine": 10}


@dataclass(eq=False, slots=True)
class Execution:
    """One that was granted its key; dead at `deadline_ms`, true time."""

    key: str
    owner: str
    deadline_ms: int


@dataclass(slots=True)
class Done:
    """A result that was acknowledged."""

    result: str
    at_ms: int


class LosingStore:
    """Loses a request before its effect, or the answer after it."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.fault = ""

    def __call__(self, step: str, *arguments: Any) -> Any:
        fault, self.fault = self.fault, ""
        if fault == "before":
            raise StoreError("lost on the way there")
        answer = getattr(self.inner, step)(*arguments)
        if fault == "after":
            raise StoreError("lost on the way back")
        return answer


class Executions(RuleBasedStateMachine):
    """Rules are what executions do and what happens to them."""

    store: Store
    clock: Clock
    rounds: Iterator[int]

    def __init__(self) -> None:
        super().__init__()
        self.clock.now_ms = (self.clock.now_ms // 1000 + 1_000_000) * 1000
        self.prefix = f"round-{next(self.rounds)}:"
        self.now_ms = self.clock.now_ms
        self.lossy = LosingStore(self.store)
        self.owners = itertools.count()
        self.running: list[Execution] = []
        self.gone: set[str] = set()
        self.done: dict[str, Done] = {}

    def on_machine(self, skew_ms: int) -> None:
        """The store's clock is the one of the machine that asks."""
        self.clock.now_ms = self.now_ms + skew_ms

    def claim_of(self, key: str, life_ms: int) -> Claim:
        owner = f"owner-{next(self.owners)}"
        return Claim(key=self.prefix + key, owner=owner, lease_ms=life_ms + SKEW_MS, ttl_s=TTL_S)

    def completion_of(self, one: Execution) -> Completion:
        return Completion(key=self.prefix + one.key, owner=one.owner, result=f'"{one.owner}"', ttl_s=TTL_S)

    def learn(self, key: str, claim: Claim, record: Record, life_ms: int) -> None:
        """Hold the answer to a claim against what must be."""
        known = self.done.get(key)
        if record.is_owned_by(claim):
            others = [one for one in self.running if one.key == key and self.now_ms < one.deadline_ms]
            assert not others, "two owners that can both be alive"
            assert known is None or self.now_ms >= known.at_ms + TTL_S * 1000 - TTL_SLACK_MS, "a result was lost"
            self.done.pop(key, None)
            self.running.append(Execution(key, claim.owner, self.now_ms + life_ms))
        elif record.is_completed:
            assert known is not None
            assert record.result == known.result, "a duplicate saw another result than the first"
            assert self.now_ms <= known.at_ms + TTL_S * 1000 + TTL_SLACK_MS, "a result outlived its time"

    @rule(
        key=st.sampled_from(KEYS),
        skew_ms=st.sampled_from(SKEWS_MS),
        life_ms=st.sampled_from((0, 1_000, 10_000)),
        fault=st.sampled_from(FAULTS),
        sends_again=st.booleans(),
    )
    def start(self, key: str, skew_ms: int, life_ms: int, fault: str, sends_again: bool) -> None:
        self.on_machine(skew_ms)
        claim = self.claim_of(key, life_ms)
        self.lossy.fault = fault
        try:
            record = self.lossy("claim", claim)
        except StoreError:
            if not sends_again:
                return  # the claim is unknown: nothing runs
            record = self.lossy("claim", claim)
        self.learn(key, claim, record, life_ms)

    @rule(skew_ms=st.sampled_from(SKEWS_MS), life_ms=st.sampled_from((1_000, 10_000)), fault=st.sampled_from(FAULTS))
    def start_a_batch(self, skew_ms: int, life_ms: int, fault: str) -> None:
        self.on_machine(skew_ms)
        claims = [self.claim_of(key, life_ms) for key in KEYS]
        self.lossy.fault = fault
        try:
            records = self.lossy("claim_many", claims)
        except StoreError:
            records = self.lossy("claim_many", claims)
        for key, claim, record in zip(KEYS, claims, records, strict=True):
            self.learn(key, claim, record, life_ms)

    def settle(self, one: Execution, record: Record | None) -> None:
        """Hold the answer to a completion against what must be."""
        known = self.done.get(one.key)
        if record is not None and record.is_completed and record.owner == one.owner:
            assert known is None, "a result was overwritten"
            self.done[one.key] = Done(f'"{one.owner}"', self.now_ms)
        else:
            was_alive = self.now_ms < one.deadline_ms
            assert not was_alive, "an execution lost its key while it was alive"
            if record is not None and record.is_completed:
                assert known is not None
                assert record.result == known.result

    @precondition(lambda self: self.running)
    @rule(data=st.data(), skew_ms=st.sampled_from(SKEWS_MS), fault=st.sampled_from(FAULTS))
    def finish(self, data: st.DataObject, skew_ms: int, fault: str) -> None:
        self.on_machine(skew_ms)
        one = data.draw(st.sampled_from(self.running))
        self.running.remove(one)
        self.lossy.fault = fault
        try:
            record = self.lossy("complete", self.completion_of(one))
        except StoreError:
            record = self.lossy("complete", self.completion_of(one))
        self.settle(one, record)

    @precondition(lambda self: len(self.running) > 1)
    @rule(skew_ms=st.sampled_from(SKEWS_MS), fault=st.sampled_from(FAULTS), failing=st.integers(0, 2))
    def finish_a_batch(self, skew_ms: int, fault: str, failing: int) -> None:
        self.on_machine(skew_ms)
        batch = list({one.key: one for one in self.running}.values())
        self.running = [one for one in self.running if one not in batch]
        failed, finished = batch[:failing], batch[failing:]
        releases = [Release(key=self.prefix + one.key, owner=one.owner) for one in failed]
        completions = [self.completion_of(one) for one in finished]
        self.lossy.fault = fault
        try:
            records = self.lossy("complete_many", completions, releases)
        except StoreError:
            records = self.lossy("complete_many", completions, releases)
        for one, record in zip(finished, records, strict=True):
            self.settle(one, record)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), fault=st.sampled_from(FAULTS))
    def fail(self, data: st.DataObject, fault: str) -> None:
        self.on_machine(0)
        one = data.draw(st.sampled_from(self.running))
        self.running.remove(one)
        release = Release(key=self.prefix + one.key, owner=one.owner)
        self.lossy.fault = fault
        try:
            self.lossy("release", release)
        except StoreError:
            self.lossy("release", release)
        if self.now_ms < one.deadline_ms:
            claim = self.claim_of(one.key, 1_000)
            record = self.lossy("claim", claim)
            assert record.is_owned_by(claim), "a failed execution's key was not free"
            self.learn(one.key, claim, record, 1_000)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        self.running.remove(data.draw(st.sampled_from(self.running)))

    @rule(milliseconds=st.sampled_from((1, 500, 1_000, 2_500, 11_000, 35_000)))
    def time_passes(self, milliseconds: int) -> None:
        self.now_ms += milliseconds

    @invariant()
    def one_live_owner_at_most(self) -> None:
        alive = [one.key for one in self.running if self.now_ms < one.deadline_ms]
        assert len(alive) == len(set(alive))


@pytest.mark.parametrize("kind", list(EXAMPLES))
def test_executions_keep_to_the_rules_whatever_happens(
    kind: str, tmp_path: Path, servers: Servers, clock: Clock
) -> None:
    with store_of(kind, clock, tmp_path, servers) as store:

        class OnStore(Executions):
            pass

        OnStore.store, OnStore.clock, OnStore.rounds = store, clock, itertools.count()
        run_state_machine_as_test(
            OnStore,
            settings=settings(
                max_examples=EXAMPLES[kind],
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )

"""Batches of the same keys in several threads at once, until every record is acknowledged: each effect exactly once."""

import logging
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handlerkit import batch_handler
from handlerkit.batch import BatchFailedError
from handlerkit.events import SqsRecord
from handlerkit.idempotency import Idempotency, Store
from handlerkit.testing import sqs_event

from .stores_under_test import Clock, Servers, store_of

THREADS = 4
KEYS = [f"k{number}" for number in range(24)]
ROUNDS = 300


@pytest.mark.parametrize("kind", ["memory", "sqlite", "redis", "dynamodb", "dynamodb-old-engine"])
def test_each_effect_happens_once_among_batches_of_the_same_keys(
    kind: str, clock: Clock, tmp_path: Path, servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # a record that is refused is logged, hundreds of times here
    effects: Counter[str] = Counter()
    lock = threading.Lock()

    def work_through(store: Store, seed: int) -> list[str]:
        """Deliver every key twice in batches of eight, and again what was not acknowledged; what is left at the end."""

        @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body, name="race"))
        def handler(record: SqsRecord[str]) -> None:
            with lock:
                effects[record.body] += 1

        left = KEYS * 2
        random.Random(seed).shuffle(left)
        for _ in range(ROUNDS):
            if not left:
                break
            event = sqs_event(left[:8])
            del left[:8]
            try:
                failed = {one["itemIdentifier"] for one in handler(event)["batchItemFailures"]}
            except BatchFailedError:
                failed = {one["messageId"] for one in event["Records"]}
            left += [one["body"] for one in event["Records"] if one["messageId"] in failed]
        return left

    with store_of(kind, clock, tmp_path, servers) as store, ThreadPoolExecutor(THREADS) as pool:
        left = list(pool.map(work_through, [store] * THREADS, range(THREADS), timeout=100))
    assert left == [[]] * THREADS
    assert effects == dict.fromkeys(KEYS, 1)

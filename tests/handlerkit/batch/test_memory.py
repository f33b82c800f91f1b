"""What a large batch takes besides its event: counted by the interpreter, so that no machine's mood is in it."""

from __future__ import annotations

import gc
import json
import logging
import tracemalloc
from typing import Any

import pytest
from pydantic import BaseModel

from handlerkit import batch_handler
from handlerkit.events import SqsRecord
from handlerkit.testing import FakeContext, sqs_event


class Order(BaseModel):
    order_id: str
    quantity: int


@batch_handler
def handler(record: SqsRecord[Order]) -> None:
    assert record.body.quantity


@batch_handler
def failing(record: SqsRecord[Order]) -> None:
    if record.body.order_id.endswith("7"):
        raise ValueError("no sevens")


def event_of(records: int) -> bytes:
    """A batch as SQS sends it: everything that differs from message to message differs."""
    return json.dumps(sqs_event([{"order_id": f"A-{number}", "quantity": 2} for number in range(records)])).encode()


def peak_of(handler: Any, body: bytes) -> int:
    """The most that was allocated at once while the handler ran, beyond the event itself."""
    gc.collect()
    tracemalloc.start()
    try:
        handler.__lambda_raw__(body, FakeContext())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(autouse=True)
def _nobody_keeps_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("handlerkit.batch"), "disabled", True)


@pytest.mark.parametrize("function", [handler, failing])
def test_a_large_batch_takes_three_times_its_event_at_the_most_and_leaves_nothing(function: Any) -> None:
    body = event_of(3_000)
    assert len(body) > 1_000_000
    function.__lambda_raw__(event_of(10), FakeContext())  # what is loaded and cached with the first event
    assert len(body) + peak_of(function, body) <= 3 * len(body)
    gc.collect()
    tracemalloc.start()
    function.__lambda_raw__(body, FakeContext())
    gc.collect()
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The parser's own table of short texts stays; it has 16,384 places and no more.
    assert left < 2_000_000


def test_memory_grows_with_the_event_and_no_faster() -> None:
    handler.__lambda_raw__(event_of(10), FakeContext())
    small, large = event_of(3_000), event_of(6_000)
    # How much of the parser's table is filled already makes the difference that is let pass.
    assert peak_of(handler, large) / len(large) <= peak_of(handler, small) / len(small) * 1.25

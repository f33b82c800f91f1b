"""The decorator: annotations, refusals, and the same answer by both ways in."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import handlerkit.batch
from handlerkit import batch_handler
from handlerkit.batch import BatchFailedError
from handlerkit.events import KinesisRecord, SqsEvent, SqsRecord
from handlerkit.testing import FakeContext, kinesis_event, sqs_event


class Order(BaseModel):
    n: int


@batch_handler
def orders(record: SqsRecord[Order]) -> None:
    """Take an order."""
    if record.body.n % 3 == 0:
        raise ValueError(record.body.n)


@batch_handler
def late(record: SqsRecord[DefinedBelow]) -> None:
    assert record.body.n


@batch_handler(ordering="key", max_workers=4)
async def readings(record: KinesisRecord[Order], context: Any) -> None:
    assert context.function_name
    if record.data.n % 3 == 0:
        raise ValueError(record.data.n)


class DefinedBelow(BaseModel):
    n: int


BODIES = st.lists(st.one_of(st.builds(lambda n: {"n": n}, st.integers(0, 20)), st.text(max_size=5)), max_size=12)


def outcome(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except BatchFailedError as error:
        return str(error)


@given(bodies=BODIES, fifo=st.booleans(), groups=st.text("ab", min_size=12, max_size=12))
def test_an_events_bytes_and_the_parsed_event_get_the_same_answer(bodies: list[Any], fifo: bool, groups: str) -> None:
    event = sqs_event(bodies, queue="orders.fifo" if fifo else "orders", message_group_ids=groups)
    raw = outcome(orders.__lambda_raw__, json.dumps(event).encode(), FakeContext())
    parsed = outcome(orders, event, FakeContext())
    assert (json.loads(raw) if isinstance(raw, bytes) else raw) == parsed


@given(numbers=st.lists(st.integers(0, 20), max_size=12), keys=st.text("ab", min_size=12, max_size=12))
def test_so_do_streams_and_asynchronous_functions(numbers: list[int], keys: str) -> None:
    event = kinesis_event([{"n": number} for number in numbers], partition_keys=keys)
    raw = outcome(readings.__lambda_raw__, json.dumps(event).encode(), FakeContext())
    parsed = outcome(readings, event, FakeContext())
    assert (json.loads(raw) if isinstance(raw, bytes) else raw) == parsed


def test_the_function_itself_is_within_reach_and_named_as_ever() -> None:
    assert orders.func(SqsRecord[Order](sqs_event([{"n": 1}])["Records"][0])) is None
    assert (orders.__name__, orders.__doc__) == ("orders", "Take an order.")
    assert repr(orders) == "<batch_handler orders>"


def test_a_type_defined_further_down_is_found_with_the_first_event() -> None:
    assert late(sqs_event([{"n": 1}]), FakeContext()) == {"batchItemFailures": []}


@pytest.mark.parametrize("kind", [SqsEvent[Order], Order, int])
def test_what_is_no_record_is_refused_where_it_is_written(kind: Any) -> None:
    with pytest.raises(TypeError, match="is not a record of a batch"):
        batch_handler(record=kind)(lambda record: None)


def test_options_that_do_not_exist_or_go_together_are_refused() -> None:
    with pytest.raises(TypeError, match="no option 'max_worker'; did you mean 'max_workers'"):
        batch_handler(max_worker=3)(lambda record: None)  # type: ignore[call-overload]
    refused: list[tuple[dict[str, Any], Any, str]] = [
        ({"ordering": "group"}, None, "ordering='group'"),
        ({"ordering": "key"}, SqsRecord, "ordering='key' is for kinesis and dynamodb"),
        ({"max_workers": 0}, None, "at least 1"),
        ({"max_workers": 2}, KinesisRecord, "needs ordering='key'"),
        ({"stop_margin_ms": -1}, None, "milliseconds"),
    ]
    for options, kind, words in refused:
        with pytest.raises(ValueError, match=words):
            batch_handler(record=kind, **options)(lambda record: None)
    with pytest.raises(TypeError, match="PoisonQueue"):
        batch_handler(on_poison="https://queue")(lambda record: None)  # type: ignore[call-overload]


def loaded_by(code: str) -> set[str]:
    """Modules that a fresh interpreter has loaded after the code."""
    path = [entry for entry in sys.path if entry]
    script = f"import sys; sys.path[:0] = {path!r}\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_batch_of_text_in_which_all_goes_well_loads_nothing_heavy() -> None:
    event = json.dumps(sqs_event(["a", "b"]))
    loaded = loaded_by(
        f"from handlerkit import batch_handler\nfrom handlerkit.events import SqsRecord\n"
        f"@batch_handler\ndef handler(record: SqsRecord) -> None: pass\n"
        f"assert handler.__lambda_raw__({event.encode()!r}, None) == b'{{\"batchItemFailures\":[]}}'"
    )
    heavy = {"pydantic", "typing", "inspect", "asyncio", "threading", "logging", "dataclasses", "boto3"}
    assert not loaded & heavy


def test_importing_the_package_loads_none_of_its_modules() -> None:
    loaded = {name for name in loaded_by("import handlerkit.batch") if name.startswith("handlerkit.batch.")}
    assert loaded == set()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = handlerkit.batch.nothing
    assert set(handlerkit.batch.__all__) == set(handlerkit.batch._HOME) <= set(dir(handlerkit.batch))
    assert all(getattr(handlerkit.batch, name) for name in handlerkit.batch.__all__)

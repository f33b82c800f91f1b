"""A span for each record of a batch."""

import asyncio
from typing import Any

import pytest

from handlerkit import batch_handler
from handlerkit.events import SqsRecord
from handlerkit.testing import sqs_event
from handlerkit.tracing import TraceRecords, span

from .conftest import Context, Invocation, header

SENDER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def event(count: int) -> dict[str, Any]:
    """An SQS event whose messages' senders were traced."""
    made: dict[str, Any] = sqs_event([str(number) for number in range(count)])
    for record in made["Records"]:
        record["attributes"]["AWSTraceHeader"] = SENDER
    return made


def test_each_record_has_a_span_with_a_link_to_its_sender(invocation: Invocation) -> None:
    @batch_handler(trace_records=True, raise_when_all_failed=False)
    def take(record: SqsRecord[str]) -> None:
        with span("work", body=record.body):
            if record.body == "1":
                raise ValueError("no")

    given = header()
    response = take(event(3), Context(given))
    assert len(response["batchItemFailures"]) == 1
    (root,) = invocation.trace(given).roots
    assert root.name.endswith("take")
    assert (root.annotations["records"], root.annotations["records_failed"]) == (3, 1)
    records = root.children
    assert [node.name for node in records] == ["## sqs record"] * 3
    assert [node.children[0].annotations["body"] for node in records] == ["0", "1", "2"]
    assert [node.document.get("fault", False) for node in records] == [False, True, False]
    assert records[0].document["links"] == [
        {"trace_id": "1-5759e988-bd862e3fe1be46a994272793", "id": "53995c3f42cd8ad8"}
    ]
    failed = response["batchItemFailures"][0]["itemIdentifier"]
    assert records[1].annotations["record_id"] == failed


@pytest.mark.parametrize("workers", [1, 4])
def test_records_in_threads_and_in_tasks_are_side_by_side(invocation: Invocation, workers: int) -> None:
    @batch_handler(observers=[TraceRecords()], max_workers=workers)
    def in_threads(record: SqsRecord[str]) -> None:
        span("work").end()

    @batch_handler(trace_records=True, max_workers=workers)
    async def in_tasks(record: SqsRecord[str]) -> None:
        async with span("work"):
            await asyncio.sleep(0)

    for handler in (in_threads, in_tasks):
        given = header()
        handler(event(8), Context(given))
        (root,) = invocation.trace(given).roots
        assert [node.name for node in root.children] == ["## sqs record"] * 8
        assert [[child.name for child in node.children] for node in root.children] == [["work"]] * 8


def test_without_sampling_records_cost_nothing_and_run(invocation: Invocation) -> None:
    @batch_handler(trace_records=True)
    def take(record: SqsRecord[str]) -> None: ...

    given = header(sampled="0")
    assert take(event(3), Context(given)) == {"batchItemFailures": []}
    assert invocation.trace(given).documents == ()


def test_a_sender_without_a_usable_header_is_no_link(invocation: Invocation) -> None:
    @batch_handler(trace_records=True)
    def take(record: SqsRecord[str]) -> None: ...

    given, made = header(), event(2)
    made["Records"][0]["attributes"]["AWSTraceHeader"] = "Root=nonsense"
    made["Records"][1]["attributes"]["AWSTraceHeader"] = 7
    take(made, Context(given))
    assert not any("links" in document for document in invocation.trace(given).documents)

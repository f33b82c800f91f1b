"""A span for each record of a batch, linked to the trace of whoever sent the message."""

from __future__ import annotations

from .header import TraceHeader
from .no_span import NOTHING
from .spans import annotate, span

__all__ = ["TraceRecords"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from handlerkit.batch.hooks import BatchSummary, RecordFacts

    from .no_span import NoSpan
    from .spans import Span


class TraceRecords:
    """For `batch_handler(observers=[TraceRecords()])`, which is what `trace_records=True` stands for.

    What a record's function does is inside of its span. SQS messages carry their sender's trace (`AWSTraceHeader`): the
    span has a link to it. The handler's span gets the batch's counts.
    """

    def around(self, facts: RecordFacts, /) -> Span | NoSpan:
        """The record's span."""
        opened = span(f"## {facts.source.partition('.')[0]} record")
        if opened is NOTHING or not opened.is_recording:
            return NOTHING
        opened.annotate(record_id=_short(facts.identifier))
        opened.add_metadata("from", facts.where, "handlerkit")
        attributes = facts.raw.get("attributes")
        if isinstance(attributes, dict) and isinstance(sent := attributes.get("AWSTraceHeader"), str):
            sender = TraceHeader.parse(sent)
            if sender.root and sender.parent:
                opened.add_link(sender.root, sender.parent)
        return opened

    def batch(self, summary: BatchSummary, /) -> None:
        """Annotate the handler's span."""
        annotate(records=summary.records, records_finished=summary.finished, records_failed=summary.failed)


def _short(identifier: Any) -> Any:
    """Kafka's is a dict of partition and offset."""
    if isinstance(identifier, dict):
        return " ".join(str(value) for value in identifier.values())
    return identifier

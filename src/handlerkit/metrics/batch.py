"""Batches in metrics: how many records came, failed, could not be read, were not started."""

from __future__ import annotations

__all__ = ["BatchMetrics"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from handlerkit.batch.hooks import BatchSummary

    from .handle import Metrics


class BatchMetrics:
    """`batch_handler(observers=[BatchMetrics()])` counts every batch, under a dimension `source` (`sqs`, `kinesis`).

    `BatchRecords`, and of them `BatchRecordsFailed`, `BatchRecordsPoisoned` and `BatchRecordsNotStarted` (with those
    that the time ran out for): each of them in each batch, so that an alarm has its zeros. The queue or stream is a
    property. `metrics` are the ones to add to, or the default ones.
    """

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics

    def batch(self, summary: BatchSummary) -> None:
        """Add one batch's."""
        metrics = self._metrics
        if metrics is None:
            from .handle import Metrics

            metrics = self._metrics = Metrics()
        metrics = metrics.dimensions(source=summary.source).properties(batch_where=summary.where)
        metrics.add("BatchRecords", summary.records, "Count")
        metrics.add("BatchRecordsFailed", summary.failed, "Count")
        metrics.add("BatchRecordsPoisoned", summary.poisoned, "Count")
        metrics.add("BatchRecordsNotStarted", summary.not_started + summary.unfinished, "Count")

"""The settings of an event source mapping, checked as Lambda's API checks them. Pure.

`MappingSettings.of` takes the API's own names (`BatchSize`), so the Invoke API and the Python front share one table.
A refusal is the `InvokeError` that the API answers with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambda_emulator.errors import InvalidParameterValue
from lambda_emulator.pollers.filter_criteria import FilterCriteria
from lambda_emulator.pollers.mapping_request import (
    PREFIX,
    bool_of,
    check_kind,
    check_ranges,
    max_concurrency_of,
    missing,
    on_failure_of,
    patterns_of,
    refuse_unknown,
    reports_item_failures,
    text_of,
    timestamp_of,
)
from lambda_emulator.pollers.source_arn import SourceArn

__all__ = ["MappingSettings"]

_FIFO_BATCH: Final = 10
_QUEUE_BATCH_WITHOUT_WINDOW: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettings:
    """All that can be set, with Lambda's defaults."""

    source: SourceArn
    function_name: str
    """As it was given: a name or an ARN, with a qualifier or not."""
    enabled: bool = True
    batch_size: int
    window_s: int = 0
    filter_patterns: tuple[str, ...] = ()
    report_item_failures: bool = False
    max_concurrency: int | None = None
    """Queues only."""
    parallelization_factor: int = 1
    max_retry_attempts: int = -1
    max_record_age_s: int = -1
    bisect: bool = False
    tumbling_window_s: int = 0
    starting_position: str | None = None
    starting_timestamp_s: float | None = None
    on_failure: str | None = None
    """The ARN of a queue, a topic or a bucket."""

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "MappingSettings":
        """From a request in the API's names. None stands for a setting that was not made. Raises `InvokeError`."""
        given = {name: value for name, value in request.items() if value is not None}
        refuse_unknown(given)
        if not given.get("FunctionName"):
            raise missing("functionName")
        if not given.get("EventSourceArn"):
            raise InvalidParameterValue("Unrecognized event source.")
        source = SourceArn.parse(text_of(given, "EventSourceArn"))
        check_ranges(given)
        check_kind(given, source)
        patterns = tuple(patterns_of(given))
        FilterCriteria(patterns, source.kind)
        default_size = 10 if source.is_queue else 100
        settings = cls(
            source=source,
            function_name=text_of(given, "FunctionName"),
            enabled=bool_of(given, "Enabled", default=True),
            batch_size=given.get("BatchSize", default_size),
            window_s=given.get("MaximumBatchingWindowInSeconds", 0),
            filter_patterns=patterns,
            report_item_failures=reports_item_failures(given),
            max_concurrency=max_concurrency_of(given),
            parallelization_factor=given.get("ParallelizationFactor", 1),
            max_retry_attempts=given.get("MaximumRetryAttempts", -1),
            max_record_age_s=given.get("MaximumRecordAgeInSeconds", -1),
            bisect=bool_of(given, "BisectBatchOnFunctionError", default=False),
            tumbling_window_s=given.get("TumblingWindowInSeconds", 0),
            starting_position=given.get("StartingPosition"),
            starting_timestamp_s=timestamp_of(given, source),
            on_failure=on_failure_of(given),
        )
        settings._check_together()
        return settings

    def filters(self) -> FilterCriteria:
        """The compiled patterns."""
        return FilterCriteria(self.filter_patterns, self.source.kind)

    def document(self) -> dict[str, Any]:
        """The settings as the API shows them; what was not set is absent where the API leaves it out."""
        shown: dict[str, Any] = {
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.window_s,
            "EventSourceArn": self.source.text,
            "FunctionResponseTypes": ["ReportBatchItemFailures"] if self.report_item_failures else [],
        }
        if self.filter_patterns:
            shown["FilterCriteria"] = {"Filters": [{"Pattern": pattern} for pattern in self.filter_patterns]}
        if self.max_concurrency is not None:
            shown["ScalingConfig"] = {"MaximumConcurrency": self.max_concurrency}
        if not self.source.is_queue:
            shown |= {
                "StartingPosition": self.starting_position,
                "ParallelizationFactor": self.parallelization_factor,
                "BisectBatchOnFunctionError": self.bisect,
                "MaximumRecordAgeInSeconds": self.max_record_age_s,
                "MaximumRetryAttempts": self.max_retry_attempts,
                "TumblingWindowInSeconds": self.tumbling_window_s,
                "DestinationConfig": {"OnFailure": {"Destination": self.on_failure} if self.on_failure else {}},
            }
            if self.starting_timestamp_s is not None:
                shown["StartingPositionTimestamp"] = self.starting_timestamp_s
        return shown

    def request(self) -> dict[str, Any]:
        """What `of` would make these settings from: the ground on which an update builds."""
        return self.document() | {"FunctionName": self.function_name, "Enabled": self.enabled}

    def _check_together(self) -> None:
        if self.source.is_queue:
            self._check_queue()
        else:
            self._check_stream()

    def _check_queue(self) -> None:
        if self.source.kind == "sqs-fifo":
            if self.batch_size > _FIFO_BATCH:
                raise InvalidParameterValue(
                    f"Batch size {self.batch_size} is greater than the maximum of {_FIFO_BATCH} for FIFO queues."
                )
            if self.window_s:
                raise InvalidParameterValue("Batching window is not supported for FIFO queues.")
        elif self.batch_size > _QUEUE_BATCH_WITHOUT_WINDOW and not self.window_s:
            raise InvalidParameterValue(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
            )

    def _check_stream(self) -> None:
        if self.starting_position is None:
            raise InvalidParameterValue(
                f"{PREFIX}Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."
            )
        if self.starting_position == "AT_TIMESTAMP":
            if self.source.kind == "dynamodb":
                raise InvalidParameterValue(f"Unsupported starting position for arn type: {self.source.text}")
            if self.starting_timestamp_s is None:
                raise InvalidParameterValue("StartingPositionTimestamp is required for StartingPosition AT_TIMESTAMP.")
        elif self.starting_timestamp_s is not None:
            raise InvalidParameterValue("StartingPositionTimestamp is only allowed for StartingPosition AT_TIMESTAMP.")
        if self.tumbling_window_s and self.parallelization_factor > 1:
            # Not recorded on AWS. Its documents define the state of a window per shard, which several batches of one
            # shard at once cannot share.
            raise InvalidParameterValue(
                "ParallelizationFactor greater than 1 is not supported together with TumblingWindowInSeconds."
            )

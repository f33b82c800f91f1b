"""The settings of an event source mapping, checked as Lambda's API checks them. Pure.

`MappingSettings.of` takes the API's own names (`BatchSize`), so the Invoke API and the Python front share one table.
A refusal is the `InvokeError` that the API answers with.
"""

import datetime
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambda_emulator.errors import InvalidParameterValue, ValidationFailed
from lambda_emulator.pollers.filter_criteria import FilterCriteria
from lambda_emulator.pollers.source_arn import SourceArn

__all__ = ["MappingSettings"]

_PREFIX: Final = "1 validation error detected: "
_RANGES: Final[dict[str, tuple[int, int]]] = {
    "BatchSize": (1, 10_000),
    "MaximumBatchingWindowInSeconds": (0, 300),
    "ParallelizationFactor": (1, 10),
    "MaximumRetryAttempts": (-1, 10_000),
    "MaximumRecordAgeInSeconds": (-1, 604_800),
    "TumblingWindowInSeconds": (0, 900),
}
_STREAMS_ONLY: Final = (
    "ParallelizationFactor",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "TumblingWindowInSeconds",
    "StartingPosition",
    "StartingPositionTimestamp",
    "DestinationConfig",
)
_POSITIONS: Final = ("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON")
_KNOWN: Final = frozenset(
    {*_RANGES, *_STREAMS_ONLY, "FunctionName", "EventSourceArn", "Enabled", "FilterCriteria", "FunctionResponseTypes",
     "ScalingConfig"}
)  # fmt: skip
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
        _refuse_unknown(given)
        if not given.get("FunctionName"):
            raise _missing("functionName")
        if not given.get("EventSourceArn"):
            raise InvalidParameterValue("Unrecognized event source.")
        source = SourceArn.parse(_text(given, "EventSourceArn"))
        _check_ranges(given)
        _check_kind(given, source)
        patterns = tuple(_patterns(given))
        FilterCriteria(patterns, source.kind)
        default_size = 10 if source.is_queue else 100
        settings = cls(
            source=source,
            function_name=_text(given, "FunctionName"),
            enabled=_bool(given, "Enabled", default=True),
            batch_size=given.get("BatchSize", default_size),
            window_s=given.get("MaximumBatchingWindowInSeconds", 0),
            filter_patterns=patterns,
            report_item_failures=_reports(given),
            max_concurrency=_max_concurrency(given),
            parallelization_factor=given.get("ParallelizationFactor", 1),
            max_retry_attempts=given.get("MaximumRetryAttempts", -1),
            max_record_age_s=given.get("MaximumRecordAgeInSeconds", -1),
            bisect=_bool(given, "BisectBatchOnFunctionError", default=False),
            tumbling_window_s=given.get("TumblingWindowInSeconds", 0),
            starting_position=given.get("StartingPosition"),
            starting_timestamp_s=_timestamp(given, source),
            on_failure=_on_failure(given),
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
                f"{_PREFIX}Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."
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


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, n=1)
            hint = f": did you mean {near[0]}?" if near else "; it may be one that this emulator has no source for"
            raise InvalidParameterValue(f"Unknown parameter {name} of an event source mapping{hint}")


def _check_ranges(given: Mapping[str, Any]) -> None:
    for name, (low, high) in _RANGES.items():
        if name in given:
            _check_range(_member(name), given[name], low, high)
    age_s = given.get("MaximumRecordAgeInSeconds", -1)
    if age_s != -1 and age_s < 60:
        raise InvalidParameterValue("MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.")
    position = given.get("StartingPosition")
    if position is not None and position not in _POSITIONS:
        raise ValidationFailed(
            f"{_PREFIX}Value '{position}' at 'startingPosition' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(_POSITIONS)}]"
        )


def _check_range(where: str, value: Any, low: int, high: int) -> None:
    if type(value) is not int:
        raise InvalidParameterValue(f"{_PREFIX}Value '{value}' at '{where}' failed to satisfy constraint: "
                                    "Member must be a whole number")  # fmt: skip
    if value < low:
        relation, bound = "greater", low
    elif value > high:
        relation, bound = "less", high
    else:
        return
    raise ValidationFailed(
        f"{_PREFIX}Value '{value}' at '{where}' failed to satisfy constraint: "
        f"Member must have value {relation} than or equal to {bound}"
    )


def _check_kind(given: Mapping[str, Any], source: SourceArn) -> None:
    """Settings of the other kind of source. Their defaults are no contradiction."""
    if source.is_queue:
        if "DestinationConfig" in given:
            raise InvalidParameterValue("Unsupported DestinationConfig parameter for given event source mapping type.")
        for name in _STREAMS_ONLY:
            if name in given:
                raise InvalidParameterValue(f"Unsupported {name} parameter for given event source mapping type.")
    elif given.get("ScalingConfig"):
        raise InvalidParameterValue("Unsupported ScalingConfig parameter for given event source mapping type.")


def _patterns(given: Mapping[str, Any]) -> list[str]:
    criteria = given.get("FilterCriteria", {})
    filters = criteria.get("Filters", []) if isinstance(criteria, Mapping) else None
    if not isinstance(filters, list | tuple):
        raise InvalidParameterValue("Invalid filter pattern definition.")
    patterns = []
    for each in filters or ():
        pattern = each.get("Pattern") if isinstance(each, Mapping) else None
        if not isinstance(pattern, str):
            raise InvalidParameterValue("Invalid filter pattern definition.")
        patterns.append(pattern)
    return patterns


def _reports(given: Mapping[str, Any]) -> bool:
    types = given.get("FunctionResponseTypes", [])
    if not isinstance(types, list | tuple) or any(each != "ReportBatchItemFailures" for each in types):
        raise ValidationFailed(
            f"{_PREFIX}Value '{types}' at 'functionResponseTypes' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures]]"
        )
    if len(types) > 1:
        raise ValidationFailed(
            f"{_PREFIX}Value '{list(types)}' at 'functionResponseTypes' failed to satisfy constraint: "
            "Member must have length less than or equal to 1"
        )
    return bool(types)


def _max_concurrency(given: Mapping[str, Any]) -> int | None:
    scaling = given.get("ScalingConfig") or {}
    value = scaling.get("MaximumConcurrency") if isinstance(scaling, Mapping) else scaling
    if value is None:
        return None
    _check_range("scalingConfig.maximumConcurrency", value, 2, 1000)
    return int(value)


def _timestamp(given: Mapping[str, Any], source: SourceArn) -> float | None:
    value = given.get("StartingPositionTimestamp")
    if source.is_queue or value is None:
        return None
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(value).timestamp()
        except ValueError as error:
            raise InvalidParameterValue(f"StartingPositionTimestamp {value!r} is no time: {error}") from None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise InvalidParameterValue(f"StartingPositionTimestamp {value!r} is no time: use seconds since the epoch")


def _on_failure(given: Mapping[str, Any]) -> str | None:
    configuration = given.get("DestinationConfig") or {}
    on_failure = configuration.get("OnFailure") if isinstance(configuration, Mapping) else None
    destination = on_failure.get("Destination") if isinstance(on_failure, Mapping) else None
    if not destination:
        return None
    parts = str(destination).split(":")
    if len(parts) < 6 or parts[0] != "arn" or parts[2] not in ("sqs", "sns", "s3") or parts[-1].endswith(".fifo"):
        raise InvalidParameterValue(
            f"The provided destination config DestinationConfig(onSuccess=null, "
            f"onFailure=OnFailure(destination={destination})) is invalid."
        )
    return str(destination)


def _bool(given: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise InvalidParameterValue(f"{name} {value!r} is not possible: use true or false")
    return value


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given[name]
    if not isinstance(value, str):
        raise InvalidParameterValue(f"{name} {value!r} is not possible: use text")
    return value


def _missing(where: str) -> ValidationFailed:
    return ValidationFailed(f"{_PREFIX}Value null at '{where}' failed to satisfy constraint: Member must not be null")


def _member(name: str) -> str:
    return name[0].lower() + name[1:]

"""A request for an event source mapping, looked at setting by setting, with the refusals that the API words. Pure."""

import datetime
import difflib
from collections.abc import Mapping
from typing import Any, Final

from lambda_emulator.errors import InvalidParameterValue, ValidationFailed
from lambda_emulator.pollers.source_arn import SourceArn

__all__ = [
    "PREFIX",
    "bool_of",
    "check_kind",
    "check_ranges",
    "max_concurrency_of",
    "missing",
    "on_failure_of",
    "patterns_of",
    "refuse_unknown",
    "reports_item_failures",
    "text_of",
    "timestamp_of",
]

PREFIX: Final = "1 validation error detected: "
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


def refuse_unknown(given: Mapping[str, Any]) -> None:
    """A name that no mapping has."""
    for name in given:
        if name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, n=1)
            hint = f": did you mean {near[0]}?" if near else "; it may be one that this emulator has no source for"
            raise InvalidParameterValue(f"Unknown parameter {name} of an event source mapping{hint}")


def check_ranges(given: Mapping[str, Any]) -> None:
    """Numbers and enumerations."""
    for name, (low, high) in _RANGES.items():
        if name in given:
            _check_range(_member(name), given[name], low, high)
    age_s = given.get("MaximumRecordAgeInSeconds", -1)
    if age_s != -1 and age_s < 60:
        raise InvalidParameterValue("MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.")
    position = given.get("StartingPosition")
    if position is not None and position not in _POSITIONS:
        raise ValidationFailed(
            f"{PREFIX}Value '{position}' at 'startingPosition' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(_POSITIONS)}]"
        )


def _check_range(where: str, value: Any, low: int, high: int) -> None:
    if type(value) is not int:
        raise InvalidParameterValue(f"{PREFIX}Value '{value}' at '{where}' failed to satisfy constraint: "
                                    "Member must be a whole number")  # fmt: skip
    if value < low:
        relation, bound = "greater", low
    elif value > high:
        relation, bound = "less", high
    else:
        return
    raise ValidationFailed(
        f"{PREFIX}Value '{value}' at '{where}' failed to satisfy constraint: "
        f"Member must have value {relation} than or equal to {bound}"
    )


def check_kind(given: Mapping[str, Any], source: SourceArn) -> None:
    """Settings of the other kind of source. Their defaults are no contradiction."""
    if source.is_queue:
        if "DestinationConfig" in given:
            raise InvalidParameterValue("Unsupported DestinationConfig parameter for given event source mapping type.")
        for name in _STREAMS_ONLY:
            if name in given:
                raise InvalidParameterValue(f"Unsupported {name} parameter for given event source mapping type.")
    elif given.get("ScalingConfig"):
        raise InvalidParameterValue("Unsupported ScalingConfig parameter for given event source mapping type.")


def patterns_of(given: Mapping[str, Any]) -> list[str]:
    """The texts of the filters."""
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


def reports_item_failures(given: Mapping[str, Any]) -> bool:
    """Whether partial responses are asked for."""
    types = given.get("FunctionResponseTypes", [])
    if not isinstance(types, list | tuple) or any(each != "ReportBatchItemFailures" for each in types):
        raise ValidationFailed(
            f"{PREFIX}Value '{types}' at 'functionResponseTypes' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures]]"
        )
    if len(types) > 1:
        raise ValidationFailed(
            f"{PREFIX}Value '{list(types)}' at 'functionResponseTypes' failed to satisfy constraint: "
            "Member must have length less than or equal to 1"
        )
    return bool(types)


def max_concurrency_of(given: Mapping[str, Any]) -> int | None:
    """A queue's scaling."""
    scaling = given.get("ScalingConfig") or {}
    value = scaling.get("MaximumConcurrency") if isinstance(scaling, Mapping) else scaling
    if value is None:
        return None
    _check_range("scalingConfig.maximumConcurrency", value, 2, 1000)
    return int(value)


def timestamp_of(given: Mapping[str, Any], source: SourceArn) -> float | None:
    """Where a stream is begun, as seconds since the epoch."""
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


def on_failure_of(given: Mapping[str, Any]) -> str | None:
    """The ARN of what gets the failed batches."""
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


def bool_of(given: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """True or false."""
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise InvalidParameterValue(f"{name} {value!r} is not possible: use true or false")
    return value


def text_of(given: Mapping[str, Any], name: str) -> str:
    """Text."""
    value = given[name]
    if not isinstance(value, str):
        raise InvalidParameterValue(f"{name} {value!r} is not possible: use text")
    return value


def missing(where: str) -> ValidationFailed:
    """The refusal of a request without it."""
    return ValidationFailed(f"{PREFIX}Value null at '{where}' failed to satisfy constraint: Member must not be null")


def _member(name: str) -> str:
    return name[0].lower() + name[1:]

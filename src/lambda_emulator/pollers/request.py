"""Settings of a mapping as Python callers write them, turned into the API's names. Pure."""

import difflib
import json
from collections.abc import Mapping
from typing import Any, Final

from lambda_emulator.errors import InvalidParameterValue

__all__ = ["api_request"]

_NAMES: Final = {
    "function_name": "FunctionName",
    "event_source_arn": "EventSourceArn",
    "enabled": "Enabled",
    "batch_size": "BatchSize",
    "maximum_batching_window_s": "MaximumBatchingWindowInSeconds",
    "function_response_types": "FunctionResponseTypes",
    "parallelization_factor": "ParallelizationFactor",
    "maximum_retry_attempts": "MaximumRetryAttempts",
    "maximum_record_age_s": "MaximumRecordAgeInSeconds",
    "bisect_batch_on_function_error": "BisectBatchOnFunctionError",
    "tumbling_window_s": "TumblingWindowInSeconds",
    "starting_position": "StartingPosition",
    "starting_position_timestamp": "StartingPositionTimestamp",
}
_OWN: Final = ("filters", "maximum_concurrency", "on_failure")


def api_request(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Raises `InvalidParameterValue` for a name that is none; values are looked at later.

    >>> api_request({"batch_size": 5, "filters": [{"body": {"kind": ["order"]}}]})
    {'BatchSize': 5, 'FilterCriteria': {'Filters': [{'Pattern': '{"body": {"kind": ["order"]}}'}]}}
    """
    request: dict[str, Any] = {}
    for name, value in settings.items():
        if value is None:
            continue
        if name in _NAMES:
            request[_NAMES[name]] = value
        elif name == "filters":
            request["FilterCriteria"] = {"Filters": [{"Pattern": _pattern(each)} for each in value]}
        elif name == "maximum_concurrency":
            request["ScalingConfig"] = {"MaximumConcurrency": value}
        elif name == "on_failure":
            request["DestinationConfig"] = {"OnFailure": {"Destination": value}}
        else:
            near = difflib.get_close_matches(name, [*_NAMES, *_OWN], n=1)
            hint = f": did you mean {near[0]}?" if near else f": use some of {', '.join([*_NAMES, *_OWN])}"
            raise InvalidParameterValue(f"an event source mapping has no setting {name}{hint}")
    return request


def _pattern(pattern: Any) -> str:
    return pattern if isinstance(pattern, str) else json.dumps(pattern)

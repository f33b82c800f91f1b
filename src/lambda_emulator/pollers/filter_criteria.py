"""Which records of a source reach the function: up to five patterns, and what each source shows of a record. Pure.

A record passes when any pattern holds. A queue's `body` and a Kinesis record's `data` are text that may be JSON: a
pattern that is an object there sees the parsed JSON object, a list sees the plain text, and where text and pattern do
not fit together the record does not pass.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from lambda_emulator.errors import InvalidParameterValue
from lambda_emulator.pollers.filter_pattern import FilterPattern, InvalidPattern
from lambda_emulator.pollers.source_arn import Kind

__all__ = ["FilterCriteria"]

# The quota that one can ask for; five without asking.
MAX_FILTERS: Final = 10
MAX_PATTERN_CHARACTERS: Final = 4096


class FilterCriteria:
    """The patterns of one mapping. Without any, everything passes."""

    def __init__(self, patterns: Sequence[str], kind: Kind) -> None:
        """Compile them. Raises `InvalidParameterValue`; what is wrong with a pattern is in its cause."""
        if len(patterns) > MAX_FILTERS:
            raise InvalidParameterValue(
                f"1 validation error detected: Value at 'filterCriteria.filters' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MAX_FILTERS}"
            )
        self._patterns = [_compiled(text) for text in patterns]
        self._view = _VIEWS[kind]

    def passes(self, record: Mapping[str, Any]) -> bool:
        """Whether a record, in the form in which the function would get it, goes on."""
        if not self._patterns:
            return True
        return any(pattern.matches(self._view(record, pattern.source)) for pattern in self._patterns)


def _compiled(text: str) -> FilterPattern:
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise InvalidParameterValue(
            f"1 validation error detected: Value at 'filterCriteria.filters.member.pattern' failed to satisfy "
            f"constraint: Member must have length less than or equal to {MAX_PATTERN_CHARACTERS}"
        )
    try:
        return FilterPattern.parse(text)
    except InvalidPattern as reason:
        raise InvalidParameterValue("Invalid filter pattern definition.") from reason


def _queue_view(record: Mapping[str, Any], pattern: Mapping[str, Any]) -> dict[str, Any]:
    view = dict(record)
    _put_text(view, "body", record["body"], pattern)
    return view


def _kinesis_view(record: Mapping[str, Any], pattern: Mapping[str, Any]) -> dict[str, Any]:
    """Data and metadata side by side; `kinesis` itself stays too."""
    view = {**record, **record["kinesis"]}
    del view["data"]
    try:
        text = base64.b64decode(record["kinesis"]["data"], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return view
    _put_text(view, "data", text, pattern)
    return view


def _put_text(view: dict[str, Any], key: str, text: str, pattern: Mapping[str, Any]) -> None:
    """The form of the text that the pattern speaks of; none where the two do not fit."""
    view.pop(key, None)
    wanted = _wanted(pattern, key)
    if wanted is None:
        return
    parsed = _json_object(text)
    if wanted is Mapping and parsed is not None:
        view[key] = parsed
    elif wanted is list and parsed is None:
        view[key] = text


def _wanted(pattern: Mapping[str, Any], key: str) -> type | None:
    """What the pattern has at `key`, also inside an `$or`."""
    if any(name.startswith(f"{key}.") for name in pattern):
        return Mapping
    if key in pattern:
        return list if isinstance(pattern[key], list) else Mapping
    found = (_wanted(each, key) for each in pattern.get("$or", ()))
    return next((each for each in found if each is not None), None)


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _record_itself(record: Mapping[str, Any], _pattern: Mapping[str, Any]) -> Mapping[str, Any]:
    return record


_VIEWS: Final[dict[Kind, Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]]] = {
    "sqs": _queue_view,
    "sqs-fifo": _queue_view,
    "kinesis": _kinesis_view,
    "dynamodb": _record_itself,
}

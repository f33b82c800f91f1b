"""The names of the keys in a line: ours, or aws-lambda-powertools' for dashboards that exist, or one's own.

Only names differ. Times are RFC 3339 in any case, since Lambda takes a line with another time for INFO.
"""

from __future__ import annotations

from .levels import NAMES

__all__ = ["FIELDS", "HANDLERKIT", "POWERTOOLS", "Keys"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = (
    "timestamp",
    "level",
    "event",
    "logger",
    "location",
    "service",
    "function_name",
    "function_version",
    "function_memory_mb",
    "function_arn",
    "request_id",
    "cold_start",
    "trace_id",
    "tenant_id",
    "correlation_id",
    "record_id",
    "exception",
    "stack",
)


class Keys:
    """A name for each of `FIELDS`; None leaves a field out. `levels` are the levels' names by number."""

    __slots__ = ("by_field", "flat_exceptions", "levels")

    def __init__(
        self, renamed: Mapping[str, str | None], levels: Mapping[int, str] = NAMES, *, flat_exceptions: bool = False
    ) -> None:
        unknown = sorted(set(renamed) - set(FIELDS))
        if unknown:
            raise ValueError(f"no field {unknown[0]!r} to rename; there are {', '.join(FIELDS)}")
        self.by_field: dict[str, str | None] = {field: field for field in FIELDS}
        self.by_field |= {"location": None, "function_arn": None}
        self.by_field |= renamed
        for needed in ("timestamp", "level", "event", "exception"):
            if not self.by_field[needed]:
                raise ValueError(f"a line cannot be without {needed!r}")
        self.levels = dict(levels)
        self.flat_exceptions = flat_exceptions

    def __getitem__(self, field: str) -> str | None:
        return self.by_field[field]

    def renamed(self, changes: Mapping[str, str | None]) -> Keys:
        """The same with other names for some fields."""
        return Keys({**self.by_field, **changes}, self.levels, flat_exceptions=self.flat_exceptions)


HANDLERKIT = Keys({})
POWERTOOLS = Keys(
    {
        "event": "message",
        "location": "location",
        "function_version": None,
        "function_memory_mb": "function_memory_size",
        "function_arn": "function_arn",
        "request_id": "function_request_id",
        "trace_id": "xray_trace_id",
        "stack": "stack_info",
    },
    {**NAMES, 30: "WARNING", 50: "CRITICAL"},
    flat_exceptions=True,
)

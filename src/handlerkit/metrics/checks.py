"""What CloudWatch takes: names, units, values, dimensions. What the program writes wrongly raises here, at the call;
what only data can get wrong (a dimension's value) is made to fit, since a metric must not fail an invocation.

Limits are those of the embedded metric format's specification and of PutMetricData.
"""

from __future__ import annotations

__all__ = [
    "MAX_DIMENSIONS",
    "RESOLUTIONS",
    "UNITS",
    "dimension_name",
    "dimension_value",
    "metric_name",
    "namespace_name",
    "number",
    "property_name",
    "resolution_of",
    "timestamp_of",
    "unit_name",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SIZES = ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes")
_BITS = ("Bits", "Kilobits", "Megabits", "Gigabits", "Terabits")
UNITS = frozenset(
    (
        *("Seconds", "Microseconds", "Milliseconds", *_SIZES, *_BITS, "Percent", "Count", "None"),
        *(f"{unit}/Second" for unit in (*_SIZES, *_BITS, "Count")),
    )
)
RESOLUTIONS = (1, 60)
MAX_DIMENSIONS = 30
"""Names in one dimension set."""
MAX_NAME = 255
MAX_DIMENSION_VALUE = 1_024
LARGEST = 2.0**360
"""CloudWatch's range of values, either sign."""
PAST_MS, AHEAD_MS = 14 * 24 * 3_600_000, 2 * 3_600_000
"""How far a time may be from now."""


def metric_name(name: Any) -> str:
    """Raises `TypeError` for no text, `ValueError` for one that is empty, too long, or taken."""
    return _name(name, "a metric's name")


def property_name(name: Any) -> str:
    """As `metric_name`."""
    return _name(name, "a property's name")


def dimension_name(name: Any) -> str:
    """As `metric_name`; ASCII, and no colon at its beginning."""
    _name(name, "a dimension's name")
    if not name.isascii() or name.startswith(":"):
        raise ValueError(f"a dimension's name is ASCII and begins with no colon: {name!r}")
    return str(name)


def namespace_name(name: Any) -> str:
    """As `metric_name`; `AWS/` is CloudWatch's own."""
    _name(name, "a namespace")
    if name.startswith(("AWS/", ":")):
        raise ValueError(f"a namespace begins with neither AWS/ nor a colon: {name!r}")
    return str(name)


def _name(name: Any, what: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{what} is text, not {type(name).__name__}")
    if not name.strip() or len(name) > MAX_NAME:
        raise ValueError(f"{what} has 1 to {MAX_NAME} characters and more than spaces: {name[:40]!r}")
    if name == "_aws":
        raise ValueError(f"{what} cannot be _aws: that is the format's own")
    return name


def dimension_value(value: Any) -> str:
    """A dimension's value as CloudWatch takes it: ASCII, 1 to 1,024 characters, more than spaces, no colon in front.

    >>> dimension_value("Zoë"), dimension_value(""), dimension_value(":a"), dimension_value(5)
    ('Zo\\\\xeb', 'empty', '_:a', '5')
    """
    try:
        text = value if isinstance(value, str) else str(getattr(value, "value", value))
    except Exception:  # noqa: BLE001  # a value's own __str__ may do anything
        text = type(value).__name__
    text = text.encode("ascii", "backslashreplace").decode()
    text = "".join(one if one.isprintable() else " " for one in text)[:MAX_DIMENSION_VALUE]
    if not text.strip():
        return "empty"
    return f"_{text}"[:MAX_DIMENSION_VALUE] if text.startswith(":") else text


def unit_name(unit: Any) -> str:
    """One of `UNITS`; None is `None`. Raises `ValueError`, with the nearest that there is."""
    if unit is None:
        return "None"
    if isinstance(unit, str) and unit in UNITS:
        return str.__str__(unit)
    value = getattr(unit, "value", None)  # a member of somebody's enum
    if isinstance(value, str) and value in UNITS:
        return value
    from difflib import get_close_matches  # late: only on the way to an error

    near = get_close_matches(str(unit).capitalize(), sorted(UNITS), 1)
    raise ValueError(
        f"{unit!r} is no unit" + (f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(UNITS))}")
    )


def resolution_of(resolution: Any) -> int:
    """Seconds: 60, or 1 for high resolution. Raises `ValueError`."""
    if resolution not in RESOLUTIONS or isinstance(resolution, bool):
        raise ValueError(f"resolution={resolution!r}: 60, or 1 for high resolution")
    return int(resolution)


def number(value: Any) -> int | float:
    """A finite number. Raises `TypeError` for what is none, `ValueError` for NaN, infinities, and what is too large."""
    kind = type(value)
    if kind is not int and kind is not float:
        if isinstance(value, (str, bytes, bool)) or not hasattr(value, "__float__"):
            raise TypeError(f"a metric's value is a number, not {kind.__name__}")
        value = int(value) if isinstance(value, int) else float(value)
    if value != value or not -LARGEST <= value <= LARGEST:
        raise ValueError(f"a metric's value is finite and within ±2^360, not {value!r}")
    return value  # type: ignore[no-any-return]


def timestamp_of(when: Any, now_ms: int) -> int:
    """Epoch milliseconds of a number or a datetime. Raises `ValueError` outside of what CloudWatch takes."""
    if hasattr(when, "timestamp"):
        if when.tzinfo is None:
            raise ValueError(f"{when!r} has no time zone")
        when = when.timestamp() * 1000
    timestamp_ms = int(number(when))
    if not now_ms - PAST_MS <= timestamp_ms <= now_ms + AHEAD_MS:
        raise ValueError(
            f"{when!r} is not within the last 14 days and the next 2 hours (epoch milliseconds, or a datetime)"
        )
    return timestamp_ms

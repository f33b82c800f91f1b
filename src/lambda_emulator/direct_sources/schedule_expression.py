"""`rate(…)`, `cron(…)` and `at(…)`: when a schedule is due. Pure.

Fields of cron: minutes, hours, day of month, month, day of week (1 is Sunday), year; `*`, `?`, lists, ranges, steps,
`L`, `W` and `#`. One of the two days has to be `?`. In a time zone, an hour that the clocks skip is skipped, and one
that they repeat counts once.
"""

import calendar
import datetime
import re
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

__all__ = ["InvalidSchedule", "ScheduleExpression", "parse_schedule"]

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_CRON = re.compile(r"cron\((.+)\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_UNITS_S: Final = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS: Final = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class InvalidSchedule(ValueError):  # noqa: N818 (it is what the API calls it)
    """The expression is none."""


class ScheduleExpression(Protocol):
    """When it is due."""

    def after(self, moment_s: float, *, anchor_s: float) -> float | None:
        """The first time after that moment, in seconds since the epoch; a rate counts from `anchor_s`."""


def parse_schedule(text: str, *, timezone: str = "UTC", one_time: bool = False) -> ScheduleExpression:
    """Raises `InvalidSchedule`. `one_time`: whether `at(…)` is allowed, as in EventBridge Scheduler.

    >>> parse_schedule("rate(5 minutes)").after(90, anchor_s=60)
    360
    >>> parse_schedule("cron(30 8 ? * MON-FRI *)").after(0, anchor_s=0)
    30600.0
    """
    try:
        zone = zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidSchedule(f"no time zone {timezone!r}") from None
    if match := _RATE.fullmatch(text):
        number, unit = int(match[1]), match[2]
        if number < 1 or (number == 1) == unit.endswith("s"):
            raise InvalidSchedule("a rate is a number above 0 and a unit, singular for 1: rate(1 hour), rate(2 hours)")
        return _Rate(number * _UNITS_S[unit.removesuffix("s")])
    if match := _CRON.fullmatch(text):
        return _cron(match[1].split(), zone)
    if one_time and (match := _AT.fullmatch(text)):
        try:
            local = datetime.datetime.fromisoformat(match[1])
        except ValueError as error:
            raise InvalidSchedule(str(error)) from None
        return _At(local.replace(tzinfo=zone).timestamp())
    raise InvalidSchedule("an expression is rate(value unit), cron(six fields)" + (", at(time)" if one_time else ""))


@dataclass(frozen=True, slots=True)
class _Rate:
    period_s: int

    def after(self, moment_s: float, *, anchor_s: float) -> float | None:
        periods = max(0, int((moment_s - anchor_s) // self.period_s) + 1)
        return anchor_s + periods * self.period_s


@dataclass(frozen=True, slots=True)
class _At:
    at_s: float

    def after(self, moment_s: float, *, anchor_s: float) -> float | None:  # noqa: ARG002
        return self.at_s if self.at_s > moment_s else None


_DayTest = Callable[[datetime.date], bool]


@dataclass(frozen=True, slots=True)
class _Cron:
    minutes: list[int]
    hours: list[int]
    months: frozenset[int]
    years: frozenset[int]
    day: _DayTest
    zone: zoneinfo.ZoneInfo

    def after(self, moment_s: float, *, anchor_s: float) -> float | None:  # noqa: ARG002
        begins = datetime.datetime.fromtimestamp(moment_s, self.zone).date()
        for day in self._days(begins):
            times = (self._time_s(day, hour, minute) for hour in self.hours for minute in self.minutes)
            due_s = min((at_s for at_s in times if at_s is not None and at_s > moment_s), default=None)
            if due_s is not None:
                return due_s
        return None

    def _days(self, begins: datetime.date) -> Iterator[datetime.date]:
        for year in range(begins.year, _LAST_YEAR + 1):
            for month in range(1, 13) if year in self.years else ():
                if month not in self.months or (year, month) < (begins.year, begins.month):
                    continue
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = datetime.date(year, month, number)
                    if day >= begins and self.day(day):
                        yield day

    def _time_s(self, day: datetime.date, hour: int, minute: int) -> float | None:
        """None for a time that the clocks skip."""
        local = datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
        at_s = local.timestamp()
        there = datetime.datetime.fromtimestamp(at_s, self.zone)
        return at_s if (there.hour, there.minute) == (hour, minute) else None


def _cron(fields: list[str], zone: zoneinfo.ZoneInfo) -> _Cron:
    if len(fields) != 6:
        raise InvalidSchedule(f"cron has six fields, not {len(fields)}")
    minutes, hours, of_month, months, of_week, years = (field.upper() for field in fields)
    if (of_month == "?") == (of_week == "?"):
        raise InvalidSchedule("one of day of month and day of week has to be ?, and only one")
    return _Cron(
        minutes=sorted(_numbers(minutes, 0, 59)),
        hours=sorted(_numbers(hours, 0, 23)),
        months=_numbers(months, 1, 12, _MONTHS),
        years=_numbers(years, _FIRST_YEAR, _LAST_YEAR),
        day=_of_week(of_week) if of_month == "?" else _of_month(of_month),
        zone=zone,
    )


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, 1, high, None) if slash else 1
        if span == "*":
            first, last = low, high
        else:
            first_text, dash, last_text = span.partition("-")
            first = _number(first_text, low, high, names)
            last = _number(last_text, low, high, names) if dash else (high if slash else first)
        if last < first:  # over the end and on from the beginning, such as FRI-MON
            found.update(range(first, high + 1, step))
            first = low
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, low: int, high: int, names: dict[str, int] | None) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else (names or {}).get(text, -1)
    if not low <= number <= high:
        raise InvalidSchedule(f"{text!r} is not from {low} to {high}")
    return number


def _of_month(field: str) -> _DayTest:
    if field == "L":
        return lambda day: day.day == _days_in(day)
    if field == "LW":
        return lambda day: day.day == _weekday_nearest(day, _days_in(day))
    if field.endswith("W"):
        wanted = _number(field[:-1], 1, 31, None)
        return lambda day: wanted <= _days_in(day) and day.day == _weekday_nearest(day, wanted)
    days = _numbers(field, 1, 31)
    return lambda day: day.day in days


def _of_week(field: str) -> _DayTest:
    if field == "L":
        return lambda day: _weekday(day) == 7
    if field.endswith("L"):
        last = _number(field[:-1], 1, 7, _WEEKDAYS)
        return lambda day: _weekday(day) == last and day.day > _days_in(day) - 7
    if "#" in field:
        name, _, which = field.partition("#")
        weekday, nth = _number(name, 1, 7, _WEEKDAYS), _number(which, 1, 5, None)
        return lambda day: _weekday(day) == weekday and (day.day - 1) // 7 + 1 == nth
    days = _numbers(field, 1, 7, _WEEKDAYS)
    return lambda day: _weekday(day) in days


def _weekday(day: datetime.date) -> int:
    return day.isoweekday() % 7 + 1


def _days_in(day: datetime.date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday_nearest(month: datetime.date, wanted: int) -> int:
    """The working day nearest to that day, within the month."""
    match month.replace(day=wanted).isoweekday():
        case 6:
            return wanted - 1 if wanted > 1 else wanted + 2
        case 7:
            return wanted + 1 if wanted < _days_in(month) else wanted - 2
        case _:
            return wanted

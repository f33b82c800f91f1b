"""Points in time in every form AWS writes them, as aware datetimes. Pure; a form it does not know gives None."""

from __future__ import annotations

__all__ = ["instant"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# "12/Mar/2020:19:03:58 +0000" with or without the blank (API Gateway) · "Fri, 17 Apr 2020 00:46:01 +0000" (e-mail)
_DAY_FIRST = (
    r"(?:[A-Za-z]{3,9}, *)?(?P<day>\d{1,2})[ /-](?P<month>[A-Z][a-z]{2})[a-z]*[ /-](?P<year>\d{4})"
    r"[ :,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?P<half>) *"
    r"(?P<zone>[+-]\d{4}|GMT|UTC|Z)?(?: \([^)]*\))?"
)
# "Sep 1, 2017 4:12:29 PM" (CodeBuild) · "Jan 1, 1970, 12:33:41 AM" (RabbitMQ)
_MONTH_FIRST = (
    r"(?P<month>[A-Z][a-z]{2})[a-z]* +(?P<day>\d{1,2}), *(?P<year>\d{4}),? +"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)\s*(?P<half>[AP]M)?(?P<zone>)"
)
# "Aug  5 09:36:04 2021 GMT" (certificates) · "Wed Mar 10 23:41:52 UTC 2021" (Object Lambda)
_YEAR_LAST = (
    r"(?:[A-Z][a-z]{2} +)?(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) +"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?P<half>) +"
    r"(?:(?:UTC|GMT|Z) +)?(?P<year>\d{4})(?: +(?P<zone>GMT|UTC|Z))?"
)


def instant(value: object) -> datetime | None:
    """The moment a wire value names; without a zone it is UTC. Numbers are taken by magnitude: s, ms or us.

    >>> instant("1523232000000").isoformat()
    '2018-04-09T00:00:00+00:00'
    """
    if isinstance(value, str):
        text = value.strip()
        if text[:1].isdigit() and "T" in text:  # all that is hot is written so
            return _iso(text)
        try:
            return _epoch(float(text)) if "." in text or "e" in text else _epoch(int(text))
        except ValueError:
            return _iso(text) or _written_out(text)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _epoch(value)
    raise ValueError("not a point in time")


def _epoch(number: Any) -> datetime | None:
    import datetime  # late: 1 ms, only once somebody asks for a time

    size = abs(number)
    per_second = 1_000_000 if size > 1e14 else 1_000 if size > 1e11 else 1
    try:
        if isinstance(number, float):
            return datetime.datetime.fromtimestamp(number / per_second, datetime.UTC)
        seconds, rest = divmod(number, per_second)  # exact, which a float of milliseconds is not
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        return moment.replace(microsecond=rest * (1_000_000 // per_second)) if rest else moment
    except (OverflowError, ValueError, OSError):
        return None


def _iso(text: str) -> datetime | None:
    import datetime

    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        if ": " not in text:
            return None
        return _iso(text.replace(": ", ":"))  # documentation samples break lines inside the time
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)


def _written_out(text: str) -> datetime | None:
    import re  # late: only the forms that people were meant to read
    from datetime import UTC, datetime, timedelta

    if len(text) > 60:
        return None
    for form in (_DAY_FIRST, _MONTH_FIRST, _YEAR_LAST):
        match = re.fullmatch(form, text)
        if match is None:
            continue
        part = match.groupdict()
        hour = int(part["hour"])
        if part["half"]:
            hour = hour % 12 + (12 if part["half"] == "PM" else 0)
        try:
            clock = (hour, int(part["minute"]), int(part["second"] or 0))
            moment = datetime(int(part["year"]), _MONTHS.index(part["month"]) + 1, int(part["day"]), *clock, tzinfo=UTC)
        except ValueError:
            return None
        zone = part["zone"]
        if zone and zone[0] in "+-":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
            moment = moment - offset if zone[0] == "+" else moment + offset
        return moment
    return None

"""Every form of time that events are written in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlerkit.events.instants import instant


@pytest.mark.parametrize(
    ("wire", "iso"),
    [
        (1583348638390, "2020-03-04T19:03:58.390000+00:00"),
        ("1523232000000", "2018-04-09T00:00:00+00:00"),
        (1607497475.25, "2020-12-09T07:04:35.250000+00:00"),
        ("1607497475.25", "2020-12-09T07:04:35.250000+00:00"),
        (1479499740, "2016-11-18T20:09:00+00:00"),
        ("1696331543569073", "2023-10-03T11:12:23.569073+00:00"),
        (1.731924555370e12, "2024-11-18T10:09:15.370000+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
        ("2015-08-18T18:02:32.111Z", "2015-08-18T18:02:32.111000+00:00"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00"),
        ("2024-02-22T11:51:01.123456789Z", "2024-02-22T11:51:01.123456+00:00"),
        ("2023-08-04T12:36:15.490+0000", "2023-08-04T12:36:15.490000+00:00"),
        ("2023-08-04T12: 36: 15.490+0000", "2023-08-04T12:36:15.490000+00:00"),
        ("2016-01-01T23:59:59.123+0200", "2016-01-01T23:59:59.123000+02:00"),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01", "2026-01-01T00:00:00+00:00"),
        ("12/Mar/2020:19:03:58 +0000", "2020-03-12T19:03:58+00:00"),
        ("12/Mar/2020:19:03:58+0000", "2020-03-12T19:03:58+00:00"),
        ("09/Apr/2015:12:34:56 +0130", "2015-04-09T11:04:56+00:00"),
        ("09/Apr/2015:12:34:56 -0130", "2015-04-09T14:04:56+00:00"),
        ("Sep 1, 2017 4:12:29 PM", "2017-09-01T16:12:29+00:00"),
        ("Jan 1, 1970, 12:33:41 AM", "1970-01-01T00:33:41+00:00"),
        ("Jan 1, 1970, 12:33:41 PM", "1970-01-01T12:33:41+00:00"),
        ("Aug  5 09:36:04 2021 GMT", "2021-08-05T09:36:04+00:00"),
        ("Wed Mar 10 23:41:52 UTC 2021", "2021-03-10T23:41:52+00:00"),
        ("Wed, 7 Oct 2015 12:34:56 -0700", "2015-10-07T19:34:56+00:00"),
        ("Fri, 17 Apr 2020 00:46:01 +0000 (UTC)", "2020-04-17T00:46:01+00:00"),
        ("Mon, 05 Sep 2022 10:00 GMT", "2022-09-05T10:00:00+00:00"),
    ],
)
def test_a_known_form_is_an_aware_moment(wire: Any, iso: str) -> None:
    found = instant(wire)
    assert found == datetime.fromisoformat(iso)
    assert found is not None
    assert found.utcoffset() is not None


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "soon",
        "EXAMPLE",
        "12/Foo/2020:19:03:58 +0000",
        "99/Mar/2020:19:03:58 +0000",
        1e30,
        "1e400",
        "nan",
        "x" * 1000,
    ],
)
def test_an_unknown_form_is_none(wire: Any) -> None:
    assert instant(wire) is None


@given(st.integers(min_value=100_000_000_001, max_value=10**13))
def test_milliseconds_come_back_exactly(milliseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert instant(milliseconds) == instant(str(milliseconds)) == instant(moment.isoformat()) == moment


@given(st.text() | st.floats() | st.integers())
def test_no_text_and_no_number_raises(wire: Any) -> None:
    found = instant(wire)
    assert found is None or found.tzinfo is not None

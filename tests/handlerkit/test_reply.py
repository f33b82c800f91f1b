"""Results as JSON: one document, whichever way it leaves."""

import collections
import dataclasses
import enum
import json
import pathlib
import types
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlerkit.events import Headers, SqsRecord
from handlerkit.reply import encoded, jsonable
from handlerkit.reply_place import placed


class Colour(enum.Enum):
    """A plain enum."""

    RED = "red"


class Level(enum.IntEnum):
    """An int enum."""

    LOW = 1


class Name(enum.StrEnum):
    """A text enum."""

    ADA = "ada"


class Model(pydantic.BaseModel):
    """A model with what JSON lacks."""

    at: datetime
    price: Decimal


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: Decimal


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        ("ü", "ü"),
        (Colour.RED, "red"),
        (Level.LOW, 1),
        (Name.ADA, "ada"),
        (
            Model(at=datetime(2026, 1, 1, tzinfo=UTC), price=Decimal("1.10")),
            {"at": "2026-01-01T00:00:00Z", "price": "1.10"},
        ),
        (Point(Decimal("2.50")), {"x": 2.5}),
        (Decimal("1e3"), 1000),
        (Decimal("-0.1"), -0.1),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T00:00:00+02:00"),
        (date(2026, 1, 1), "2026-01-01"),
        (time(1, 2), "01:02:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("/a"), "/a"),
        (b"text", "text"),
        (bytearray(b"text"), "text"),
        ((1, (2,)), [1, [2]]),
        ({1}, [1]),
        (types.MappingProxyType({"a": {1: True}}), {"a": {"1": True}}),
        (Headers({"A": "1"}), {"A": "1"}),
        (SqsRecord({"messageId": "1"}), {"messageId": "1"}),
        (
            {Colour.RED: 1, Name.ADA: 2, 3: Decimal(1), None: 4, date(2026, 1, 1): 5},
            {"red": 1, "ada": 2, "3": 1, "null": 4, "2026-01-01": 5},
        ),
        (collections.deque([1]), [1]),
        (timedelta(days=1), "P1D"),
        ("\ud83d", "\ud83d"),
    ],
)
def test_a_value_is_the_same_document_both_ways(value: Any, shown: Any) -> None:
    assert json.loads(encoded(value)) == shown
    assert json.loads(json.dumps(jsonable(value))) == shown


def circle() -> list[Any]:
    inner: list[Any] = []
    inner.append({"again": inner})
    return inner


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        [float("inf")],
        Decimal("NaN"),
        b"\xff",
        object(),
        {"a": object()},
        {(1, 2): 3},
        circle(),
        Point,
    ],
)
def test_what_has_no_json_form_is_refused_both_ways(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        encoded(value)
    with pytest.raises((TypeError, ValueError)):
        jsonable(value)


@dataclasses.dataclass
class Line:
    """What a result may hold."""

    price: object


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "an object of type object has no JSON form"),
        ({"a": [1, {object()}]}, "an object of type object has no JSON form (at ['a'][1][0])"),
        ({"lines": [Line(1), Line(float("nan"))]}, "not JSON compliant: nan (at ['lines'][1]['price'])"),
        ([b"\xff"], "bytes that are not UTF-8 (at byte 0): encode them, e.g. as base64 (at [0])"),
        ({"k": {(1, 2): 3}}, "an object's key cannot be of type tuple (at ['k'])"),
        (["x", circle(), object()], "the result is nested too deeply, or contains itself"),
    ],
)
@pytest.mark.parametrize("write", [encoded, jsonable])
def test_what_is_refused_is_told_with_its_place(write: Any, value: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        write(value)
    assert str(refused.value).endswith(message)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert refused.value.__lambda_error_type__ == "Runtime.MarshalError"  # type: ignore[attr-defined]


def test_a_place_in_what_contains_itself_has_an_end() -> None:
    ring: dict[str, Any] = {}
    ring["again"] = ring

    def refuse(value: object) -> None:
        raise ValueError("no")

    assert str(placed(ValueError("no"), ring, refuse, refuse)).count("['again']") == 30


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_plain_values_pass_unchanged(value: Any) -> None:
    assert jsonable(value) == value
    assert json.loads(encoded(value)) == value

"""Results come back equal, of the same type, or not at all."""

import datetime
import decimal
import enum
import json
import uuid
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from handlerkit.idempotency import RememberedError, ResultNotKeptError, ResultNotRestoredError
from handlerkit.idempotency.results import encoded, encoded_exception, restored


class Colour(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Frozen:
    n: int
    inner: tuple[int, ...] = ()
    computed: int = field(init=False, default=0)


class Line(BaseModel):
    model_config = ConfigDict(extra="allow")
    amount: decimal.Decimal
    data: bytes = b"\xff"


class Order(BaseModel):
    order_id: str = Field(alias="orderId")
    lines: list[Line] = []
    placed_at: datetime.datetime | None = None
    _cache: dict[str, int] = PrivateAttr(default_factory=dict)


ORDER = Order(orderId="o-1", lines=[Line(amount=decimal.Decimal("1.10"), extra=(1, 2))])  # type: ignore[call-arg]
RESULTS: list[Any] = [
    None, 0, False, "", [], {}, (), 1.5, float("inf"), 10**30, "ü😀", "\ud800",
    {"a": [1, {"b": None}]}, {1: "a", "1": "b"}, {"$hk": "tuple", "of": [1]}, {(1, 2): {3}}, {"\ud800": 1},
    (1, [2, (3,)]), {1, 2}, frozenset("ab"), b"\x00\xff", bytearray(b"x"),
    decimal.Decimal("1.10"), uuid.UUID(int=5), datetime.date(2026, 1, 2), datetime.time(3, 4),
    datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC), datetime.timedelta(days=-1, microseconds=3),
    datetime.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
    Colour.RED, Point(1, 2), Frozen(1, (2, 3)), [Frozen(1), {"p": Point(0, 0)}], ORDER, {"orders": [ORDER]},
]  # fmt: skip

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=10,
)


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if type(left) is not type(right) or left != right:
        return False
    # Equal sets may list their members in different orders; those of the samples are text and numbers.
    return isinstance(left, (set, frozenset)) or repr(left) == repr(right)


@pytest.mark.parametrize("result", RESULTS, ids=lambda one: type(one).__name__)
def test_a_result_comes_back_equal_and_of_its_type(result: Any) -> None:
    assert same(restored("k", encoded(result)), result)


@given(JSON)
def test_any_value_comes_back_equal_and_of_its_type(result: Any) -> None:
    assert same(restored("k", encoded(result)), result)


def test_a_model_keeps_what_was_set_and_what_was_private() -> None:
    order = Order(orderId="o-1")
    order._cache["a"] = 1
    back = restored("k", encoded(order))
    assert back.model_fields_set == {"order_id"}
    assert back._cache == {"a": 1}
    assert back.order_id == "o-1"


def test_plain_json_is_stored_as_plain_json_and_other_tools_results_are_read() -> None:
    assert encoded({"a": [1, "ü"]}) == '{"a":[1,"ü"]}'
    assert restored("k", '{"statusCode": 200, "body": "x"}') == {"statusCode": 200, "body": "x"}
    assert restored("k", "") is None


@pytest.mark.parametrize("result", [object(), len, [object()], type("Text", (str,), {})("x")])
def test_what_has_no_stored_form_is_refused(result: Any) -> None:
    with pytest.raises(TypeError, match="has no stored form"):
        encoded(result)


def test_what_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="contains itself"):
        encoded(endless)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"$hk":"tuple"}',
        '{"$hk":"future form","of":1}',
        '{"$hk":"future form","of":1,"class":"tests.handlerkit.idempotency.test_results:Point"}',
        '{"$hk":"dataclass","of":{},"class":"subprocess:Popen"}',
        '{"$hk":"dataclass","of":{},"class":"no.such.module:X"}',
        '{"$hk":"namedtuple","of":[1],"class":"builtins:tuple"}',
        '{"$hk":"dataclass","of":{},"class":"tests.handlerkit.idempotency.test_results:Frozen"}',
        '{"$hk":"model","of":[{},[],null,{}],"class":"tests.handlerkit.idempotency.test_results:Order"}',
        '{"$hk":"enum","of":"1","class":"builtins:int"}',  # which no enum is, and which would be called
        '{"$hk":"enum","of":[1],"class":"builtins:tuple"}',
        '{"$hk":"enum","of":"blue","class":"tests.handlerkit.idempotency.test_results:Colour"}',
        '{"$hk":"bytes","of":"="}',
    ],
)
def test_a_stored_result_that_cannot_be_made_again_says_so(text: str) -> None:
    with pytest.raises(ResultNotRestoredError):
        restored("k", text)


def test_a_class_that_has_grown_gets_its_defaults() -> None:
    document = json.loads(encoded(Frozen(5, (1,))))
    del document["of"]["inner"]
    assert restored("k", json.dumps(document)) == Frozen(5)
    document = json.loads(encoded(Order(orderId="o-1")))
    del document["of"][0]["lines"]
    assert restored("k", json.dumps(document)) == Order(orderId="o-1")


def test_a_result_that_was_not_kept_says_why() -> None:
    with pytest.raises(ResultNotKeptError, match="k was done before; its result was not kept: too large"):
        restored("k", '{"$hk":"not kept","of":"too large"}')


class Pair(Exception):
    def __init__(self, left: int, right: int) -> None:
        super().__init__(f"{left}-{right}")


def test_exceptions_come_back_with_their_arguments_or_with_their_words() -> None:
    with pytest.raises(LookupError) as caught:
        restored("k", encoded_exception(LookupError("a", 1)))
    assert caught.value.args == ("a", 1)
    with pytest.raises(RememberedError, match="Pair: 1-2"):
        restored("k", encoded_exception(Pair(1, 2)))
    with pytest.raises(ValueError, match="object"):
        restored("k", encoded_exception(ValueError(object())))
    with pytest.raises(RememberedError, match="said"):
        restored("k", '{"$hk":"raised","class":"builtins:SystemExit","of":[],"said":"said"}')

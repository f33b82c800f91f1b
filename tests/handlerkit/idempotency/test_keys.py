"""Keys: equal values hash alike, different ones do not; and how they are found."""

import datetime
import decimal
import enum
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from handlerkit.events import SqsRecord, parse
from handlerkit.idempotency import BadKeyError, Idempotency, KeyMissingError, MemoryStore, jmespath
from handlerkit.idempotency.extraction import argument_reader
from handlerkit.idempotency.keys import hashed


class Kind(enum.Enum):
    A = "a"


class Model(BaseModel):
    n: int


@dataclass
class Data:
    n: int


ALIKE: list[tuple[Any, Any]] = [
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ([1, 2], (1, 2)),
    (1, 1.0),
    (decimal.Decimal("1.0"), 1),
    (decimal.Decimal("1.10"), decimal.Decimal("1.1")),
    ({3, 1}, frozenset((1, 3))),
    (Kind.A, "a"),
    (Model(n=1), {"n": 1}),
    (Data(1), {"n": 1}),
    (b"x", bytearray(b"x")),
    (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    (datetime.date(2026, 1, 1), "2026-01-01"),
]
UNLIKE: list[Any] = [
    None, True, False, 0, 1, 2, "1", "", "None", "True", "n1", "s1:1", [1], [[1]], ["1"], ["a,b"], ["a", "b"], {}, [],
    {"a": 1}, {"a": "1"}, {1: 1}, {"1": 1}, {"1"}, b"", b"1", "b1:31", 1.5, 10**400, "\ud800", "\ud801",
    [None, "a"], ["a", None], ["a"],
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), ALIKE)
def test_equal_values_make_one_key(left: Any, right: Any) -> None:
    assert hashed(left) == hashed(right)


def test_different_values_make_different_keys() -> None:
    assert len({hashed(value) for value in UNLIKE}) == len(UNLIKE)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


def typed(value: Any) -> Any:
    """The value with its types beside it, for Python says that 1 is True."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {name: typed(item) for name, item in value.items()}
    return type(value).__name__, value


@given(VALUES, VALUES)
def test_keys_are_alike_exactly_if_the_values_are(left: Any, right: Any) -> None:
    assert (hashed(left) == hashed(right)) is (typed(left) == typed(right))


@pytest.mark.parametrize("value", [float("nan"), decimal.Decimal("NaN"), object(), [object()], len])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(BadKeyError):
        hashed(value)


def test_what_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(BadKeyError, match="contains itself"):
        hashed(endless)


def test_keys_are_the_same_in_every_version() -> None:
    assert hashed({"order": ["o-1", 1, None, True]}) == (
        "365e53e6879fb1ec867e9e3dea0cdcfeea37da439f3e6f29ac7766948ce4899c"
    )


def test_a_parameter_is_found_however_it_is_given() -> None:
    def function(a: int, b: int = 2, *, c: int = 3) -> None:
        pass

    for name, expected in (("a", 1), ("b", 2), ("c", 3)):
        assert argument_reader(function, name)(1) == expected
    assert argument_reader(function, "b")(1, 5) == 5
    assert argument_reader(function, "c")(1, c=7) == 7
    with pytest.raises(KeyMissingError, match="called without 'a'"):
        argument_reader(function, "a")()


def test_jmespath_looks_into_dicts_views_models_and_dataclasses() -> None:
    def function(event: Any, other: Any = None) -> None:
        pass

    record = parse(SqsRecord[str], {"messageId": "m-1", "body": "x", "eventSource": "aws:sqs"})
    found = [argument_reader(function, jmespath(path))(value) for path, value in [
        ("a.b", {"a": {"b": 1}}), ("messageId", record), ("n", Model(n=2)), ("n", Data(3)),
    ]]  # fmt: skip
    assert found == [1, "m-1", 2, 3]
    assert argument_reader(function, jmespath("n", of="other"))(None, {"n": 4}) == 4
    assert repr(jmespath("a.b")) == "jmespath('a.b')"


def test_a_view_is_a_payload() -> None:
    record = parse(SqsRecord[str], {"messageId": "m-1", "body": "x", "eventSource": "aws:sqs"})
    assert hashed(record) == hashed(record.raw)


def test_functions_have_names_of_their_own_and_the_deployed_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    def function(a: int) -> None:
        pass

    options = Idempotency(MemoryStore(), key="a")
    assert options.for_function(function).scope.endswith("own_and_the_deployed_functions.<locals>.function")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    assert options.for_function(function).scope.startswith("orders.tests.handlerkit.")
    assert Idempotency(MemoryStore(), key="a", name="n").for_function(function).scope == "n"

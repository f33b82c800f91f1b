"""Keys: equal values hash alike, different ones do not; and how they are found."""

import base64
import datetime
import decimal
import enum
import fractions
import gzip
import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from handlerkit.events import KinesisRecord, SnsNotification, SqsEvent, SqsRecord, parse
from handlerkit.idempotency import BadKeyError, Idempotency, KeyMissingError, MemoryStore, idempotent, jmespath, keys
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
    {"a": 1}, {"a": "1"}, {1: 1}, {"1": 1},
    {None: 1}, {"null": 1}, {b"1": 1}, {"1"}, {1}, 'b"31"', [b"1"], {(1,): 1}, b"", b"1",
    "b1:31", 1.5, 10**400, "\ud800", "\ud801",
    [None, "a"], ["a", None], ["a"],
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), ALIKE)
def test_equal_values_make_one_key(left: Any, right: Any) -> None:
    assert hashed(left) == hashed(right)


def test_different_values_make_different_keys() -> None:
    assert len({hashed(value) for value in UNLIKE}) == len(UNLIKE)


NAMES = st.text(max_size=3) | st.integers(-2, 2) | st.none() | st.binary(max_size=2) | st.sampled_from(Kind)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.binary()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner) | st.lists(inner).map(tuple),
    max_leaves=6,
)


def typed(value: Any) -> Any:
    """The value with its kind beside it, for Python says that 1 is True. Numbers are what JSON would write."""
    if isinstance(value, enum.Enum):
        return typed(value.value)
    if isinstance(value, (list, tuple)):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return "dict", sorted(((typed(name), typed(item)) for name, item in value.items()), key=repr)
    if isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool):
        written = repr(value) if isinstance(value, float) and value % 1 else value
        return "number", fractions.Fraction(written)
    return type(value).__name__, value


@given(VALUES, VALUES)
def test_keys_are_alike_exactly_if_the_values_are(left: Any, right: Any) -> None:
    assert (hashed(left) == hashed(right)) is (typed(left) == typed(right))


@given(VALUES)
def test_a_value_hashes_alike_whatever_its_order_and_its_numbers_types(value: Any) -> None:
    assert hashed(turned_round(value)) == hashed(value)


def turned_round(value: Any) -> Any:
    """The same value, its members in reverse, lists as tuples, whole numbers as decimals, texts as subclasses."""
    if isinstance(value, (list, tuple)):
        return tuple(turned_round(item) for item in value)
    if isinstance(value, dict):
        return {name: turned_round(item) for name, item in reversed(value.items())}
    if type(value) is int and abs(value) < 10**20:
        return decimal.Decimal(f"{value}.00")
    if type(value) is str:
        return Text(value)
    return value


class Text(str):
    """A text of a class of its own."""


@given(VALUES)
def test_nearly_all_values_are_encoded_by_the_c_encoder_and_it_makes_no_difference(value: Any) -> None:
    if keys._looked_through(value) != keys.OTHER:
        assert keys._encoded(value) == keys._canonical(value)


@pytest.mark.parametrize(
    ("value", "is_missing"),
    [
        (None, True), ("", True), ([], True), ((), True), ({}, True), (["u-1", None], True), ({"a": None}, True),
        ({"a": [{"b": ""}]}, True), (b"", True), (set(), True), (Text(""), True), ([1.0, Text("")], True),
        ({1: None}, True), (0, False), (False, False), (0.0, False), (["u-1", 0], False), (Kind.A, False),
    ],
)  # fmt: skip
def test_a_key_is_missing_if_a_part_of_it_is(value: Any, is_missing: bool) -> None:
    if is_missing:
        with pytest.raises(KeyMissingError, match=r"part of the key is missing: |the key is missing: "):
            keys.key_text("scope", value)
    else:
        assert keys.key_text("scope", value) == f"scope#{hashed(value)}"


def test_decimals_that_differ_in_a_far_digit_make_two_keys() -> None:
    digits = "0.1234567890123456789012345678901234567890"
    near, far = decimal.Decimal(digits + "1"), decimal.Decimal(digits + "2")
    assert hashed(near) != hashed(far)
    assert hashed(near) == hashed(decimal.Decimal(digits + "100"))
    assert hashed(decimal.Decimal("1E-400")) != hashed(decimal.Decimal("1E-401")) != hashed(0)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), [float("nan")], {"a": float("inf")}, decimal.Decimal("NaN"), decimal.Decimal("-Infinity"),
        object(), [object()], len, {object(): 1}, 10**5000, [decimal.Decimal(1), 10**5000], {"a": b"x", "b": object()},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(BadKeyError, match="no part of a key or payload"):
        hashed(value)


def test_what_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for value in (endless, [endless, object()], {"a": endless, "b": 1.0}):
        with pytest.raises(BadKeyError, match="contains itself"):
            hashed(value)
        with pytest.raises(BadKeyError, match="contains itself"):
            keys.key_text("scope", value)


def test_keys_are_the_same_in_every_version() -> None:
    assert hashed({"order": ["o-1", 1, None, True]}) == (
        "64177b13c8acc749a5d01edc71351d2d2520d02d36ae089e6892ba4ecb4b75e4"
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


def test_jmespath_looks_into_payloads_whose_type_is_named() -> None:
    def keys_of(kind: Any, raw: dict[str, Any], path: str) -> Any:
        def function(record: Any) -> None:
            pass

        view = parse(kind, raw)
        before = repr(view.raw)
        found = argument_reader(function, jmespath(path))(view)
        assert repr(view.raw) == before
        return found

    message = {"messageId": "m-1", "body": '{"n": 1, "more": [true]}', "eventSource": "aws:sqs"}
    notification = {
        "Type": "Notification",
        "MessageId": "n",
        "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "Message": '{"n": 3}',
    }
    kinesis = {"partitionKey": "p", "data": "eyJuIjogMn0="}
    assert keys_of(SqsRecord[Model], message, "[messageId, body.n]") == ["m-1", 1]
    assert keys_of(SqsRecord[dict[str, Any]], message, "body.more[0]") is True
    assert keys_of(SqsRecord[str], message, "body") == message["body"]
    assert keys_of(SqsRecord[str], message, "powertools_json(body).[n, messageId]") == [1, None]
    assert keys_of(SqsEvent[Model], {"Records": [message, message]}, "Records[].body.n") == [1, 1]
    assert keys_of(
        KinesisRecord[Model], {"eventSource": "aws:kinesis", "kinesis": kinesis}, "kinesis.[partitionKey, data.n]"
    ) == ["p", 2]
    assert keys_of(KinesisRecord[Model], {"eventSource": "aws:kinesis", **kinesis}, "data.n") == 2
    wrapped = {**message, "body": json.dumps(notification)}
    assert keys_of(SqsRecord[SnsNotification[Model]], wrapped, "body.Message.n") == 3


def test_jmespath_decodes_with_the_functions_that_users_of_powertools_know() -> None:
    zipped = base64.b64encode(gzip.compress(b'{"a": {"b": "c"}}')).decode()
    for path, event in [
        ("powertools_json(body).a.b", {"body": '{"a": {"b": "c"}}'}),
        ("powertools_json(powertools_base64(body)).a.b", {"body": base64.b64encode(b'{"a": {"b": "c"}}').decode()}),
        ("powertools_json(powertools_base64_gzip(body)).a.b", {"body": zipped}),
    ]:
        assert jmespath(path)(event) == "c"
        assert jmespath(path)({}) is None


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("join('-', [user, order])", {"user": "u"}),
        ("powertools_json(body)", {"body": "{"}),
        ("powertools_json(body)", {"body": 1}),
        ("powertools_base64(body)", {"body": "~"}),
        ("powertools_base64(body)", {"body": "/w=="}),
        ("powertools_base64_gzip(body)", {"body": "AAAA"}),
    ],
)
def test_an_expression_that_does_not_fit_is_a_bad_key_and_nothing_runs(path: str, event: dict[str, Any]) -> None:
    @idempotent(MemoryStore(), key=jmespath(path))
    def work(event: Any) -> None:
        raise AssertionError("ran")

    with pytest.raises(BadKeyError, match=r"jmespath\(.* cannot be applied: "):
        work(event)


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


def test_a_number_of_too_many_digits_is_named_as_that() -> None:
    for value in (10**5000, [10**5000], {10**5000}, [b"", 10**5000]):
        with pytest.raises(BadKeyError, match=r"a number of more than 4,300 digits"):
            hashed(value)

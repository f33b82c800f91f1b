"""The JSON dialect: what the managed runtime's users rely on, and errors that say what and where."""

import collections
import decimal
import enum
import json
import math
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import marshal
from runtime.marshal import NotSerialisableError, TooLargeError, dumps, loads

SHORT = st.text(max_size=1)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=25,
)


class Point(typing.NamedTuple):
    """A named tuple."""

    x: object
    y: object


class Colour(enum.Enum):
    """A plain enum."""

    RED = "red"


class Level(enum.IntEnum):
    """An int enum."""

    LOW = 1


class Kind(enum.StrEnum):
    """A str enum."""

    A = "a"


@given(JSON_VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    assert loads(dumps(value)) == value


@given(JSON_VALUES)
def test_the_text_is_the_standard_librarys_compact_text(value: object) -> None:
    expected = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert dumps(value) == expected.encode("utf-8", "backslashreplace")


SMALL: st.SearchStrategy[object] = st.sampled_from([0, 0.0, "", "a", "é", False, None, 2**31, -(2**15), [], {}])
SMALL_VALUES = st.recursive(
    SMALL,
    lambda inner: (
        st.lists(inner, max_size=6) | st.lists(inner, max_size=6).map(tuple) | st.dictionaries(SHORT, inner, max_size=4)
    ),
)


@given(JSON_VALUES | SMALL_VALUES)
def test_what_is_refused_for_its_size_before_it_is_written_is_too_large(value: object) -> None:
    size = len(dumps(value))
    assert dumps(value, size) == dumps(value)
    assert dumps([value] * 7, size * 7 + 8) == dumps([value] * 7)


@pytest.mark.parametrize("value", [[0] * 100_000, ["text"] * 100_000, "x" * 100_000, {"a": [{"b": 1.5}] * 50_000}])
def test_a_value_that_exceeds_the_limit_by_far_is_not_written(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(dumps(value))
    monkeypatch.setattr(marshal, "_encode", lambda *_: pytest.fail("it has been written"))
    with pytest.raises(TooLargeError) as raised:
        dumps(value, 1_000)
    assert 1_000 < raised.value.at_least_bytes <= size


@given(JSON_VALUES, st.sampled_from(["", " ", "\n\t ", "\r\n"]))
def test_an_event_may_be_surrounded_by_white_space_and_begin_with_a_bom(value: object, space: str) -> None:
    text = space + json.dumps(value) + space
    assert loads(text.encode()) == value
    assert loads(b"\xef\xbb\xbf" + text.encode()) == value


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \\u', max_size=40))
def test_a_text_is_accepted_exactly_when_the_standard_library_accepts_it(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    except ValueError:
        with pytest.raises(ValueError, match=r".+"):
            loads(text.encode())
    else:
        assert loads(text.encode()) == expected


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_not_a_number_is_refused_in_events(text: str) -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        loads(text.encode())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": b"bytes", b"key": 1}, '{"a":"bytes","key":1}'),
        (decimal.Decimal("1.10"), "1.10"),
        ([decimal.Decimal("1E+3"), "1E+3"], '[1E+3,"1E+3"]'),
        ({"price": decimal.Decimal("-0.0000001")}, '{"price":-1E-7}'),
        (Point(1, [Point(2, None)]), '{"x":1,"y":[{"x":2,"y":null}]}'),
        ((1, (2, 3)), "[1,[2,3]]"),
        ([Colour.RED, Level.LOW, Kind.A], '["red",1,"a"]'),
        ({Kind.A: Level.LOW}, '{"a":1}'),
        ({2: "int", 1.5: "float", True: "bool", None: "null"}, '{"2":"int","1.5":"float","true":"bool","null":"null"}'),
        (collections.OrderedDict(a=1), '{"a":1}'),
        (collections.defaultdict(list, a=[1]), '{"a":[1]}'),
        ("Zoë \U0001f600", '"Zoë \U0001f600"'),
        ("\ud83d alone", '"\\ud83d alone"'),
        ({"\udc00": [Point("\ud800", 1)]}, '{"\\udc00":[{"x":"\\ud800","y":1}]}'),
        ('a"b\\c\n\x00', '"a\\"b\\\\c\\n\\u0000"'),
        (2**70, str(2**70)),
    ],
)
def test_the_dialect(value: object, text: str) -> None:
    assert dumps(value) == text.encode()
    json.loads(dumps(value))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, "Object of type set is not JSON serializable"),
        (
            {"items": [0, {"when": math}]},
            "Object of type module is not JSON serializable (at result['items'][1]['when'])",
        ),
        ([bytearray(b"x")], "Object of type bytearray is not JSON serializable (at result[0])"),
        (object, "Object of type type is not JSON serializable"),
        (Point, "Object of type type is not JSON serializable"),
        (
            {"a": math.nan},
            "Out of range float values are not JSON compliant: nan; send null or a string (at result['a'])",
        ),
        ([-math.inf], "Out of range float values are not JSON compliant: -inf; send null or a string (at result[0])"),
        ({math.nan: 1}, "Out of range float values are not JSON compliant: nan"),
        (decimal.Decimal("NaN"), "Out of range Decimal values are not JSON compliant: NaN; send null or a string"),
        ({(1, 2): 3}, "keys must be str, bytes, int, float, bool or None, not tuple"),
        (
            [b"\xff"],
            (
                "Object of type bytes is not UTF-8 text (invalid start byte at byte 0); encode it, e.g. as base64"
                " (at result[0])"
            ),
        ),
    ],
)
def test_what_json_cannot_express_is_named_with_its_place(value: object, message: str) -> None:
    with pytest.raises(NotSerialisableError) as caught:
        dumps(value)
    assert str(caught.value) == message


def test_a_result_that_contains_itself_or_is_bottomless_is_an_error() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (cycle, deep, {"a": cycle}):
        with pytest.raises(NotSerialisableError, match="nested too deeply, or contains itself"):
            dumps(value)
    while deep:  # taken apart by hand: the interpreter's own deallocation of it is not what is tested
        deep = deep[0]  # type: ignore[assignment]


def test_without_the_private_codec_the_standard_module_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scan, encode, encode_digits, quote = marshal._plain_codec()
    for name, value in {"_scan": scan, "_encode": encode, "_encode_digits": encode_digits, "_quote": quote}.items():
        monkeypatch.setattr(marshal, name, value)
    value = {"a": [1, 2.5, None, True, "ë"], "d": decimal.Decimal("1.10"), "b": b"x", "p": Point(1, 2)}
    assert dumps(value) == '{"a":[1,2.5,null,true,"ë"],"d":1.10,"b":"x","p":{"x":1,"y":2}}'.encode()
    assert loads(b'{"a": [1.5]}') == {"a": [1.5]}
    with pytest.raises(ValueError, match="set is not JSON"):
        dumps({"a": {1}})
    with pytest.raises(ValueError, match="Out of range"):
        dumps([math.nan])


def test_this_interpreter_has_the_private_codec() -> None:
    # If this fails on a new Python, events and results are still right, only slower: see _codec().
    assert marshal._scan is not None


def test_an_integer_of_more_digits_than_the_interpreter_writes_is_not_serialisable() -> None:
    with pytest.raises(NotSerialisableError, match="limit"):
        dumps({"n": 10**5000})


def test_an_error_of_a_values_own_is_not_taken_for_ours() -> None:
    class Broken:
        def _asdict(self) -> object:
            raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$") as caught:
        dumps([Broken()])
    assert not isinstance(caught.value, NotSerialisableError)
    assert caught.value.__context__ is None

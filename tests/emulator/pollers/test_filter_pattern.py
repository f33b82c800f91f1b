"""The event-pattern language, the reference's section 7; most cases were recorded on EventBridge."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator.pollers.filter_pattern import FilterPattern, InvalidPattern
from tests.emulator.pollers.unhurried import UNHURRIED

YES, NO = True, False
CASES: list[tuple[Any, Any, bool]] = [
    # equality, same type
    ({"a": ["x"]}, {"a": "x"}, YES),
    ({"a": ["x"]}, {"a": "X"}, NO),
    ({"a": ["x"]}, {}, NO),
    ({"a": [""]}, {"a": ""}, YES),
    ({"a": [300]}, {"a": 300.0}, YES),
    ({"a": [300]}, {"a": "300"}, NO),
    ({"a": ["300"]}, {"a": 300}, NO),
    ({"a": [True]}, {"a": True}, YES),
    ({"a": [True]}, {"a": 1}, NO),
    ({"a": [1]}, {"a": True}, NO),
    ({"a": [False]}, {"a": 0}, NO),
    ({"a": [None]}, {"a": None}, YES),
    ({"a": [None]}, {}, NO),
    ({"a": [None]}, {"a": []}, NO),
    ({"a": ["x", "y"]}, {"a": "y"}, YES),
    ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "z"}, NO),
    ({"a": {"b": {"c": [1]}}}, {"a": {"b": {"c": 1}}}, YES),
    ({"a": {"b": [1]}}, {"a": 1}, NO),
    # exists
    ({"a": [{"exists": True}]}, {"a": 0}, YES),
    ({"a": [{"exists": True}]}, {"a": None}, YES),
    ({"a": [{"exists": True}]}, {}, NO),
    ({"a": [{"exists": True}]}, {"a": {"b": 1}}, NO),
    ({"a": [{"exists": True}]}, {"a": []}, NO),
    ({"a": [{"exists": False}]}, {"a": {"b": 1}}, YES),
    ({"a": [{"exists": False}]}, {"a": 1}, NO),
    ({"a": {"b": {"c": [{"exists": False}]}}}, {}, YES),
    # prefix, suffix, case
    ({"a": [{"prefix": "ab"}]}, {"a": "abc"}, YES),
    ({"a": [{"prefix": "ab"}]}, {"a": "xab"}, NO),
    ({"a": [{"prefix": ""}]}, {"a": "anything"}, YES),
    ({"a": [{"prefix": ""}]}, {"a": 1}, NO),
    ({"a": [{"suffix": ".png"}]}, {"a": "x.png"}, YES),
    ({"a": [{"suffix": ".png"}]}, {"a": "x.PNG"}, NO),
    ({"a": [{"prefix": {"equals-ignore-case": "AB"}}]}, {"a": "aBc"}, YES),
    ({"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"a": "x.pNg"}, YES),
    ({"a": [{"equals-ignore-case": "Ab"}]}, {"a": "aB"}, YES),
    ({"a": [{"equals-ignore-case": ""}]}, {"a": ""}, YES),
    ({"a": [{"equals-ignore-case": ""}]}, {"a": "x"}, NO),
    # anything-but
    ({"a": [{"anything-but": "x"}]}, {"a": "y"}, YES),
    ({"a": [{"anything-but": "x"}]}, {"a": "x"}, NO),
    ({"a": [{"anything-but": "x"}]}, {}, NO),
    ({"a": [{"anything-but": "x"}]}, {"a": None}, YES),
    ({"a": [{"anything-but": ["x", 5]}]}, {"a": 5}, NO),
    ({"a": [{"anything-but": 0}]}, {"a": 1}, YES),
    ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": 12}, YES),
    ({"a": [{"anything-but": {"prefix": ["x", "y"]}}]}, {"a": "ya"}, NO),
    ({"a": [{"anything-but": {"suffix": "x"}}]}, {"a": "xa"}, YES),
    ({"a": [{"anything-but": {"equals-ignore-case": ["X"]}}]}, {"a": "x"}, NO),
    ({"a": [{"anything-but": {"wildcard": "a*c"}}]}, {"a": "abc"}, NO),
    ({"a": [{"anything-but": {"wildcard": ""}}]}, {"a": "abc"}, YES),
    ({"p": {"a": [{"anything-but": ["roses"]}, {"exists": False}]}}, {}, YES),
    # numeric
    ({"a": [{"numeric": [">", 100]}]}, {"a": 101.0}, YES),
    ({"a": [{"numeric": [">", 100]}]}, {"a": 100}, NO),
    ({"a": [{"numeric": [">=", 0, "<", 5]}]}, {"a": 0}, YES),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, YES),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 6}, NO),
    ({"a": [{"numeric": ["=", 3.018e2]}]}, {"a": 301.8}, YES),
    ({"a": [{"numeric": [">", 0]}]}, {"a": "1"}, NO),
    ({"a": [{"numeric": ["=", 1]}]}, {"a": True}, NO),
    ({"a": [{"numeric": ["<", 1]}]}, {"a": None}, NO),
    # wildcard
    ({"a": [{"wildcard": "a*b"}]}, {"a": "ab"}, YES),
    ({"a": [{"wildcard": "a*b"}]}, {"a": "a--b"}, YES),
    ({"a": [{"wildcard": "a*b*c"}]}, {"a": "abbc"}, YES),
    ({"a": [{"wildcard": "a*a"}]}, {"a": "a"}, NO),
    ({"a": [{"wildcard": "abc"}]}, {"a": "abc"}, YES),
    ({"a": [{"wildcard": "*"}]}, {"a": ""}, YES),
    ({"a": [{"wildcard": ""}]}, {"a": ""}, NO),
    ({"a": [{"wildcard": "a\\*b"}]}, {"a": "a*b"}, YES),
    ({"a": [{"wildcard": "a\\*b"}]}, {"a": "axb"}, NO),
    ({"a": [{"wildcard": "a*"}]}, {"a": 1}, NO),
    # cidr
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, YES),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.0"}, NO),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "no address"}, NO),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": 10}, NO),
    ({"a": [{"cidr": "2001:db8::/120"}]}, {"a": "2001:db8::ff"}, YES),
    # $or
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, YES),
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 3}, NO),
    ({"c": [0], "$or": [{"a": [1]}, {"b": [2]}]}, {"a": 1}, NO),
    ({"d": {"$or": [{"a": [1]}, {"b": {"c": [2]}}]}}, {"d": {"b": {"c": 2}}}, YES),
    # arrays: one element is enough, and one and the same for all keys
    ({"a": ["x"]}, {"a": ["y", "x"]}, YES),
    ({"a": ["x"]}, {"a": [["y"], ["x"]]}, YES),
    ({"a": [{"anything-but": "x"}]}, {"a": ["x", "y"]}, YES),
    ({"a": {"b": [1]}}, {"a": [{"b": 2}, {"b": 1}]}, YES),
    ({"a": {"b": [1], "c": [4]}}, {"a": [{"b": 1, "c": 2}, {"b": 3, "c": 4}]}, NO),
    ({"a": {"b": [{"exists": False}]}}, {"a": []}, YES),
    ({"a": {"b": [{"exists": False}]}}, {"a": [1, 2]}, YES),
    # dots join levels on both sides
    ({"a.b": [1]}, {"a": {"b": 1}}, YES),
    ({"a": {"b": [1]}}, {"a.b": 1}, YES),
    ({"a.b": [1]}, {"a.b": 1}, YES),
    ({"a": {"b.c": [1]}}, {"a.b": {"c": 1}}, YES),
    ({"d": {"a.b": {"b": [1]}}}, {"d": {"a": {"b": 1}}}, NO),
    ({"d": {"a": {"b": [1]}}}, {"d": {"a.b": {"b": 1}}}, NO),
    ({"a": {"b": {"c": [1]}}}, {"a.b.c": 1}, YES),
    ({"a": {"x": [{"exists": False}]}}, {"a.b": 1}, YES),
    # JSON inside a string is text
    ({"a": {"b": [1]}}, {"a": '{"b":1}'}, NO),
]


@pytest.mark.parametrize(("pattern", "value", "holds"), CASES)
def test_a_rule_holds_or_not(pattern: Any, value: Any, holds: bool) -> None:
    assert FilterPattern.parse(json.dumps(pattern)).matches(value) is holds


REFUSED: list[tuple[Any, str]] = [
    (None, "a pattern is an object"),
    ("x", "a pattern is an object"),
    ([], "a pattern is an object"),
    ({}, "the pattern is empty"),
    ({"a": {}}, "a is empty"),
    ({"a": 1}, '"a" must be an object or an array'),
    ({"a": {"int": 1}}, '"a.int" must be an object or an array'),
    ({"a": None}, '"a" must be an object or an array'),
    ({"a": []}, "Empty arrays are not allowed"),
    ({"a": [["x"]]}, "an array inside an array"),
    ({"a": [{"EXISTS": True}]}, "Unrecognized match type EXISTS"),
    ({"a": [{"prefix": "a", "suffix": "b"}]}, "exactly one match type"),
    ({"a": [{}]}, "exactly one match type"),
    ({"a": [{"exists": "yes"}]}, "exists match pattern must be either true or false"),
    ({"a": [{"prefix": 1}]}, "prefix match pattern must be a string"),
    ({"a": [{"prefix": ["a"]}]}, "prefix match pattern must be a string"),
    ({"a": [{"suffix": 1}]}, "suffix match pattern must be a string"),
    ({"a": [{"equals-ignore-case": ["x"]}]}, "equals-ignore-case match pattern must be a string"),
    ({"a": [{"anything-but": None}]}, "Value of anything-but must be an array or single string/number value"),
    ({"a": [{"anything-but": True}]}, "Value of anything-but must be an array or single string/number value"),
    ({"a": [{"anything-but": ["a", None]}]}, "Inside anything but list, start|null|boolean is not supported"),
    ({"a": [{"anything-but": []}]}, "Empty arrays are not allowed"),
    ({"a": [{"anything-but": {"prefix": ""}}]}, "Null prefix/suffix not allowed"),
    ({"a": [{"anything-but": {"prefix": ["a", ""]}}]}, "Null prefix/suffix not allowed"),
    ({"a": [{"anything-but": {"prefix": 1}}]}, "prefix match pattern must be a string"),
    ({"a": [{"anything-but": {"prefix": {"equals-ignore-case": "a"}}}]}, "prefix match pattern must be a string"),
    ({"a": [{"anything-but": {"prefix": []}}]}, "Empty arrays are not allowed"),
    ({"a": [{"anything-but": {"numeric": [">", 1]}}]}, "Unsupported anything-but pattern"),
    ({"a": [{"numeric": ">"}]}, "Value of numeric must be an array"),
    ({"a": [{"numeric": []}]}, "numeric takes one comparison"),
    ({"a": [{"numeric": ["<", "1"]}]}, "Value of < must be numeric"),
    ({"a": [{"numeric": ["~", 1]}]}, "Unrecognized numeric range operator: ~"),
    ({"a": [{"numeric": ["<", 1, ">", 0]}]}, "Bad numeric range operator: <"),
    ({"a": [{"numeric": [">", 0, ">", 1]}]}, "Bad numeric range operator: >"),
    ({"a": [{"numeric": [">", 5, "<", 5]}]}, "Bottom must be less than top"),
    ({"a": [{"wildcard": 1}]}, "wildcard match pattern must be a string"),
    ({"a": [{"wildcard": "a**b"}]}, "Consecutive wildcard characters at pos 1"),
    ({"a": [{"wildcard": "a\\x"}]}, "Invalid escape character at pos 1"),
    ({"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}, "Rule is too complex"),
    ({"a": [{"cidr": "10.0.0.0"}]}, "Malformed CIDR, one '/' required"),
    ({"a": [{"cidr": "10.0.0.0/99"}]}, "Malformed CIDR"),
    ({"a": [{"cidr": 1}]}, "cidr match pattern must be a string"),
    ({"$or": {"a": [1]}}, "must be an array of objects"),
    ({"$or": []}, "Empty arrays are not allowed"),
    ({"$or": [1]}, "must be an array of objects"),
]


@pytest.mark.parametrize(("pattern", "reason"), REFUSED)
def test_what_is_no_pattern_is_refused_with_its_reason(pattern: Any, reason: str) -> None:
    with pytest.raises(InvalidPattern) as refused:
        FilterPattern.parse(json.dumps(pattern))
    assert reason in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "{'a': ['x']}", '{"a": [NaN]}', "\x00", '{"a":' * 100_000])
def test_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidPattern, match="the pattern is not JSON"):
        FilterPattern.parse(text)


def test_a_pattern_of_the_longest_length_nested_as_deep_as_it_goes_is_read_or_refused() -> None:
    depth = 4096 // 6
    text = '{"a":' * depth + "[1]" + "}" * depth
    with contextlib.suppress(InvalidPattern):
        assert FilterPattern.parse(text).matches({}) is False


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    assert FilterPattern.parse('{"a": ["x"], "a": ["y"]}').matches({"a": "y"})


def test_a_hostile_wildcard_is_quick() -> None:
    pattern = FilterPattern({"a": [{"wildcard": "a*ab*aab*c"}]})
    assert not pattern.matches({"a": "a" * 200_000})


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc."), inner, max_size=3)
)


@UNHURRIED
@given(VALUES)
def test_a_pattern_never_stumbles_over_an_event(value: Any) -> None:
    for pattern, _, _ in CASES:
        assert FilterPattern(pattern).matches(value) in (True, False)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["a", "b", "a.b", "$or"]), VALUES, max_size=3))
def test_any_pattern_is_compiled_or_refused(pattern: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidPattern):
        assert FilterPattern(pattern).matches({}) in (True, False)


@UNHURRIED
@given(st.text(alphabet="ab*", max_size=8), st.text(alphabet="ab", max_size=8))
def test_a_wildcard_is_what_the_shell_says(wildcard: str, text: str) -> None:
    import fnmatch

    try:
        pattern = FilterPattern({"x": [{"wildcard": wildcard}]})
    except InvalidPattern:
        assert "**" in wildcard or wildcard.count("*") > 3
        return
    assert pattern.matches({"x": text}) == (bool(wildcard) and fnmatch.fnmatchcase(text, wildcard))

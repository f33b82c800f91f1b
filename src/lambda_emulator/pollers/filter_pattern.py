"""The event-pattern language: one JSON pattern, compiled once, tried on many values. Pure.

Rules of the language:

- A pattern is an object. Its keys are ANDed; a leaf is a list of rules, which are ORed; `$or` holds whole patterns.
- In an array one element is enough, and all keys of one pattern object have to hold for the same element.
- A dot in a name joins levels, in the pattern and in the event: `a.b` is `b` inside `a`.
- Numbers are compared as numbers (300 equals 300.0); nothing else crosses types, and `true` is not 1.
- Only `{"exists": false}` holds where there is no value. An object and an empty array are no values.

What does not parse raises `InvalidPattern`, whose reason says where and why.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from lambda_emulator.pollers import pattern_rules
from lambda_emulator.pollers.pattern_rules import ABSENT, InvalidPattern, Rule

__all__ = ["FilterPattern", "InvalidPattern"]

_Test: TypeAlias = Callable[[Any], bool]
_OR: Final = "$or"


class FilterPattern:
    """A pattern that can be tried.

    >>> FilterPattern.parse('{"total": [{"numeric": [">", 10]}]}').matches({"total": 12})
    True
    """

    __slots__ = ("_test", "source")

    def __init__(self, pattern: Any) -> None:
        """Compile what `json.loads` made of a pattern. Raises `InvalidPattern`."""
        if not isinstance(pattern, Mapping):
            raise InvalidPattern("a pattern is an object")
        self.source = pattern
        """The pattern itself, for sources whose rules depend on its shape."""
        try:
            self._test = _object(pattern, "")
        except RecursionError:
            raise InvalidPattern("the pattern is nested too deeply") from None

    @classmethod
    def parse(cls, text: str) -> "FilterPattern":
        """Compile JSON text; of a key that comes twice, the last counts. Raises `InvalidPattern`."""
        try:
            pattern = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise InvalidPattern(f"the pattern is not JSON: {error}") from None
        return cls(pattern)

    def matches(self, value: Any) -> bool:
        """Whether the pattern holds for what `json.loads` made of an event."""
        return self._test(value)


def _object(pattern: Mapping[str, Any], where: str) -> _Test:
    if not pattern:
        raise InvalidPattern(f"{where or 'the pattern'} is empty: name at least one field")
    tests: list[_Test] = []
    for key, wanted in pattern.items():
        path = f"{where}.{key}" if where else key
        if key == _OR:
            tests.append(_any_of(wanted, path))
        else:
            tests.append(_field(key, _inner(wanted, path)))

    def test(value: Any) -> bool:
        if isinstance(value, list):
            # One and the same element has to satisfy all keys.
            return any(test(element) for element in _objects(value))
        return all(each(value) for each in tests)

    return test


def _inner(wanted: Any, path: str) -> _Test:
    if isinstance(wanted, Mapping):
        return _object(wanted, path)
    if isinstance(wanted, list):
        return _leaf(wanted, path)
    raise InvalidPattern(f'"{path}" must be an object or an array')


def _any_of(alternatives: Any, path: str) -> _Test:
    if not isinstance(alternatives, list) or not all(isinstance(each, Mapping) for each in alternatives):
        raise InvalidPattern(f'"{path}" must be an array of objects')
    if not alternatives:
        raise InvalidPattern("Empty arrays are not allowed")
    tests = [_object(each, path) for each in alternatives]
    return lambda value: any(test(value) for test in tests)


def _leaf(rules: list[Any], path: str) -> _Test:
    if not rules:
        raise InvalidPattern("Empty arrays are not allowed")
    compiled: list[Rule] = [pattern_rules.compile_rule(rule, path) for rule in rules]

    def test(value: Any) -> bool:
        return any(rule(each) for each in _values(value) for rule in compiled)

    return test


def _values(value: Any) -> Iterator[Any]:
    """The scalars of a field, `ABSENT` where there is none."""
    if isinstance(value, list):
        found = False
        for element in value:
            for each in _values(element):
                if each is not ABSENT:
                    found = True
                    yield each
        if not found:
            yield ABSENT
    else:
        yield ABSENT if isinstance(value, dict) else value


def _field(key: str, inner: _Test) -> _Test:
    """The field called `key`; each dot in it is a step down."""
    for part in reversed(key.split(".")):
        inner = _step(part, inner)
    return inner


def _step(part: str, inner: _Test) -> _Test:
    def test(value: Any) -> bool:
        if isinstance(value, list):
            return any(test(element) for element in _objects(value))
        if isinstance(value, _Joined):
            return inner(value.step(part))
        if not isinstance(value, dict):
            return inner(ABSENT)
        if part in value:
            return inner(value[part])
        if any(name.startswith(f"{part}.") for name in value):
            return inner(_Joined(value, part))
        return inner(ABSENT)

    return test


def _objects(elements: list[Any]) -> list[Any]:
    """What in an array can have fields; one that has none of them where nothing can."""
    return [element for element in elements if isinstance(element, dict | list)] or [ABSENT]


class _Joined(dict[str, Any]):
    """Inside a key of the event that has dots, such as `state.status`, after `state`. A leaf sees an object."""

    __slots__ = ("_members", "_prefix")

    def __init__(self, members: Mapping[str, Any], prefix: str) -> None:
        super().__init__()
        self._members = members
        self._prefix = prefix

    def step(self, key: str) -> Any:
        name = f"{self._prefix}.{key}"
        if name in self._members:
            return self._members[name]
        if any(each.startswith(f"{name}.") for each in self._members):
            return _Joined(self._members, name)
        return ABSENT


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")

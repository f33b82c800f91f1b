"""The rules that stand in the leaves of an event pattern: each compiled to a test of one scalar. Pure.

A test gets a string, a number, a bool, None, or `ABSENT`. The sentences are EventBridge's where it has one.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

__all__ = ["ABSENT", "InvalidPattern", "Rule", "compile_rule"]

Rule: TypeAlias = Callable[[Any], bool]
ABSENT: Final = object()
"""No value at all, which is not the value null."""
# EventBridge refuses wildcards that make its automaton large; the measure is not published. It refuses the documents'
# own example, `*:*:*:*:*:event-bus/*`, where one sign follows star after star; so do we from the fourth of them on.
_MAX_WILDCARDS = 30
_MAX_REPEATS = 3


class InvalidPattern(ValueError):  # noqa: N818 (it is what the API calls it)
    """A pattern that is none. The message is for people; Lambda's API has one sentence for all of them."""


def compile_rule(rule: Any, path: str) -> Rule:
    """The test for one entry of a leaf's list. Raises `InvalidPattern`."""
    if isinstance(rule, dict):
        if len(rule) != 1:
            raise InvalidPattern(f'a rule of "{path}" must have exactly one match type')
        operator, operand = next(iter(rule.items()))
        if operator not in _OPERATORS:
            raise InvalidPattern(f"Unrecognized match type {operator}")
        return _OPERATORS[operator](operand)
    if isinstance(rule, list):
        raise InvalidPattern(f'"{path}" holds an array inside an array: write its rules side by side')
    return _equals(rule)


def _equals(wanted: Any) -> Rule:
    if wanted is None:
        return lambda value: value is None
    if isinstance(wanted, bool):
        return lambda value: value is wanted
    if isinstance(wanted, str):
        return lambda value: isinstance(value, str) and value == wanted
    return lambda value: _is_number(value) and bool(value == wanted)


def _exists(wanted: Any) -> Rule:
    if not isinstance(wanted, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")
    return lambda value: (value is not ABSENT) == wanted


def _prefix(operand: Any) -> Rule:
    return _edge("prefix", operand, str.startswith)


def _suffix(operand: Any) -> Rule:
    return _edge("suffix", operand, str.endswith)


def _edge(name: str, operand: Any, holds: Callable[[str, str], bool]) -> Rule:
    if isinstance(operand, dict) and list(operand) == ["equals-ignore-case"]:
        folded = _text(operand["equals-ignore-case"], "equals-ignore-case").casefold()
        return lambda value: isinstance(value, str) and holds(value.casefold(), folded)
    text = _text(operand, name)
    return lambda value: isinstance(value, str) and holds(value, text)


def _ignore_case(operand: Any) -> Rule:
    folded = _text(operand, "equals-ignore-case").casefold()
    return lambda value: isinstance(value, str) and value.casefold() == folded


def _anything_but(operand: Any) -> Rule:
    forbidden = _forbidden(operand)
    return lambda value: value is not ABSENT and not any(rule(value) for rule in forbidden)


def _forbidden(operand: Any) -> list[Rule]:
    if isinstance(operand, dict):
        if len(operand) != 1 or next(iter(operand)) not in _INSIDE_ANYTHING_BUT:
            raise InvalidPattern(f"Unsupported anything-but pattern: {', '.join(operand) or 'nothing'}")
        name, inner = next(iter(operand.items()))
        texts = inner if isinstance(inner, list) else [inner]
        if not texts:
            raise InvalidPattern("Empty arrays are not allowed")
        if name in ("prefix", "suffix") and "" in texts:
            raise InvalidPattern("Null prefix/suffix not allowed")
        return [_INSIDE_ANYTHING_BUT[name](_text(text, name)) for text in texts]
    values = operand if isinstance(operand, list) else [operand]
    if not values:
        raise InvalidPattern("Empty arrays are not allowed")
    for value in values:
        if value is None or isinstance(value, bool | dict | list):
            if operand is values:
                raise InvalidPattern("Inside anything but list, start|null|boolean is not supported.")
            raise InvalidPattern("Value of anything-but must be an array or single string/number value.")
    return [_equals(value) for value in values]


_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda value, bound: bool(value == bound),
    "<": lambda value, bound: bool(value < bound),
    "<=": lambda value, bound: bool(value <= bound),
    ">": lambda value, bound: bool(value > bound),
    ">=": lambda value, bound: bool(value >= bound),
}


def _numeric(operand: Any) -> Rule:
    if not isinstance(operand, list):
        raise InvalidPattern("Value of numeric must be an array.")
    if len(operand) not in (2, 4):
        raise InvalidPattern("numeric takes one comparison, or a lower and an upper bound")
    pairs = list(zip(operand[::2], operand[1::2], strict=True))
    for operator, bound in pairs:
        if not isinstance(operator, str) or operator not in _COMPARISONS:
            raise InvalidPattern(f"Unrecognized numeric range operator: {operator}")
        if not _is_number(bound):
            raise InvalidPattern(f"Value of {operator} must be numeric")
    if len(pairs) == 2:
        (lower, low), (upper, high) = pairs
        if not lower.startswith(">"):
            raise InvalidPattern(f"Bad numeric range operator: {lower}")
        if not upper.startswith("<"):
            raise InvalidPattern(f"Bad numeric range operator: {upper}")
        if not low < high:
            raise InvalidPattern("Bottom must be less than top")
    tests = [(_COMPARISONS[operator], bound) for operator, bound in pairs]
    return lambda value: _is_number(value) and all(compare(value, bound) for compare, bound in tests)


def _wildcard(operand: Any) -> Rule:
    pieces = _wildcard_pieces(_text(operand, "wildcard"))
    if pieces == [""]:
        return lambda _value: False

    def test(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        first, last = pieces[0], pieces[-1]
        if len(pieces) == 1:
            return value == first
        if len(value) < len(first) + len(last) or not (value.startswith(first) and value.endswith(last)):
            return False
        # Leftmost places for the pieces between: no backtracking, so no pattern is slow.
        at, end = len(first), len(value) - len(last)
        for piece in pieces[1:-1]:
            at = value.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return test


def _wildcard_pieces(text: str) -> list[str]:
    """The literal text between the stars; a backslash takes a star or a backslash literally."""
    pieces, position, after_star = [""], 0, False
    while position < len(text):
        sign = text[position]
        if sign == "\\":
            if text[position + 1 : position + 2] not in ("*", "\\"):
                raise InvalidPattern(f"Invalid escape character at pos {position}")
            position += 1
            pieces[-1] += text[position]
        elif sign == "*":
            if after_star:
                raise InvalidPattern(f"Consecutive wildcard characters at pos {position - 1}")
            pieces.append("")
        else:
            pieces[-1] += sign
        after_star = sign == "*"
        position += 1
    if len(pieces) - 1 > _MAX_WILDCARDS or any(pieces[1:-1].count(piece) > _MAX_REPEATS for piece in pieces[1:-1]):
        raise InvalidPattern(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after "
            "a wildcard character"
        )
    return pieces


def _cidr(operand: Any) -> Rule:
    import ipaddress  # late: 5 ms, and few patterns name networks

    text = _text(operand, "cidr")
    if text.count("/") != 1:
        raise InvalidPattern("Malformed CIDR, one '/' required")
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidPattern(f"Malformed CIDR: {error}") from None

    def test(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return test


def _text(operand: Any, name: str) -> str:
    if not isinstance(operand, str):
        raise InvalidPattern(f"{name} match pattern must be a string")
    return operand


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OPERATORS: Final[dict[str, Callable[[Any], Rule]]] = {
    "exists": _exists,
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "wildcard": _wildcard,
    "cidr": _cidr,
}
_INSIDE_ANYTHING_BUT: Final[dict[str, Callable[[Any], Rule]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
}

"""Where the key is: a callable, a parameter's name, or a JMESPath expression, made into one function of the call."""

from __future__ import annotations

from .errors import KeyMissingError
from .keys import is_missing

__all__ = ["Extraction", "argument_reader", "jmespath", "key_value", "needs_function"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Extraction:
    """A JMESPath expression over the parsed form of an argument: the one named, or the first that is no `self`."""

    __slots__ = ("_search", "expression", "of")

    def __init__(self, expression: str, of: str | None) -> None:
        try:
            import jmespath as library  # type: ignore[import-untyped]  # late: it comes with boto3
        except ImportError as error:
            raise ImportError("jmespath(...) needs the package `jmespath`, which comes with boto3") from error
        self.expression = expression
        self.of = of
        self._search = library.compile(expression).search

    def __call__(self, value: Any) -> Any:
        """What the expression finds."""
        return self._search(_parsed(value))

    def __repr__(self) -> str:
        return f"jmespath({self.expression!r})"


def jmespath(expression: str, /, *, of: str | None = None) -> Extraction:
    """A key by a JMESPath expression, over the event, the record, or the argument named `of`.

    Raises what the library raises for an expression that is none.
    """
    return Extraction(expression, of)


def key_value(read: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The key's value. Raises `KeyMissingError` if there is none, or not all of it."""
    try:
        value = read(*args, **kwargs)
    except (LookupError, AttributeError) as error:
        raise KeyMissingError(f"there is no key: {type(error).__name__}: {error}") from error
    if is_missing(value):
        raise KeyMissingError(f"there is no key, or a part of it is missing: {value!r:.200}")
    return value


def needs_function(key: Any) -> bool:
    """Whether the key can only be found with a function's parameters."""
    return isinstance(key, str)


def argument_reader(function: Callable[..., Any], key: Any) -> Callable[..., Any]:
    """A callable that takes what the function takes and returns the key.

    Raises `TypeError` for a parameter that the function does not have.
    """
    name = key if isinstance(key, str) else key.of if isinstance(key, Extraction) else None
    if name is None and not isinstance(key, Extraction):
        if not callable(key):
            raise TypeError(f"key={key!r}: a callable, a parameter's name, or jmespath(...)")
        return key  # type: ignore[no-any-return]
    names, defaults = _parameters(function)
    if name is None:
        rest = names[1:] if names[:1] in (["self"], ["cls"]) else names
        if not rest:
            raise TypeError(f"{_name(function)} takes nothing that {key!r} could look at")
        name = rest[0]
    if name not in names:
        from difflib import get_close_matches  # late: only on the way to an error

        near = get_close_matches(name, names, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(names) or 'none'}"
        raise TypeError(f"{_name(function)} has no parameter {name!r}{hint}")
    position = names.index(name)

    def read(*args: Any, **kwargs: Any) -> Any:
        if name in kwargs:
            found = kwargs[name]
        elif position < len(args):
            found = args[position]
        elif name in defaults:
            found = defaults[name]
        else:
            raise KeyMissingError(f"{_name(function)} was called without {name!r}")
        return key(found) if isinstance(key, Extraction) else found

    return read


def _parameters(function: Callable[..., Any]) -> tuple[list[str], dict[str, Any]]:
    """Positional and keyword-only names, and the defaults."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        from inspect import Parameter, signature  # late: 9 ms, for callable objects and decorated functions

        found = signature(function).parameters.values()
        skipped = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
        names = [one.name for one in found if one.kind not in skipped]
        return names, {one.name: one.default for one in found if one.default is not one.empty}
    names = list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    positional = names[: code.co_argcount]
    given = function.__defaults__ or ()
    defaults = dict(zip(positional[len(positional) - len(given) :], given, strict=True))
    return names, {**defaults, **(function.__kwdefaults__ or {})}


def _parsed(value: Any) -> Any:
    """The dicts and lists of a view, a model, a dataclass or JSON text."""
    raw = getattr(value, "raw", None)
    if isinstance(raw, dict):
        return raw
    if hasattr(type(value), "__pydantic_serializer__"):
        return type(value).__pydantic_serializer__.to_python(value, mode="json")
    if hasattr(type(value), "__dataclass_fields__"):
        return {name: _parsed(getattr(value, name)) for name in type(value).__dataclass_fields__}
    return value


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", None) or type(function).__qualname__

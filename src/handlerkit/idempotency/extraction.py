"""Where the key is: a callable, a parameter's name, or a JMESPath expression, made into one function of the call."""

from __future__ import annotations

from .errors import BadKeyError, KeyMissingError

__all__ = ["Extraction", "argument_reader", "jmespath", "key_value", "needs_function"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Extraction:
    """A JMESPath expression over the plain document of an argument: the one named, or the first that is no `self`."""

    __slots__ = ("_tree", "_visit", "expression", "of")

    def __init__(self, expression: str, of: str | None) -> None:
        try:
            from jmespath import compile as compiled  # type: ignore[import-untyped]  # late: it comes with boto3
            from jmespath.visitor import TreeInterpreter  # type: ignore[import-untyped]
        except ImportError as error:
            raise ImportError(
                "jmespath(...) needs the package jmespath, which comes with boto3: pip install jmespath"
            ) from error
        self.expression = expression
        self.of = of
        options = None
        if "powertools_" in expression:
            from .jmespath_functions import decoding

            options = decoding()
        # `search` makes an interpreter each time, which costs as much as most expressions.
        self._visit = TreeInterpreter(options).visit
        self._tree = compiled(expression).parsed

    def __call__(self, value: Any) -> Any:
        """What the expression finds. Raises `BadKeyError` if one of its functions cannot take what it is given."""
        if type(value) is not dict:
            from handlerkit.events.document import document_of

            value = document_of(value)
        try:
            return self._visit(self._tree, value)
        except ValueError as error:  # the library's own are, too
            raise BadKeyError(f"{self!r} cannot be applied: {error}") from error

    def __repr__(self) -> str:
        return f"jmespath({self.expression!r})"


def jmespath(expression: str, /, *, of: str | None = None) -> Extraction:
    """A key by a JMESPath expression, over the event, the record, or the argument named `of`.

    Payloads whose type is named are looked into as such: `body.order_id` of an `SqsRecord[Order]`. Elsewhere there
    are the functions `powertools_json`, `powertools_base64` and `powertools_base64_gzip`. Raises what the library
    raises for an expression that is none.
    """
    return Extraction(expression, of)


def key_value(read: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The key's value. Raises `KeyMissingError` if there is none; whether there is all of it, `keys` finds out."""
    try:
        return read(*args, **kwargs)
    except (LookupError, AttributeError) as error:
        raise KeyMissingError(f"there is no key: {type(error).__name__}: {error}") from error


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


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", None) or type(function).__qualname__

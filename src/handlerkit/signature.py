"""What a function's signature asks for: the event's type, and whether it takes the context. Knows no event.

The standard library's `inspect` costs 9 ms; plain functions say all of this themselves.
"""

from __future__ import annotations

__all__ = [
    "ASYNC_GENERATOR_CODE",
    "COROUTINE_CODE",
    "GENERATOR_CODE",
    "PLAIN_GENERATOR_CODE",
    "Signature",
    "code_flags",
    "dressed",
    "is_coroutine_function",
    "is_generator_function",
    "is_handler",
    "may_be_awaited",
    "signature_of",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HAS_VARARGS = 0x04  # inspect.CO_VARARGS
MAX_WRAPPERS = 50
# Of the inspect module, which takes 10 ms to import.
COROUTINE_CODE, PLAIN_GENERATOR_CODE, ASYNC_GENERATOR_CODE = 0x80, 0x20, 0x200
GENERATOR_CODE = PLAIN_GENERATOR_CODE | ASYNC_GENERATOR_CODE


class Signature:
    """`event`: the first parameter's name; `context`: how the context is passed, one of the three words below."""

    SECOND, KEYWORD, NOT = "second", "keyword", "not"

    __slots__ = ("context", "event", "function")

    def __init__(self, function: Callable[..., Any], event: str, context: str) -> None:
        self.function = function
        self.event = event
        self.context = context

    def annotation(self, names: dict[str, Any], of: str | None = None) -> Any:
        """The annotation of the first parameter, or of another or the `return`, evaluated, or None.

        `names` are those local to where it was defined.

        Raises `NameError` while it names something that is not defined yet.
        """
        function = self.function
        found = getattr(function, "__annotations__", {}).get(of or self.event)
        if not isinstance(found, str):
            return found
        while hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        cells = getattr(function, "__closure__", None) or ()
        free = getattr(getattr(function, "__code__", None), "co_freevars", ())
        enclosed = {name: cell.cell_contents for name, cell in zip(free, cells, strict=True) if _is_set(cell)}
        return eval(found, getattr(function, "__globals__", {}), {**names, **enclosed})  # noqa: S307  # the author's own


def signature_of(function: Callable[..., Any]) -> Signature:
    """Raises `TypeError` for a signature that no event and context can fill."""
    names, required, keywords, takes_more = _parameters(function)
    if len(names) > 1 and names[0] in ("self", "cls"):
        raise TypeError(
            f"{_name(function)} is a method without its object: decorate an object's: handler = decorator(it.method)"
        )
    if not names and not takes_more:
        raise TypeError(f"{_name(function)} must take the event as its first parameter")
    if required > 2:
        raise TypeError(f"{_name(function)} takes {required} arguments; a handler is given an event and a context")
    missing = [name for name, has_default in keywords.items() if not has_default and name != "context"]
    if missing:
        raise TypeError(f"{_name(function)} needs {missing[0]!r}, which nothing gives to a handler")
    if len(names) > 1 or takes_more:
        context = Signature.SECOND
    else:
        context = Signature.KEYWORD if "context" in keywords else Signature.NOT
    return Signature(function, names[0] if names else "", context)


def _parameters(function: Callable[..., Any]) -> tuple[list[str], int, dict[str, bool], bool]:
    """Positional names, how many of them are required, keyword-only names and whether they have a default, *args."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__") or hasattr(function, "__self__"):
        return _inspected(function)
    names = list(code.co_varnames[: code.co_argcount])
    keyword_names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    with_default = function.__kwdefaults__ or {}
    required = len(names) - len(function.__defaults__ or ())
    keywords = {name: name in with_default for name in keyword_names}
    return names, required, keywords, bool(code.co_flags & HAS_VARARGS)


def _inspected(function: Callable[..., Any]) -> tuple[list[str], int, dict[str, bool], bool]:
    from inspect import Parameter, signature  # late: 9 ms, for methods, callable objects and decorated functions

    parameters = signature(function).parameters.values()
    positional = [one for one in parameters if one.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    keywords = {one.name: one.default is not one.empty for one in parameters if one.kind is Parameter.KEYWORD_ONLY}
    required = sum(one.default is one.empty for one in positional)
    takes_more = any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
    return [one.name for one in positional], required, keywords, takes_more


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Whether calling the function makes a coroutine, as far as it shows: a decorator's wrapper may hide it."""
    return bool(code_flags(function) & COROUTINE_CODE)


def may_be_awaited(function: Callable[..., Any]) -> bool:
    """Whether a call may make a coroutine; also where a wrapper says what it wraps, as `functools.wraps` has it, and
    where an object says so by `is_async`."""
    found: Any = function
    for _ in range(MAX_WRAPPERS):
        if is_coroutine_function(found) or getattr(found, "is_async", False) is True:
            return True
        found = getattr(found, "__wrapped__", None)
        if found is None:
            break
    return False


def is_generator_function(function: Callable[..., Any]) -> bool:
    """Whether calling the function makes a generator, asynchronous or not, that runs nothing by itself."""
    return bool(code_flags(function) & GENERATOR_CODE)


def is_handler(function: Any) -> bool:
    """Whether `event_handler` or the like has made it: a runtime that knows our hooks looks for them on it, and what a
    decorator returns in its place must have them, too (`outer_handler`)."""
    return hasattr(function, "__lambda_raw__") or hasattr(function, "__lambda_prepare__")


def code_flags(function: Any) -> int:
    """The flags of what is behind partials, methods and callable objects; 0 where nothing shows."""
    while type(function).__name__ == "partial":
        function = function.func
    function = getattr(function, "__func__", function)
    method = vars(type(function)).get("__call__")
    code = getattr(function, "__code__", None) or getattr(method, "__code__", None)
    return getattr(code, "co_flags", 0)


def dressed(wrapper: Any, function: Any) -> Any:
    """The wrapper with what the function is known by; `functools.wraps`, without its import."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
        if hasattr(function, name):
            setattr(wrapper, name, getattr(function, name))
    wrapper.__dict__.update(getattr(function, "__dict__", {}))
    wrapper.__wrapped__ = function
    return wrapper


def _name(function: object) -> str:
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def _is_set(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # reading it is the question
    except ValueError:
        return False
    return True

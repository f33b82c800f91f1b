"""`traced`: a span around each call of a function, whatever kind of function it is."""

from __future__ import annotations

from handlerkit.running_loop import is_in_loop
from handlerkit.scope import current as current_scope
from handlerkit.scope import current_span as current
from handlerkit.scope import in_scope, in_scope_async
from handlerkit.signature import (
    ASYNC_GENERATOR_CODE,
    COROUTINE_CODE,
    GENERATOR_CODE,
    PLAIN_GENERATOR_CODE,
    code_flags,
    dressed,
    is_handler,
    may_be_awaited,
)

from .generators import TracedManager, async_generator, generator
from .no_span import NOTHING
from .spans import current_span, span

__all__ = ["traced"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    F = TypeVar("F", bound="Callable[..., Any]")


if TYPE_CHECKING:

    @overload
    def traced(function: F, /) -> F: ...
    @overload
    def traced(*, name: str = "", capture_result: bool = False, **annotations: Any) -> Callable[[F], F]: ...


def traced(function: Any = None, /, *, name: str = "", capture_result: bool = False, **annotations: Any) -> Any:
    """Put a span around each call: from its beginning to its result, to the end of what is awaited, or of a generator.

    The span is called `## module.function`, or `name`. Exceptions are recorded with their stack; results are not, but
    with `capture_result=True` (they go into the metadata as far as JSON can say them, and nothing is read from an
    iterator). For functions, methods, `async def`, generators of both kinds, and what `contextlib.contextmanager`
    makes. On a plain Lambda handler it opens the invocation, as `event_handler` does. One that `event_handler` and the
    like have made remains one: the span is the handler's own, under this name and with these annotations.
    """
    if function is None:
        return lambda function: _traced(function, name, capture_result, annotations)
    return _traced(function, name, capture_result, annotations)


def _traced(function: Any, name: str, capture_result: bool, annotations: dict[str, Any]) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_traced(function.__func__, name, capture_result, annotations))
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"@traced is for functions and methods, not for {function!r}")
    parts = _Parts(function, name, capture_result, annotations)
    if is_handler(function):
        from handlerkit.outer_handler import outer_handler  # late: few are above a handler

        return outer_handler("traced", function, lambda part: _function(parts.of(part)))
    flags = code_flags(function)
    kept = getattr(function, "__wrapped__", None)
    if flags & COROUTINE_CODE:
        wrapper = _coroutine(parts)
    elif flags & PLAIN_GENERATOR_CODE:
        wrapper = generator(parts)
    elif flags & ASYNC_GENERATOR_CODE:
        wrapper = async_generator(parts)
    elif kept is not None and code_flags(kept) & GENERATOR_CODE:
        wrapper = _manager(parts)
    else:
        wrapper = _function(parts)
    return dressed(wrapper, function)


class _Parts:
    """What all wrappers need. `handler` is the function, or that whose hook the function is."""

    __slots__ = ("_own_name", "annotations", "capture_result", "function", "handler", "name")

    def __init__(self, function: Any, name: str, capture_result: bool, annotations: dict[str, Any]) -> None:
        self.function = self.handler = function
        self.capture_result = capture_result
        self.annotations = annotations
        module = getattr(function, "__module__", None)
        qualname = getattr(function, "__qualname__", None) or type(function).__name__
        self._own_name = name
        self.name = name or f"## {module}.{qualname}"

    def of(self, part: Any) -> _Parts:
        """The same for the handler's own call, or for its raw hook."""
        parts = _Parts(self.handler, self._own_name, self.capture_result, self.annotations)
        parts.function = part
        return parts

    def open(self) -> Any:
        """The call's span."""
        return span(self.name, **self.annotations)

    def invocation(self, event: Any, context: Any, _scope: Any) -> Any:
        """The call of a plain handler, whose span is the scope's."""
        opened = self._opened()
        result = self.function(event, context)
        self.note(opened, result)
        return result

    async def invocation_async(self, event: Any, context: Any, _scope: Any) -> Any:
        """The same inside an event loop."""
        opened = self._opened()
        result = self.function(event, context)
        if hasattr(result, "__await__"):
            result = await result
        self.note(opened, result)
        return result

    def _opened(self) -> Any:
        opened = current_span()
        opened.annotate(**self.annotations)
        if self._own_name and opened.is_recording:
            opened.name = self._own_name
        return opened

    def note(self, opened: Any, result: Any) -> None:
        """The result, where it is wanted."""
        if self.capture_result and opened.is_recording:
            if self.function is not self.handler and isinstance(result, bytes):
                result = _parsed(result)
            opened.add_metadata("result", result)


def _parsed(answer: bytes) -> Any:
    from handlerkit.events.json_text import load  # late: few results are wanted

    try:
        return load(answer)
    except ValueError:  # an encoder of the author's own
        return answer


def is_plain_handler(args: tuple[Any, ...]) -> bool:
    """Whether a function is called as a runtime calls handlers: its invocation begins with it."""
    return len(args) == 2 and hasattr(args[1], "aws_request_id")


def _function(parts: _Parts) -> Any:
    function, handler = parts.function, parts.handler

    def call(*args: Any, **kwargs: Any) -> Any:
        if current.get() is None:
            if current_scope.get() is not None:
                return function(*args, **kwargs)
            if is_plain_handler(args):
                if is_in_loop() and may_be_awaited(handler):
                    return in_scope_async(handler, parts.invocation_async, *args)
                return in_scope(handler, parts.invocation, *args)
        opened = parts.open().__enter__()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            opened.__exit__(type(error), error, None)
            raise
        if result is not None and hasattr(result, "cr_frame"):
            if opened is not NOTHING:
                current.set(opened.parent)
            return _awaited(opened, parts, result)
        parts.note(opened, result)
        opened.end()
        return result

    return call


async def _awaited(opened: Any, parts: _Parts, coroutine: Any) -> Any:
    """For a function that only returns a coroutine: the same span encloses what is awaited."""
    with opened:
        result = await coroutine
        parts.note(opened, result)
        return result


def _coroutine(parts: _Parts) -> Any:
    function = parts.function

    async def call(*args: Any, **kwargs: Any) -> Any:
        if current.get() is None and current_scope.get() is None and is_plain_handler(args):
            return await in_scope_async(function, parts.invocation_async, *args)
        opened = parts.open()
        with opened:
            result = await function(*args, **kwargs)
            parts.note(opened, result)
            return result

    return call


def _manager(parts: _Parts) -> Any:
    function = parts.function

    def call(*args: Any, **kwargs: Any) -> Any:
        return TracedManager(parts.open(), function(*args, **kwargs))

    return call

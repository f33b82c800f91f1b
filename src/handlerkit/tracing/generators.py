"""Spans around what runs step by step: generators, which share their thread with whoever takes their values, and
context managers made of one, whose block is inside of the span.
"""

from __future__ import annotations

from handlerkit.scope import current_span as current

from .no_span import NOTHING

__all__ = ["Steps", "TracedManager", "async_generator", "generator"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Protocol

    class Parts(Protocol):
        """What is known of a traced function."""

        function: Any

        def open(self) -> Any: ...

        def note(self, opened: Any, result: Any, /) -> None: ...


class Steps:
    """A span that encloses a generator's own code, and not that of whoever takes its values."""

    __slots__ = ("_inside", "_inside_context", "_opened", "_outside", "_outside_context")

    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self._inside = opened
        self._outside: Any = None
        self._inside_context: Any = None
        self._outside_context: Any = None

    @classmethod
    def within(cls, opened: Any, outside: Any) -> Steps:
        """For a span that is entered already, and is left now: `outside` is the one around it."""
        steps = cls(opened)
        steps._outside = outside
        steps._outside_context = opened.outside
        steps.__exit__()
        return steps

    def __enter__(self) -> None:
        opened = self._opened
        if opened is NOTHING:
            return
        self._outside = current.get()
        current.set(self._inside)
        if opened.backend is not None:
            self._outside_context = opened.trace.entered(opened)
            if self._inside_context is not None:
                opened.trace.resume(self._inside_context)

    def __exit__(self, *_: object) -> None:
        opened = self._opened
        if opened is NOTHING:
            return
        self._inside = current.get()
        current.set(self._outside)
        if opened.backend is not None:
            self._inside_context = opened.trace.entered(opened)
            opened.trace.resume(self._outside_context)


def generator(parts: Parts) -> Any:
    """A generator function whose generators are each in a span, from the first step to the end."""
    function = parts.function

    def call(*args: Any, **kwargs: Any) -> Any:
        opened = parts.open()
        steps_of = function(*args, **kwargs)
        if opened is NOTHING:
            return (yield from steps_of)
        steps = Steps(opened)
        step, argument = steps_of.send, None
        try:
            while True:
                try:
                    with steps:
                        value = step(argument)
                except StopIteration as stop:
                    parts.note(opened, stop.value)
                    return stop.value
                try:
                    argument = yield value
                    step = steps_of.send
                except GeneratorExit:
                    with steps:
                        steps_of.close()
                    raise
                except BaseException as error:  # noqa: BLE001  # the generator's to deal with
                    step, argument = steps_of.throw, error
        except GeneratorExit:
            raise
        except BaseException as error:
            opened.record_exception(error)
            raise
        finally:
            opened.end()

    return call


def async_generator(parts: Parts) -> Any:
    """The same for `async def` with `yield`."""
    function = parts.function

    async def call(*args: Any, **kwargs: Any) -> Any:
        opened = parts.open()
        steps_of = function(*args, **kwargs)
        steps = Steps(opened)
        step, argument = steps_of.asend, None
        try:
            while True:
                try:
                    with steps:
                        value = await step(argument)
                except StopAsyncIteration:
                    return
                try:
                    argument = yield value
                    step = steps_of.asend
                except GeneratorExit:
                    with steps:
                        await steps_of.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001  # the generator's to deal with
                    step, argument = steps_of.athrow, error
        except GeneratorExit:
            raise
        except BaseException as error:
            opened.record_exception(error)
            raise
        finally:
            opened.end()

    return call


class TracedManager:
    """A context manager in a span, which encloses the block as well."""

    __slots__ = ("_manager", "_opened")

    def __init__(self, opened: Any, manager: Any) -> None:
        self._opened = opened
        self._manager = manager

    def __enter__(self) -> Any:
        self._opened.__enter__()
        try:
            return self._manager.__enter__()
        except BaseException as error:
            self._opened.__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        try:
            swallowed = self._manager.__exit__(kind, error, traceback)
        except BaseException as raised:
            self._opened.__exit__(type(raised), raised, raised.__traceback__)
            raise
        seen = None if swallowed else error
        self._opened.__exit__(None if seen is None else kind, seen, traceback)
        return swallowed

    async def __aenter__(self) -> Any:
        self._opened.__enter__()
        try:
            return await self._manager.__aenter__()
        except BaseException as error:
            self._opened.__exit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        try:
            swallowed = await self._manager.__aexit__(kind, error, traceback)
        except BaseException as raised:
            self._opened.__exit__(type(raised), raised, raised.__traceback__)
            raise
        seen = None if swallowed else error
        self._opened.__exit__(None if seen is None else kind, seen, traceback)
        return swallowed

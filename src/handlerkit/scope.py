"""The invocation that the running code belongs to: `event_handler` and `batch_handler` open it, whoever logs, traces,
counts or claims inside reads it.

One `Scope` lives as long as one invocation and travels in a context variable, so threads with a copied context and
tasks see their own. What a feature keeps for one invocation lives in `values`; what it owes at the end it registers
with `at_end`. A function that uses none of them pays for one small object.
"""

from __future__ import annotations

from _contextvars import ContextVar  # the C module: contextvars only re-exports it

__all__ = ["Opened", "Scope", "context_of_invocation", "current", "in_scope"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

current: ContextVar[Scope | None] = ContextVar("handlerkit_scope", default=None)

_first = iter((True,))
"""Gives its one item to the first invocation of this process, atomically; a forked child of a warm process is warm."""


class Scope:
    """One invocation. `handler` is the decorated handler, `context` the runtime's or None, `event` what the function
    was given (None until it is read), `error` what it raised or None."""

    __slots__ = ("_endings", "context", "error", "event", "handler", "is_cold_start", "values")

    def __init__(self, handler: Any, context: Any) -> None:
        self.handler = handler
        self.context = context
        self.event: Any = None
        self.error: BaseException | None = None
        self.is_cold_start = next(_first, False)
        self.values: dict[Any, Any] = {}
        self._endings: list[Callable[[Scope], object]] | None = None

    def at_end(self, ending: Callable[[Scope], object]) -> None:
        """Have `ending(scope)` called when the invocation ends, also when it fails; the last registered runs first."""
        if self._endings is None:
            self._endings = []
        self._endings.append(ending)

    def end(self) -> None:
        """Call the endings. What they raise is said on stderr and kept from the invocation's result."""
        while self._endings:
            ending = self._endings.pop()
            try:
                ending(self)
            except Exception as error:  # noqa: BLE001  # telemetry must not fail an invocation
                import sys

                print(f"handlerkit: {ending!r} failed: {type(error).__name__}: {error}", file=sys.stderr)


def in_scope(handler: Any, answer: Callable[[Any, Any, Scope], Any], event: Any, context: Any) -> Any:
    """`answer(event, context, scope)` in a scope of its own, or in the present one if it is this invocation's."""
    scope = current.get()
    if scope is not None and context is not None and scope.context is context:
        return answer(event, context, scope)  # a handler that calls another one
    scope = Scope(handler, context)
    before = current.set(scope)
    try:
        return answer(event, context, scope)
    except BaseException as error:
        scope.error = error
        raise
    finally:
        scope.end()
        current.reset(before)


class Opened:
    """`with Opened(function, event, context):` is the same for what no handler is around: the present scope if it is
    this invocation's or if no context is given, else one of its own."""

    __slots__ = ("_before", "_scope")

    def __init__(self, function: Any, event: Any, context: Any) -> None:
        scope = current.get()
        is_inside = scope is not None and (context is None or scope.context is context)
        self._scope = None if is_inside else Scope(function, context)
        if self._scope is not None:
            self._scope.event = event

    def __enter__(self) -> None:
        if self._scope is not None:
            self._before = current.set(self._scope)

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._scope is not None:
            self._scope.error = error
            self._scope.end()
            current.reset(self._before)


def context_of_invocation() -> Any:
    """The context of the invocation that this code runs in, or None."""
    scope = current.get()
    return None if scope is None else scope.context

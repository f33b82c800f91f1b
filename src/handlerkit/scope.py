"""The invocation that the running code belongs to: `event_handler` and `batch_handler` open it, whoever logs, traces,
counts or claims inside reads it.

One `Scope` lives as long as one invocation and travels in a context variable, so threads with a copied context and
tasks see their own. What a feature keeps for one invocation lives in `values`; what it owes at the end it registers
with `at_end`; what it must do in every invocation, used or not, with `at_every_start`. A function that uses none of
them pays for one small object.
"""

from __future__ import annotations

import sys
from _contextvars import ContextVar  # the C module: contextvars only re-exports it

__all__ = [
    "Inside",
    "Opened",
    "Scope",
    "at_every_start",
    "context_of_invocation",
    "current",
    "current_span",
    "in_scope",
    "in_scope_async",
    "pause",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

current: ContextVar[Scope | None] = ContextVar("handlerkit_scope", default=None)

current_span: ContextVar[Any] = ContextVar("handlerkit_span", default=None)
"""The tracing span that encloses the running code, or None. Here, so that an invocation that is not traced loads
nothing of tracing."""

_first = iter((True,))
"""Gives its one item to the first invocation of this process, atomically; a forked child of a warm process is warm."""

_openings: tuple[Callable[[Scope], object], ...] = ()
"""What is called in every invocation of this process; replaced, never changed."""


def at_every_start(opening: Callable[[Scope], object]) -> Callable[[], None]:
    """Have `opening(scope)` called at the start of every invocation from now on; the result takes it back.

    The event is not read by then. What it raises is said on stderr and kept from the invocation.
    """
    global _openings
    _openings = (*_openings, opening)

    def take_back() -> None:
        global _openings
        _openings = tuple(one for one in _openings if one is not opening)

    return take_back


MISSING = object()


class Scope:
    """One invocation. `handler` is the decorated handler, `context` the runtime's or None, `event` what the function
    was given (None until it is read), `error` what it raised or None (and None again once it has ended).

    `is_cold_start` is True for the first one, with a context, of an environment that was not initialised ahead of need
    (provisioned concurrency). `has_failures` is True where it answers and some of its records failed. In threads that
    carry the scope on, `has_ended` says that the response is on its way. `paused` is the handler's span while an
    invocation that goes on (a stream, something to await) is not being run: see `Inside`.
    """

    __slots__ = (
        "_endings",
        "_trace_header",
        "context",
        "error",
        "event",
        "handler",
        "has_ended",
        "has_failures",
        "is_cold_start",
        "paused",
        "values",
    )

    def __init__(self, handler: Any, context: Any) -> None:
        self.handler = handler
        self.context = context
        self.event: Any = None
        self.error: BaseException | None = None
        # Calls without a context are tests, or a module that warms itself up while it is imported.
        self.is_cold_start = context is not None and next(_first, False) and _was_needed()
        self.has_failures = False
        self.has_ended = False
        self.values: dict[Any, Any] = {}
        self.paused: Any = None
        self._endings: list[Callable[[Scope], object]] | None = None
        header = getattr(context, "xray_trace_id", None)
        self._trace_header: str | None = header if type(header) is str else None

    @property
    def trace_header(self) -> str:
        """The invocation's `X-Amzn-Trace-Id`, empty without: the context's `xray_trace_id`, which is the invocation's
        own whatever runs beside it, else what the runtime client has put into the environment."""
        header = self._trace_header
        if header is None:
            found: Any = getattr(self.context, "xray_trace_id", MISSING)
            if found is MISSING:
                import os  # late: a runtime whose context has the attribute may have done without

                found = os.environ.get("_X_AMZN_TRACE_ID")
            header = self._trace_header = found if isinstance(found, str) else ""
        return header

    def at_end(self, ending: Callable[[Scope], object]) -> None:
        """Have `ending(scope)` called when the invocation ends, also when it fails; the last registered runs first."""
        if self._endings is None:
            self._endings = []
        self._endings.append(ending)

    def begin(self) -> None:
        """Open the handler's span, if the invocation is traced, and call what is called in every invocation."""
        header = self._trace_header
        if (
            header is None  # it may be in the environment
            or "Sampled=1" in header
            or current_span.get() is not None
            or "opentelemetry.sdk.trace" in sys.modules
        ):
            _trace(self)
        for opening in _openings:
            try:
                opening(self)
            except Exception as error:  # noqa: BLE001  # telemetry must not fail an invocation
                _say(opening, error)

    def end(self) -> None:
        """Call the endings. What they raise is said on stderr and kept from the invocation's result."""
        while self._endings:
            ending = self._endings.pop()
            try:
                ending(self)
            except Exception as error:  # noqa: BLE001  # telemetry must not fail an invocation
                _say(ending, error)
        self.has_ended = True
        self.error = None  # whose frames hold this scope and all that the invocation had


def _say(what: object, error: Exception) -> None:
    try:  # noqa: SIM105  # contextlib costs 3 ms of a cold start
        print(f"handlerkit: {what!r} failed: {type(error).__name__}: {error}", file=sys.stderr)
    except Exception:  # noqa: BLE001, S110  # stderr may be gone
        pass


def _was_needed() -> bool:
    """Whether somebody waited for this environment's initialisation."""
    from os import environ  # late: asked once in a process

    return environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "provisioned-concurrency"


def _trace(scope: Scope) -> None:
    """Open the handler's span, if the invocation is traced."""
    around = current_span.get()
    if around is not None:
        if scope.context is None:
            return  # nobody says that it is another invocation than the one that the span is of
        current_span.set(None)
        scope.at_end(lambda _: current_span.set(around))
    if "Sampled=1" in scope.trace_header or "opentelemetry.sdk.trace" in sys.modules:
        try:
            from .tracing.invocation import begin

            begin(scope)
        except Exception as error:  # noqa: BLE001  # telemetry must not fail an invocation
            _say("the trace of this invocation", error)


def in_scope(handler: Any, answer: Callable[[Any, Any, Scope], Any], event: Any, context: Any) -> Any:
    """`answer(event, context, scope)` in a scope of its own, or in the present one if it is this invocation's, or if no
    context says that it is another's."""
    scope = current.get()
    if scope is not None and (context is None or scope.context is context):  # a handler that calls another one
        outer = scope.event
        try:
            return answer(event, context, scope)
        finally:
            scope.event = outer
    scope = Scope(handler, context)
    before = current.set(scope)
    try:
        scope.begin()
        return answer(event, context, scope)
    except BaseException as error:
        scope.error = error
        raise
    finally:
        if scope._endings is None and scope.error is None:
            scope.has_ended = True  # all that there is to its end, as nearly always
            current.reset(before)
        else:
            try:
                scope.end()
            finally:  # though an ending was interrupted: the next invocation must not find this one here
                current.reset(before)


async def in_scope_async(handler: Any, answer: Callable[[Any, Any, Scope], Any], event: Any, context: Any) -> Any:
    """The same where `answer` is to be awaited: for handlers inside an event loop that runs already."""
    scope = current.get()
    if scope is not None and (context is None or scope.context is context):
        outer = scope.event
        try:
            return await answer(event, context, scope)
        finally:
            scope.event = outer
    scope = Scope(handler, context)
    before = current.set(scope)
    try:
        scope.begin()
        return await answer(event, context, scope)
    except BaseException as error:
        scope.error = error
        raise
    finally:
        try:
            scope.end()
        finally:  # as above
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
            self._scope.begin()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._scope is not None:
            self._scope.error = error
            try:
                self._scope.end()
            finally:  # as above
                current.reset(self._before)


class Inside:
    """`with Inside(scope):` around each step of an invocation that others run step by step, perhaps in another context
    or thread every time: a stream, something to await. The present scope and span are the invocation's for that long.
    """

    __slots__ = ("_before", "_scope")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._before: Scope | None = None

    def __enter__(self) -> None:
        self._before = current.get()
        current.set(self._scope)
        if self._scope.paused is not None:
            self._scope.paused.__enter__()

    def __exit__(self, *_: object) -> None:
        if self._scope.paused is not None:
            self._scope.paused.__exit__()
        current.set(self._before)


def pause(scope: Scope, outside: Any) -> None:
    """The invocation goes on by steps: put its span away until then. `outside` is the span around the invocation."""
    opened = current_span.get()
    if opened is not None and opened is not outside:
        from .tracing.generators import Steps

        scope.paused = Steps.within(opened, outside)


def context_of_invocation() -> Any:
    """The context of the invocation that this code runs in, or None."""
    scope = current.get()
    return None if scope is None else scope.context

"""What the three have in common: a typed function, one call that tells its outcome, a look at the clock meanwhile."""

from __future__ import annotations

import sys

from handlerkit.events.errors import EventValidationError
from handlerkit.handler import EventHandler
from handlerkit.running_loop import in_thread, is_in_loop
from handlerkit.scope import in_scope, in_scope_async
from handlerkit.watch import Watch, seconds_left_of

__all__ = ["TellingHandler", "known"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from handlerkit.scope import Scope

# One call of an API, with its retries.
ANSWER_MARGIN_MS = 3_000


class TellingHandler:
    """A handler whose outcome is told by a call. `func` is the function itself, for tests that need no event.

    `client` is boto3's for the service, or None to have it made with the first event.
    """

    service = ""
    decorator = ""
    __name__: str
    __qualname__: str

    def __init__(
        self, func: Callable[..., Any], client: Any = None, answer_margin_ms: int = ANSWER_MARGIN_MS, names: Any = None
    ) -> None:
        if answer_margin_ms < 0:
            raise ValueError(f"answer_margin_ms={answer_margin_ms!r}: milliseconds before the end of the invocation")
        self.func = func
        self._client = client
        self._margin_s = answer_margin_ms / 1000
        self._handler = EventHandler(func, names=names)
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            if hasattr(func, name):
                setattr(self, name, getattr(func, name))
        self.__wrapped__ = func

    def __lambda_prepare__(self) -> None:
        """Load what the first event would load, boto3 above all."""
        self._handler.__lambda_prepare__()
        self.client()

    def __repr__(self) -> str:
        return f"<{self.decorator} {getattr(self.func, '__qualname__', self.func)}>"

    def __call__(self, event: Any, context: Any = None) -> Any:
        """Handle an event. Returns nothing: the outcome has been told.

        Inside an event loop that runs already, an `async def` function's is to be awaited.
        """
        event = getattr(event, "raw", event)
        if self._handler.is_async and is_in_loop():
            return in_scope_async(self, self._answered_async, event, context)
        return in_scope(self, self._answered, event, context)

    def client(self) -> Any:
        """The service's client. Raises `ImportError` with what to install."""
        if self._client is None:
            try:
                import boto3  # late: 150 ms
            except ImportError:
                name = type(self).__name__
                raise ImportError(f"{name} needs boto3 to tell the outcome: install it, or give a client=") from None
            self._client = boto3.client(self.service)
        return self._client

    def _answered(self, event: Any, context: Any, scope: Scope) -> None:
        subject = self.subject(event)
        settled = self.settled(subject)
        if settled is not None:
            scope.event = subject
            self.tell_success(subject, settled)
            return
        watch = self._watched(subject, context)
        try:
            asked = scope.event = self._handler.read(event)
            outcome = self._handler.call(asked, context)
        except BaseException as error:  # SystemExit, too, must be told of
            self._failed(subject, watch, scope, error)
            if not isinstance(error, Exception):
                raise
        else:
            self._succeeded(subject, watch, outcome)

    async def _answered_async(self, event: Any, context: Any, scope: Scope) -> None:
        subject = self.subject(event)
        settled = self.settled(subject)
        if settled is not None:
            scope.event = subject
            await in_thread(self.tell_success, subject, settled)
            return
        watch = await in_thread(self._watched, subject, context)
        try:
            asked = scope.event = self._handler.read(event)
            outcome = await self._handler.wait(asked, context)
        except BaseException as error:  # a cancellation, too
            await in_thread(self._failed, subject, watch, scope, error)
            if not isinstance(error, Exception):
                raise
        else:
            await in_thread(self._succeeded, subject, watch, outcome)

    def _watched(self, subject: Any, context: Any) -> Watch:
        self.client()
        watch = Watch(seconds_left_of(context), self._margin_s)
        watch.start(lambda: self.tell_too_late(subject))
        return watch

    def _failed(self, subject: Any, watch: Watch, scope: Scope, error: BaseException) -> None:
        watch.stop()
        scope.error = error
        if not watch.answer:
            self.tell_failure(subject, error)

    def _succeeded(self, subject: Any, watch: Watch, outcome: Any) -> None:
        watch.stop()
        if watch.answer:
            print(f"handlerkit: {self.service} had been told that the function did not end in time", file=sys.stderr)
        else:
            self.tell_success(subject, outcome)

    def settled(self, subject: Any) -> Any:
        """The outcome where the function need not be asked, else None."""
        del subject

    def subject(self, event: Any) -> Any:
        """The event as far as it must be known to tell anything. Raises `EventValidationError` where it is no such."""
        raise NotImplementedError

    def tell_success(self, subject: Any, outcome: Any) -> None:
        """Tell what the function returned."""
        raise NotImplementedError

    def tell_failure(self, subject: Any, error: BaseException) -> None:
        """Tell what it raised."""
        raise NotImplementedError

    def tell_too_late(self, subject: Any) -> bool:
        """Tell that there is no time left; whether that was told."""
        raise NotImplementedError


def known(event: Any, view: Any, identifier: str) -> Any:
    """The event as an untyped view, if it has what identifies it. Raises `EventValidationError`."""
    from handlerkit.events.errors import Problem, shortened

    if not isinstance(event, dict):
        raise EventValidationError(view.__name__, (Problem("", "not a JSON object", shortened(event)),))
    subject = view(event)
    if not getattr(subject, identifier):
        raise EventValidationError(view.__name__, (Problem(identifier, "missing", shortened(event)),))
    return subject

"""`custom_resource`: functions of a typed event as a Lambda handler that always answers CloudFormation.

Whatever happens, one answer is sent: after success, after an exception, for an event that is not of the type, when the
result cannot be sent, and, from a thread that watches the time, before Lambda would end the invocation. The only end
without an answer is that of the process itself; Lambda then runs the request again, twice at most.
"""

from __future__ import annotations

import sys

from handlerkit.described import show_traceback, words_of
from handlerkit.events.errors import EventValidationError
from handlerkit.handler import EventHandler
from handlerkit.running_loop import in_thread, is_in_loop
from handlerkit.scope import in_scope, in_scope_async

from .answers import Resource, ResourceError, answer_to, created_id, document, failure, is_never_created

__all__ = ["CustomResource", "custom_resource"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    from handlerkit.scope import Scope

    from .delivery import Delivery

    F = TypeVar("F", bound=Callable[..., Any])

# A PUT takes some tens of milliseconds, with a retry a second.
ANSWER_MARGIN_MS = 3_000
REQUEST_TYPES = ("Create", "Update", "Delete")


class CustomResource:
    """A handler of three functions: `create` (the decorated one), and those given to `update` and `delete`.

    `func` is the first of them, for tests that need no event.
    """

    __name__: str
    __qualname__: str

    def __init__(
        self, func: Callable[..., Any], answer_margin_ms: int = ANSWER_MARGIN_MS, names: dict[str, Any] | None = None
    ) -> None:
        if answer_margin_ms < 0:
            raise ValueError(f"answer_margin_ms={answer_margin_ms!r}: milliseconds before the end of the invocation")
        self.func = func
        self._margin_s = answer_margin_ms / 1000
        self._functions = {"Create": EventHandler(func, names=names)}
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            if hasattr(func, name):
                setattr(self, name, getattr(func, name))
        self.__wrapped__ = func

    def __repr__(self) -> str:
        return f"<custom_resource {getattr(self.func, '__qualname__', self.func)}>"

    def update(self, func: F) -> F:
        """Decorate the function that changes a resource. Without one, updates fail and say so."""
        return self._for("Update", func, dict(sys._getframe(1).f_locals))

    def delete(self, func: F) -> F:
        """Decorate the function that deletes a resource. Without one there is nothing to delete: deletes succeed."""
        return self._for("Delete", func, dict(sys._getframe(1).f_locals))

    def _for(self, request_type: str, func: F, names: dict[str, Any]) -> F:
        if request_type in self._functions:
            raise TypeError(f"{self!r} has a function for {request_type} already")
        self._functions[request_type] = EventHandler(func, names=names)
        return func

    def __lambda_prepare__(self) -> None:
        """Load what the first request would load, and find out in time whether it can be answered."""
        from .delivery import require_requests

        require_requests()
        for function in self._functions.values():
            function.__lambda_prepare__()

    def __call__(self, event: Any, context: Any = None) -> Any:
        """Handle a request; what was answered, without attributes that are not to be echoed.

        Inside an event loop that runs already it is to be awaited where one of the functions is `async def`.
        """
        event = getattr(event, "raw", event)
        if is_in_loop() and any(function.is_async for function in self._functions.values()):
            return in_scope_async(self, self._answered_async, event, context)
        return in_scope(self, self._answered, event, context)

    def _answered(self, event: Any, context: Any, scope: Scope) -> dict[str, Any]:
        if not _has_url(event):
            return _returned(event, self._called(event, context, scope))
        told = _Telling(event, context, self._margin_s)
        try:
            made = self._called(event, context, scope)
        except BaseException as error:  # noqa: BLE001  # SystemExit, too, must not leave a stack waiting for an hour
            answer = told.failed(error, scope)
        else:
            answer = told.succeeded(made, scope)
        return _ended(told.sent(answer), scope)

    async def _answered_async(self, event: Any, context: Any, scope: Scope) -> dict[str, Any]:
        if not _has_url(event):
            return _returned(event, await self._called_async(event, context, scope))
        told = await in_thread(_Telling, event, context, self._margin_s)
        try:
            made = await self._called_async(event, context, scope)
        except BaseException as error:  # noqa: BLE001  # a cancellation, too
            answer = told.failed(error, scope)
        else:
            answer = told.succeeded(made, scope)
        return _ended(await in_thread(told.sent, answer), scope)

    def _called(self, event: dict[str, Any], context: Any, scope: Scope) -> Any:
        function = self._function(event)
        if function is None:
            return None
        asked = scope.event = function.read(event)
        return function.call(asked, context)

    async def _called_async(self, event: dict[str, Any], context: Any, scope: Scope) -> Any:
        function = self._function(event)
        if function is None:
            return None
        asked = scope.event = function.read(event)
        return await function.wait(asked, context)

    def _function(self, event: dict[str, Any]) -> EventHandler[Any] | None:
        """Whose request it is; None where there is nothing to do."""
        kind = event.get("RequestType")
        if kind not in REQUEST_TYPES:
            raise EventValidationError("CustomResourceEvent", (_problem(event),))
        if kind == "Delete" and is_never_created(event):
            return None
        function = self._functions.get(kind)
        if function is None and kind != "Delete":
            raise ResourceError(
                "this resource cannot be updated: give it another logical id, or add an update function"
            )
        return function


class _Telling:
    """One request's answer: watched for from here on, sent by `sent`. Raises `ImportError` without requests."""

    def __init__(self, event: dict[str, Any], context: Any, margin_s: float) -> None:
        from handlerkit.watch import Watch, seconds_left_of

        from .delivery import Delivery, require_requests

        require_requests()
        seconds_left = seconds_left_of(context)
        self._event = event
        self._delivery = Delivery(str(event["ResponseURL"]), seconds_left)
        self._watch = Watch(seconds_left, margin_s)
        self._watch.start(lambda: _told_too_late(event, self._delivery))

    def succeeded(self, made: Any, scope: Scope) -> dict[str, Any]:
        """The document for what the function returned. Raises nothing, so that it is sent."""
        resource: Resource | None = None
        try:
            resource = answer_to(self._event, made)
            return document(self._event, resource)
        except BaseException as error:  # noqa: BLE001  # as above
            return self.failed(error, scope, None if resource is None else resource.physical_id)

    def failed(self, error: BaseException, scope: Scope, made: str | None = None) -> dict[str, Any]:
        """The document for what it raised. What was `made` and cannot be told of is still there, to be deleted."""
        scope.error = error
        if isinstance(error, ResourceError):
            return failure(self._event, str(error), error.physical_id or made)
        show_traceback(error)
        return failure(self._event, words_of(error), made)

    def sent(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Send the document; what was answered."""
        event, watch = self._event, self._watch
        watch.stop()
        if watch.answer is not None:
            which = f"{event.get('RequestType')} of {event.get('LogicalResourceId')}"
            told = "CloudFormation had been told that it did not end in time"
            print(f"handlerkit: {which} ended ({answer['Status']}) after {told}", file=sys.stderr)
            told_before: dict[str, Any] = watch.answer
            return told_before
        self._delivery.put(answer)
        return _echoed(answer)


if TYPE_CHECKING:

    @overload
    def custom_resource(func: Callable[..., Any], /) -> CustomResource: ...
    @overload
    def custom_resource(*, answer_margin_ms: int = ...) -> Callable[[Callable[..., Any]], CustomResource]: ...


def custom_resource(
    func: Callable[..., Any] | None = None, /, *, answer_margin_ms: int = ANSWER_MARGIN_MS
) -> CustomResource | Callable[[Callable[..., Any]], CustomResource]:
    """Make a Lambda handler of the function that creates a resource; add the others with `.update` and `.delete`.

    Each takes a `CustomResourceEvent[Properties]`, and the context if it has a place for it, and returns None, a dict
    of attributes, or a `Resource`. An exception fails the request, with its type and words as the reason. When less
    than `answer_margin_ms` of the invocation is left, the request is answered as failed. Needs the extra
    `cloudformation`.
    """
    names = dict(sys._getframe(1).f_locals)
    if func is not None:
        return CustomResource(func, names=names)
    return lambda function: CustomResource(function, answer_margin_ms, names)


def _has_url(event: Any) -> bool:
    """Whether CloudFormation waits for a PUT. Raises `EventValidationError` for what is no request at all."""
    if isinstance(event, dict) and event.get("ResponseURL"):
        return True
    if not isinstance(event, dict) or event.get("RequestType") not in REQUEST_TYPES:
        raise EventValidationError("CustomResourceEvent", (_problem(event),))
    return False


def _returned(event: dict[str, Any], result: Any) -> dict[str, Any]:
    """The answer for the CDK's provider framework, which takes it from the return value, and failure by raising."""
    made = document(event, answer_to(event, result))
    return {key: made[key] for key in ("PhysicalResourceId", "Data", "NoEcho") if key in made}


def _ended(answered: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """What was answered. Raises what is to end the process, or has cancelled us."""
    if scope.error is not None and not isinstance(scope.error, Exception):
        raise scope.error
    return answered


def _told_too_late(event: dict[str, Any], delivery: Delivery) -> dict[str, Any]:
    # It may be half done, so it is not said to be never created.
    made = event.get("PhysicalResourceId") or created_id(event)
    answer = failure(event, f"the function did not end in time ({event.get('RequestType')})", str(made))
    delivery.put(answer)
    return answer


def _problem(event: object) -> Any:
    from handlerkit.events.errors import Problem, shortened

    if not isinstance(event, dict):
        return Problem("", "not a JSON object", shortened(event))
    return Problem("RequestType", "not Create, Update or Delete", shortened(event.get("RequestType")))


def _echoed(answer: dict[str, Any]) -> dict[str, Any]:
    """What may be seen in results and logs."""
    return {key: value for key, value in answer.items() if key != "Data" or not answer.get("NoEcho")}

"""A handler's function under `idempotency=`, and what a client is told that comes twice."""

from __future__ import annotations

from handlerkit.idempotency.errors import AlreadyInProgressError, BadKeyError, IdempotencyError, PayloadMismatchError
from handlerkit.scope import context_of_invocation
from handlerkit.signature import is_coroutine_function

from .errors import HttpError

__all__ = ["guarded"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from handlerkit.idempotency import Idempotency


def guarded(function: Callable[..., Any], options: Idempotency) -> Callable[..., Any]:
    """The function, called once per key. Raises `TypeError` for a key that it cannot have."""
    guard = options.for_function(function)

    def run(**arguments: Any) -> Any:
        started = []

        def call() -> Any:
            started.append(True)
            return function(**arguments)

        try:
            return guard.run((), _known(arguments), context_of_invocation(), call)
        except IdempotencyError as error:
            raise (error if started else _told(error)) from error.__cause__

    async def run_async(**arguments: Any) -> Any:
        started = []

        def call() -> Any:
            started.append(True)
            return function(**arguments)

        try:
            return await guard.run_async((), _known(arguments), context_of_invocation(), call)
        except IdempotencyError as error:
            raise (error if started else _told(error)) from error.__cause__

    return run_async if is_coroutine_function(function) else run


def _known(arguments: dict[str, Any]) -> dict[str, Any]:
    """What a key is made of: the context is another one each time."""
    return {name: argument for name, argument in arguments.items() if name != "context"}


def _told(error: IdempotencyError) -> Exception:
    """What is the client's to know, of errors that came before the function was called; any other is itself."""
    if isinstance(error, AlreadyInProgressError):
        # Not the lease: that is the longest it can take, and the first response is mostly there within the second.
        return HttpError(409, "This request is being worked on already.", headers={"retry-after": "1"})
    if isinstance(error, PayloadMismatchError):
        return HttpError(422, "This request's key was used before with another payload.")
    if isinstance(error, BadKeyError):
        return HttpError(400, "This request has no usable idempotency key.")
    return error

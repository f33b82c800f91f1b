"""`@idempotent`: any function or method, sync or async, whose effect is to happen once per key."""

from __future__ import annotations

from handlerkit.signature import dressed, is_coroutine_function, is_generator_function, is_handler

from .invocation import context_among
from .options import DEFAULT_TTL_S, Idempotency

__all__ = ["idempotent"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec, Protocol, TypeVar

    from .extraction import Extraction
    from .options import Replay
    from .store import Store

    P = ParamSpec("P")
    R = TypeVar("R")

    class Decorator(Protocol):
        """Keeps the function's signature."""

        def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...


def idempotent(
    store: Store | Idempotency,
    *,
    key: Callable[..., Any] | str | Extraction | None = None,
    payload: Callable[..., Any] | str | Extraction | None = None,
    ttl_s: int = DEFAULT_TTL_S,
    name: str | None = None,
    missing_key: str = "error",
    on_concurrent: str = "error",
    remember: tuple[type[Exception], ...] = (),
    on_replay: Callable[[Replay], object] | None = None,
    lease_s: float | None = None,
    enabled: bool = True,
) -> Decorator:
    """Run a function once per key; a duplicate gets the first result. The options are those of `Idempotency`.

    The lease follows the Lambda context: the function's own argument if it has one, or that of the `event_handler` or
    `batch_handler` around it; without any it is 15 minutes, or `lease_s`. Raises `TypeError` above those: what has the
    key is the function under them.
    """
    if isinstance(store, Idempotency):
        if key is not None:
            raise TypeError("give the options to Idempotency(...), or to idempotent(...), not to both")
        options = store
    else:
        options = Idempotency(
            store,
            key=key,
            payload=payload,
            ttl_s=ttl_s,
            name=name,
            missing_key=missing_key,
            on_concurrent=on_concurrent,
            remember=remember,
            on_replay=on_replay,
            lease_s=lease_s,
            enabled=enabled,
        )
    return lambda function: _guarded(function, options)


def _guarded(function: Any, options: Idempotency) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        raise TypeError(f"put @{type(function).__name__} above @idempotent")
    if is_generator_function(function):
        raise TypeError(f"{function.__qualname__} is a generator: its effects happen later than its call")
    if is_handler(function):
        raise TypeError(
            f"@idempotent is not for {function!r}, whose events nobody has read yet: "
            "put it under the handler's decorator, or give that one idempotency=Idempotency(...)"
        )
    guard = options.for_function(function)

    if is_coroutine_function(function):

        async def run_async(*args: Any, **kwargs: Any) -> Any:
            context = context_among(args, kwargs)
            return await guard.run_async(args, kwargs, context, lambda: function(*args, **kwargs))

        wrapper: Any = run_async
    else:

        def run(*args: Any, **kwargs: Any) -> Any:
            return guard.run(args, kwargs, context_among(args, kwargs), lambda: function(*args, **kwargs))

        wrapper = run
    return dressed(wrapper, function)

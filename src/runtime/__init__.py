"""A runtime-interface client for AWS Lambda: standard library only, ready in a few milliseconds.

`python -m runtime module.function` serves a handler; `RuntimeClient` is the client by itself. The names below are
loaded when they are first used: importing the package costs nothing.

Inside the package all imports are relative: a function whose own folder holds a `runtime` module has that name,
and this package steps aside (see `identity`).
"""

__all__ = [
    "Invocation",
    "LambdaContext",
    "PlatformError",
    "RuntimeClient",
    "StreamingResponse",
    "__version__",
    "after_response",
    "on_shutdown",
    "register_after_restore",
    "register_before_snapshot",
]

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import RuntimeClient
    from .errors import PlatformError
    from .invocation import Invocation, LambdaContext
    from .lifecycle import after_response, on_shutdown, register_after_restore, register_before_snapshot
    from .streaming import StreamingResponse


def __getattr__(name: str) -> object:
    if name == "RuntimeClient":
        from .client import RuntimeClient

        return RuntimeClient
    if name in ("Invocation", "LambdaContext"):
        from . import invocation

        return getattr(invocation, name)
    if name == "PlatformError":
        from .errors import PlatformError

        return PlatformError
    if name == "StreamingResponse":
        from .streaming import StreamingResponse

        return StreamingResponse
    if name in ("after_response", "on_shutdown", "register_after_restore", "register_before_snapshot"):
        from . import lifecycle

        return getattr(lifecycle, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

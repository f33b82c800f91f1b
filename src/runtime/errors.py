"""Who is wrong: the function, the platform, or nobody (the process was told to end). Nothing else lives here.

`FunctionError` becomes an error document and the loop goes on. `PlatformError` ends the process with one line
on stderr. `Terminated` ends it quietly. Exceptions of the handler itself are neither: they are reported as
what they are.
"""

__all__ = ["FunctionError", "PlatformError", "Terminated"]


class FunctionError(Exception):
    """The function's configuration or result cannot be served; reported under a type the platform knows.

    `error_type` is one of `protocol`'s `Runtime.*` and `Function.*` names, `stack_trace` a list of text blocks
    as `traceback.format_list` makes them; the exception that led here, if any, is its `__cause__`.
    """

    def __init__(self, error_type: str, message: str, stack_trace: "tuple[str, ...]" = ()) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.stack_trace = stack_trace


class PlatformError(Exception):
    """The Runtime API broke its word: it cannot be reached, does not speak HTTP, or refused for good."""


class Terminated(BaseException):
    """SIGTERM or SIGINT arrived. Not an `Exception`, so that a handler's `except Exception` lets it pass."""

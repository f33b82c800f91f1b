"""The process's environment variables, read once into `Settings`, and the one variable that changes.

`os` is not imported for it: a bare interpreter has not loaded it, and a function without `import os` need not
pay. `posix.environ` is what `os.environ` is made from when somebody does import it; after that, `os.environ`
is the truth, because that is where user code looks.
"""

import posix
import sys

from . import protocol

__all__ = ["SettingError", "Settings", "read_environ", "set_trace_id"]

CONCURRENCY = ("processes", "threads", "asyncio")


class SettingError(ValueError):
    """A variable of ours has a value that means nothing; the text says which and what it may be."""


class Settings:
    """What the environment says, as plain attributes; text, or None where a variable is unset.

    Raises `SettingError` for a `HANDLERKIT_*` variable with an unknown value.
    """

    __slots__ = (
        "api",
        "concurrency",
        "function_name",
        "function_version",
        "handler",
        "initialization_type",
        "log_format",
        "log_group_name",
        "log_level",
        "log_socket",
        "log_stream_name",
        "max_concurrency",
        "memory_limit_in_mb",
        "preload",
        "python_path",
        "task_root",
        "telemetry_fd",
    )

    def __init__(self, environ: "dict[str, str]") -> None:
        get = environ.get
        self.api = get(protocol.ENV_API)
        self.handler = get(protocol.ENV_HANDLER)
        self.task_root = get(protocol.ENV_TASK_ROOT)
        self.python_path = get("PYTHONPATH")
        self.function_name = get(protocol.ENV_FUNCTION_NAME)
        self.function_version = get(protocol.ENV_FUNCTION_VERSION)
        self.memory_limit_in_mb = get(protocol.ENV_MEMORY_MB)
        self.log_group_name = get(protocol.ENV_LOG_GROUP)
        self.log_stream_name = get(protocol.ENV_LOG_STREAM)
        self.initialization_type = get(protocol.ENV_INITIALIZATION_TYPE)
        self.log_format = "JSON" if (get(protocol.ENV_LOG_FORMAT) or "").upper() == "JSON" else "Text"
        self.log_level = get(protocol.ENV_LOG_LEVEL)
        self.telemetry_fd = get(protocol.ENV_TELEMETRY_FD)
        self.log_socket = get(protocol.ENV_LOG_SOCKET)
        self.max_concurrency = _count(get(protocol.ENV_MAX_CONCURRENCY))
        self.concurrency = _one_of("HANDLERKIT_CONCURRENCY", get("HANDLERKIT_CONCURRENCY"), CONCURRENCY)
        self.preload = _one_of("HANDLERKIT_PRELOAD", get("HANDLERKIT_PRELOAD"), ("1", "0")) == "1"


def _count(text: "str | None") -> "int | None":
    """Its presence switches concurrency on, as in the official client; what is no number counts as one."""
    if text is None:
        return None
    return max(1, int(text)) if text.isascii() and text.isdecimal() else 1


def _one_of(name: str, text: "str | None", values: "tuple[str, ...]") -> str:
    """The value, or the first of `values` where there is none. Raises `SettingError` for any other."""
    if not text:
        return values[0]
    if text.lower() not in values:
        raise SettingError(f"{name} is {text!r}: use one of {', '.join(values)}")
    return text.lower()


def read_environ() -> "dict[str, str]":
    """The environment as text, and the telemetry descriptor's variable removed from it, as Lambda's client does.

    The descriptor belongs to this process alone: a child that found the variable would write into a closed file.
    """
    environ = {_text(name): _text(value) for name, value in posix.environ.items()}
    if "os" in sys.modules:
        environ = dict(sys.modules["os"].environ)
    if protocol.ENV_TELEMETRY_FD in environ:
        _forget(protocol.ENV_TELEMETRY_FD)
    return environ


def set_trace_id(value: "str | None") -> None:
    """Set `_X_AMZN_TRACE_ID` for the invocation that begins, or remove it where the event carried no header.

    Python's view of the environment only. The C library never frees a variable's former value, so a value that
    differs each time would leak 144 bytes per invocation for as long as the environment lives (the official client
    does). See docs/decisions/trace-id-variable.md.
    """
    try:
        variables = _variables()
        if value is None:
            variables.pop(_TRACE_ID, None)
        else:
            variables[_TRACE_ID] = value.encode("latin-1", "replace")  # as it came in its header
    except (AttributeError, TypeError):
        pass  # user code has replaced os.environ by something of its own


_TRACE_ID = protocol.ENV_TRACE_ID.encode()


def _variables() -> "dict[bytes, bytes]":
    """The dict that `os.environ` reads: its own once `os` is loaded, before that the one it will be made from."""
    os = sys.modules.get("os")
    return posix.environ if os is None else os.environ._data


def _forget(name: str) -> None:
    """Remove a variable for good, also for child processes."""
    posix.unsetenv(name)
    posix.environ.pop(name.encode(), None)
    _variables().pop(name.encode(), None)


def _text(raw: "bytes | str") -> str:
    return raw if isinstance(raw, str) else raw.decode("utf-8", "surrogateescape")

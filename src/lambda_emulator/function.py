"""A function's configuration: checked once, when it is made, and never changed. No process, no file is touched
but to see that the code's folder is there.

Every violation is an `InvalidConfiguration` whose one sentence says what is wrong, where, and what to do.
Lambda's own wording is used where Lambda has one.
"""

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

from lambda_emulator.errors import InvalidConfiguration
from lambda_emulator.event_invoke_config import check_dead_letter_arn
from runtime import protocol

__all__ = ["RESERVED_VARIABLES", "FunctionConfiguration"]

RESERVED_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_FORMAT",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_LEVEL",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""Names that the service keeps for itself. Those that begin with an underscore fall to the pattern below."""

_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_VARIABLE_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_VERSION = re.compile(r"\$LATEST|[1-9][0-9]*")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_ACCOUNT = re.compile(r"\d{12}")
_UNABLE = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided"
)
_LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfiguration:
    """All that is known of one function. Raises `InvalidConfiguration`, and `TypeError` for an option there is not."""

    handler: str
    """What `_HANDLER` holds, for a Python function `module.function`."""
    task_root: Path
    """The code's folder, the working directory of the process; stored absolute."""
    name: str = "function"
    command: tuple[str, ...] | None = None
    """What is started: program and arguments. None stands for this project's own `bootstrap`."""
    timeout_s: int = protocol.DEFAULT_TIMEOUT_S
    memory_mb: int = protocol.DEFAULT_MEMORY_MB
    environment: Mapping[str, str] = field(default_factory=dict)
    """The customer's variables."""
    version: str = "$LATEST"
    region: str = "us-east-1"
    account_id: str = "123456789012"
    log_format: Literal["Text", "JSON"] | None = None
    """None leaves `AWS_LAMBDA_LOG_FORMAT` unset, as a function that was never configured for it."""
    log_level: str | None = None
    init_timeout_s: float | None = None
    """None stands for Lambda's: 10 seconds, or with SnapStart and on managed instances 130 or more."""
    max_concurrency: int | None = None
    """Invocations open at once in one environment (managed instances); None is the ordinary one at a time."""
    snap_start: bool = False
    restore_timeout_s: float = protocol.RESTORE_TIMEOUT_S
    """For the restore of a snapshot and the hooks after it."""
    extensions: Path | None = None
    """A folder such as `/opt/extensions`: each file of it that can be executed is an external extension."""
    telemetry_fd: bool = False
    """Give the process a telemetry descriptor (`_LAMBDA_TELEMETRY_LOG_FD`), as managed runtimes have it."""
    stream_bytes_per_s: int | None = None
    """How fast a streamed response may go after its first 6 MiB (Lambda: 2 MiB/s); None for no limit."""
    execution_env: str | None = None
    """`AWS_EXECUTION_ENV` of a managed runtime that is to be imitated; OS-only runtimes have none."""
    dead_letter_arn: str | None = None
    """A standard SQS queue's or SNS topic's: where asynchronous events go that have failed for good."""
    provisioned: bool = False
    """Its environments are initialised in advance; set by provisioned concurrency, not by a user."""
    tracing: Literal["Active", "PassThrough"] = "PassThrough"
    """With `Active` each invocation has a trace (`InvocationResult.trace`); else a caller's header is passed on."""
    xray_daemon_address: str | None = None
    """host:port of a daemon; None stands for the local Lambda's own where tracing is active."""

    def __new__(cls, *_positional: Any, **given: Any) -> Self:
        """Before the generated `__init__` is called, which would name the wrong option and no right one."""
        if unknown := [name for name in given if name not in cls.__dataclass_fields__]:
            raise TypeError(_no_such_option(unknown[0], list(cls.__dataclass_fields__)))
        return object.__new__(cls)

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the one way to normalise a field of a frozen value
        set_field(self, "task_root", Path(self.task_root).absolute())
        if self.extensions is not None:
            set_field(self, "extensions", Path(self.extensions).absolute())
        set_field(self, "environment", MappingProxyType(dict(self.environment)))
        if self.command is not None:
            set_field(self, "command", tuple(self.command))
        self._check_identity()
        self._check_limits()
        self._check_code()
        _check_environment(self.environment)
        if self.dead_letter_arn is not None and (wrong := check_dead_letter_arn(self.dead_letter_arn)):
            raise InvalidConfiguration(wrong)

    @property
    def init_limit_s(self) -> float:
        """How long an initialisation may take."""
        if self.init_timeout_s is not None:
            return self.init_timeout_s
        if self.snap_start or self.provisioned or self.max_concurrency is not None:
            return max(protocol.LONG_INIT_TIMEOUT_S, self.timeout_s)
        return protocol.INIT_TIMEOUT_S

    @property
    def effective_log_format(self) -> Literal["Text", "JSON"] | None:
        """Managed instances log JSON, asked or not."""
        return self.log_format if self.max_concurrency is None else "JSON"

    @property
    def arn(self) -> str:
        """The unqualified ARN."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}"

    def _check_identity(self) -> None:
        for name, value, pattern, example in (
            ("name", self.name, _NAME, "1 to 64 letters, digits, hyphens or underscores"),
            ("version", self.version, _VERSION, "$LATEST or a number from 1"),
            ("region", self.region, _REGION, "such as us-east-1"),
            ("account_id", self.account_id, _ACCOUNT, "twelve digits"),
        ):
            if not pattern.fullmatch(value):
                raise InvalidConfiguration(f"{name} {value!r} is not possible: use {example}")

    def _check_limits(self) -> None:
        _check_range("timeout_s", self.timeout_s, protocol.MIN_TIMEOUT_S, protocol.MAX_TIMEOUT_S, "whole seconds")
        _check_range("memory_mb", self.memory_mb, protocol.MIN_MEMORY_MB, protocol.MAX_MEMORY_MB, "megabytes")
        if self.max_concurrency is not None:
            _check_range("max_concurrency", self.max_concurrency, 1, 10_000, "invocations at once")
        for name, value, kind in (
            ("init_timeout_s", self.init_timeout_s, "time"),
            ("restore_timeout_s", self.restore_timeout_s, "time"),
            ("stream_bytes_per_s", self.stream_bytes_per_s, "number"),
        ):
            if value is not None and not value > 0:
                raise InvalidConfiguration(f"{name} {value!r} is not possible: use a {kind} above 0")
        if self.max_concurrency is not None:
            self._check_managed_instance()
        if self.tracing not in ("Active", "PassThrough"):
            raise InvalidConfiguration(f"tracing {self.tracing!r} is not possible: use 'Active' or 'PassThrough'")
        if self.log_format not in (None, "Text", "JSON"):
            raise InvalidConfiguration(f"log_format {self.log_format!r} is not possible: use 'Text', 'JSON' or None")
        if self.log_level is not None and self.log_level.upper() not in _LOG_LEVELS:
            raise InvalidConfiguration(f"log_level {self.log_level!r} is not possible: use {', '.join(_LOG_LEVELS)}")

    def _check_managed_instance(self) -> None:
        if self.snap_start:
            raise InvalidConfiguration("snap_start is not possible with max_concurrency: leave one of them out")
        if self.log_format == "Text":
            raise InvalidConfiguration("log_format 'Text' is not possible with max_concurrency: use 'JSON' or None")

    def _check_code(self) -> None:
        if not self.handler or len(self.handler) > 128 or re.search(r"\s|\0", self.handler):
            raise InvalidConfiguration(
                f"handler {self.handler!r} is not possible: use 1 to 128 characters, no blanks, such as 'app.handler'"
            )
        if not self.task_root.is_dir():
            raise InvalidConfiguration(
                f"task_root {str(self.task_root)!r} is no folder: name the one that holds the function's code"
            )
        if self.extensions is not None and not self.extensions.is_dir():
            raise InvalidConfiguration(
                f"extensions {str(self.extensions)!r} is no folder: name the one that holds the extensions' programs"
            )
        if self.command is not None and not self.command:
            raise InvalidConfiguration("command is empty: name a program, or use None for the bundled bootstrap")


def _no_such_option(name: str, options: list[str]) -> str:
    """With the nearest one, also for Lambda's own spelling (`MemorySize`) and for one cut short (`env`)."""
    written = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    near = [each for each in options if each.startswith(written)] or difflib.get_close_matches(written, options, 1)
    return f"a function has no option {name}" + (
        f": did you mean {near[0]}?" if near else f": it has {', '.join(options)}"
    )


def _check_range(name: str, value: int, low: int, high: int, unit: str) -> None:
    if type(value) is not int or not low <= value <= high:
        raise InvalidConfiguration(f"{name} {value!r} is not possible: use {low} to {high} {unit}")


def _check_environment(variables: Mapping[Any, Any]) -> None:
    for name, value in variables.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidConfiguration(f"environment variable {name!r} is not possible: use text for name and value")
        if "\0" in value:
            raise InvalidConfiguration(f"environment variable {name!r} holds a NUL character: remove it")
    if reserved := sorted(RESERVED_VARIABLES & variables.keys()):
        raise InvalidConfiguration(
            f"{_UNABLE} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    for name in variables:
        if not _VARIABLE_NAME.fullmatch(name):
            raise InvalidConfiguration(
                f"environment variable {name!r} is not possible: use a letter, then one or more letters, "
                "digits or underscores"
            )
    measured = json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode("utf-8", "surrogatepass")) > protocol.MAX_ENVIRONMENT_BYTES:
        raise InvalidConfiguration(f"{_UNABLE} exceeded the 4KB limit. String measured: {measured}")

"""The environment of a function's process: what an OS-only runtime finds on Lambda, and nothing of the developer's
shell. Makes a mapping; sets nothing.

Differences from the service, all because this is not its machine: LAMBDA_TASK_ROOT is the real folder, TMPDIR names
the environment's private `/tmp`, PATH begins with the running interpreter's folder, HANDLERKIT_PYTHON names that
interpreter for our bootstrap, the X-Ray daemon is expected on loopback, and LD_LIBRARY_PATH leaves out the system's
own folders, which are searched anyway and could shadow the libraries of an interpreter from elsewhere.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from lambda_emulator.function import FunctionConfiguration
from runtime import protocol

__all__ = ["extension_environment", "log_stream_name", "process_environment"]

# What the documentation names as the runtime process's own, besides all that begins with an underscore.
_NOT_FOR_EXTENSIONS = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LAMBDA_RUNTIME_DIR",
        protocol.ENV_LOG_GROUP,
        protocol.ENV_LOG_STREAM,
        protocol.ENV_TASK_ROOT,
    }
)


def log_stream_name(version: str, unique: str, now: datetime | None = None) -> str:
    """One per execution environment; `unique` is 32 hexadecimal digits.

    >>> log_stream_name("$LATEST", "ab" * 16, datetime(2026, 1, 31, tzinfo=UTC))
    '2026/01/31/[$LATEST]abababababababababababababababab'
    """
    return f"{now or datetime.now(UTC):%Y/%m/%d}/[{version}]{unique}"


def process_environment(
    configuration: FunctionConfiguration, *, runtime_api: str, tmp: Path, log_stream: str, initialization_type: str
) -> dict[str, str]:
    """All variables of the process; the customer's come last, and have been checked for reserved names."""
    task_root = str(configuration.task_root)
    xray = configuration.xray_daemon_address or "127.0.0.1:2000"
    variables = {
        # As long as real ones, and worth nothing.
        "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "local-lambda-has-no-secret-access-key-00",
        "AWS_SESSION_TOKEN": "local-lambda-session-token",
        "AWS_REGION": configuration.region,
        "AWS_DEFAULT_REGION": configuration.region,
        protocol.ENV_FUNCTION_NAME: configuration.name,
        protocol.ENV_FUNCTION_VERSION: configuration.version,
        protocol.ENV_MEMORY_MB: str(configuration.memory_mb),
        protocol.ENV_INITIALIZATION_TYPE: initialization_type,
        protocol.ENV_LOG_GROUP: f"/aws/lambda/{configuration.name}",
        protocol.ENV_LOG_STREAM: log_stream,
        protocol.ENV_API: runtime_api,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": xray,
        "_AWS_XRAY_DAEMON_ADDRESS": xray.rpartition(":")[0],
        "_AWS_XRAY_DAEMON_PORT": xray.rpartition(":")[2],
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        protocol.ENV_TASK_ROOT: task_root,
        protocol.ENV_HANDLER: configuration.handler,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": f"{Path(sys.executable).parent}:/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": f"/var/lang/lib:/var/runtime:/var/runtime/lib:{task_root}:{task_root}/lib:/opt/lib",
        "TMPDIR": str(tmp),
        "HANDLERKIT_PYTHON": sys.executable,
    }
    optional = {
        protocol.ENV_LOG_FORMAT: configuration.effective_log_format,
        protocol.ENV_LOG_LEVEL: configuration.log_level,
        "AWS_LAMBDA_MAX_CONCURRENCY": configuration.max_concurrency,
        "AWS_EXECUTION_ENV": configuration.execution_env,
    }
    variables |= {name: str(value) for name, value in optional.items() if value is not None}
    return variables | dict(configuration.environment)


def extension_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Those of the runtime's variables that external extensions get.

    >>> extension_environment({"_HANDLER": "app.handler", "AWS_REGION": "us-east-1", "STAGE": "test"})
    {'AWS_REGION': 'us-east-1', 'STAGE': 'test'}
    """
    return {
        name: value for name, value in variables.items() if not name.startswith("_") and name not in _NOT_FOR_EXTENSIONS
    }

"""The process's environment is Lambda's for an OS-only runtime, and nothing of the developer's."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration
from lambda_emulator.environment_variables import log_stream_name, process_environment

ALWAYS = set(
    """
AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION AWS_LAMBDA_FUNCTION_NAME
AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME
AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API AWS_XRAY_CONTEXT_MISSING AWS_XRAY_DAEMON_ADDRESS
_AWS_XRAY_DAEMON_ADDRESS _AWS_XRAY_DAEMON_PORT LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT _HANDLER LANG TZ PATH
LD_LIBRARY_PATH
""".split()  # noqa: SIM905 (a list this long is read more easily as text)
)


def environment_of(task_root: Path, **fields: Any) -> dict[str, str]:
    configuration = FunctionConfiguration(**{"handler": "app.handler", "task_root": task_root, **fields})
    return dict(
        process_environment(
            configuration,
            runtime_api="127.0.0.1:9001",
            tmp=Path("/private"),
            log_stream="stream",
            initialization_type="on-demand",
        )
    )


def test_it_is_lambdas_set_and_two_of_our_own(task_root: Path) -> None:
    assert environment_of(task_root).keys() == ALWAYS | {"TMPDIR", "HANDLERKIT_PYTHON"}


def test_the_values_are_the_functions(task_root: Path) -> None:
    variables = environment_of(task_root, name="orders", version="3", memory_mb=512, region="eu-west-1")
    expected = {
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "AWS_LAMBDA_FUNCTION_VERSION": "3",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/orders",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(task_root),
        "_HANDLER": "app.handler",
        "TMPDIR": "/private",
        "HANDLERKIT_PYTHON": sys.executable,
        "TZ": ":UTC",
    }
    assert {name: variables[name] for name in expected} == expected
    assert variables["PATH"].split(":")[0] == str(Path(sys.executable).parent)


def test_nothing_of_the_developers_shell_gets_in(task_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "REAL")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    variables = environment_of(task_root)
    assert not {"AWS_PROFILE", "PYTHONPATH", "HOME", "USER"} & variables.keys()
    assert "REAL" not in variables.values()
    assert os.environ["PATH"] != variables["PATH"]


@pytest.mark.parametrize(
    "name", ["AWS_EXECUTION_ENV", "_LAMBDA_TELEMETRY_LOG_FD", "AWS_LAMBDA_LOG_FORMAT", "PYTHONPATH"]
)
def test_what_os_only_runtimes_lack_is_lacking_unless_asked_for(task_root: Path, name: str) -> None:
    assert name not in environment_of(task_root)


def test_what_is_configured_is_set(task_root: Path) -> None:
    variables = environment_of(
        task_root,
        log_format="JSON",
        log_level="DEBUG",
        max_concurrency=4,
        execution_env="AWS_Lambda_python3.13",
        environment={"STAGE": "test", "TZ": ":CET", "PYTHONPATH": "/opt/python"},
    )
    expected = {
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
        "AWS_LAMBDA_MAX_CONCURRENCY": "4",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "STAGE": "test",
        "TZ": ":CET",
        "PYTHONPATH": "/opt/python",
    }
    assert {name: variables[name] for name in expected} == expected


def test_a_log_stream_is_named_by_day_version_and_environment() -> None:
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[7\][0-9a-f]{32}", log_stream_name("7", "0" * 32))

"""A configuration is right, or it is refused with one sentence that helps."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, InvalidConfiguration, LocalLambdaError, ManualClock
from lambda_emulator.function import RESERVED_VARIABLES
from lambda_emulator.tested_lambda import TestedLambda

UNABLE = "Lambda was unable to configure your environment variables because the environment variables you have provided"

RESERVED_KEYS = "Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT"


def configured(task_root: Path, **fields: Any) -> FunctionConfiguration:
    return FunctionConfiguration(**{"handler": "app.handler", "task_root": task_root, **fields})


def test_the_defaults_are_lambdas(task_root: Path) -> None:
    configuration = configured(task_root)
    assert (configuration.timeout_s, configuration.memory_mb, configuration.init_limit_s) == (3, 128, 10)
    assert (configuration.name, configuration.version, configuration.region) == ("function", "$LATEST", "us-east-1")
    assert configuration.arn == "arn:aws:lambda:us-east-1:123456789012:function:function"


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("timeout", "timeout_s"),
        ("Timeout", "timeout_s"),
        ("memory", "memory_mb"),
        ("MemorySize", "memory_mb"),
        ("memory_limit_mb", "memory_mb"),
        ("env", "environment"),
        ("max_concurency", "max_concurrency"),
    ],
)
def test_an_option_that_there_is_not_is_refused_with_the_nearest_one(task_root: Path, option: str, meant: str) -> None:
    told = f"a function has no option {option}: did you mean {meant}\\?"
    given: dict[str, Any] = {option: 3}
    with pytest.raises(TypeError, match=told):
        configured(task_root, **given)
    with pytest.raises(TypeError, match=told):
        dataclasses.replace(configured(task_root), **given)
    with pytest.raises(TypeError, match=told), TestedLambda(clock=ManualClock(), task_root=task_root) as local_lambda:
        local_lambda.function("app.handler", **given)


def test_where_no_option_is_near_all_are_named(task_root: Path) -> None:
    with pytest.raises(TypeError, match="a function has no option zzz: it has handler, task_root, name, "):
        configured(task_root, zzz=1)


def test_the_code_folder_is_made_absolute(task_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(task_root.parent)
    assert configured(Path("task")).task_root == task_root


def test_a_configuration_cannot_be_changed_from_outside(task_root: Path) -> None:
    variables = {"STAGE": "test"}
    configuration = configured(task_root, environment=variables, command=["./run"])
    variables["STAGE"] = "other"
    assert dict(configuration.environment) == {"STAGE": "test"}
    assert configuration.command == ("./run",)
    with pytest.raises(TypeError):
        configuration.environment["STAGE"] = "other"  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        configuration.timeout_s = 5  # type: ignore[misc]
    assert dataclasses.replace(configuration, timeout_s=5).timeout_s == 5


@pytest.mark.parametrize(
    "fields",
    [
        {"timeout_s": 1},
        {"timeout_s": 900},
        {"memory_mb": 128},
        {"memory_mb": 10_240},
        {"version": "17"},
        {"region": "us-gov-west-1"},
        {"name": "a" * 64},
        {"log_format": "JSON", "log_level": "debug"},
        {"max_concurrency": 1},
        {"environment": {"LANG": "C", "TZ": ":CET", "PATH": "/bin", "PYTHONPATH": "x"}},
    ],
)
def test_the_edges_are_allowed(task_root: Path, fields: dict[str, Any]) -> None:
    configured(task_root, **fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"timeout_s": 0}, "timeout_s 0 is not possible: use 1 to 900 whole seconds"),
        ({"timeout_s": 901}, "timeout_s 901 is not possible: use 1 to 900 whole seconds"),
        ({"timeout_s": 1.5}, "timeout_s 1.5 is not possible: use 1 to 900 whole seconds"),
        ({"timeout_s": True}, "timeout_s True is not possible: use 1 to 900 whole seconds"),
        ({"memory_mb": 127}, "memory_mb 127 is not possible: use 128 to 10240 megabytes"),
        ({"memory_mb": 10_241}, "memory_mb 10241 is not possible: use 128 to 10240 megabytes"),
        ({"max_concurrency": 0}, "max_concurrency 0 is not possible: use 1 to 10000 invocations at once"),
        ({"init_timeout_s": 0}, "init_timeout_s 0 is not possible: use a time above 0"),
        ({"name": ""}, "name '' is not possible: use 1 to 64 letters, digits, hyphens or underscores"),
        ({"name": "a b"}, "name 'a b' is not possible: use 1 to 64 letters, digits, hyphens or underscores"),
        ({"version": "0"}, "version '0' is not possible: use $LATEST or a number from 1"),
        ({"region": "Mars"}, "region 'Mars' is not possible: use such as us-east-1"),
        ({"account_id": "1"}, "account_id '1' is not possible: use twelve digits"),
        ({"log_format": "xml"}, "log_format 'xml' is not possible: use 'Text', 'JSON' or None"),
        ({"command": ()}, "command is empty: name a program, or use None for the bundled bootstrap"),
        ({"handler": ""}, "handler '' is not possible: use 1 to 128 characters, no blanks, such as 'app.handler'"),
        (
            {"handler": "a b"},
            "handler 'a b' is not possible: use 1 to 128 characters, no blanks, such as 'app.handler'",
        ),
        (
            {"environment": {"A": "1"}},
            "environment variable 'A' is not possible: use a letter, then one or more letters, digits or",
        ),
        ({"environment": {"_A1": "1"}}, "environment variable '_A1' is not possible: use a letter, then one or more"),
        ({"environment": {"AB": 1}}, "environment variable 'AB' is not possible: use text for name and value"),
        ({"environment": {"AB": "\0"}}, "environment variable 'AB' holds a NUL character: remove it"),
        (
            {"environment": {"AWS_REGION": "x", "LAMBDA_TASK_ROOT": "y"}},
            f"{UNABLE} contains reserved keys that are currently not supported for modification. {RESERVED_KEYS}",
        ),
    ],
)
def test_what_lambda_refuses_is_refused_in_one_sentence(task_root: Path, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        configured(task_root, **fields)
    assert str(refused.value).startswith(sentence)
    assert isinstance(refused.value, ValueError)
    assert isinstance(refused.value, LocalLambdaError)


def test_a_log_level_is_one_of_six(task_root: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="use TRACE, DEBUG, INFO"):
        configured(task_root, log_level="loud")


def test_a_code_folder_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"missing' is no folder: name the one that holds"):
        configured(tmp_path / "missing")


@pytest.mark.parametrize("name", sorted(RESERVED_VARIABLES))
def test_every_reserved_variable_is_refused(task_root: Path, name: str) -> None:
    with pytest.raises(InvalidConfiguration, match=f"this request: {name}$"):
        configured(task_root, environment={name: "x"})


def test_the_environment_is_measured_as_compact_json_and_ends_at_four_kilobytes(task_root: Path) -> None:
    fits = {"AB": "x" * (4096 - len('{"AB":""}'))}
    configured(task_root, environment=fits)
    too_much = {"AB": fits["AB"] + "x"}
    with pytest.raises(InvalidConfiguration) as refused:
        configured(task_root, environment=too_much)
    measured = json.dumps(too_much, separators=(",", ":"))
    assert str(refused.value) == f"{UNABLE} exceeded the 4KB limit. String measured: {measured}"


def test_the_environment_is_measured_in_bytes(task_root: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="4KB limit"):
        configured(task_root, environment={"AB": "\u00e9" * 2048})

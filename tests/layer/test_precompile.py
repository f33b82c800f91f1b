"""Bytecode for a function's own package."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TAG = sys.implementation.cache_tag


def precompile(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command."""
    command = [sys.executable, "-m", "lambda_emulator.cli", "precompile", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_every_module_gets_bytecode_that_is_never_compared_with_its_source(tmp_path: Path) -> None:
    (tmp_path / "shop" / "orders").mkdir(parents=True)
    (tmp_path / "app.py").write_text(
        "from shop.orders import total\ndef handler(event, context): return [total, __cached__]\n"
    )
    (tmp_path / "shop" / "orders" / "__init__.py").write_text("total = 17\n")
    done = precompile(str(tmp_path))
    assert (done.returncode, done.stdout) == (
        0,
        f"2 files compiled for Python {HERE}\n",
    )
    cached = tmp_path / "shop" / "orders" / "__pycache__" / f"__init__.{TAG}.pyc"
    assert cached.read_bytes()[:8] == importlib.util.MAGIC_NUMBER + b"\1\0\0\0"
    # A source that has changed since goes unseen: what runs is the bytecode.
    (tmp_path / "shop" / "orders" / "__init__.py").write_text("total = 99\n")
    with LocalLambda(FunctionConfiguration(handler="app.handler", task_root=tmp_path)) as service:
        answer = json.loads(service.invoke("function", {}).payload)
    assert answer == [17, str(tmp_path / "__pycache__" / f"app.{TAG}.pyc")]


def test_a_file_that_is_not_for_this_python_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("print 'hello'\n")
    (tmp_path / "new.py").write_text("")
    done = precompile(str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.startswith("1 files compiled")
    assert done.stderr.startswith("handlerkit: old.py is not for this Python: SyntaxError")


def test_the_same_sources_give_the_same_bytes_wherever_they_lie(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text("import os\nN = {'a', 'b'}\ndef handler(event, context): ...\n")
        assert precompile(str(tmp_path / name)).returncode == 0
        contents.append((tmp_path / name / "__pycache__" / f"app.{TAG}.pyc").read_bytes())
    assert contents[0] == contents[1]
    assert b"/var/task/app.py" in contents[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere"], "/nowhere is no folder: name the one that holds the code"),
        ([".", "--python", "/bin/false"], "/bin/false is no Python that runs here: name a program with --python"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(arguments: list[str], message: str) -> None:
    done = precompile(*arguments)
    assert (done.returncode, done.stderr) == (2, f"handlerkit: {message}\n")

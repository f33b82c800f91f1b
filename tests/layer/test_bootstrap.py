"""What `bootstrap` says when it finds no Python to go on with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.layer.conftest import ROOT

BOOTSTRAP = ROOT / "bootstrap"
PLACES = ("/opt/cpython/bin", "/var/lang/bin/python3")


def started(**environment: str) -> "subprocess.CompletedProcess[str]":
    """The file, by a shell, with nothing in its environment but this."""
    command = ["/bin/sh", str(BOOTSTRAP), "app.handler"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)


@pytest.mark.skipif(any(map(os.path.exists, PLACES)), reason="a Python lies where bootstrap looks first")
def test_without_a_python_anywhere_it_says_where_it_looked_and_what_to_do(tmp_path: Path) -> None:
    done = started(PATH=str(tmp_path))
    assert done.returncode == 127
    assert done.stderr.startswith(
        "handlerkit: no Python in /opt/cpython/bin, in /var/lang/bin or on the PATH: add a layer"
    )
    assert done.stderr.count("\n") == 1


def test_a_python_that_is_named_and_is_none_is_told(tmp_path: Path) -> None:
    done = started(PATH=os.environ["PATH"], HANDLERKIT_PYTHON=str(tmp_path / "python"))
    assert done.returncode == 127
    assert done.stderr == (
        f"handlerkit: HANDLERKIT_PYTHON is {tmp_path / 'python'}, which is no program: "
        "name a Python 3.11 or later, or unset it\n"
    )


def test_a_python_on_the_path_is_found_and_goes_on_to_the_runtimes_own_checks(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    done = started(PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("handlerkit: AWS_LAMBDA_RUNTIME_API is not set")


def test_the_packages_are_found_through_a_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "entry").symlink_to(BOOTSTRAP)
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "entry")], env={"HANDLERKIT_PYTHON": sys.executable}, capture_output=True, text=True
    )
    assert done.stderr.startswith("handlerkit: give one handler")

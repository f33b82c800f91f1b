"""Functions as tiny programs, a local Lambda that is closed, and a check that nothing is left behind."""

import os
import resource
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda

# A runtime in forty lines of standard library, for programs whose every call a test wants to decide.
_CLIENT = """
import http.client
import os

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
ROOT = "/2018-06-01/runtime"


def call(method, path, body=None, headers=None):
    api.request(method, ROOT + path, body, headers or {})
    response = api.getresponse()
    return response, response.read()


def next_event():
    response, body = call("GET", "/invocation/next")
    return response.getheader("Lambda-Runtime-Aws-Request-Id"), body, response


def respond(request_id, body=b"null", headers=None):
    return call("POST", f"/invocation/{request_id}/response", body, headers)[0].status


def fail(request_id, body=b"{}", headers=None):
    return call("POST", f"/invocation/{request_id}/error", body, headers)[0].status


def serve(handler):
    while True:
        request_id, body, _ = next_event()
        respond(request_id, handler(body))
"""


class MakeFunction(Protocol):
    """Writes a program and configures a function that runs it."""

    def __call__(self, program: str, **fields: Any) -> FunctionConfiguration: ...


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The emulator's temporary folders go here; when the test is over there is none, and no process that knew one."""
    folder = tmp_path / "private-tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert [path.name for path in folder.iterdir()] == []
    deadline_s = time.monotonic() + 5  # a killed grandchild is gone when the kernel has got to it
    while (left := _processes_that_know(str(folder))) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert left == []


def _processes_that_know(folder: str) -> list[str]:
    if sys.platform != "linux":
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            if folder.encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # gone, or another user's
    return found


@pytest.fixture
def task_root(tmp_path: Path) -> Path:
    """The folder of the function's code."""
    folder = tmp_path / "task"
    folder.mkdir()
    return folder


@pytest.fixture
def make_function(task_root: Path) -> MakeFunction:
    """Programs begin with the small client's names: next_event, respond, fail, call, serve."""

    def make(program: str, **fields: Any) -> FunctionConfiguration:
        name = fields.get("name", "function")
        (task_root / "client.py").write_text(_CLIENT)
        (task_root / f"{name}.py").write_text("from client import *\n" + textwrap.dedent(program))
        settings: dict[str, Any] = {
            "handler": f"{name}.handler",
            "task_root": task_root,
            "command": (sys.executable, "-S", "-u", f"{name}.py"),
            "timeout_s": 20,
        }
        return FunctionConfiguration(**(settings | fields))

    return make


@pytest.fixture
def start_lambda() -> Iterator[Callable[..., LocalLambda]]:
    """A local Lambda with these functions, closed after the test."""
    services: list[LocalLambda] = []

    def start(*functions: FunctionConfiguration, **settings: Any) -> LocalLambda:
        services.append(LocalLambda(*functions, **settings))
        return services[-1]

    yield start
    for service in services:
        service.close()


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """As in a process whose next descriptor is beyond 1,023, which is as far as select() goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1_100:
        pytest.skip("this system allows no more than a thousand descriptors")
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1_100), hard))
    try:
        while taken[-1] < 1_023:
            taken.append(os.dup(taken[0]))
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

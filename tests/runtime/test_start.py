"""Start and end of the process: what is loaded, which signals end it, what a start costs in modules."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runtime import search_path
from tests.runtime.conftest import Serve, Start
from tests.runtime.platform import Platform, event

MODULES = """
import sys
def handler(event, context):
    return {"now": sorted(sys.modules)}
"""

OURS = {
    "runtime",
    *(
        f"runtime.{name}"
        for name in (
            "client",
            "connection",
            "environ",
            "errors",
            "function",
            "head",
            "initialisation",
            "invocation",
            "late_logging",
            "loader",
            "loop",
            "marshal",
            "output",
            "protocol",
            "reporting",
            "search_path",
            "signals",
            "start",
            "wire",
        )
    ),
}
C_MODULES = {"_contextvars", "gc", "_json", "_signal", "_socket", "marshal", "posix", "time", "_sitebuiltins"}


def bare_modules() -> set[str]:
    """What the interpreter itself loads with the bootstrap's flags."""
    code = "import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-IBSXutf8", "-c", code], capture_output=True, text=True, check=True, env={})
    return set(done.stdout.split())


def test_a_plain_handler_loads_c_modules_and_our_own_few(serve: Serve) -> None:
    # This list is the cold start. What is added here has to be worth its milliseconds.
    outcome = serve(MODULES, b"{}", b"{}")
    first, second = (json.loads(answer.body) for answer in outcome.answers)
    extra = set(first["now"]) - bare_modules() - {"app"}
    # pip's and setuptools' .pth files make site load in some development environments; never on Lambda.
    extra -= {
        name
        for name in extra
        if name
        in {"site", "os", "stat", "posixpath", "genericpath", "os.path", "_collections_abc", "io", "abc", "_stat"}
    }
    extra -= {"encodings.utf_8_sig"}  # how site reads those files from Python 3.13 on
    extra -= {name for name in extra if name.startswith(("_distutils_hack", "__editable__", "_virtualenv"))}
    assert extra <= OURS | C_MODULES
    assert second["now"] == first["now"]


def test_what_is_loaded_is_left_out_of_collections(serve: Serve) -> None:
    code = """
import gc
loaded = [[] for _ in range(1000)]
def handler(event, context):
    return {"frozen": gc.get_freeze_count(), "tracked": len(gc.get_objects())}
"""
    answer = json.loads(serve(code, b"{}").answers[0].body)
    assert answer["frozen"] > 1000
    assert answer["tracked"] < 1000


def test_importing_the_package_loads_nothing_else_and_changes_nothing() -> None:
    code = """
import sys, threading, os
before = set(sys.modules), dict(os.environ), threading.active_count()
import runtime, runtime.protocol
added = sorted(set(sys.modules) - before[0])
assert (dict(os.environ), threading.active_count()) == before[1:], "the import changed something"
print(*added)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["runtime", "runtime.protocol"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly_while_it_waits(start: Start, platform: Platform, number: int) -> None:
    served = start("import atexit\natexit.register(print, 'atexit ran')\ndef handler(event, context): pass\n")
    assert platform.wait_until(lambda platform: bool(platform.requests))
    served.process.send_signal(number)
    outcome = served.end()
    assert outcome.status == 0
    assert outcome.stdout == "atexit ran\n"
    assert outcome.stderr == ""


def test_a_signal_ends_a_busy_handler_at_once_and_runs_its_finally(start: Start, platform: Platform) -> None:
    code = """
    import time
    def handler(event, context):
        try:
            print("begun")
            time.sleep(60)
        except Exception:
            print("an Exception this is not")
        finally:
            print("finally")
    """
    served = start(code)
    platform.deliver(event())
    assert served.process.stdout is not None
    assert served.process.stdout.readline() == b"begun\n"
    outcome = served.terminate()
    assert outcome.status == 0
    assert outcome.stdout == "finally\n"
    assert outcome.answers == []


def test_a_handler_that_swallows_the_signal_is_the_last_one(start: Start, platform: Platform) -> None:
    code = """
    import time
    def handler(event, context):
        try:
            print("begun")
            time.sleep(60)
        except BaseException:
            return "swallowed"
    """
    served = start(code)
    platform.deliver(event(), event(request_id="id-2"))
    assert served.process.stdout is not None
    assert served.process.stdout.readline() == b"begun\n"
    outcome = served.terminate()
    assert [answer.body for answer in outcome.answers] == [b'"swallowed"']
    assert outcome.status == 0


def test_a_signal_handler_of_the_functions_own_runs_while_waiting(start: Start, platform: Platform) -> None:
    code = """
    import signal, sys
    def stop(number, frame):
        print("theirs")
        sys.exit(5)
    signal.signal(signal.SIGTERM, stop)
    def handler(event, context): pass
    """
    served = start(code)
    assert platform.wait_until(lambda platform: bool(platform.requests))
    outcome = served.terminate()
    assert outcome.stdout == "theirs\n"
    assert outcome.status == 5


@pytest.mark.parametrize("entry", ["bootstrap", "module"])
def test_the_search_path_has_the_task_root_first_and_honours_pythonpath_and_pth_files(
    serve: Serve, tmp_path: Path, entry: str
) -> None:
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "fromextra.py").write_text("X = 1\n")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "fromlinked.py").write_text("X = 2\n")
    code = """
    import sys, fromextra, fromlinked
    def handler(event, context): return [sys.path[0], fromextra.X, fromlinked.X, exit.__class__.__name__]
    """
    outcome = serve(
        code,
        b"{}",
        files={"here.pth": str(tmp_path / "linked") + "\n"},
        env={"PYTHONPATH": str(tmp_path / "extra")},
        entry=entry,
    )
    assert json.loads(outcome.answers[0].body) == [str(tmp_path), 1, 2, "Quitter"]


def test_the_wrapper_script_is_honoured_by_the_bootstrap(serve: Serve, start: Start, tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text('#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n')
    wrapper.chmod(0o755)
    code = "import os\ndef handler(event, context): return os.environ['WRAPPED']\n"
    outcome = serve(code, b"{}", env={"AWS_LAMBDA_EXEC_WRAPPER": str(wrapper)})
    assert outcome.answers[0].body == b'"yes"'
    wrapper.chmod(0o644)
    refused = start(code, env={"AWS_LAMBDA_EXEC_WRAPPER": str(wrapper)}).end()
    assert refused.status == 126
    missing = start(code, env={"AWS_LAMBDA_EXEC_WRAPPER": "/nowhere/wrapper"}).end()
    assert missing.status == 127
    assert "does not exist" in missing.stderr


def test_children_do_not_see_the_telemetry_descriptor(serve: Serve) -> None:
    code = """
    import os, subprocess, sys
    def handler(event, context):
        child = subprocess.run([sys.executable, "-c", "import os; print('_LAMBDA_TELEMETRY_LOG_FD' in os.environ)"],
                               capture_output=True, text=True)
        return ['_LAMBDA_TELEMETRY_LOG_FD' in os.environ, child.stdout.strip()]
    """
    outcome = serve(code, b"{}", env={"_LAMBDA_TELEMETRY_LOG_FD": "1"})
    assert json.loads(outcome.answers[0].body) == [False, "False"]


@pytest.mark.parametrize("entry", ["bootstrap", "module"])
def test_a_call_with_two_handlers_is_refused(start: Start, platform: Platform, entry: str) -> None:
    outcome = start(MODULES, handler="app.handler app.other", entry=entry).end()
    assert outcome.status == 1
    assert outcome.stderr == "handlerkit: give one handler, as in 'module.function' (or set _HANDLER)\n"
    assert platform.requests == []


@pytest.mark.parametrize("entry", ["bootstrap", "module"])
@pytest.mark.parametrize(("handler", "answer"), [(None, b'"environment"'), ("app.handler", b'"argument"')])
def test_the_handler_named_by_the_environment_is_served_unless_an_argument_names_one(
    serve: Serve, entry: str, handler: str | None, answer: bytes
) -> None:
    code = "def handler(event, context): return 'argument'\ndef other(event, context): return 'environment'\n"
    outcome = serve(code, b"{}", handler=handler, env={"_HANDLER": "app.other"}, entry=entry)
    assert outcome.answers[0].body == answer


@pytest.mark.parametrize("task_root", ["", None])
def test_without_a_task_root_the_function_is_looked_for_in_the_working_directory(
    serve: Serve, tmp_path: Path, task_root: str | None
) -> None:
    code = "import sys\ndef handler(event, context): return sys.path[0]\n"
    outcome = serve(code, b"{}", env={"LAMBDA_TASK_ROOT": task_root or ""})
    assert json.loads(outcome.answers[0].body) == str(tmp_path)


def test_packages_installed_with_the_interpreter_are_found_last(serve: Serve) -> None:
    code = """
    import importlib.util, os, sys
    def handler(event, context):
        return [importlib.util.find_spec("pytest") is not None, os.path.basename(sys.path[-1]),
                [entry for entry in sys.path if entry.startswith("/opt/python") and not os.path.exists(entry)]]
    """
    assert json.loads(serve(code, b"{}").answers[0].body)[0::2] == [True, []]


SEARCH_PATH = """
import sys
sys.path.append({source!r})
from runtime import search_path
from runtime.environ import Settings
sys.path.pop()
search_path.LAYER_ROOT = {layer!r}
standard = list(sys.path)
search_path.prepare(Settings({{"LAMBDA_TASK_ROOT": {task!r}, "PYTHONPATH": {given!r}}}), bare=True)
print(*[entry for entry in sys.path if entry not in standard], sep="\\n")
print(sys.path.index(standard[0]))
"""


def test_the_search_path_is_the_managed_runtimes_in_its_order(tmp_path: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    layer = tmp_path / "opt"
    own = [tmp_path / "task", tmp_path / "one", tmp_path / "two", layer / "lib" / version / "site-packages", layer]
    for folder in own:
        folder.mkdir(parents=True, exist_ok=True)
    code = SEARCH_PATH.format(
        source=str(Path(search_path.__file__).parents[1]),
        layer=str(layer),
        task=str(own[0]),
        given=f"{own[1]}::{tmp_path / 'missing'}:{own[2]}",
    )
    done = subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=True)
    *found, number = done.stdout.splitlines()
    assert found[: len(own)] == [str(folder) for folder in own]
    assert int(number) == len(own)
    assert str(tmp_path / "missing") not in found


def test_a_runtime_module_that_a_pth_file_leads_to_is_the_functions_own(serve: Serve, tmp_path: Path) -> None:
    files = {
        "here.pth": f"{tmp_path}/linked\n",
        "linked/runtime/__init__.py": "def greet(): return 'theirs'\n",
        "linked/folder/runtime/notes.txt": "no package",
    }
    code = "import runtime\ndef handler(event, context): return runtime.greet()\n"
    assert serve(code, b"{}", files=files).answers[0].body == b'"theirs"'


def test_an_end_that_user_code_does_not_let_happen_happens_all_the_same(start: Start, platform: Platform) -> None:
    code = """
    import asyncio
    async def stubborn():
        try:
            yield 1
        finally:
            print("closing")
            await asyncio.Event().wait()
    kept = []
    async def handler(event, context):
        kept.append(stubborn())
        return await anext(kept[0])
    """
    platform.deliver(event())
    served = start(code)
    served.wait_for_answers(1)
    served.wait_until_idle(1)
    outcome = served.terminate()
    assert outcome.stdout == "closing\n"
    assert outcome.status == 0

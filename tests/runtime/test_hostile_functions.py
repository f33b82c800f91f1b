"""Functions that take the process apart: each has a defined outcome, and no event is lost, stolen or run twice."""

import json
import sys
import threading
from pathlib import Path
from typing import IO

import pytest

from tests.runtime.conftest import Serve, Start
from tests.runtime.platform import Platform, Reply, event

ECHO = "def handler(event, context): return event\n"


@pytest.mark.parametrize("seconds", ["0.05", "0"])
def test_a_default_timeout_for_sockets_does_not_reach_ours(start: Start, platform: Platform, seconds: str) -> None:
    served = start(f"import socket\nsocket.setdefaulttimeout({seconds})\n{ECHO}")
    assert platform.wait_until(lambda platform: bool(platform.requests))
    # Longer than the default of the function's own sockets, and than one wake-up of ours.
    threading.Event().wait(0.3)
    platform.deliver(event(b"1"), event(b"2", "id-2"))
    served.wait_for_answers(2)
    outcome = served.terminate()
    assert [answer.body for answer in outcome.answers] == [b"1", b"2"]
    assert {request.connection for request in platform.requests} == {1}
    assert outcome.status == 0


def test_processes_of_multiprocessing_do_not_serve(serve: Serve) -> None:
    code = """
    import multiprocessing
    def double(value): return 2 * value
    def handler(event, context):
        if event == 1:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                return pool.map(double, [1, 2])
        return event
    """
    outcome = serve(code, b"1", b"2")
    assert [answer.body for answer in outcome.answers] == [b"[2,4]", b"2"]


@pytest.mark.parametrize("child", ["sys.exit(0)", "raise ValueError('child')", "return 'child'", "os._exit(0)"])
def test_a_forked_child_neither_answers_nor_asks(serve: Serve, platform: Platform, child: str) -> None:
    code = f"""
    import os, sys
    def handler(event, context):
        pid = os.fork()
        if pid == 0:
            {child}
        os.waitpid(pid, 0)
        return ["parent", event]
    """
    outcome = serve(code, b"1", b"2")
    assert [json.loads(answer.body) for answer in outcome.answers] == [["parent", 1], ["parent", 2]]
    assert {request.connection for request in platform.requests} == {1}


def test_a_child_forked_while_importing_reports_nothing(serve: Serve) -> None:
    code = "import os, sys\nif os.fork() == 0: sys.exit(3)\nos.wait()\n" + ECHO
    outcome = serve(code, b"1")
    assert [answer.path.rsplit("/", 1)[1] for answer in outcome.answers] == ["response"]


def test_a_forked_child_dies_of_sigterm_as_usual(serve: Serve) -> None:
    code = """
    import multiprocessing, time
    def handler(event, context):
        process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        process.start()
        process.terminate()
        process.join()
        return process.exitcode
    """
    outcome = serve(code, b"1")
    assert outcome.answers[0].body == b"-15"
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    "spoiler",
    [
        "import sys; sys.path[:] = []",
        "import sys; sys.meta_path.clear()",
        "import builtins; builtins.open = None",
        "import builtins; builtins.__import__ = None",
        "import sys, types; sys.modules['traceback'] = types.ModuleType('traceback')",
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (0, 10))",
    ],
)
def test_an_error_is_answered_also_where_it_cannot_be_described(serve: Serve, spoiler: str) -> None:
    code = f"def handler(event, context):\n    if event: return event\n    {spoiler}\n    raise ValueError('boom')\n"
    outcome = serve(code, b"{}", b"1")
    failed, fine = outcome.answers
    assert failed.path.endswith("/error")
    document = json.loads(failed.body)
    assert document["requestId"] == "id-1"
    assert document["errorType"] in ("ValueError", "Function.Unknown")
    assert fine.body == b"1"
    assert "\tid-1\t" in outcome.stdout


@pytest.mark.parametrize("name", ["types", "enum", "token", "operator", "traceback", "re", "linecache", "collections"])
def test_a_file_named_like_the_standard_library_harms_no_more_than_on_the_managed_runtime(
    serve: Serve, name: str
) -> None:
    files = {f"{name}.py": "raise RuntimeError('the function\\'s own file')\n"}
    code = """
    def handler(event, context):
        import json, logging
        logging.error("logged")
        raise ValueError("boom")
    """
    outcome = serve(code, b"{}", b"{", files=files)
    assert json.loads(outcome.answers[0].body)["errorMessage"] == "boom"
    assert json.loads(outcome.answers[1].body)["errorType"] == "Runtime.UnmarshalError"
    assert "\tid-1\tlogged\n" in outcome.stdout


STRING = "class S(str):\n    def __len__(self): raise KeyboardInterrupt\n"
HOSTILE = {
    "metaclass": """
class M(type):
    __name__ = property(lambda s: 1 / 0)
class E(Exception, metaclass=M): pass
""",
    "cause": "class E(Exception):\n    __cause__ = property(lambda s: 1 / 0)\n",
    "traceback": "class E(Exception):\n    __traceback__ = property(lambda s: 1 / 0)\n",
    "suppress": "class E(Exception):\n    __suppress_context__ = property(lambda s: 1 / 0)\n",
    "notes": "class E(Exception):\n    __notes__ = property(lambda s: 1 / 0)\n",
    "class": "class E(Exception):\n    __class__ = property(lambda s: 1 / 0)\n",
    "everything": "class E(Exception):\n    def __getattribute__(self, name): raise SystemExit\n",
    "str": STRING + "class E(Exception):\n    def __str__(self): return S('x')\n",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_an_exception_that_fights_back_is_answered(serve: Serve, kind: str) -> None:
    code = HOSTILE[kind] + "def handler(event, context):\n    if event: return event\n    raise E('boom')\n"
    outcome = serve(code, b"{}", b"1")
    assert json.loads(outcome.answers[0].body)["requestId"] == "id-1"
    assert outcome.answers[1].body == b"1"


@pytest.mark.parametrize(
    "thread",
    [
        "threading.Thread(target=lambda: time.sleep(1000)).start()",
        "concurrent.futures.ThreadPoolExecutor(1).submit(time.sleep, 1000)",
        "threading.Thread(target=lambda: [print('x', flush=True) for _ in iter(int, 1)], daemon=True).start()",
    ],
)
def test_a_thread_without_end_does_not_keep_the_process(start: Start, platform: Platform, thread: str) -> None:
    code = f"import atexit, concurrent.futures, threading, time\natexit.register(open, 'ended', 'w')\n{thread}\n{ECHO}"
    served = start(code)
    reader = _drain(served.process.stdout)
    assert platform.wait_until(lambda platform: bool(platform.requests))
    served.process.terminate()
    assert served.process.wait(10) == 0
    reader.join(10)


def _drain(stream: IO[bytes] | None) -> threading.Thread:
    thread = threading.Thread(target=lambda: stream and stream.read(), daemon=True)
    thread.start()
    return thread


def test_an_init_error_ends_a_process_with_a_thread_without_end(start: Start) -> None:
    code = "import threading, time\nthreading.Thread(target=lambda: time.sleep(1000)).start()\n1 / 0\n"
    assert start(code).end().status == 1


def test_a_second_sigterm_does_not_interrupt_the_first(start: Start, platform: Platform) -> None:
    code = f"""
    import atexit, os, signal
    def leave():
        os.kill(os.getpid(), signal.SIGTERM)
        print("left in peace")
    atexit.register(leave)
    {ECHO.strip()}
    """
    served = start(code)
    assert platform.wait_until(lambda platform: bool(platform.requests))
    outcome = served.terminate()
    assert outcome.stdout == "left in peace\n"
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    "spoiler",
    [
        "import os; os.environ = {}",
        "import sys; sys.modules['os'] = object()",
        "import sys; del sys.stdout",
        "import sys; sys.stdout = type('S', (), {'write': print, 'flush': lambda self: sys.exit(9)})()",
        "import os; os.closerange(3, 200)",
        "import sys; sys.modules['sys'] = None",
    ],
)
def test_what_a_handler_replaces_costs_at_most_its_own_answer(serve: Serve, spoiler: str) -> None:
    code = f"def handler(event, context):\n    if event == 1:\n        {spoiler}\n    return event\n"
    events = [event(b"%d" % number, f"id-{number}", trace_id="Root=1-a") for number in (1, 2)]
    outcome = serve(code, *events, answers=1 if "closerange" in spoiler else 2)
    assert outcome.answers[-1].body == b"2" or "closerange" in spoiler
    assert outcome.status == 0


def test_a_signal_handler_that_raises_while_the_loop_waits_is_one_line(start: Start, platform: Platform) -> None:
    code = f"""
    import signal
    def late(number, frame): raise ValueError("of an alarm left behind")
    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    {ECHO.strip()}
    """
    outcome = start(code).end()
    assert outcome.status == 1
    assert outcome.stderr == "handlerkit: the loop was ended by ValueError: of an alarm left behind\n"


def test_looking_for_logging_does_not_use_its_set_up_up(serve: Serve) -> None:
    code = """
    import importlib.util
    importlib.util.find_spec("logging")
    import logging
    def handler(event, context): logging.warning("here")
    """
    assert "\tid-1\there\n" in serve(code, b"{}").stdout


def test_a_finder_without_find_spec_is_not_in_the_way(serve: Serve) -> None:
    code = "import sys\nsys.meta_path.insert(0, object())\ndel sys.meta_path[0]\nsys.meta_path.append(object())\n"
    code += "import logging\ndef handler(event, context): logging.warning('here')\n"
    assert "\tid-1\there\n" in serve(code, b"{}").stdout


def test_a_record_belongs_to_the_invocation_in_which_it_was_made(serve: Serve) -> None:
    code = """
    import logging, logging.handlers
    root = logging.getLogger()
    memory = logging.handlers.MemoryHandler(100, target=root.handlers[0])
    log = logging.getLogger("held")
    log.propagate = False
    log.addHandler(memory)
    def handler(event, context):
        log.warning("made in %s", context.aws_request_id, extra={"tenant_id": "x"})
        if event == 2: memory.flush()
    """
    lines = serve(code, b"1", b"2").stdout.splitlines()
    assert [line.split("\t")[2:] for line in lines] == [["id-1", "made in id-1"], ["id-2", "made in id-2"]]


def test_a_structure_without_end_in_a_record_is_cut(serve: Serve) -> None:
    code = """
    import logging
    def handler(event, context):
        value = []
        value += [value] * 8
        logging.error("x", extra={"v": value})
    """
    outcome = serve(code, b"{}", env={"AWS_LAMBDA_LOG_FORMAT": "JSON"})
    assert len(outcome.stdout) < 200_000
    assert json.loads(outcome.stdout)["message"] == "x"


@pytest.mark.parametrize("entry", ["bootstrap", "module"])
def test_zip_files_on_the_python_path_work(serve: Serve, tmp_path: Path, entry: str) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed.py", "X = 5\n")
    code = "import packed\ndef handler(event, context): return packed.X\n"
    outcome = serve(code, b"{}", env={"PYTHONPATH": str(tmp_path / "packed.zip")}, entry=entry)
    assert outcome.answers[0].body == b"5"


@pytest.mark.parametrize("descriptor", ["77", "", "x"])
def test_a_telemetry_descriptor_that_is_not_open_sends_the_log_to_stdout(serve: Serve, descriptor: str) -> None:
    code = "def handler(event, context): raise ValueError('boom')\n"
    outcome = serve(code, b"{}", env={"_LAMBDA_TELEMETRY_LOG_FD": descriptor})
    assert "ValueError: boom" in outcome.stdout


def test_a_json_module_of_the_functions_own_leaves_bad_events_bad(serve: Serve) -> None:
    outcome = serve(ECHO + "import json\n", b"{", b"1", files={"json.py": "", "app.py": ECHO})
    assert json.loads(outcome.answers[0].body)["errorType"] == "Runtime.UnmarshalError"
    assert outcome.answers[1].body == b"1"


def test_a_platform_that_answers_a_response_with_an_event_is_broken(start: Start, platform: Platform) -> None:
    platform.deliver(event())
    platform.replies.append(event(request_id="id-2"))
    outcome = start(ECHO).end()
    assert outcome.status == 1
    assert "an event came in place of the acknowledgement of id-1" in outcome.stderr


def test_a_refusal_of_many_lines_is_one_line(serve: Serve, platform: Platform) -> None:
    body = b"<html>\n<body>\x1b[31mno\r\n</html>"
    platform.replies.append(Reply(b"HTTP/1.1 400 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)))
    outcome = serve(ECHO, b"1", b"2")
    assert outcome.stderr.count("\n") == 1
    assert "\x1b" not in outcome.stderr


def test_silence_is_counted_anew_with_every_byte() -> None:
    from runtime import connection as module
    from runtime.client import RuntimeClient

    class Dribbling:
        """A connection that is silent between the pieces for nearly as long as it may be."""

        def __init__(self) -> None:
            head = b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nContent-Length: 4\r\n\r\n"
            allowed = module.STALL_S * 1000 // module.WAKE_MS
            silence: list[bytes | None] = [None] * (allowed - 1)
            self._script: list[bytes | None] = [*silence, head, *silence, b"nu", *silence, b"ll"]

        def recv(self, _size: int) -> bytes:
            data = self._script.pop(0)
            if data is None:
                raise BlockingIOError
            return data

        def sendall(self, _data: bytes) -> None:
            """Taken."""

    client = RuntimeClient("127.0.0.1:1", "agent", lambda _line: None)
    client._connection._socket = Dribbling()  # type: ignore[assignment]
    assert client.next().body == b"null"


def test_a_silent_platform_is_given_up_only_when_it_owes_something() -> None:
    from runtime import connection as module
    from runtime.client import RuntimeClient
    from runtime.errors import PlatformError

    class Silent:
        """A connection that says `data`, then nothing for 100 s, then an event."""

        def __init__(self, data: bytes) -> None:
            late = b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nContent-Length: 4\r\n\r\nnull"
            self._script = [data, *[b""] * (100_000 // module.WAKE_MS), late]

        def recv(self, _size: int) -> bytes:
            data = self._script.pop(0)
            if not data:
                raise BlockingIOError
            return data

        def sendall(self, _data: bytes) -> None:
            """Taken."""

    def client(data: bytes) -> RuntimeClient:
        made = RuntimeClient("127.0.0.1:1", "agent", lambda _line: None)
        made._connection._socket = Silent(data)  # type: ignore[assignment]
        return made

    assert client(b"").next().request_id == "id-1"
    with pytest.raises(PlatformError, match="fell silent"):
        client(b"HTTP/1.1 200 O").next()
    owing = client(b"")
    with pytest.raises(PlatformError, match="fell silent"):
        owing.init_error(b"{}", "Runtime.Unknown")


def test_shutdown_hooks_that_swallow_their_interruption_end_all_the_same(start: Start, platform: Platform) -> None:
    code = """
    import time
    from runtime import on_shutdown
    @on_shutdown
    def stubborn():
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass
    def handler(event, context): pass
    """
    platform.replies.append(
        Reply(b"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: ext-1\r\nContent-Length: 2\r\n\r\n{}")
    )
    served = start(code)
    assert platform.wait_until(lambda platform: len(platform.requests) == 3)
    assert served.terminate().status == 0


def test_the_bootstrap_may_be_a_symbolic_link(serve: Serve, tmp_path: Path) -> None:
    import os
    import subprocess

    from tests.runtime.conftest import BOOTSTRAP

    (tmp_path / "link").symlink_to(os.path.relpath(BOOTSTRAP, tmp_path))
    done = subprocess.run(
        [tmp_path / "link", "app.handler"],
        env={"PATH": os.environ["PATH"], "HANDLERKIT_PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert "AWS_LAMBDA_RUNTIME_API is not set" in done.stderr

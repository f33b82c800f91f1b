"""Many invocations at once, in each mode, against the emulator's managed-instances side."""

import json
import os
import re
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, InvocationResult, LocalLambda
from runtime import workers
from runtime.errors import PlatformError, Terminated
from runtime.invocation import Invocation
from tests.runtime.conftest import Start
from tests.runtime.platform import Platform, event, refusal
from tests.runtime.test_lifecycle import REGISTERED

MODES = ["processes", "threads", "asyncio"]
Serve = Callable[..., LocalLambda]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Serve]:
    """A local Lambda with one function of `count` concurrent invocations."""
    services: list[LocalLambda] = []

    def make(code: str, mode: str, count: int = 4, env: Mapping[str, str] | None = None, **options: Any) -> LocalLambda:
        (tmp_path / "app.py").write_text(textwrap.dedent(code))
        service = LocalLambda(
            FunctionConfiguration(
                handler="app.handler",
                task_root=tmp_path,
                timeout_s=options.pop("timeout_s", 20),
                max_concurrency=count,
                memory_mb=1024,
                environment={"HANDLERKIT_CONCURRENCY": mode, **(env or {})},
                **options,
            )
        )
        services.append(service)
        return service

    yield make
    for service in services:
        service.close()


def invoke_together(service: LocalLambda, *events: object) -> list[InvocationResult]:
    """Invoke with all events at once, each from its own thread."""
    with ThreadPoolExecutor(len(events)) as pool:
        return list(pool.map(lambda event: service.invoke("function", event), events))


# All `count` invocations must be inside the handler at the same time for any of them to return.
MEETING = """
import os, pathlib, time
def handler(event, context):
    folder = pathlib.Path(os.environ["MEETING"])
    (folder / context.aws_request_id).touch()
    while len(list(folder.iterdir())) < event["count"]:
        time.sleep(0.005)
    return {"pid": os.getpid(), "request": context.aws_request_id}
"""
ASYNC_MEETING = (
    MEETING.replace("import os", "import asyncio, os")
    .replace("def handler", "async def handler")
    .replace("time.sleep", "await asyncio.sleep")
)


@pytest.mark.parametrize(
    ("mode", "code"),
    [("processes", MEETING), ("threads", MEETING), ("asyncio", ASYNC_MEETING), ("threads", ASYNC_MEETING)],
)
def test_invocations_run_at_the_same_time_and_each_has_its_own_answer(
    local: Serve, tmp_path: Path, mode: str, code: str
) -> None:
    (tmp_path / "meeting").mkdir()
    service = local(code, mode, env={"MEETING": str(tmp_path / "meeting")})
    results = invoke_together(service, *[{"count": 4}] * 4)
    assert [result.function_error for result in results] == [None] * 4
    assert [result.json()["request"] for result in results] == [result.request_id for result in results]
    assert len({result.json()["pid"] for result in results}) == (4 if mode == "processes" else 1)


ATTRIBUTION = """
import asyncio, logging, os, threading
log = logging.getLogger()
meeting = threading.Barrier(2)
def meet(): {meet}
{kind} handler(event, context):
    before = os.environ.get("_X_AMZN_TRACE_ID")
    print("begin", event["n"])
    log.warning("begin %d", event["n"])
    {pause}
    print("end", end=" ")
    {pause}
    print(event["n"])
    log.warning("end %d", event["n"])
    return [before, os.environ.get("_X_AMZN_TRACE_ID"), "_X_AMZN_TRACE_ID" in dict(os.environ), context.aws_request_id]
"""


@pytest.mark.parametrize("mode", MODES)
def test_context_trace_logs_and_print_belong_to_their_invocation(local: Serve, mode: str) -> None:
    if mode == "asyncio":
        code = ATTRIBUTION.format(kind="async def", pause="await asyncio.sleep(0.02)", meet="pass")
    else:
        pause = "meet()" if mode == "threads" else "pass"
        code = ATTRIBUTION.format(kind="def", pause=pause, meet="meeting.wait(10)")
    service = local(code, mode, count=2, log_format="JSON", log_level="INFO")
    headers = [f"Root=1-0000000{n}-000000000000000000000000;Parent=000000000000000{n};Sampled=1" for n in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda n: service.invoke("function", {"n": n}, trace_header=headers[n - 1]), (1, 2)))
    for number, result in enumerate(results, start=1):
        before, after, listed, request_id = result.json()
        assert before == after
        assert before.startswith(headers[number - 1].partition(";")[0])
        assert listed is (mode == "processes")
        assert request_id == result.request_id
    service.close()
    records = [json.loads(line) for line in log_of(results) if '"message"' in line]
    for number, result in enumerate(results, start=1):
        own = [record["message"] for record in records if record.get("requestId") == result.request_id]
        assert own == [f"begin {number}", f"begin {number}", f"end {number}", f"end {number}"]


def log_of(results: list[InvocationResult]) -> list[str]:
    """All lines of all invocations, each once: an emulator may show a line of one environment in several logs."""
    seen: dict[str, None] = {}
    for result in results:
        seen.update(dict.fromkeys((result.init_log + result.log).splitlines()))
    return list(seen)


@pytest.mark.parametrize("mode", MODES)
def test_errors_stay_with_their_invocation(local: Serve, mode: str) -> None:
    kind = "async def" if mode == "asyncio" else "def"
    code = f"import sys\n{kind} handler(event, context):\n    if event % 2: raise ValueError(event)\n    if event == 4: sys.exit(1)\n    return event\n"  # noqa: E501
    service = local(code, mode)
    results = invoke_together(service, 0, 1, 2, 3)
    assert [result.function_error for result in results] == [None, "Unhandled", None, "Unhandled"]
    assert [result.json()["errorMessage"] for result in results if result.function_error] == ["1", "3"]
    assert service.invoke("function", 4).function_error == "Unhandled"
    assert service.invoke("function", 6).json() == 6


def test_a_worker_process_that_dies_is_replaced_and_its_invocation_reported(local: Serve) -> None:
    code = """
    import os, signal
    def handler(event, context):
        if event == ["exit"]: os._exit(3)
        if event == ["kill"]: os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()
    """
    service = local(code, "processes", count=2)
    for event_, ending in {"exit": "exit status 3", "kill": "signal: killed"}.items():
        for _ in range(3):  # more deaths than there are workers
            result = service.invoke("function", [event_])
            assert result.json()["errorType"] == "Runtime.ExitError"
            assert result.json()["errorMessage"] == (
                f"RequestId: {result.request_id} Error: Runtime exited with error: {ending}"
            )
    assert isinstance(service.invoke("function", ["fine"]).json(), int)


def test_processes_share_what_the_supervisor_imported_unless_told_not_to(local: Serve, tmp_path: Path) -> None:
    code = """
    import os
    loaded_by = os.getpid()
    def handler(event, context): return [loaded_by, os.getpid(), os.getppid()]
    """
    loaded_by, _, parent = local(code, "processes").invoke("function", {}).json()
    assert loaded_by == parent
    loaded_by, own, _ = local(code, "processes", env={"HANDLERKIT_PRELOAD": "0"}).invoke("function", {}).json()
    assert loaded_by == own


def test_workers_do_not_share_random_numbers(local: Serve) -> None:
    code = "import os, random\ndef handler(event, context): return [os.getpid(), random.random()]\n"
    service = local(code, "processes", count=4)
    answers = [result.json() for result in invoke_together(service, *[{}] * 4)]
    assert len({number for _, number in answers}) == 4


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("preload", ["0", "1"])
def test_an_init_error_is_reported_once_and_ends_the_environment(local: Serve, mode: str, preload: str) -> None:
    service = local("raise ValueError('no start')", mode, env={"HANDLERKIT_PRELOAD": preload})
    result = service.invoke("function", {})
    assert result.function_error == "Unhandled"
    assert result.json()["errorMessage"] == "no start"


@pytest.mark.parametrize("mode", MODES)
def test_sigterm_ends_all_workers_and_runs_their_shutdown_hooks(start: Start, platform: Platform, mode: str) -> None:
    code = "from runtime import on_shutdown\non_shutdown(print, 'bye')\ndef handler(event, context): pass\n"
    platform.replies.append(REGISTERED)
    served = start(code, env={"AWS_LAMBDA_MAX_CONCURRENCY": "3", "HANDLERKIT_CONCURRENCY": mode})
    # The extension's registration and its waiting, and three workers that poll.
    assert platform.wait_until(lambda platform: len(platform.requests) == 5)
    outcome = served.terminate()
    assert outcome.status == 0
    assert outcome.stdout.count("bye") == (3 if mode == "processes" else 1)
    with pytest.raises(ProcessLookupError):
        os.killpg(served.process.pid, 0)


@pytest.mark.parametrize("mode", MODES)
def test_refused_answers_end_no_worker(start: Start, platform: Platform, mode: str) -> None:
    platform.replies.extend([refusal(403), refusal(500), refusal(410)])
    platform.deliver(*[event(request_id=f"id-{number}") for number in range(6)])
    served = start(
        "def handler(event, context): return 1\n",
        env={"AWS_LAMBDA_MAX_CONCURRENCY": "1", "HANDLERKIT_CONCURRENCY": mode},
    )
    served.wait_for_answers(6)
    outcome = served.terminate()
    assert outcome.status == 0
    assert (outcome.stdout + outcome.stderr).count("was refused with") == 3


@pytest.mark.parametrize("mode", MODES)
def test_a_failing_next_is_tried_again(start: Start, platform: Platform, mode: str) -> None:
    platform.deliver(refusal(500), refusal(500), event())
    served = start(
        "def handler(event, context): return 1\n",
        env={"AWS_LAMBDA_MAX_CONCURRENCY": "1", "HANDLERKIT_CONCURRENCY": mode},
    )
    served.wait_for_answers(1)
    outcome = served.terminate()
    assert (outcome.stdout + outcome.stderr).count("trying again") == 2
    assert outcome.status == 0


@pytest.mark.parametrize("mode", ["processes", "threads"])
def test_a_platform_that_refuses_every_next_ends_the_environment(start: Start, platform: Platform, mode: str) -> None:
    platform.deliver(*[refusal(500)] * 60)
    served = start(
        "def handler(event, context): return 1\n",
        env={"AWS_LAMBDA_MAX_CONCURRENCY": "1", "HANDLERKIT_CONCURRENCY": mode},
    )
    platform.close()
    assert served.end().status == 1


def test_an_unknown_mode_is_one_clear_line(start: Start) -> None:
    outcome = start(env={"AWS_LAMBDA_MAX_CONCURRENCY": "2", "HANDLERKIT_CONCURRENCY": "fibers"}).end()
    assert outcome.status == 1
    assert outcome.stderr == (
        "handlerkit: HANDLERKIT_CONCURRENCY is 'fibers': use one of processes, threads, asyncio\n"
    )


def test_each_worker_connects_its_streams_to_the_log_socket(start: Start, platform: Platform, tmp_path: Path) -> None:
    import socket

    # A path below 108 characters, wherever the tests keep their files.
    folder = Path(os.path.relpath(tmp_path)) if len(str(tmp_path)) > 90 else tmp_path
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "log"))
    listener.listen()
    written: list[bytes] = []

    def collect() -> None:
        for _ in range(4):
            connection, _ = listener.accept()
            reader = threading.Thread(target=lambda c=connection: written.append(read_all(c)), daemon=True)
            threads.append(reader)
            threads[-1].start()

    threads = [threading.Thread(target=collect, daemon=True)]
    threads[0].start()
    platform.deliver(event())
    served = start(
        "import sys\ndef handler(event, context):\n    print('printed')\n    print('err', file=sys.stderr)\n",
        env={
            "AWS_LAMBDA_MAX_CONCURRENCY": "2",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET": str(folder / "log"),
        },
    )
    served.wait_for_answers(1)
    served.wait_until_idle(2)  # both workers have connected and poll
    outcome = served.terminate()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive(), "a worker has outlived its supervisor"
    listener.close()
    assert outcome.stdout == ""
    text = b"".join(written).decode()
    assert [json.loads(line)["message"] for line in text.splitlines()] == ["printed", "err"]


def read_all(connection: Any) -> bytes:
    """Everything until the other side closes."""
    with connection:
        data = b""
        while piece := connection.recv(65536):
            data += piece
        return data


def test_a_handler_under_threads_may_start_processes_and_see_a_plain_environment(local: Serve) -> None:
    code = """
    import os, subprocess, sys
    def handler(event, context):
        done = subprocess.run([sys.executable, "-c", "import os; print(os.environ.get('_X_AMZN_TRACE_ID'))"],
                              env=os.environ, capture_output=True, text=True)
        return [done.stdout.strip(), os.environ["AWS_REGION"], os.environb[b"AWS_REGION"].decode()]
    """
    answer = local(code, "threads").invoke("function", {}).json()
    assert answer[1:] == ["us-east-1", "us-east-1"]
    assert re.fullmatch(r"None|Root=.*", answer[0])


class Refusing:
    """A client whose `/next` fails, for as long as the script says so; numbers are invocations served before it."""

    def __init__(self, *served: int) -> None:
        self.received = 0
        self.warnings: list[str] = []
        self.closed = 0
        self._served = list(served)

    def next(self) -> Invocation:
        if not self._served:
            raise Terminated
        self.received += self._served.pop(0)
        raise PlatformError("refused")

    def close(self) -> None:
        self.closed += 1

    def warn(self, line: str) -> None:
        self.warnings.append(line)


class Idle:
    """A function that is never called."""

    output = None


def poll(client: Refusing, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Poll until the client has had enough; the pauses made."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with pytest.raises((Terminated, PlatformError)) as caught:
        workers.poll_persistently(client, Idle(), lambda _trace_id: None)  # type: ignore[arg-type]
    pauses.append(-1.0 if caught.type is PlatformError else 0.0)
    return pauses


def test_after_each_failure_in_a_row_the_pause_is_longer_and_the_fifth_is_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Refusing(*[0] * 10)
    assert poll(client, monkeypatch) == [0.1, 0.2, 0.4, 0.8, -1.0]
    assert client.warnings == ["refused; trying again"] * 4
    assert client.closed == 4


def test_an_invocation_in_between_begins_the_count_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert poll(Refusing(0, 0, 0, 0, 1, 0, 0, 0), monkeypatch) == [0.1, 0.2, 0.4, 0.8, 0.1, 0.2, 0.4, 0.8, 0.0]


@pytest.mark.parametrize("mode", ["threads", "asyncio"])
def test_both_views_of_the_environment_show_the_trace_id_of_the_one_who_asks(
    start: Start, platform: Platform, mode: str
) -> None:
    code = f"""
    import os
    {"async def" if mode == "asyncio" else "def"} handler(event, context):
        try:
            text = os.environ["_X_AMZN_TRACE_ID"]
        except KeyError as error:
            text = str(error)
        raw = os.environb.get(b"_X_AMZN_TRACE_ID")
        return [text, raw and raw.decode(), "_X_AMZN_TRACE_ID" in os.environ, os.environ["AWS_LAMBDA_FUNCTION_NAME"]]
    """
    platform.deliver(event(trace_id="Root=1-a"), event(request_id="id-2"), event(request_id="id-3", trace_id="Root=b"))
    served = start(code, env={"AWS_LAMBDA_MAX_CONCURRENCY": "1", "HANDLERKIT_CONCURRENCY": mode})
    served.wait_for_answers(3)
    shown = [json.loads(answer.body)[:2] for answer in served.terminate().answers]
    assert shown == [["Root=1-a"] * 2, ["'_X_AMZN_TRACE_ID'", None], ["Root=b"] * 2]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_printed_without_a_newline_or_as_bytes_is_out_when_the_invocation_ends(
    start: Start, platform: Platform, mode: str
) -> None:
    code = """
    import asyncio, sys
    sys.stdout.reconfigure(line_buffering=True)
    async def handler(event, context):
        print("unfinished", end="")
        await asyncio.create_task(more())
        sys.stdout.buffer.write(b"bytes\\n")
    async def more():
        print(" line", end="")
    """
    platform.deliver(event())
    served = start(code, env={"AWS_LAMBDA_MAX_CONCURRENCY": "1", "HANDLERKIT_CONCURRENCY": mode})
    served.wait_for_answers(1)
    lines = served.terminate().stdout.splitlines()
    assert sorted(line.rpartition("\t")[2] for line in lines) == ["bytes", "unfinished line"]
    assert any(line.endswith("\tid-1\tunfinished line") for line in lines)


@pytest.mark.parametrize("late_ms", [0, 1, 2, 4, 8])
def test_no_worker_outlives_a_supervisor_that_is_ended_while_it_starts_them(
    start: Start, platform: Platform, late_ms: int
) -> None:
    served = start(
        "def handler(event, context): return 1\n",
        env={"AWS_LAMBDA_MAX_CONCURRENCY": "16", "HANDLERKIT_CONCURRENCY": "processes"},
    )
    assert platform.wait_until(lambda platform: bool(platform.requests))  # the first worker polls, others are to come
    threading.Event().wait(late_ms / 1000)
    assert served.terminate().status == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(served.process.pid, 0)

"""One process group: output to the last byte, freezing, and ends of every kind."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lambda_emulator.process import ExitStatus, FunctionProcess


def run(
    program: str,
    body: Callable[[FunctionProcess, bytearray], Awaitable[None]],
    directory: Path,
    environment: dict[str, str],
) -> bytes:
    """Start a program, hand it to the test, end it; its output."""
    output = bytearray()

    async def main() -> None:
        process = await FunctionProcess.start(
            (sys.executable, "-S", "-u", "-c", program),
            directory=directory,
            environment=environment,
            on_output=output.extend,
        )
        try:
            await body(process, output)
        finally:
            await process.stop()
            process.drain()
            process.close()

    asyncio.run(main())
    return bytes(output)


async def until(output: bytearray, expected: bytes) -> None:
    async with asyncio.timeout(10):
        while expected not in output:
            await asyncio.sleep(0.005)


@pytest.fixture
def environment(temporary_folder: Path) -> dict[str, str]:
    return {"TMPDIR": str(temporary_folder)}


def test_output_and_errors_come_in_the_order_in_which_they_were_written(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    async def body(process: FunctionProcess, output: bytearray) -> None:
        assert await process.exited == ExitStatus(0)

    program = "import os\nfor n in range(100): os.write(1 + n % 2, b'%d ' % n)"
    assert run(program, body, tmp_path, environment) == b"".join(b"%d " % n for n in range(100))


def test_a_process_has_its_folder_its_variables_no_input_and_a_group_of_its_own(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    async def body(process: FunctionProcess, output: bytearray) -> None:
        assert await process.exited == ExitStatus(0)
        assert output.decode().splitlines() == [str(tmp_path), str(sorted(environment)), "''", str(process.pid)]

    program = (
        "import os, sys\nprint(os.getcwd())\nprint(sorted(k for k in os.environ if k != 'LC_CTYPE'))\n"
        "print(repr(sys.stdin.read()))\nprint(os.getpgid(0))"
    )
    run(program, body, tmp_path, environment)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("pass", "Runtime exited without providing a reason"),
        ("raise SystemExit(3)", "Runtime exited with error: exit status 3"),
        ("import os; os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("import os; os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
        ("import os; os.kill(os.getpid(), 15)", "Runtime exited with error: signal: terminated"),
        ("import os; os.abort()", "Runtime exited with error: signal: aborted"),
    ],
)
def test_the_reason_is_worded_as_the_platform_words_it(
    tmp_path: Path, environment: dict[str, str], program: str, reason: str
) -> None:
    async def body(process: FunctionProcess, output: bytearray) -> None:
        assert (await process.exited).reason == reason

    run(program, body, tmp_path, environment)


def test_a_signal_without_a_name_is_given_by_number() -> None:
    assert ExitStatus(-40).reason == "Runtime exited with error: signal: signal 40"
    assert ExitStatus(-200).reason == "Runtime exited with error: signal: signal 200"


def test_frozen_means_that_nothing_runs(tmp_path: Path, environment: dict[str, str]) -> None:
    async def body(process: FunctionProcess, output: bytearray) -> None:
        await until(output, b".")
        process.freeze()
        process.drain()
        await asyncio.sleep(0.05)  # what the process had written until the signal reached it
        process.drain()
        written = len(output)
        await asyncio.sleep(0.1)
        assert len(output) == written
        process.thaw()
        output.clear()
        await until(output, b".")

    run("import os, time\nwhile True: os.write(1, b'.'); time.sleep(0.001)", body, tmp_path, environment)


def test_without_grace_there_is_no_sigterm(tmp_path: Path, environment: dict[str, str]) -> None:
    async def body(process: FunctionProcess, output: bytearray) -> None:
        await until(output, b"ready")
        assert await process.stop() == ExitStatus(-signal.SIGKILL)

    assert b"term" not in run(SAYS_TERM, body, tmp_path, environment)


SAYS_TERM = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b"term"), os._exit(0)))
os.write(1, b"ready")
while True: time.sleep(1)
"""


def test_with_grace_the_process_may_end_by_itself_even_when_it_was_frozen(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    async def body(process: FunctionProcess, output: bytearray) -> None:
        await until(output, b"ready")
        process.freeze()
        assert await process.stop(grace_s=10) == ExitStatus(0)

    assert run(SAYS_TERM, body, tmp_path, environment) == b"readyterm"


def test_grace_ends_after_half_a_second(tmp_path: Path, environment: dict[str, str]) -> None:
    async def body(process: FunctionProcess, output: bytearray) -> None:
        await until(output, b"ready")
        assert await process.stop(grace_s=0.5) == ExitStatus(-signal.SIGKILL)

    program = "import os, signal, time\nsignal.signal(15, signal.SIG_IGN)\nos.write(1, b'ready')\ntime.sleep(60)"
    run(program, body, tmp_path, environment)


def test_the_whole_group_dies(tmp_path: Path, environment: dict[str, str]) -> None:
    async def body(process: FunctionProcess, output: bytearray) -> None:
        await until(output, b"\n")
        await process.stop()
        child = int(output)
        async with asyncio.timeout(10):
            while _alive(child):
                await asyncio.sleep(0.005)

    program = "import os, time\nchild = os.fork()\nif child: print(child, flush=True)\ntime.sleep(60)"
    run(program, body, tmp_path, environment)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return sys.platform != "linux"
    return state != "Z"  # a zombie is waiting for whoever adopted it


def test_a_program_that_does_not_exist_is_an_os_error(tmp_path: Path, environment: dict[str, str]) -> None:
    async def start(command: str, directory: Path) -> None:
        await FunctionProcess.start((command,), directory=directory, environment=environment, on_output=print)

    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    with pytest.raises(FileNotFoundError):
        asyncio.run(start(str(tmp_path / "missing"), tmp_path))
    with pytest.raises(FileNotFoundError):
        asyncio.run(start(sys.executable, tmp_path / "missing"))
    assert (len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0) == before


def test_closing_twice_is_harmless(tmp_path: Path, environment: dict[str, str]) -> None:
    async def body(process: FunctionProcess, output: bytearray) -> None:
        await process.stop()
        process.close()
        process.drain()

    run("pass", body, tmp_path, environment)

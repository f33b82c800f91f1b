"""Memory of a process group, against processes that hold a known amount."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from lambda_emulator import memory
from lambda_emulator.memory import GroupMemory
from lambda_emulator.process import FunctionProcess

MIB = 1024 * 1024
# Touches every page, says so, waits.
HOLD = "import os, time\ndata = bytearray(os.urandom(1)) * (40 << 20)\nos.write(1, b'ready')\ntime.sleep(60)"
HOLD_TWICE = "import os, time\nos.fork()\n" + HOLD.split("\n", 1)[1]
LET_GO = HOLD.replace("os.write", "del data; os.write")


async def measured(program: str, folder: Path, ready: int = 1) -> tuple[int, int, int]:
    """Resident, proportional and peak bytes of a group when it has said `ready` so often."""
    output = bytearray()
    process = await FunctionProcess.start(
        (sys.executable, "-S", "-c", program),
        directory=folder,
        environment={"TMPDIR": str(folder)},
        on_output=output.extend,
    )
    try:
        async with asyncio.timeout(20):
            while output.count(b"ready") < ready:
                await asyncio.sleep(0.01)
        group = GroupMemory(process.pid)
        group._listed_at_s -= 10  # look for members at once
        found = group.resident_bytes(), group.proportional_bytes(), group.peak_bytes()
        group.close()
        return found
    finally:
        await process.stop()
        process.close()


def test_a_process_holds_what_it_touches(temporary_folder: Path) -> None:
    resident, proportional, peak = asyncio.run(measured(HOLD, temporary_folder))
    assert 40 * MIB < resident < 80 * MIB
    assert proportional == resident
    assert peak >= resident


def test_all_processes_of_a_group_count(temporary_folder: Path) -> None:
    resident, proportional, _ = asyncio.run(measured(HOLD_TWICE, temporary_folder, ready=2))
    assert 80 * MIB < resident < 140 * MIB
    assert 80 * MIB < proportional < 140 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux remembers the peak of a process")
def test_a_peak_between_two_samples_is_known(temporary_folder: Path) -> None:
    resident, _, peak = asyncio.run(measured(LET_GO, temporary_folder))
    assert resident < 30 * MIB
    assert peak > 40 * MIB


def test_a_group_that_is_gone_holds_nothing() -> None:
    group = GroupMemory(2**22 + 1)
    assert (group.resident_bytes(), group.peak_bytes()) == (0, 0)


def test_where_there_is_no_proc_the_process_list_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_LINUX", False)
    group = GroupMemory(os.getpgid(0))
    assert group.peak_bytes() > 5 * MIB
    assert group.proportional_bytes() > 5 * MIB


def test_the_watch_ends_with_its_one_report(temporary_folder: Path) -> None:
    async def main() -> list[int]:
        group, reports = GroupMemory(os.getpid()), list[int]()
        async with asyncio.timeout(10):
            await group.watch(MIB, reports.append)
        return reports

    reports = asyncio.run(main())
    assert len(reports) == 1
    assert reports[0] > MIB


def test_a_look_is_due_when_enough_time_has_passed_to_grow_beyond_the_limit() -> None:
    group = GroupMemory(os.getpid())
    assert group.may_exceed(1 << 60)  # nobody has looked yet
    peak_bytes = group.peak_bytes()
    assert not group.may_exceed(1 << 60)
    assert group.may_exceed(peak_bytes)
    group._looked_at_s -= 1.0
    assert group.may_exceed(peak_bytes + (32 << 30))
    assert not group.may_exceed(peak_bytes + (1 << 50))
    group.close()


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc on Linux only")
def test_its_files_are_given_back_and_a_process_that_went_away_holds_nothing(temporary_folder: Path) -> None:
    def open_files() -> list[str]:
        return [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]

    async def main() -> None:
        process = await FunctionProcess.start(
            (sys.executable, "-S", "-c", "import time; time.sleep(60)"),
            directory=temporary_folder,
            environment={"TMPDIR": str(temporary_folder)},
            on_output=lambda _: None,
        )
        group = GroupMemory(process.pid)
        peak_bytes = group.peak_bytes()
        assert f"/proc/{process.pid}/status" in open_files()
        await process.stop()
        assert (group.resident_bytes(), group.peak_bytes()) == (0, peak_bytes)
        group.close()
        group.close()
        assert (group.resident_bytes(), group.peak_bytes()) == (0, peak_bytes)
        assert f"/proc/{process.pid}/status" not in open_files()
        process.close()

    asyncio.run(main())

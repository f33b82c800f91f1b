"""How much memory process groups hold, and have held. Reads `/proc` on Linux and asks `ps` elsewhere.

Resident memory is what the group's processes have in RAM. Pages that forked processes share would count once for
each of them, so a sum that is over the limit is measured again with shared pages divided (PSS) before anybody is
killed for it.
"""

import asyncio
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable

__all__ = ["FIRST_SAMPLE_S", "GroupMemory"]

_LINUX = sys.platform == "linux"
_KIB = 1024
_FILE_BYTES = 16 * _KIB
# A sample reads one small file per process; the list of processes is made anew this often, for it reads all of /proc.
# The first samples come quickly, so that even a process that fails at once has been seen.
FIRST_SAMPLE_S = 0.002
_SAMPLE_EVERY_S = 0.05
_LIST_EVERY_S = 1.0
# The first lists are made soon, too: a function may be a child of what was started (a sandbox, a wrapper script).
_FIRST_LIST_S = 0.05
# Memory is written before it is resident; several cores of a large machine together are not faster than this.
_FASTEST_GROWTH_BYTES_PER_S = 64 * 1024**3
# Each sample starts a process there.
_SAMPLE_WITH_PS_EVERY_S = 0.5


class GroupMemory:
    """The memory of a process group, which its leader's pid names, and of others that count to it."""

    def __init__(self, leader_pid: int, *other_leaders: int) -> None:
        self._groups = frozenset((leader_pid, *other_leaders))
        self._members: tuple[int, ...] = (leader_pid, *other_leaders)
        self._listed_at_s = time.monotonic()
        self._list_after_s = _FIRST_LIST_S
        self._peak_bytes = 0
        self._looked_at_s = -math.inf
        self._files: dict[int, int] = {}
        """Descriptors by process."""
        self._closed = False

    def may_exceed(self, limit_bytes: int) -> bool:
        """Whether it can have grown beyond that since the last look; a look costs as much as a short invocation."""
        grown_bytes = (time.monotonic() - self._looked_at_s) * _FASTEST_GROWTH_BYTES_PER_S
        return self._peak_bytes + grown_bytes > limit_bytes

    def peak_bytes(self) -> int:
        """The most that was ever seen. Each member's own peak is exact, for the kernel keeps it (Linux)."""
        self._looked_at_s = time.monotonic()
        if _LINUX:
            peaks = [_field_bytes(self._status(pid), b"VmHWM:") for pid in self._members]
            self._peak_bytes = max(self._peak_bytes, *peaks, 0)
        elif not self._peak_bytes:
            self.resident_bytes()
        return self._peak_bytes

    def resident_bytes(self) -> int:
        """What the group holds now; 0 when it is gone."""
        now_s = time.monotonic()
        if not _LINUX:
            resident = _resident_by_ps(self._groups)
        else:
            if now_s - self._listed_at_s >= self._list_after_s:
                self._members, self._listed_at_s = _members_of(self._groups), now_s
                self._list_after_s = min(2 * self._list_after_s, _LIST_EVERY_S)
            resident = sum(_field_bytes(self._status(pid), b"VmRSS:") for pid in self._members)
        self._peak_bytes = max(self._peak_bytes, resident)
        return resident

    def proportional_bytes(self) -> int:
        """What the group holds now, shared pages divided among those that share them. Slower."""
        if not _LINUX or len(self._members) < 2:
            return self.resident_bytes()
        return sum(_field_bytes(_read(f"/proc/{pid}/smaps_rollup"), b"Pss:") for pid in self._members)

    def close(self) -> None:
        """Give its files back. What is asked afterwards is answered all the same."""
        self._closed = True
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _status(self, pid: int) -> bytes:
        """The leaders' files stay open: in a busy process opening one cost 60 µs, reading it again 8."""
        if pid not in self._groups or self._closed:
            return _read(f"/proc/{pid}/status")
        try:
            file = self._files.get(pid)
            if file is None:
                file = self._files[pid] = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(file, _FILE_BYTES, 0)
        except OSError:
            return b""

    async def watch(self, limit_bytes: int, on_over: Callable[[int], None]) -> None:
        """Sample until the group is over its limit; then call once, with the bytes held, and return.

        Called `FIRST_SAMPLE_S` after the beginning, so that short invocations never come here.
        """
        pause_s = FIRST_SAMPLE_S if _LINUX else _SAMPLE_WITH_PS_EVERY_S
        if not _LINUX:
            await asyncio.sleep(pause_s)
        while True:
            if self.resident_bytes() > limit_bytes and (held_bytes := self.proportional_bytes()) > limit_bytes:
                on_over(held_bytes)
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _SAMPLE_EVERY_S) if _LINUX else pause_s


def _field_bytes(text: bytes, label: bytes) -> int:
    """One `Label:   123 kB` line of a file of `/proc/<pid>`; 0 if it is not there."""
    _, found, rest = text.partition(label)
    return int(rest.split(maxsplit=1)[0]) * _KIB if found else 0


def _members_of(groups: frozenset[int]) -> tuple[int, ...]:
    members = []
    for name in os.listdir("/proc"):  # noqa: PTH208 (some hundred names, once a second beside an invocation)
        stat = _read(f"/proc/{name}/stat") if name.isdecimal() else b""
        # After the name, which may itself hold blanks and brackets: state, parent, group.
        if stat and int(stat.rpartition(b")")[2].split(maxsplit=3)[2]) in groups:
            members.append(int(name))
    return tuple(members)


def _read(path: str) -> bytes:
    """All of a small file, empty if it is gone; without the objects of `Path.read_text`, which took 60 µs."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(file, _FILE_BYTES)
    except OSError:
        return b""
    finally:
        os.close(file)


def _resident_by_ps(groups: frozenset[int]) -> int:
    listing = subprocess.run(["ps", "-axo", "pgid=,rss="], capture_output=True, text=True, check=False).stdout
    pairs = (line.split() for line in listing.splitlines())
    return sum(int(pair[1]) * _KIB for pair in pairs if len(pair) == 2 and int(pair[0]) in groups)

"""How much memory process groups hold, and have held. Reads `/proc` on Linux and asks `ps` elsewhere.

Resident memory is what the group's processes have in RAM. Pages that forked processes share would count once for
each of them, so a sum that is over the limit is measured again with shared pages divided (PSS) before anybody is
killed for it.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["GroupMemory"]

_PROC = Path("/proc")
_LINUX = sys.platform == "linux"
_KIB = 1024
# A sample reads one small file per process; the list of processes is made anew this often, for it reads all of /proc.
# The first samples come quickly, so that even a process that fails at once has been seen.
_FIRST_SAMPLE_S = 0.002
_SAMPLE_EVERY_S = 0.05
_LIST_EVERY_S = 1.0
# The first lists are made soon, too: a function may be a child of what was started (a sandbox, a wrapper script).
_FIRST_LIST_S = 0.05
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

    def peak_bytes(self) -> int:
        """The most that was ever seen. Each member's own peak is exact, for the kernel keeps it (Linux)."""
        if _LINUX:
            peaks = [_field_bytes(pid, "status", "VmHWM:") for pid in self._members]
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
            resident = sum(_field_bytes(pid, "status", "VmRSS:") for pid in self._members)
        self._peak_bytes = max(self._peak_bytes, resident)
        return resident

    def proportional_bytes(self) -> int:
        """What the group holds now, shared pages divided among those that share them. Slower."""
        if not _LINUX or len(self._members) < 2:
            return self.resident_bytes()
        return sum(_field_bytes(pid, "smaps_rollup", "Pss:") for pid in self._members)

    async def watch(self, limit_bytes: int, on_over: Callable[[int], None]) -> None:
        """Sample until the group is over its limit; then call once, with the bytes held, and return."""
        pause_s = _FIRST_SAMPLE_S if _LINUX else _SAMPLE_WITH_PS_EVERY_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _SAMPLE_EVERY_S) if _LINUX else pause_s
            if self.resident_bytes() > limit_bytes and (held_bytes := self.proportional_bytes()) > limit_bytes:
                on_over(held_bytes)
                return


def _field_bytes(pid: int, file: str, label: str) -> int:
    """One `Label:   123 kB` line of a file of `/proc/<pid>`; 0 if the process or the line is not there."""
    try:
        text = (_PROC / str(pid) / file).read_text("ascii", "replace")
    except OSError:
        return 0
    _, found, rest = text.partition(label)
    return int(rest.split(maxsplit=1)[0]) * _KIB if found else 0


def _members_of(groups: frozenset[int]) -> tuple[int, ...]:
    members = []
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            stat = (entry / "stat").read_text("utf-8", "replace")
        except OSError:
            continue
        # After the name, which may itself hold blanks and brackets: state, parent, group.
        if int(stat.rpartition(")")[2].split()[2]) in groups:
            members.append(int(entry.name))
    return tuple(members)


def _resident_by_ps(groups: frozenset[int]) -> int:
    listing = subprocess.run(["ps", "-axo", "pgid=,rss="], capture_output=True, text=True, check=False).stdout
    pairs = (line.split() for line in listing.splitlines())
    return sum(int(pair[1]) * _KIB for pair in pairs if len(pair) == 2 and int(pair[0]) in groups)

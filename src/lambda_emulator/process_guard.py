"""Sees to it that no function outlives the emulator, however that one ends.

A tiny shell holds the reading end of a pipe and the list of process groups. While the emulator lives it only waits;
when the pipe ends without a good-bye, it kills the groups, frozen or not. No feature of one system is needed, so it
holds on Linux and macOS alike; what it cannot see is a process that has left its group. A process forked from the
emulator inherits the pipe, and the end is noticed when that one is gone, too.
"""

import contextlib
import subprocess

__all__ = ["ProcessGuard"]

# Only what the shell itself can do: it has no environment, and nothing is looked for.
_PROGRAM = """
groups=
while read -r verb group; do
    case $verb in
        add) groups="$groups $group" ;;
        remove) kept=; for each in $groups; do [ "$each" = "$group" ] || kept="$kept $each"; done; groups=$kept ;;
        leave) exit 0 ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
"""


class ProcessGuard:
    """Starts its shell with the first group. To be used by one thread at a time."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the shell; None while there is none."""
        return self._shell.pid if self._shell else None

    def add(self, group: int) -> None:
        """From now on this group dies with us."""
        if self._shell is None:
            with contextlib.suppress(OSError):  # a machine without a shell can still run functions
                self._shell = subprocess.Popen(
                    ["/bin/sh", "-c", _PROGRAM],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    start_new_session=True,
                )
        self._say(f"add {group}")

    def remove(self, group: int) -> None:
        """It has ended; its number may soon be another's."""
        self._say(f"remove {group}")

    def close(self) -> None:
        """Nothing is left to guard."""
        if self._shell is not None:
            self._say("leave 0")
            assert self._shell.stdin is not None
            with contextlib.suppress(OSError):
                self._shell.stdin.close()
            self._shell.wait()
            self._shell = None

    def _say(self, line: str) -> None:
        if self._shell is not None and self._shell.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # somebody has killed it; functions run all the same
                self._shell.stdin.write(f"{line}\n".encode())
                self._shell.stdin.flush()

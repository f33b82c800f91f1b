"""A process as Lambda confines it: a read-only root, `/opt`, `/var/task`, a `/tmp` of its own, an unprivileged user.

bubblewrap does it best. Where it is not there or not allowed, `unshare` of util-linux does the same with mounts and
`chroot`. Where neither may, there is only the plain mode: the layer runs from its folder, and what it would find in
`/opt` or could write elsewhere is this machine's.

The memory limit is the emulator's, which watches the process group, and the network is the machine's.
"""

import functools
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["GROUP", "USER", "Confinement", "Kind", "best_kind", "why_not"]

Kind = Literal["bubblewrap", "unshare", "plain"]
USER, GROUP = 993, 990
"""Whom Lambda runs a function as."""

_PATH = "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
_LIBRARIES = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
# The emulator ends a function by a signal to its group. bubblewrap itself must outlive SIGTERM, or the function would
# not have the time that is left to it; a function that wants the signal sets a handler, as our runtime does.
_PREPARE = f"""
trap '' TERM
tmp=${{TMPDIR:-/tmp}}
unset TMPDIR HANDLERKIT_PYTHON
export LAMBDA_TASK_ROOT=/var/task PATH={_PATH} LD_LIBRARY_PATH={_LIBRARIES}
"""
_BUBBLEWRAP = """
program=$1; root=$2; shift 2
exec "$program" --ro-bind "$root" / --bind "$tmp" /tmp "$@"
"""
# Arguments: unshare, root, how many pairs of folder and place, the pairs, the program. Mounts are this process's own.
_UNSHARE = """
unshare=$1; root=$2; pairs=$3; shift 3
mount=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v mount)
"$mount" --bind "$root" "$root"
while [ "$pairs" -gt 0 ]; do
    "$mount" --rbind "$1" "$root$2" || exit 125
    "$mount" -o remount,bind,ro "$root$2" || exit 125
    shift 2; pairs=$((pairs - 1))
done
"$mount" --bind "$tmp" "$root/tmp" || exit 125
"$mount" --rbind /proc "$root/proc" || exit 125
"$mount" --rbind /dev "$root/dev" || exit 125
"$mount" -o remount,bind,ro "$root" || exit 125
trap - TERM
exec "$unshare" --user --map-user={user} --map-group={group} --root="$root" --wd=/var/task "$@"
""".replace("{user}", str(USER)).replace("{group}", str(GROUP))


@dataclass(frozen=True, slots=True)
class Confinement:
    """How a program is started; `root` is a folder made by `make_base_root`."""

    kind: Kind
    root: Path

    def command(self, mounts: Mapping[str, Path], program: Sequence[str]) -> tuple[str, ...]:
        """The command line. `mounts` are read-only: where it will be (`/opt`), and what.

        TMPDIR names the folder that becomes `/tmp`. The environment is handed on, with Lambda's paths in it. In the
        plain mode places of the program below a mount are replaced by what would be mounted there.
        """
        if self.kind == "bubblewrap":
            binds = [part for place, source in mounts.items() for part in ("--ro-bind", str(source), place)]
            return (
                "/bin/sh", "-c", _PREPARE + _BUBBLEWRAP, "sandbox", str(shutil.which("bwrap")), str(self.root),
                *binds, "--dev", "/dev", "--proc", "/proc",
                "--unshare-user", "--uid", str(USER), "--gid", str(GROUP),
                "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent",
                "--chdir", "/var/task", "--", *program,
            )  # fmt: skip
        if self.kind == "unshare":
            pairs = [part for place, source in mounts.items() for part in (str(source), place)]
            unshare = str(shutil.which("unshare"))
            return (
                unshare, "--user", "--map-root-user", "--mount", "--ipc", "--uts", "--",
                "/bin/sh", "-c", _PREPARE + _UNSHARE, "sandbox", unshare, str(self.root), str(len(mounts)), *pairs,
                *program,
            )  # fmt: skip
        return tuple(_replaced(part, mounts) for part in program)


def best_kind() -> Kind:
    """The best that works here."""
    if not why_not("bubblewrap"):
        return "bubblewrap"
    return "plain" if why_not("unshare") else "unshare"


@functools.cache
def why_not(kind: Kind) -> str:
    """Why this kind does not work here, or "" when it does. Tried by starting a program."""
    if kind == "plain":
        return ""
    if sys.platform != "linux":
        return f"{kind} needs Linux, this is {sys.platform}"
    name = "bwrap" if kind == "bubblewrap" else "unshare"
    program = shutil.which(name)
    if program is None:
        return f"no {name} on the path"
    tried = {
        "bubblewrap": [program, "--ro-bind", "/", "/", "--unshare-user", "--uid", str(USER), "--unshare-pid", "true"],
        "unshare": [
            program, "--user", "--map-root-user", "--mount", "sh", "-c",
            f"mount --bind /tmp /tmp && exec unshare --user --map-user={USER} --map-group={GROUP} --root=/ true",
        ],
    }[kind]  # fmt: skip
    done = subprocess.run(tried, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    lines = done.stderr.strip().splitlines()
    return f"{name} does not work here: {lines[-1] if lines else done.returncode}" if done.returncode else ""


def _replaced(part: str, mounts: Mapping[str, Path]) -> str:
    for place, source in mounts.items():
        if part == place or part.startswith(f"{place}/"):
            return str(source) + part[len(place) :]
    return part

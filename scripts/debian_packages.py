"""Install from Debian what some tests need, where that can be done without asking anybody: as root, by apt-get.

Programs that are there already are left alone, so a second run costs no more than starting Python. What cannot be
had is said in one line, and the tests that want it are skipped with a reason: this never fails a build.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAILED = ROOT / ".counterparts" / "debian_packages.failed"
"""Its age tells how long ago the last attempt failed: without a network, not every run shall wait for one."""
AGAIN_AFTER_S = 3600
LIMIT_S = 120

PACKAGES = {
    "bwrap": "bubblewrap",  # a root of its own for AWS's emulator in managed-instances mode
    "redis-server": "redis-server",  # idempotency records in Redis, against the real thing
}
"""Package by the program that it brings."""


class UnavailableError(Exception):
    """Nothing can be installed here; the message says why."""


def main() -> int:
    """Install what is missing; always 0, because whoever needs a program looks for it and says so."""
    wanted = missing(PACKAGES)
    if not wanted or failed_lately(FAILED):
        return 0
    try:
        install(wanted)
    except (UnavailableError, OSError, subprocess.TimeoutExpired) as error:
        print(f"no {', '.join(wanted)} (what needs it will be skipped): {error}", flush=True)
        FAILED.parent.mkdir(exist_ok=True)
        FAILED.touch()
    else:
        print(f"installed {', '.join(wanted)}", flush=True)
        FAILED.unlink(missing_ok=True)
    return 0


def missing(packages: Mapping[str, str]) -> list[str]:
    """The packages whose programs are not there.

    >>> missing({"sh": "dash", "a-program-that-nobody-has": "one", "another-such-program": "two"})
    ['one', 'two']
    """
    return sorted(package for program, package in packages.items() if shutil.which(program) is None)


def failed_lately(mark: Path) -> bool:
    """Whether an attempt failed within the last hour."""
    return mark.exists() and time.time() - mark.stat().st_mtime < AGAIN_AFTER_S


def install(packages: list[str]) -> None:
    """Install with the lists that are there, and if that does not do, with new ones."""
    if shutil.which("apt-get") is None:
        raise UnavailableError("this system has no apt-get")
    if os.geteuid() != 0:
        raise UnavailableError(f"only root may; as root: apt-get install {' '.join(packages)}")
    arguments = ["install", "--yes", "--no-install-recommends", *packages]
    if apt_get(*arguments) and (reason := apt_get("update") or apt_get(*arguments)):
        raise UnavailableError(reason)


def apt_get(*arguments: str) -> str:
    """Run apt-get without a word; its own last word on a failure, or "" when there was none."""
    patience = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=10", "-o", "DPkg::Lock::Timeout=60"]
    done = subprocess.run(
        ["apt-get", "--quiet", "--quiet", *patience, *arguments],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=LIMIT_S,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
    )  # fmt: skip
    if not done.returncode:
        return ""
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    errors = [line.removeprefix("E: ") for line in lines if line.startswith("E: ")]
    return (errors or lines or [f"apt-get ended with status {done.returncode}"])[0]


if __name__ == "__main__":
    sys.exit(main())

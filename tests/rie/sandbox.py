"""AWS's emulator in its managed-instances mode: many invocations at once, in a root as Lambda has it.

In that mode the emulator takes no command line. It starts `/var/runtime/bootstrap` in `/var/task` as the user 993, so
it has to be root in a root of its own. bubblewrap makes one: the machine's files, read-only, with the function, the
runtime and an interpreter mounted where Lambda has them. Network and loopback are the machine's.
"""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["absence_of_sandbox", "command_in_sandbox"]

ROOT = Path(__file__).resolve().parent.parent.parent
FUNCTIONS = Path(__file__).resolve().parent / "functions"
INTERPRETER = Path("/opt/interpreter")
"""The interpreter that runs the tests, where every user may read it: its own place may be somebody's home."""
AWSLAMBDARIC = f"""#!/bin/sh
PYTHONPATH=/var/runtime/python exec {INTERPRETER}/{{python}} -B -m awslambdaric "$_HANDLER"
"""


@functools.cache
def absence_of_sandbox() -> str:
    """Why there can be no root of our own here, or "" when there can."""
    if sys.platform != "linux":
        return f"a root of its own needs Linux, this is {sys.platform}"
    if shutil.which("bwrap") is None:
        return "no bubblewrap (scripts/debian_packages.py installs it where it can)"
    if os.geteuid() != 0:
        return "AWS's emulator changes its user in managed-instances mode, which only root may"
    if _python() is None:
        return f"{sys.executable} does not lie in its own prefix, {sys.base_prefix}: it cannot be moved into a sandbox"
    tried = subprocess.run(["bwrap", "--ro-bind", "/", "/", "true"], capture_output=True, text=True, check=False)
    return f"bubblewrap does not work here: {tried.stderr.strip()}" if tried.returncode else ""


def command_in_sandbox(
    command: list[str], variables: Mapping[str, str], client: Path | None, folder: Path
) -> list[str]:
    """`command` (its program is mounted, too) in a root with our runtime, or with AWS's `client` instead.

    `folder` is where a file may be written that has to last as long as the sandbox.
    """
    program, *arguments = command
    python = _python()
    assert python is not None
    if client is None:
        bootstrap, packages = ROOT / "bootstrap", ["--ro-bind", str(ROOT / "src"), "/var/runtime/python"]
    else:
        bootstrap, packages = folder / "awslambdaric.sh", ["--ro-bind", str(client), "/var/runtime/python"]
        bootstrap.write_text(AWSLAMBDARIC.format(python=python))
        bootstrap.chmod(0o755)
    environment = {
        "PATH": "/usr/bin:/bin",
        "LD_LIBRARY_PATH": f"{INTERPRETER}/lib",
        "HANDLERKIT_PYTHON": f"{INTERPRETER}/{python}",
        "LAMBDA_TASK_ROOT": "/var/task",
        **variables,
    }
    settings = [part for name, value in environment.items() for part in ("--setenv", name, value)]
    return [
        "bwrap",
        "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
        "--perms", "1777", "--tmpfs", "/tmp",
        "--tmpfs", "/var", "--perms", "0755", "--dir", "/var/runtime",
        "--tmpfs", "/opt",
        "--ro-bind", str(FUNCTIONS), "/var/task",
        "--ro-bind", str(bootstrap), "/var/runtime/bootstrap", *packages,
        "--ro-bind", sys.base_prefix, str(INTERPRETER),
        "--ro-bind", program, "/opt/emulator",
        "--unshare-pid", "--die-with-parent",
        "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_KILL",
        "--chdir", "/var/task", "--clearenv", *settings,
        "/opt/emulator", *arguments,
    ]  # fmt: skip


def _python() -> Path | None:
    """The interpreter, relative to its prefix; None where it lies elsewhere."""
    with contextlib.suppress(ValueError):
        return Path(sys.executable).resolve().relative_to(Path(sys.base_prefix).resolve())
    return None

"""Make the project's virtual environment, or say in one line what this machine lacks.

Runs on the bare interpreter, so it may use nothing outside the standard library, and nothing newer than
what an old interpreter can at least parse: its first duty is to refuse one politely.
"""

import subprocess
import sys


def main() -> int:
    """Create the environment named by the first argument; return the exit status."""
    target = sys.argv[1]
    if sys.version_info < (3, 11):  # noqa: UP036  # this is the line that tells a user of an older Python
        found = ".".join(map(str, sys.version_info[:3]))
        print("handlerkit needs Python 3.11 or newer, this is " + found + ": make PYTHON=python3.12 ...")
        return 1
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", target], capture_output=True, text=True, check=False
    )
    if made.returncode:
        print("cannot make a virtual environment with " + sys.executable + ":")
        print((made.stdout + made.stderr).strip())
        print("on Debian and Ubuntu, 'apt-get install python3-venv' is what is missing")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

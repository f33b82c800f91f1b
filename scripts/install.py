"""Install one lock file (versions and hashes) and the project itself, editable, into this environment."""

import subprocess
import sys


def main() -> int:
    """Install the lock named by the first argument; return the exit status."""
    lock = sys.argv[1]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    print(f"installing {lock} (once; a minute or so)", flush=True)
    steps = [
        [*pip, "--require-hashes", "-r", lock],
        # hatchling is in the lock, so the build needs no environment of its own
        [*pip, "--no-deps", "--no-build-isolation", "--editable", "."],
    ]
    for step in steps:
        status = subprocess.run(step, check=False).returncode
        if status:
            print(f"failed: {' '.join(step)}")
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())

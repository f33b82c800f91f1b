"""What goes into a layer: the lock's pins, a user's own file. Text in, values out; asks nobody."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.extras import EXTRAS
from lambda_emulator.layer.target import Target

__all__ = ["Pin", "UserFile", "read_lock", "read_user_file"]


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a lock: exactly this version, one of these files, where the condition holds."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """Hexadecimal SHA-256."""
    condition: str = ""

    def applies(self, target: Target) -> bool:
        """Whether the condition holds for the target."""
        return not self.condition or Marker(self.condition).evaluate(dict(target.markers))

    @property
    def line(self) -> str:
        """For a requirements file that pip reads with `--require-hashes`."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{one}" for one in self.hashes)])


@dataclass(frozen=True, slots=True)
class UserFile:
    """A user's requirements: the file, handlerkit's own extras in it, and the pins if it is a lock."""

    path: Path
    lines: tuple[str, ...]
    """Without the lines that name handlerkit, which a layer has anyway."""
    extras: tuple[str, ...]
    pins: Mapping[str, Pin] | None
    """None where a version or a hash is missing somewhere: pip has to resolve it."""


def read_lock(text: str, name: str) -> dict[str, list[Pin]]:
    """The pins of a lock by normalised name; several where conditions divide them. Raises `LayerError`."""
    pins: dict[str, list[Pin]] = {}
    for number, line in _logical_lines(text):
        pin = _pin(line)
        if pin is None:
            raise LayerError(f"{name}, line {number}: expected name==version with --hash=sha256:…, found {line[:60]!r}")
        pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    return pins


def read_user_file(path: Path, target: Target) -> UserFile:
    """Read `-r FILE`. Raises `LayerError` for what is missing or not to be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise LayerError(f"no requirements file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise LayerError(f"cannot read {path}: {error}") from None
    lines: list[str] = []
    extras: list[str] = []
    pins: dict[str, Pin] | None = {}
    for number, line in _logical_lines(text):
        requirement = _requirement(line)
        if requirement is None and not line.startswith("-"):
            raise LayerError(f"{path}, line {number}: not a requirement: {line[:60]!r}")
        if requirement is not None and canonicalize_name(requirement.name) == "handlerkit":
            extras += sorted(one for one in requirement.extras if one in EXTRAS)
            continue
        lines.append(line)
        pin = _pin(line)
        if pin is None:
            pins = None
        elif pins is not None and pin.applies(target):
            pins[canonicalize_name(pin.name)] = pin
    return UserFile(path, tuple(lines), tuple(extras), pins)


def _logical_lines(text: str) -> Iterable[tuple[int, str]]:
    """Lines joined at their backslashes, without comments, with the number of the first."""
    joined, began = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(^|\s)#.*$", "", line).rstrip()
        began = began or number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        joined = (joined + line).strip()
        if joined:
            yield began, joined
        joined, began = "", 0
    if joined.strip():
        yield began, joined.strip()


def _requirement(line: str) -> Requirement | None:
    try:
        return Requirement(re.split(r"\s--", line, maxsplit=1)[0])
    except InvalidRequirement:
        return None


def _pin(line: str) -> Pin | None:
    requirement = _requirement(line)
    hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})(?=\s|$)", line))
    if requirement is None or not hashes:
        return None
    exact = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
    if exact is None:
        return None
    try:
        return Pin(requirement.name, exact[1], hashes, str(requirement.marker or ""))
    except InvalidMarker:
        return None

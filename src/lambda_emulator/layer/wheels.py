"""Wheels for the target, fetched by pip with the hashes of a lock, and their contents.

pip is asked for the target's tags and not for its dependencies: it would read their conditions for the interpreter that
runs it. Which index it asks is the machine's configuration. Files that a hash names are kept in a cache, so that a
second build asks nobody.
"""

import email.parser
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.requirements import Pin, UserFile
from lambda_emulator.layer.target import Target

__all__ = ["Wheel", "collect", "resolve_user_file", "wheel_fits"]

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel file, checked against its hash where there was one."""

    path: Path
    name: str
    version: str
    sha256: str
    licence: str
    requires: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> "Wheel":
        """Read the metadata. Raises `LayerError` for what is no wheel."""
        try:
            with zipfile.ZipFile(path) as archive:
                name = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
                metadata = email.parser.BytesParser().parsebytes(archive.read(name))
        except (zipfile.BadZipFile, StopIteration, OSError) as error:
            raise LayerError(f"{path.name} is no wheel: {error!r}") from None
        return cls(
            path=path,
            name=canonicalize_name(str(metadata["Name"])),
            version=str(metadata["Version"]),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            licence=_licence(metadata),
            requires=tuple(map(str, metadata.get_all("Requires-Dist") or ())),
        )

    def requirements_for(self, target: Target) -> list[str]:
        """The names that it needs there, without its extras'."""
        found: list[str] = []
        for text in self.requires:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            if requirement.marker is None or requirement.marker.evaluate(dict(target.markers)):
                found.append(canonicalize_name(requirement.name))
        return found

    def extract(self, folder: Path) -> list[str]:
        """Put its modules there, as an installer would; the relative names. Scripts and headers are left out.

        Raises `LayerError` where a name leads out of the folder.
        """
        written = []
        with zipfile.ZipFile(self.path) as archive:
            for entry in archive.infolist():
                name = _installed_name(entry.filename)
                if entry.is_dir() or name is None:
                    continue
                if ".." in PurePosixPath(name).parts or name.startswith("/"):
                    raise LayerError(f"{self.path.name} holds {entry.filename!r}, which leads out of its folder")
                place = folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(archive.read(entry))
                written.append(name)
        return written


def collect(
    roots: Iterable[str], pins: Mapping[str, list[Pin]], target: Target, cache: Path, progress: Progress
) -> dict[str, Wheel]:
    """The wheels of these distributions and of all that they need, by name, each at its pinned version.

    Raises `LayerError` for a name that the lock does not have, and for what pip cannot fetch.
    """
    found: dict[str, Wheel] = {}
    wanted: dict[str, str] = {canonicalize_name(root): "" for root in roots}
    while wanted:
        chosen = []
        for name, wanted_by in wanted.items():
            pin = next((one for one in pins.get(name, ()) if one.applies(target)), None)
            if pin is None:
                needed = f", which {wanted_by} needs," if wanted_by else ""
                raise LayerError(f"the lock has no {name}{needed} for Python {target.version}: refresh it")
            chosen.append(pin)
        for wheel in _fetched(chosen, target, cache, progress):
            found[wheel.name] = wheel
        wanted = {
            name: wheel.name for wheel in found.values() for name in wheel.requirements_for(target) if name not in found
        }
    return found


def resolve_user_file(
    user: UserFile, pins: Mapping[str, list[Pin]], target: Target, folder: Path, progress: Progress
) -> dict[str, Wheel]:
    """Wheels for a file without hashes: pip resolves it, held to the lock's versions where the lock has one.

    Raises `LayerError`: also where another Python than the target's would have to read the conditions.
    """
    if sys.version_info[:2] != target.python:
        raise LayerError(
            f"{user.path} has no hashes, so pip has to resolve it, which it does for the Python that runs it "
            f"({sys.version_info.major}.{sys.version_info.minor}): run this command with Python {target.version}, "
            f"or lock the file: uv pip compile --generate-hashes --universal {user.path} -o {user.path.stem}.lock"
        )
    progress(f"resolving {user.path}")
    constraints = [f"{pin.name}=={pin.version}" for several in pins.values() for pin in several if pin.applies(target)]
    with tempfile.TemporaryDirectory() as work:
        wanted, held = Path(work) / "wanted.txt", Path(work) / "held.txt"
        wanted.write_text("\n".join(user.lines))
        held.write_text("\n".join(constraints))
        folder.mkdir(parents=True, exist_ok=True)
        _pip("download", *_for(target), "--dest", str(folder), "-r", str(wanted), "-c", str(held), cwd=user.path.parent)
    wheels = [Wheel.of(path) for path in sorted(folder.glob("*.whl"))]
    return {wheel.name: wheel for wheel in wheels if wheel.name != "handlerkit"}


def wheel_fits(filename: str, target: Target) -> bool:
    """Whether the tags in the file's name include one that runs on the target."""
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return False
    return any(_tag_fits(tag, target) for tag in tags)


def _tag_fits(tag: Tag, target: Target) -> bool:
    if tag.platform == "any":
        return tag.abi == "none" and tag.interpreter in ("py3", f"py{target.python[0]}{target.python[1]}")
    if tag.platform not in target.wheel_platforms:
        return False
    return tag.abi in (f"cp{target.python[0]}{target.python[1]}", "abi3", "none")


def _fetched(pins: list[Pin], target: Target, cache: Path, progress: Progress) -> list[Wheel]:
    """Wheels for these pins, from the cache or else by one run of pip."""
    cache.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    for pin in pins:
        if (path := _cached(pin, target, cache)) is not None:
            found[pin.name] = path
    missing = [pin for pin in pins if pin.name not in found]
    if missing:
        progress(f"fetching {', '.join(pin.name for pin in missing)}")
        with tempfile.TemporaryDirectory(dir=cache) as work:
            lock = Path(work) / "wanted.txt"
            lock.write_text("\n".join(pin.line for pin in missing))
            _pip("download", *_for(target), "--no-deps", "--require-hashes", "--dest", work, "-r", str(lock))
            for path in Path(work).glob("*.whl"):
                path.replace(cache / path.name)
    return [Wheel.of(found.get(pin.name) or _expected(pin, target, cache)) for pin in pins]


def _expected(pin: Pin, target: Target, cache: Path) -> Path:
    path = _cached(pin, target, cache)
    if path is None:
        raise LayerError(f"pip fetched no wheel of {pin.name} {pin.version} that the lock's hashes allow")
    return path


def _cached(pin: Pin, target: Target, cache: Path) -> Path | None:
    """A kept file of this version for the target, if its content is what the lock says."""
    stem = f"{pin.name.replace('-', '_').replace('.', '_')}-{pin.version}-".lower()
    for path in sorted(cache.glob("*.whl")):
        fits = path.name.replace(".", "_", path.name.partition("-")[0].count(".")).lower().startswith(stem)
        if fits and wheel_fits(path.name, target) and hashlib.sha256(path.read_bytes()).hexdigest() in pin.hashes:
            return path
    return None


def _for(target: Target) -> list[str]:
    platforms = [part for tag in target.wheel_platforms for part in ("--platform", tag)]
    return ["--only-binary", ":all:", "--implementation", "cp", "--python-version", target.version, *platforms]


def _pip(*arguments: str, cwd: Path | None = None) -> None:
    """Run this interpreter's pip; its own words for a failure become the error's."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--retries", "2", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=cwd)
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
        raise LayerError(f"pip cannot get the wheels: {(errors or lines or ['it gave no reason'])[-1]}")


def _licence(metadata: Message) -> str:
    """In one short text: the expression, else the classifiers, else the first line of the old field."""
    if expression := metadata.get("License-Expression"):
        return str(expression)
    prefix = "License :: "
    classifiers = [str(one) for one in metadata.get_all("Classifier") or () if str(one).startswith(prefix)]
    if classifiers:
        return "; ".join(one.rpartition(" :: ")[2] for one in classifiers)
    lines = str(metadata.get("License") or "").splitlines()
    return lines[0] if lines else "not stated"


def _installed_name(name: str) -> str | None:
    """Where an installer puts a file of a wheel, relative to site-packages; None for what is not a module's."""
    first, _, rest = name.partition("/")
    if not first.endswith(".data"):
        return name
    kind, _, inner = rest.partition("/")
    return inner if kind in ("purelib", "platlib") and inner else None

"""What has to be there before anything is measured: the compiled server, a clean environment, AWS's parts."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "bench" / ".build"
COUNTERPARTS = ROOT / ".counterparts"
AWSLAMBDARIC = f"awslambdaric-{sys.implementation.cache_tag}"
TASK = BUILD / "task"
HANDLERS = "bench_handlers"


class MissingError(Exception):
    """Something that a measurement needs is not here; the message is for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A way to start a runtime: a name for the tables, a command line, what its environment needs besides."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    task: Path = TASK
    """The function's folder."""

    def command_for(self, handler: str) -> list[str]:
        """The command line that serves a function of `bench/functions`."""
        return [*self.command, _qualified(handler)]

    def environment_for(self, handler: str) -> dict[str, str]:
        """A function's environment, and nothing of the one we run in: no PYTHON* variable can interfere."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LAMBDA_TASK_ROOT": str(self.task),
            "_HANDLER": _qualified(handler),
            **self.environment,
        }

    def with_variables(self, name: str, **variables: str) -> "Runtime":
        """The same under another name, with more in its environment."""
        return replace(self, name=name, environment={**self.environment, **variables})

    def with_task(self, task: Path) -> "Runtime":
        """The same with another folder as the function's."""
        return replace(self, task=task)


def _qualified(handler: str) -> str:
    return handler if "." in handler else f"{HANDLERS}.{handler}"


def server(name: str = "server") -> Path:
    """A Runtime API server, `server` or `crowd`, compiled if its source is newer."""
    folder, binary = ROOT / "bench", BUILD / name
    source, shared = folder / f"{name}.c", folder / "platform.h"
    if binary.exists() and binary.stat().st_mtime >= max(source.stat().st_mtime, shared.stat().st_mtime):
        return binary
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang"))), None)
    if compiler is None:
        raise MissingError("no C compiler (cc, gcc, clang): the server of the measurements cannot be built")
    BUILD.mkdir(exist_ok=True)
    unfinished = binary.with_suffix(f".{os.getpid()}")
    built = subprocess.run(
        [compiler, "-O2", "-o", str(unfinished), str(source)], capture_output=True, text=True, check=False
    )
    if built.returncode:
        raise MissingError(f"{compiler} cannot compile bench/{name}.c: {built.stderr.strip()}")
    unfinished.replace(binary)
    return binary


def counterpart() -> Path:
    """The folder with AWS's runtime client, as scripts/counterparts.py left it."""
    folder = COUNTERPARTS / AWSLAMBDARIC
    if not folder.is_dir():
        raise MissingError(f"no {AWSLAMBDARIC} to compare with: run `make counterparts`")
    return folder


def emulator() -> Path:
    """AWS's Runtime Interface Emulator for this machine."""
    machine = {"aarch64": "arm64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    binary = COUNTERPARTS / "rie" / f"aws-lambda-rie-{machine}"
    if sys.platform != "linux" or not binary.exists():
        raise MissingError(f"no AWS emulator for {sys.platform} on {machine}: run `make counterparts`")
    return binary


@dataclass(frozen=True, slots=True, kw_only=True)
class Contenders:
    """The runtimes to compare, all on one interpreter."""

    ours: Runtime
    bootstrap: Runtime
    counterpart: Runtime


def contenders() -> Contenders:
    """Install both runtimes into one environment of their own and say how each is started.

    The development environment would not do: its editable install and its .pth files are read on every start
    of its interpreter. Here both are plain folders in site-packages, compiled, as in a function's package.
    """
    site = _environment(BUILD / "venv")
    python = BUILD / "venv" / "bin" / "python"
    return Contenders(
        ours=Runtime(name="ours, -m runtime", command=(str(python), "-m", "runtime")),
        bootstrap=Runtime(
            name="ours, bootstrap",
            command=(str(site / "runtime" / "bootstrap"),),
            environment={"HANDLERKIT_PYTHON": str(python)},
        ),
        counterpart=Runtime(name="awslambdaric", command=(str(python), "-m", "awslambdaric")),
    )


def _environment(target: Path) -> Path:
    """Have `target` hold what is in src/ now and AWS's client; return its site-packages."""
    theirs = counterpart()
    site = target / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    stamp_file, stamp = target / "stamp", _fingerprint()
    if not (stamp_file.exists() and stamp_file.read_text() == stamp):
        print("building the environment to measure in ...", file=sys.stderr, flush=True)
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(target)
        # Its pinned files are on this machine already; a copy needs no network.
        shutil.copytree(theirs, site, dirs_exist_ok=True)
        wheels = BUILD / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT))
        wheel = next(wheels.glob("handlerkit-*.whl"))
        _pip("--python", str(target / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel))
        shutil.rmtree(TASK, ignore_errors=True)
        shutil.copytree(ROOT / "bench" / "functions", TASK, ignore=shutil.ignore_patterns("__pycache__"))
        compile_all = [str(target / "bin" / "python"), "-m", "compileall", "-q", str(site), str(TASK)]
        subprocess.run(compile_all, check=False, stdout=subprocess.DEVNULL)
        (site / "runtime" / "bootstrap").chmod(0o755)
        stamp_file.write_text(stamp)
    return site


def task_with_libraries(*names: str) -> Path:
    """A function's folder that brings these libraries along, with all that they need, compiled.

    Copies of what is installed beside this bench: the locked versions, and no network needed.
    """
    target, stamp_file = BUILD / "task-with-libraries", BUILD / "task-with-libraries.stamp"
    found = distributions(*names)
    stamp = "\n".join([_fingerprint(), *sorted(f"{name} {one.version}" for name, one in found.items())])
    if stamp_file.exists() and stamp_file.read_text() == stamp:
        return target
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "bench" / "functions", target, ignore=shutil.ignore_patterns("__pycache__"))
    for one in found.values():
        for path in one.files or []:
            if ".." in path.parts or path.suffix == ".pyc":
                continue  # scripts, and what is made anew below
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path.locate(), target / path)
    compile_all = [str(BUILD / "venv" / "bin" / "python"), "-m", "compileall", "-q", str(target)]
    subprocess.run(compile_all, check=False, stdout=subprocess.DEVNULL)
    stamp_file.write_text(stamp)
    return target


def task_with_lock(name: str) -> Path:
    """A function's folder with the libraries of `requirements/NAME.lock` in it, installed by pip and compiled."""
    lock = ROOT / "requirements" / f"{name}.lock"
    target, stamp_file = BUILD / f"task-{name}", BUILD / f"task-{name}.stamp"
    stamp = _fingerprint() + hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp_file.exists() and stamp_file.read_text() == stamp:
        return target
    shutil.rmtree(target, ignore_errors=True)
    _pip("install", "--require-hashes", "--only-binary", ":all:", "--target", str(target), "-r", str(lock))
    shutil.copytree(
        ROOT / "bench" / "functions", target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )
    compile_all = [str(BUILD / "venv" / "bin" / "python"), "-m", "compileall", "-q", str(target)]
    subprocess.run(compile_all, check=False, stdout=subprocess.DEVNULL)
    stamp_file.write_text(stamp)
    return target


def distributions(*names: str) -> dict[str, metadata.Distribution]:
    """The named distributions and all that they require, by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            raise MissingError(f"{name} is not installed beside this bench, and a function needs it") from None
        needed = [one for one in found[name].requires or [] if "extra ==" not in one]
        waiting += [re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in needed]
    return found


def _fingerprint() -> str:
    """Changes with every file that is installed, and with the interpreter."""
    digest = hashlib.sha256(sys.version.encode())
    sources = [ROOT / "bootstrap", ROOT / "pyproject.toml", COUNTERPARTS / f"{AWSLAMBDARIC}.stamp"]
    for folder in (ROOT / "src", ROOT / "bench" / "functions"):
        sources += [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in sorted(sources):
        if path.exists():
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        # A failed build ends in hints; the cause is the last line that names an error.
        causes = [line for line in lines if re.match(r"(ERROR|\w+Error|\w+Exception)\b", line)]
        raise MissingError(f"pip {arguments[0]} failed: {(causes or lines or ['no reason given'])[-1]}")

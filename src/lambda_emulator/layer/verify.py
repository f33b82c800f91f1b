"""Proves a layer: what can be told from the zip, then a run as Lambda would, with our emulator as the platform."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.layer import interpreter
from lambda_emulator.layer.base_root import make_base_root
from lambda_emulator.layer.build import Built, inspect
from lambda_emulator.layer.confinement import Confinement, Kind, best_kind, why_not
from lambda_emulator.layer.contents import LIMIT_UNPACKED_BYTES, Contents
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.findings import Finding, mistake
from lambda_emulator.layer.layout import modules_of
from lambda_emulator.layer.manifest import Manifest, read_manifest
from lambda_emulator.result import InvocationResult
from lambda_emulator.service import LocalLambda
from runtime import protocol

__all__ = ["Sandboxed", "Verification", "import_all", "sandboxed", "verify"]

# Runs inside, as any function: it must not need anything but the standard library. One module after the other, because
# importing does not always survive being done twice at once.
_PROBE = """
import importlib

def handler(event, context):
    failed = {}
    for name in event["modules"]:
        try:
            importlib.import_module(name)
        except BaseException as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return failed
"""
_NOTHING = "def handler(event, context):\n    return event\n"
_TIMEOUT_S = 60
_INIT_S = 60.0
"""For a first start of the probe: every package of the layer, perhaps uncompiled."""


@dataclass(slots=True)
class Sandboxed:
    """An unpacked layer and how programs are started with it; the folders are there as long as the context."""

    manifest: Manifest
    confinement: Confinement
    opt: Path
    base_python: Path | None

    def command(self, task: Path, *program: str) -> tuple[str, ...]:
        """The command line of a program as the function in `task` would find it; without one, of the bootstrap."""
        mounts = {"/opt": self.opt, "/var/task": task}
        if self.base_python is not None:
            mounts["/var/lang"] = self.base_python
        if not program and self.confinement.kind == "plain" and self.manifest.interpreter:
            # Its first line names a Python in /opt, which is not there.
            program = (f"/opt/cpython/bin/{self.manifest.target.python_name}", "-IBSXutf8", "/opt/bootstrap")
        return self.confinement.command(mounts, program or ("/opt/bootstrap",))

    def function(
        self,
        task: Path,
        handler: str,
        *,
        environment: Mapping[str, str] | None = None,
        memory_mb: int = protocol.DEFAULT_MEMORY_MB,
        init_timeout_s: float | None = None,
    ) -> FunctionConfiguration:
        """A function in this layer, for `LocalLambda`. Raises `InvalidConfiguration`."""
        variables = dict(environment or {})
        if self.confinement.kind == "plain":
            # There is no /opt here: what would be found there is named.
            variables.setdefault("PYTHONPATH", str(self.opt / "python"))
            python = self.opt / "cpython" / "bin" / self.manifest.target.python_name
            variables.setdefault("HANDLERKIT_PYTHON", str(python) if python.exists() else sys.executable)
        return FunctionConfiguration(
            handler=handler,
            task_root=task,
            command=self.command(task),
            environment=variables,
            memory_mb=memory_mb,
            timeout_s=_TIMEOUT_S,
            init_timeout_s=init_timeout_s,
        )


@dataclass(slots=True)
class Verification:
    """All that was found out."""

    built: Built
    findings: list[Finding] = field(default_factory=list)
    kind: Kind | None = None
    """How it was run; None where it could not be."""
    not_run: str = ""
    not_better: str = ""
    """Why it was not run in bubblewrap, where it was run otherwise."""
    modules: int = 0
    result: InvocationResult | None = None
    cold_ms: list[float] = field(default_factory=list)
    """From the start of the process to the first `/next`, in milliseconds, one per start."""
    warm_ms: list[float] = field(default_factory=list)
    sandbox_ms: float = 0.0
    """What of a cold start is the sandbox's own: the same with a program that does nothing."""

    @property
    def mistakes(self) -> list[Finding]:
        """What has to be mended."""
        return [finding for finding in self.findings if finding.severity == "mistake"]

    @property
    def function_failed(self) -> bool:
        """Whether the function ran in the layer and failed, which need not be the layer's fault."""
        return self.result is not None and self.result.function_error is not None


def verify(
    path: Path,
    *,
    function: Path | None = None,
    handler: str = "app.handler",
    event: bytes = b"{}",
    starts: int = 3,
    warm: int = 20,
    memory_mb: int = protocol.DEFAULT_MEMORY_MB,
    environment: Mapping[str, str] | None = None,
    kind: Kind | None = None,
    base_python: Path | None = None,
    progress: Callable[[str], None] = lambda _step: None,
) -> Verification:
    """Look at the zip, import all that is in it, and run a function in it: `starts` cold, `warm` times warm.

    Without a `function` it is one that does nothing. Raises `LayerError`, `InvalidConfiguration`.
    """
    with _folder_of(function) as task:  # before anything that takes time: all of it may be wrong
        FunctionConfiguration(handler=handler, task_root=task, memory_mb=memory_mb, environment=dict(environment or {}))
    built = inspect(path)
    verification = Verification(built, list(built.findings))
    with Contents(path) as contents:
        manifest, modules = read_manifest(contents), modules_of(contents)
    verification.not_run = _why_not_run(manifest, base_python)
    if built.unpacked > LIMIT_UNPACKED_BYTES:
        verification.not_run = "a layer that Lambda would not unpack was only looked at"
    if verification.not_run:
        return verification
    with sandboxed(path, kind=kind, base_python=base_python) as box:
        verification.kind = box.confinement.kind
        verification.not_better = "" if box.confinement.kind == "bubblewrap" else why_not("bubblewrap") or "as asked"
        progress("importing every module")
        verification.modules = len(modules)
        verification.findings += import_all(box, modules)
        with _folder_of(function) as task:
            verification.sandbox_ms = _own_ms(box, task)
            progress(f"running {handler}")
            configuration = box.function(task, handler, environment=environment, memory_mb=memory_mb)
            for _ in range(starts):
                with LocalLambda(configuration) as service:
                    result = service.invoke("function", event)
                    verification.result = result
                    if result.function_error or result.report.init_ms is None:
                        break
                    verification.cold_ms.append(result.report.init_ms)
                    count = warm if len(verification.cold_ms) == 1 else 0
                    verification.warm_ms += [service.invoke("function", event).report.duration_ms for _ in range(count)]
    return verification


@contextmanager
def sandboxed(path: Path, *, kind: Kind | None = None, base_python: Path | None = None) -> Iterator[Sandboxed]:
    """Unpack the layer and make a base for it. Raises `LayerError`, also where the `kind` asked for does not work."""
    if kind is not None and (reason := why_not(kind)):
        raise LayerError(reason)
    with tempfile.TemporaryDirectory(prefix="handlerkit-verify-") as work, Contents(path) as contents:
        folder = Path(work)
        folder.chmod(0o755)  # the function's user has to get in
        manifest = read_manifest(contents)
        contents.extract(folder / "opt")
        confinement = Confinement(kind or best_kind(), folder / "root")
        if confinement.kind != "plain":
            make_base_root(confinement.root, manifest.target)
        lang = None
        if base_python is not None:
            lang = folder / "lang"
            interpreter.install(base_python, lang, manifest.target, lambda _step: None)
            (lang / "bin" / "python3").symlink_to(manifest.target.python_name)
        yield Sandboxed(manifest, confinement, folder / "opt", lang)


def _why_not_run(manifest: Manifest, base_python: Path | None) -> str:
    target = manifest.target
    if not target.runs_here:
        return f"a layer for {target.architecture} was only looked at: this machine runs other programs"
    if manifest.managed:
        return "a layer for a managed runtime has nothing to start, so it was only looked at"
    if not manifest.interpreter and base_python is None:
        return "a layer without an interpreter was only looked at: name one with --python to have it run"
    return ""


def import_all(box: Sandboxed, modules: list[str]) -> Iterator[Finding]:
    """Import each inside, one after the other; a mistake for each that fails, or one for a layer without a start."""
    with tempfile.TemporaryDirectory(prefix="handlerkit-probe-") as work:
        task = Path(work)
        task.chmod(0o755)
        (task / "layer_probe.py").write_text(_PROBE)
        probe = box.function(task, "layer_probe.handler", memory_mb=1024, init_timeout_s=_INIT_S)
        with LocalLambda(probe) as service:
            result = service.invoke("function", {"modules": modules})
            result.report  # noqa: B018  # its log is complete then
    if result.function_error:
        text = (result.init_log + result.log).strip().splitlines()
        told = next((line for line in text if "handlerkit:" in line or "rror" in line), result.payload.decode())
        yield mistake("start", f"the layer does not start: {told}")
        return
    for name, reason in sorted(json.loads(result.payload).items()):
        yield mistake("import", f"{name} cannot be imported: {reason}")


def _own_ms(box: Sandboxed, task: Path) -> float:
    if box.confinement.kind == "plain":
        return 0.0
    times = []
    for _ in range(5):
        began_s = time.perf_counter()
        subprocess.run(box.command(task, "/bin/sh", "-c", ":"), env={}, check=False, stdin=subprocess.DEVNULL)
        times.append(time.perf_counter() - began_s)
    return statistics.median(times) * 1000


@contextmanager
def _folder_of(function: Path | None) -> Iterator[Path]:
    """The function's folder, or one with a function that does nothing."""
    if function is not None:
        if not function.is_dir():
            raise LayerError(f"no function folder {function}: name the one that holds its code")
        yield function.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="handlerkit-function-") as work:
        Path(work).chmod(0o755)
        (Path(work) / "app.py").write_text(_NOTHING)
        yield Path(work)

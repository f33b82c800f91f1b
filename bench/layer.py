"""A start inside the sandbox of `handlerkit layer verify`, by our layer's bootstrap and by awslambdaric; and sizes.

The server runs inside, too, so that the sandbox's own start is in no figure. Both sides have the layer's interpreter
and the same C library; awslambdaric gets the C++ library that an AWS image has and an OS-only base has not.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench import parts, stopwatch, tables
from lambda_emulator.layer import wheels
from lambda_emulator.layer.build import Built, Order, build, inspect
from lambda_emulator.layer.confinement import best_kind, why_not
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.requirements import read_lock
from lambda_emulator.layer.target import Target, host_architecture
from lambda_emulator.layer.verify import Sandboxed, sandboxed

FIGURES = {"start → /next, ms": "start_ms", "CPU, ms": "start_cpu_ms", "resident, MiB": "start_rss_mib"}
PEER = "aws-lambda-powertools"
_MEGABYTE = 1_000_000
_FUNCTION = "def handler(event, context):\n    return None\n"
_CPLUSPLUS = "libstdc++.so.6"


@dataclass(frozen=True, slots=True)
class Layers:
    """What is built for the measurements."""

    full: Built
    packages: Built
    peer: Built
    """Like `packages`, with the peer and all that it can use."""
    peer_owners: frozenset[str]


def layers() -> Layers:
    """Build what is not there, or is of other sources. Raises `MissingError`."""
    folder = parts.BUILD / "layers"
    stamp_file, stamp = folder / "stamp", _stamp()
    target = _target()
    cache = parts.BUILD / "layer-wheels"
    orders = {
        "full": Order(target=target, output=folder / "full.zip", cache=cache, interpreter=sys.base_prefix),
        "packages": Order(target=target, output=folder / "packages.zip", cache=cache, managed=True),
        "peer": Order(
            target=target,
            output=folder / "peer.zip",
            cache=cache,
            managed=True,
            requirements=(parts.ROOT / "requirements" / "bench.lock",),
        ),
    }
    fresh = stamp_file.exists() and stamp_file.read_text() == stamp
    try:
        if not fresh:
            shutil.rmtree(folder, ignore_errors=True)
            print("building layers to measure ...", file=sys.stderr, flush=True)
        made = {
            name: inspect(order.output) if fresh else build(order, lambda _step: None) for name, order in orders.items()
        }
    except LayerError as error:
        raise parts.MissingError(str(error)) from error
    stamp_file.write_text(stamp)
    return Layers(made["full"], made["packages"], made["peer"], _closure(target, cache))


def duels(rounds: int, layer: Path) -> dict[str, stopwatch.Duel]:
    """The layer's own bootstrap, and the one that looks for an interpreter, against awslambdaric, in turn."""
    kind = best_kind()
    if kind == "plain":
        raise parts.MissingError(f"no sandbox to measure a layer in: {why_not('bubblewrap')}; {why_not('unshare')}")
    with sandboxed(layer) as box, _place(box) as place:
        python = f"/opt/cpython/bin/{box.manifest.target.python_name}"
        programs = {
            "ours, the layer's bootstrap": ["/opt/bootstrap"],
            "ours, bootstrap by way of a shell": ["/opt/bootstrap-with-shell"],
            "awslambdaric": [python, "-m", "awslambdaric"],
        }
        measures = [partial(_measure, box, place, program) for program in programs.values()]
        for measure in measures:
            measure()  # the page cache holds everything from here on
        direct, shell, theirs = stopwatch.take_turns(rounds, measures)
    names = list(programs)
    return {
        names[0]: stopwatch.Duel(ours=direct, theirs=theirs),
        names[1]: stopwatch.Duel(ours=shell, theirs=theirs),
    }


def start_table(results: dict[str, stopwatch.Duel]) -> str:
    """A row per entry of ours; in each cell the ratio, ours, theirs."""
    rows = [
        [name, *(tables.versus(duel.ratio(figure), *duel.medians(figure)) for figure in FIGURES.values())]
        for name, duel in results.items()
    ]
    return tables.markdown(["started by", *FIGURES], rows)


def size_table(built: Layers) -> str:
    """Megabytes, zipped and unzipped, each beside its budget or the peer's."""
    peer = [share for share in built.peer.shares if share.owner in built.peer_owners]
    rows = [
        ("with interpreter (budget 20)", built.full.packed, built.full.unpacked),
        ("without (budget 6)", built.packages.packed, built.packages.unpacked),
        (
            f"{PEER}[all] without boto3, packed alike",
            sum(share.packed for share in peer),
            sum(share.unpacked for share in peer),
        ),
    ]
    cells = [[name, f"{packed / _MEGABYTE:.1f}", f"{unpacked / _MEGABYTE:.1f}"] for name, packed, unpacked in rows]
    return tables.markdown(["layer", "zipped, MB", "unzipped, MB"], cells)


def budgets(results: dict[str, stopwatch.Duel], built: Layers) -> list[tables.Budget]:
    """The design's limits."""
    first = next(iter(results.values()))
    return [
        tables.Budget(
            what="start → first /next by the layer in its sandbox", ratio=first.ratio("start_ms"), limit=0.45
        ),
        tables.Budget(what="layer with interpreter / 20 MB", ratio=built.full.packed / (20 * _MEGABYTE), limit=1.0),
        tables.Budget(what="layer without / 6 MB", ratio=built.packages.packed / (6 * _MEGABYTE), limit=1.0),
    ]


@contextmanager
def _place(box: Sandboxed) -> Iterator[Path]:
    """What is mounted besides the layer: the function, the server, the counterpart."""
    shell = box.opt / "bootstrap-with-shell"
    shutil.copyfile(parts.ROOT / "bootstrap", shell)
    shell.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="bench-layer-") as work:
        place = Path(work)
        place.chmod(0o755)
        for name in ("task", "emulator", "runtime/lib", "tmp"):
            (place / name).mkdir(parents=True)
        (place / "task" / "app.py").write_text(_FUNCTION)
        (place / "task" / "event.json").write_text("{}")
        shutil.copy(parts.server(), place / "emulator" / "server")
        shutil.copytree(parts.counterpart(), place / "runtime" / "python")
        library = next(Path("/usr/lib").rglob(_CPLUSPLUS), None)
        if library is None:
            raise parts.MissingError(f"no {_CPLUSPLUS} on this machine, which awslambdaric needs")
        shutil.copy(library.resolve(), place / "runtime" / "lib" / _CPLUSPLUS)
        python = box.opt / "cpython" / "bin" / box.manifest.target.python_name
        for folder in (place / "task", place / "runtime" / "python"):
            subprocess.run(
                [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-f", str(folder)],
                check=False,
                stdout=subprocess.DEVNULL,
            )
        yield place


def _measure(box: Sandboxed, place: Path, program: list[str]) -> stopwatch.Figures:
    mounts = {
        "/opt": box.opt,
        "/var/task": place / "task",
        "/emulator": place / "emulator",
        "/var/runtime": place / "runtime",
    }
    server = ["/emulator/server", "--count", "0", "--warmup", "0", "--event", "/var/task/event.json", "--output", "-"]
    if (core := stopwatch.core()) is not None:
        server += ["--core", str(core)]
    command = box.confinement.command(mounts, [*server, "--", *program, "app.handler"])
    environment = {"TMPDIR": str(place / "tmp"), "_HANDLER": "app.handler", "PYTHONPATH": "/var/runtime/python"}
    if program[0].startswith("/opt/bootstrap"):
        del environment["PYTHONPATH"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise stopwatch.RunError(f"{program[0]}: {done.stderr.strip()}")
    figures = stopwatch.flatten(json.loads(done.stdout))
    return figures | {"start_rss_mib": figures["start_rss_kib"] / 1024}


def _closure(target: Target, cache: Path) -> frozenset[str]:
    """The peer's distributions: itself with everything that its extra `all` brings, and what those need."""
    pins = read_lock((parts.ROOT / "requirements" / "bench.lock").read_text(), "bench.lock")
    found: set[str] = set()
    waiting = [(PEER, "all")]
    while waiting:
        name, extra = waiting.pop()
        if name in found or name not in pins:
            continue
        found.add(name)
        for wheel in wheels.collect([name], pins, target, cache, lambda _step: None).values():
            if wheel.name != name:
                continue
            for text in wheel.requires:
                requirement = Requirement(text)
                markers = {**target.markers, "extra": extra}
                if requirement.marker is None or requirement.marker.evaluate(markers):
                    waiting += [(canonicalize_name(requirement.name), one) for one in (*requirement.extras, "")]
    return frozenset(found - {"boto3", "botocore", "s3transfer"})


def _target() -> Target:
    if sys.platform != "linux" or not host_architecture():
        raise parts.MissingError("a layer can be measured on Linux only")
    return Target.of(host_architecture(), f"{sys.version_info.major}.{sys.version_info.minor}")


def _stamp() -> str:
    """Changes with whatever goes into the layers."""
    digest = hashlib.sha256(sys.version.encode())
    files = [parts.ROOT / "bootstrap", parts.ROOT / "layer" / "layer.lock", parts.ROOT / "requirements" / "bench.lock"]
    files += [path for path in (parts.ROOT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()

"""The two files by which a layer with an interpreter starts: a `bootstrap` without a shell, and the bundled start.

A shell costs a millisecond and is there to find an interpreter, which such a layer need not search. The bundle holds
the code of the modules that every start loads; `runtime.bundled` says how they are used. Both are made from the sources
that lie in the layer, by the Python that will load them.
"""

import subprocess
from pathlib import Path

from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.target import Target

__all__ = ["BUNDLE", "START_MODULES", "write_start"]

BUNDLE = "python/runtime/start.bundle"
START_MODULES = (
    "runtime", "runtime.client", "runtime.connection", "runtime.environ", "runtime.errors", "runtime.function",
    "runtime.head", "runtime.initialisation", "runtime.invocation", "runtime.late_logging", "runtime.loader",
    "runtime.loop", "runtime.marshal", "runtime.output", "runtime.protocol", "runtime.reporting",
    "runtime.search_path", "runtime.signals", "runtime.start", "runtime.wire",
)  # fmt: skip
"""What a plain handler's start loads; a test compares it with what is loaded."""

_BOOTSTRAP = """\
#!/opt/cpython/bin/{python} -IBSXutf8
# The layer's entry, on the layer's own interpreter. runtime/bundled.py says what it does.
if __name__ == "__main__":  # a child made by multiprocessing's "spawn" imports this file under another name
    import marshal

    with open(__file__.rpartition("/")[0] + "/{bundle}", "rb", 0) as file:
        codes = marshal.loads(file.read())
    namespace = {{"__name__": "runtime.bundled"}}
    exec(codes.pop("runtime.bundled"), namespace)
    namespace["start"](codes, __file__)
"""
# Run by the target's Python, as bytecode belongs to a version.
_PROGRAM = """
import marshal, sys
root, target, *names = sys.argv[1:]
codes = {}
for name in names:
    path = name.replace(".", "/") + (".py" if "." in name else "/__init__.py")
    with open(root + "/python/" + path, "rb") as file:
        codes[name] = compile(file.read(), "/opt/python/" + path, "exec", dont_inherit=True, optimize=0)
with open(target, "wb") as file:
    file.write(marshal.dumps(codes))
"""


def write_start(tree: Path, target: Target, python: Path) -> None:
    """Write both into the layer's tree, compiled by `python`. Raises `LayerError`."""
    names = [*START_MODULES, "runtime.bundled"]
    command = [str(python), "-IBS", "-c", _PROGRAM, str(tree), str(tree / BUNDLE), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise LayerError(f"{python} cannot compile the runtime: {reason}")
    (tree / "bootstrap").write_text(_BOOTSTRAP.format(python=target.python_name, bundle=BUNDLE))
    (tree / "bootstrap").chmod(0o755)

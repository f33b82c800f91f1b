"""Whether a handler is there, and which one somebody may have meant who named another. Reads source text; imports none
of it."""

import ast
import difflib
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path

__all__ = ["hint", "is_missing"]

# Where a module speaks of these, it may have names that its text does not show.
_DYNAMIC = frozenset({"__getattr__", "exec", "globals", "modules", "setattr", "vars"})

# More are no hint.
_MOST = 5


def is_missing(handler: str, root: Path, search_path: Sequence[str] = ()) -> bool:
    """Whether it is certain that `handler` cannot be loaded from `root`; what only an import would tell is not.

    `search_path` are further folders that the function imports from, besides this Python's.
    """
    written, _, attribute = handler.rpartition(".")
    parts = written.removeprefix("./").replace("/", ".").split(".")
    if ":" in handler or not all(parts):
        return True
    place = root.joinpath(*parts)
    if (file := place.parent / f"{place.name}.py").is_file():
        return _cannot_have(file, attribute)
    if place.is_dir() or any(place.parent.glob(f"{place.name}.*")):
        return False  # a package, a module of another kind
    if (root / parts[0]).is_dir():
        if not place.parent.is_dir():
            return False  # perhaps a class's method
        package = place.parent / "__init__.py"
        if package.is_file() and not _cannot_have(package, place.name):
            return False
    elif len(parts) > 1 and any(root.glob(f"{parts[0]}.*")):
        return False  # as above
    return not _is_installed(parts[0], search_path)


def _is_installed(module: str, search_path: Sequence[str]) -> bool:
    # Where this command was started is no place that a function imports from.
    own = [each for each in sys.path if each and Path(each) != Path.cwd()]
    return PathFinder.find_spec(module, [*search_path, *own]) is not None


def _cannot_have(file: Path, name: str) -> bool:
    """Whether nothing in the module's text could give it that name."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=bound) | ast.AsyncFunctionDef(name=bound) | ast.ClassDef(name=bound):
                names = {bound}
            case ast.Name(id=bound) | ast.Attribute(attr=bound):
                names = {bound}
            case ast.alias(name=imported, asname=given):
                names = {given or imported.partition(".")[0]}
            case ast.ExceptHandler(name=str(bound)) | ast.MatchAs(name=str(bound)) | ast.MatchStar(name=str(bound)):
                names = {bound}
            case _:
                continue
        if names & {name, "*", *_DYNAMIC}:
            return False
    return True


def hint(handler: str, root: Path) -> str:
    """What to write instead of `handler`, in words that go behind the reason; empty where nothing is known.

    `handler` may be written as other tools do: `app:handler`, `app.py:handler`, `app.py`.
    """
    module, dot, attribute = handler.replace(".py:", ".").replace(":", ".").removesuffix(".py").rpartition(".")
    if not dot:
        module, attribute = attribute, ""
    file = Path(module.removeprefix("./").replace(".", "/") + ".py")
    if not (root / file).is_file():
        return _instead_of_module(module, attribute or "handler", file, root)
    functions, made = _callables(root / file)
    if attribute in functions + made:
        return f"write {module}.{attribute}"
    if near := difflib.get_close_matches(attribute, functions + made, 1):
        return f"did you mean {module}.{near[0]}?"
    names = functions or made
    return f"{file.name} has {', '.join(names[:_MOST])}" if names else ""


def _instead_of_module(module: str, attribute: str, file: Path, root: Path) -> str:
    if (root / file.parent).with_suffix(".py").is_file():
        return ""  # a class's method, of which the text tells too little
    near = difflib.get_close_matches(file.stem, sorted(each.stem for each in (root / file.parent).glob("*.py")), 1)
    if near:
        return f"did you mean {module.removesuffix(file.stem)}{near[0]}.{attribute}?"
    return f"there is no {file} in {root}"


def _callables(file: Path) -> tuple[list[str], list[str]]:
    """The names of a module that may be handlers: functions, and what a call has made (an application's, a logger)."""
    functions, made = [], []
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return [], []
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                functions.append(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call()):
                made.append(name)
    return functions, made

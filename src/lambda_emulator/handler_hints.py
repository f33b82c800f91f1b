"""Which handler somebody may have meant who named one that is not there. Reads source text; imports none of it."""

import ast
import difflib
from pathlib import Path

__all__ = ["hint"]

# More are no hint.
_MOST = 5


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

"""The parameters of an event's factory as options, and what is given for them as the factory takes it.

What a parameter is, is read from its annotation: no factory needs a line here.
"""

import argparse
import inspect
import json
import re
import sys
from ast import literal_eval
from pathlib import Path
from typing import Any

from lambda_emulator.command_input import WrongInput

__all__ = ["add_option", "is_positional", "parameters_of", "value_of"]

JSON_VALUES = frozenset({"arguments", "detail", "documents", "json", "new", "old", "properties", "source"})
"""Parameters of any type that hold a JSON value; all other payloads are text, as given."""
MANY = "Many"
"""How the factories name mappings whose values may be several: the option may be repeated with one name."""
ENDING_IN_IE = ("cookies",)
EXAMPLE_TEXT = '{"message": "hello"}'
EXAMPLES = {
    "bucket": "my-bucket",
    "field": "getOrder",
    "key": "folder/my key.txt",
    "keys": ["folder/my key.txt"],
    "method": "GET",
    "path": "/",
}


def parameters_of(factory: Any) -> list[inspect.Parameter]:
    """Those that an option can give: pairs of values have no form on a command line."""
    return [
        parameter
        for parameter in inspect.signature(factory).parameters.values()
        if not str(parameter.annotation).startswith("tuple")
    ]


def add_option(parser: argparse.ArgumentParser, parameter: inspect.Parameter) -> None:
    """One option, named after one of what the parameter takes."""
    option = "--" + _singular(parameter).replace("_", "-")
    annotation = str(parameter.annotation)
    default = parameter.default
    if isinstance(default, tuple):
        default = ", ".join(map(str, default))
    is_said = isinstance(default, (str, int, float))  # no sentinel, and no function
    shown = f"default: {default}" if is_said else ""
    if annotation == "bool":
        parser.add_argument(option, dest=parameter.name, action="store_true", help=shown)
    elif _is_many(parameter):
        metavar = "NAME=VALUE" if _is_mapping(parameter) else _metavar(parameter)
        text = "may be repeated" + (f"; {shown}" if shown and default else "")
        parser.add_argument(option, dest=parameter.name, action="append", metavar=metavar, help=text)
    elif choices := _choices(annotation):
        parser.add_argument(option, dest=parameter.name, choices=choices, help=shown)
    else:
        kind = int if annotation.startswith("int") else str
        parser.add_argument(option, dest=parameter.name, type=kind, metavar=_metavar(parameter), help=shown)


def value_of(parameter: inspect.Parameter, given: Any) -> Any:
    """What the factory gets: the option's value, an example where one is needed, or None for the factory's default.

    Raises `WrongInput` for what cannot be read.
    """
    if given is None:
        if parameter.default is not parameter.empty:
            return None
        if parameter.name in EXAMPLES:
            return EXAMPLES[parameter.name]
        example: Any = json.loads(EXAMPLE_TEXT) if _is_json(parameter) else EXAMPLE_TEXT
        return [example] if _is_many(parameter) else example
    if _is_mapping(parameter):
        return _mapping(parameter, given)
    if isinstance(given, list):
        return [_payload(parameter, item) for item in given]
    return _payload(parameter, given) if isinstance(given, str) else given


def is_positional(parameter: inspect.Parameter) -> bool:
    """Whether the factory takes it by its place alone."""
    required = parameter.default is parameter.empty
    return parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and required


def _mapping(parameter: inspect.Parameter, given: list[str]) -> dict[str, Any]:
    pairs = [item.partition("=") for item in given]
    if any(not equals for _, equals, _ in pairs):
        raise WrongInput(f"--{_singular(parameter)} takes NAME=VALUE")
    annotation = str(parameter.annotation)
    if MANY not in annotation:
        return {name: value.encode() if "bytes" in annotation else value for name, _, value in pairs}
    values: dict[str, list[str]] = {}
    for name, _, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _payload(parameter: inspect.Parameter, text: str) -> Any:
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WrongInput(f"cannot read {text[1:]}: {error}") from None
    if not _is_json(parameter):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise WrongInput(f"--{_singular(parameter).replace('_', '-')} is not JSON: {error}") from None


def _is_json(parameter: inspect.Parameter) -> bool:
    return parameter.name in JSON_VALUES and str(parameter.annotation) == "Any"


def _metavar(parameter: inspect.Parameter) -> str:
    return "JSON" if _is_json(parameter) else "VALUE"


def _choices(annotation: str) -> tuple[str, ...]:
    """The values of a `Literal`.

    >>> _choices("Literal['1.0', '2.0'] | None")
    ('1.0', '2.0')
    """
    found = re.match(r"Literal\[(.*)\]", annotation, re.DOTALL)
    return literal_eval(f"({found[1]},)") if found else ()


def _is_many(parameter: inspect.Parameter) -> bool:
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return True
    words = ("Iterable", "Sequence", "list[")
    return _is_mapping(parameter) or any(word in str(parameter.annotation) for word in words)


def _is_mapping(parameter: inspect.Parameter) -> bool:
    return any(word in str(parameter.annotation) for word in ("Mapping", MANY))


def _singular(parameter: inspect.Parameter) -> str:
    name = parameter.name
    if not _is_many(parameter) or not name.endswith("s"):
        return name
    if name.endswith("ies") and name not in ENDING_IN_IE:
        return name[:-3] + "y"
    return name[:-1]

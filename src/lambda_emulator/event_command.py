"""`handlerkit event`: print a realistic event, to edit or to invoke with.

The kinds are the factories of `handlerkit.testing`; their parameters are the options, so a new factory is a new kind
without a line here.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from lambda_emulator.command_input import WrongInput

__all__ = ["event", "event_text", "kinds"]

JSON_VALUES = frozenset({"detail", "json", "new", "old"})
"""Parameters that hold a JSON value; all other payloads are text, as given."""
MANY = "Many"
"""How the factories name mappings whose values may be several: the option may be repeated with one name."""
ENDING_IN_IE = ("cookies",)
EXAMPLE_TEXT = '{"message": "hello"}'
EXAMPLES = {"bucket": "my-bucket", "key": "folder/my key.txt", "method": "GET", "path": "/"}


def event(context: typer.Context) -> None:
    """Print a realistic event: `handlerkit event sqs --body …`; without a kind, list the kinds."""
    arguments = list(context.args)
    if not arguments or arguments[0] in ("--help", "-h"):
        typer.echo("Usage: handlerkit event KIND [OPTIONS]; KIND --help lists the options of each:\n")
        for kind, factory in sorted(kinds().items()):
            typer.echo(f"{kind:<18}{(inspect.getdoc(factory) or '').partition(chr(10))[0]}")
        return
    try:
        typer.echo(event_text(arguments[0], arguments[1:]))
    except WrongInput as error:
        typer.echo(f"handlerkit: {error}", err=True)
        raise typer.Exit(2) from None


def kinds() -> dict[str, Callable[..., Any]]:
    """The factories by the name the command has for them: `s3_event` is `s3`."""
    from handlerkit import testing

    names = [name for name in testing.__all__ if name.endswith("_event")]
    return {name.removesuffix("_event").replace("_", "-"): getattr(testing, name) for name in names}


def event_text(kind: str, arguments: list[str]) -> str:
    """The event as indented JSON. Raises `WrongInput` for an unknown kind or an unusable value.

    Ends the process as usual for `--help` and for options that do not exist.
    """
    factories = kinds()
    if kind not in factories:
        raise WrongInput(f"no event kind {kind!r}: use one of {', '.join(sorted(factories))}")
    factory = factories[kind]
    parameters = [
        parameter
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_POSITIONAL
    ]
    parser = argparse.ArgumentParser(
        prog=f"handlerkit event {kind}",
        description=inspect.getdoc(factory),
        epilog="A payload may be text, @FILE, or - for standard input.",
        allow_abbrev=False,
    )
    for parameter in parameters:
        _add_option(parser, parameter)
    given = vars(parser.parse_args(arguments))
    positional, named = [], {}
    for parameter in parameters:
        value = _value(parameter, given[parameter.name])
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and parameter.default is parameter.empty:
            positional.append(value)
        elif value is not None:
            named[parameter.name] = value
    try:
        return json.dumps(factory(*positional, **named), indent=2, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise WrongInput(f"no {kind} event can be made of that: {error}") from None


def _add_option(parser: argparse.ArgumentParser, parameter: inspect.Parameter) -> None:
    option = "--" + _singular(parameter).replace("_", "-")
    annotation = str(parameter.annotation)
    default = parameter.default
    is_said = isinstance(default, (str, int, float, tuple, list))  # no sentinel, and no function
    shown = f"default: {default}" if is_said else ""
    if annotation == "bool":
        parser.add_argument(option, dest=parameter.name, action="store_true", help=shown)
    elif _is_many(parameter):
        metavar = "NAME=VALUE" if _is_mapping(parameter) else "VALUE"
        text = "may be repeated" + (f"; {shown}" if shown and default else "")
        parser.add_argument(option, dest=parameter.name, action="append", metavar=metavar, help=text)
    else:
        kind = int if annotation.startswith("int") else str
        parser.add_argument(option, dest=parameter.name, type=kind, metavar="VALUE", help=shown)


def _value(parameter: inspect.Parameter, given: Any) -> Any:
    """What the factory gets: the option's value, an example where one is needed, or None for the factory's default."""
    required = parameter.default is parameter.empty
    if given is None:
        if not required:
            return None
        if parameter.name in EXAMPLES:
            return EXAMPLES[parameter.name]
        example: Any = json.loads(EXAMPLE_TEXT) if parameter.name in JSON_VALUES else EXAMPLE_TEXT
        return [example] if _is_many(parameter) else example
    if _is_mapping(parameter):
        pairs = [item.partition("=") for item in given]
        if any(not equals for _, equals, _ in pairs):
            raise WrongInput(f"--{_singular(parameter)} takes NAME=VALUE")
        if MANY not in str(parameter.annotation):
            return {name: value for name, _, value in pairs}
        values: dict[str, list[str]] = {}
        for name, _, value in pairs:
            values.setdefault(name, []).append(value)
        return values
    if isinstance(given, list):
        return [_payload(parameter.name, item) for item in given]
    return _payload(parameter.name, given) if isinstance(given, str) else given


def _payload(name: str, text: str) -> Any:
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WrongInput(f"cannot read {text[1:]}: {error}") from None
    if name not in JSON_VALUES:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise WrongInput(f"--{name.replace('_', '-')} is not JSON: {error}") from None


def _is_many(parameter: inspect.Parameter) -> bool:
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

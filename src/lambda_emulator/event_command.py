"""`handlerkit event`: print a realistic event, to edit or to invoke with.

The kinds are the factories of `handlerkit.testing`; their parameters are the options, so a new factory is a new kind
without a line here.
"""

import argparse
import difflib
import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import typer

from lambda_emulator.command_input import WrongInput
from lambda_emulator.event_options import add_option, is_positional, parameters_of, value_of

__all__ = ["event", "event_text", "kinds"]

NAMES_ELSEWHERE = {
    "alb": "http --kind alb",
    "api-gateway": "http --kind rest",
    "apigateway": "http --kind rest",
    "apigw": "http --kind rest",
    "cloudformation": "custom-resource",
    "function-url": "http --kind function_url",
    "http-api": "http --kind http_api",
    "lambda-url": "http --kind function_url",
    "lattice": "http --kind lattice",
    "mq": "activemq",
    "rest": "http --kind rest",
    "rest-api": "http --kind rest",
}
"""What other tools, and AWS, call the events of a kind."""


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
        raise WrongInput(f"no event kind {kind!r}: {_instead_of(kind, sorted(factories))}")
    factory = factories[kind]
    parameters = parameters_of(factory)
    parser = argparse.ArgumentParser(
        prog=f"handlerkit event {kind}",
        # What a factory raises is no matter of the command.
        description=re.sub(r"\s*Raises\s+`ValueError`[^.]*\.", "", inspect.getdoc(factory) or ""),
        epilog="A payload may be text, @FILE, or - for standard input.",
        allow_abbrev=False,
    )
    for parameter in parameters:
        add_option(parser, parameter)
    given = vars(parser.parse_args(arguments))
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in parameters:
        value = value_of(parameter, given[parameter.name])
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif is_positional(parameter):
            positional.append(value)
        elif value is not None:
            named[parameter.name] = value
    try:
        return json.dumps(factory(*positional, **named), indent=2, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise WrongInput(f"no {kind} event can be made of that: {error}") from None


def _instead_of(kind: str, kinds: list[str]) -> str:
    """What to write instead of a kind that there is not."""
    if found := NAMES_ELSEWHERE.get(kind.lower().replace("_", "-")):
        return f"write {found}"
    if near := difflib.get_close_matches(kind, kinds, 1):
        return f"did you mean {near[0]}?"
    return f"use one of {', '.join(kinds)}"

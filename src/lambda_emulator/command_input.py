"""What a user hands to the command: event files, variables, handler names. Read, or refused in one sentence."""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from lambda_emulator.handler_hints import hint
from runtime import protocol

__all__ = ["WrongInput", "check_handler", "parse_env_file", "parse_variables", "read_event"]

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)


class WrongInput(Exception):  # noqa: N818  # it is the user's, and not a fault of ours
    """The command was called with something it cannot use; the message is one sentence for the user."""


def read_event(source: str | None) -> bytes:
    """The event's bytes: of a file, of standard input (`-`), or `{}` where none is given.

    Raises `WrongInput` for what is missing, unreadable, too large, or not JSON (with line and column).
    """
    if source is None:
        return b"{}"
    name = "standard input" if source == "-" else source
    try:
        # One byte more than allowed is enough to know, also of an endless stream.
        if source == "-":
            data = sys.stdin.buffer.read(protocol.MAX_REQUEST_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(protocol.MAX_REQUEST_BYTES + 1)
    except FileNotFoundError:
        raise WrongInput(f"no event file {source}: give a path, or - for standard input") from None
    except OSError as error:
        raise WrongInput(f"cannot read the event from {name}: {error.strerror or error}") from None
    if len(data) > protocol.MAX_REQUEST_BYTES:
        raise WrongInput(
            f"the event in {name} is larger than Lambda takes ({protocol.MAX_REQUEST_BYTES} bytes, synchronous)"
        )
    if not data.strip():
        raise WrongInput(f"the event in {name} is empty: an event without content is {{}}")
    _check_json(data, name)
    return data


def _check_json(data: bytes, name: str) -> None:
    try:
        json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise WrongInput(f"the event in {name} is not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise WrongInput(f"the event in {name} is not JSON: {error.msg} ({place})") from None
    except ValueError as error:
        raise WrongInput(f"the event in {name} is not JSON: {error}") from None
    except RecursionError:
        raise WrongInput(f"the event in {name} is nested too deeply") from None


def _refuse_constant(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON value")


def parse_variables(assignments: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` arguments as a dict; `NAME` alone is refused, as its value could only be guessed.

    >>> parse_variables(["TABLE=orders", "EMPTY="])
    {'TABLE': 'orders', 'EMPTY': ''}
    """
    variables = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise WrongInput(f"--env {assignment!r} is no assignment: write --env NAME=VALUE")
        variables[name] = value
    return variables


def parse_env_file(path: Path) -> dict[str, str]:
    """The variables of a file with one `NAME=VALUE` a line.

    Blank lines and lines that begin with `#` are skipped, `export` in front and quotes around the value are
    dropped, nothing is expanded. Raises `WrongInput` with the line's number.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise WrongInput(f"no file {path} for --env-file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"cannot read {path} for --env-file: {error}") from None
    variables = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(line)
        if match is None:
            raise WrongInput(f"{path}, line {number}: expected NAME=VALUE, found {line[:60]!r}")
        name, value = match.groups()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        variables[name] = value
    return variables


def check_handler(handler: str, root: Path) -> None:
    """Refuse a handler that cannot be there, before any process is started for it.

    Only what is certain is refused: a name without a dot or with a colon, and a path (with a slash) of which no file
    exists. A dotted module may also be an installed one, which its own interpreter knows best.
    """
    module, dot, attribute = handler.rpartition(".")
    if not dot or not module.strip("./") or not attribute or ":" in handler:
        meant = hint(handler, root)
        raise WrongInput(
            f"handler {handler!r} is not written as path/module.function" + (f": {meant}" if meant else "")
        )
    if "/" not in module:
        return
    path = root / module
    candidates = [path.with_name(path.name.split(".")[0] + ".py"), path.with_name(path.name.split(".")[0])]
    if not any(candidate.exists() for candidate in candidates):
        raise WrongInput(f"no handler {handler}: {hint(handler, root) or 'there is no such file'}")

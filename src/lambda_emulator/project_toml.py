"""`handlerkit.toml`, or the table `[tool.handlerkit]` of a `pyproject.toml`, read as a `Project`.

    [functions.orders]
    handler = "orders.handler"
    http = ["GET /orders/{id}"]

    [functions.orders.sqs]
    queue = "orders"

A queue, stream, table, topic or bucket that a function names is there; sections such as `[queues.orders]` say more
about it. Values of `environment` may have `${queues.orders.url}` in them. docs/serve.md lists everything.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lambda_emulator.project import Project, ProjectFront, ProjectFunction, WrongProject, hole, nearest
from lambda_emulator.sam_events import Found
from lambda_emulator.sam_properties import Properties
from lambda_emulator.toml_resources import TomlResources
from lambda_emulator.toml_sources import SOURCES, read_sources

__all__ = ["has_project_table", "read_toml_project"]

_SECTIONS: Final = ("functions", "queues", "topics", "streams", "tables", "buckets", "buses")
_OPTIONS: Final = {
    "timeout_s": "number",
    "memory_mb": "number",
    "log_format": "text",
    "log_level": "text",
    "snap_start": "truth",
    "max_concurrency": "number",
}
_OTHERS: Final = (
    "handler", "code", "environment", "tracing", "dead_letter_queue", "reserved_concurrency", "retries",
    "event_age_s", "on_success", "on_failure",
)  # fmt: skip
_REFERENCE: Final = re.compile(r"\$\{([^}]*)\}")
_ATTRIBUTES: Final = {"url": "Ref", "arn": "Arn", "name": "Name", "stream_arn": "StreamArn"}
_HAS: Final = {
    "queues": ("url", "arn", "name"),
    "topics": ("arn", "name"),
    "streams": ("arn", "name"),
    "tables": ("arn", "name", "stream_arn"),
    "buckets": ("arn", "name"),
    "buses": ("arn", "name"),
    "functions": ("arn", "name"),
}


def has_project_table(file: Path) -> bool:
    """Whether a `pyproject.toml` has the table; one that does not parse has none."""
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool")
    except (OSError, ValueError):
        return False
    return isinstance(tool, dict) and "handlerkit" in tool


def read_toml_project(file: Path) -> Project:
    """Raises `WrongProject`."""
    tables = _tables(file)
    where = "[tool.handlerkit]" if file.name == "pyproject.toml" else file.name
    top = Properties(tables, where).only(_SECTIONS)
    if not top.mapping("functions"):
        raise WrongProject(f"{where} has no functions: add [functions.NAME] with a handler")
    found = Found()
    resources = TomlResources(top, found)
    for name in top.mapping("functions"):
        given = _inner(top, "functions", name, where)
        given.only((*_OTHERS, *_OPTIONS, *SOURCES))
        found.functions.append(_function(str(name), given, resources, file))
        read_sources(str(name), given, resources, found)
    resources.finish()
    return Project(
        file=file,
        functions=tuple(found.functions),
        resources=tuple(found.resources),
        links=tuple(found.all_links()),
        polled=tuple(found.polled),
        fronts=tuple(ProjectFront(title=title, routes=tuple(routes)) for title, routes in found.fronts.items()),
        stack=file.absolute().parent.name,
        constants={("functions." + each.name, "Name"): each.name for each in found.functions},
    )


def _tables(file: Path) -> Mapping[str, Any]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise WrongProject(f"{file.name} is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise WrongProject(f"cannot read {file}: {error.strerror or error}") from None
    except tomllib.TOMLDecodeError as error:
        raise WrongProject(f"{file.name} is no TOML: {error}") from None
    if file.name == "pyproject.toml":
        tool = document.get("tool")
        inner = tool.get("handlerkit") if isinstance(tool, dict) else None
        if not isinstance(inner, dict):
            raise WrongProject(f"{file} has no table [tool.handlerkit]")
        return inner
    return document


def _inner(top: Properties, section: str, name: object, where: str) -> Properties:
    tables = Properties(top.mapping(section), f"[{section}] of {where}")
    inner = tables.inner(str(name))
    inner.where = f"[{section}.{name}] of {where}"
    return inner


def _function(name: str, given: Properties, resources: TomlResources, file: Path) -> ProjectFunction:
    options = {each: getattr(given, read)(each) for each, read in _OPTIONS.items() if each in given}
    if "tracing" in given:
        active = given.raw("tracing")
        options["tracing"] = ("Active" if active else "PassThrough") if isinstance(active, bool) else active
    code = (file.absolute().parent / (given.text("code") or ".")).resolve()
    if not code.is_dir():
        raise WrongProject(f"{given.where}: code {given.text('code')!r} is no folder (looked for {code})")
    dead_letters = given.text("dead_letter_queue")
    event_invoke = {
        "maximum_retry_attempts": given.number("retries"),
        "maximum_event_age_s": given.number("event_age_s"),
        "on_success": resources.destination(given, "on_success"),
        "on_failure": resources.destination(given, "on_failure"),
    }
    return ProjectFunction(
        name=name,
        logical=f"functions.{name}",
        handler=given.needed("handler"),
        code=code,
        where=given.where,
        environment=_environment(given, resources),
        options=options,
        dead_letter=hole(resources.queue(dead_letters, None), "Arn") if dead_letters else None,
        reserved_concurrency=given.number("reserved_concurrency"),
        event_invoke={key: value for key, value in event_invoke.items() if value is not None},
    )


def _environment(given: Properties, resources: TomlResources) -> dict[str, str]:
    variables = given.inner("environment")
    made = {}
    for name in variables.names():
        value = variables.raw(name)
        text = str(value).lower() if isinstance(value, bool) else (variables.text(name) or "")
        made[name] = _REFERENCE.sub(lambda found: _referred(found[1], variables.where, resources), text)
    return made


def _referred(reference: str, where: str, resources: TomlResources) -> str:
    section, _, rest = reference.partition(".")
    name, _, attribute = rest.rpartition(".")
    if section not in _HAS or not name:
        raise WrongProject(f"{where}: ${{{reference}}} leads nowhere: write such as ${{queues.orders.url}}")
    if attribute not in _HAS[section]:
        raise WrongProject(f"{where}: ${{{reference}}} has no {attribute}{nearest(attribute, _HAS[section])}")
    logical = resources.refer(section, name, f"{where}: ${{{reference}}}")
    return hole(logical, _ATTRIBUTES[attribute])

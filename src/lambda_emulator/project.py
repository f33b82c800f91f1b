"""What `handlerkit serve` serves: functions, their sources, the resources around them. Values only.

Texts may have holes for what only AWS knows, such as a queue's URL: `hole("Orders", "Arn")`. Whoever makes the
resources fills them (`project_resources`); the readers of templates and TOML files know no AWS.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from lambda_emulator.command_input import WrongInput
from lambda_emulator.http_route import HttpRoute

__all__ = [
    "PolledSource",
    "Project",
    "ProjectFront",
    "ProjectFunction",
    "Resource",
    "ResourceKind",
    "WrongProject",
    "fill",
    "hole",
    "holes",
    "nearest",
]

# Signs for private use, which no template means, and which JSON may hold as they are.
_OPEN, _BETWEEN, _CLOSE = "\ue000", "\ue001", "\ue002"
_HOLE = re.compile(f"{_OPEN}([^{_BETWEEN}]+){_BETWEEN}([^{_CLOSE}]+){_CLOSE}")

ResourceKind: TypeAlias = Literal[
    "queue", "topic", "stream", "table", "bucket", "bus", "subscription", "notification", "rule", "schedule"
]


class WrongProject(WrongInput):
    """The template or TOML file cannot be served; the message says where and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFunction:
    """What a `FunctionConfiguration` is made of, and the settings that stand beside one."""

    name: str
    handler: str
    code: Path
    where: str
    """For messages: `Resources.Orders of template.yaml`."""
    logical: str = ""
    """What templates call it; its name unless told."""
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further members of `FunctionConfiguration`."""
    dead_letter: str | None = None
    """ARN."""
    reserved_concurrency: int | None = None
    alias: str | None = None
    """Points to `$LATEST`, and is what its sources invoke."""
    event_invoke: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `LocalLambda.put_event_invoke_config`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something to make in AWS. `request` is in boto3's names; what it means depends on the kind."""

    kind: ResourceKind
    logical: str
    name: str
    request: Mapping[str, Any]
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledSource:
    """A queue or stream that a function polls."""

    function: str
    qualifier: str | None
    arn: str
    settings: Mapping[str, Any]
    """Arguments of `LocalLambda.create_event_source_mapping`."""
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFront:
    """HTTP routes that share a port."""

    title: str
    routes: tuple[HttpRoute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything that one file says."""

    file: Path
    functions: tuple[ProjectFunction, ...]
    resources: tuple[Resource, ...] = ()
    """Queues, topics, streams, tables, buckets, buses, in any order."""
    links: tuple[Resource, ...] = ()
    """Subscriptions, notifications, rules and schedules: they need the functions."""
    polled: tuple[PolledSource, ...] = ()
    fronts: tuple[ProjectFront, ...] = ()
    notes: tuple[str, ...] = ()
    """What is left out, and what to change; one line each."""
    stack: str = "local"
    constants: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What fills holes that no resource fills: by logical name and attribute."""


def hole(logical: str, attribute: str = "Ref") -> str:
    """A text that stands for an attribute of a resource."""
    return f"{_OPEN}{logical}{_BETWEEN}{attribute}{_CLOSE}"


def holes(value: Any) -> set[tuple[str, str]]:
    """All of a value, however deep.

    >>> sorted(holes({"a": ["x" + hole("Q", "Arn")], "b": 1}))
    [('Q', 'Arn')]
    """
    match value:
        case str():
            return set(_HOLE.findall(value))
        case Mapping():
            return set().union(*(holes(each) for pair in value.items() for each in pair))
        case list() | tuple():
            return set().union(*(holes(each) for each in value))
        case _:
            return set()


def fill(value: Any, lookup: Callable[[str, str], str]) -> Any:
    """The value with every hole filled.

    >>> fill(["url is " + hole("Q", "Url")], lambda logical, attribute: f"{logical}/{attribute}")
    ['url is Q/Url']
    """
    match value:
        case str():
            return _HOLE.sub(lambda found: lookup(found[1], found[2]), value)
        case Mapping():
            return {fill(name, lookup): fill(each, lookup) for name, each in value.items()}
        case list() | tuple():
            return [fill(each, lookup) for each in value]
        case _:
            return value


def nearest(name: object, known: Iterable[str]) -> str:
    """The end of a message about a name that there is not.

    >>> nearest("handlr", ["handler", "code"])
    ': did you mean handler?'
    >>> nearest("x", ["handler", "code"])
    ': there are code, handler'
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    if near:
        return f": did you mean {near[0]}?"
    return f": there are {', '.join(names)}" if names else ": there are none"

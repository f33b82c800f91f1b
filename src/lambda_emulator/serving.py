"""A project in operation: its functions in a `LocalLambda`, its sources, its HTTP fronts; and a change of it.

`apply` brings what runs to what a project says, whatever was there before. So a reload is the same as a start, and a
project that is refused midway is undone by applying the former one.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.cloudformation_values import ACCOUNT_ID, REGION
from lambda_emulator.errors import InvalidConfiguration, InvokeError
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.http_front import HttpFront
from lambda_emulator.pollers.event_source_mapping import EventSourceMapping
from lambda_emulator.project import PolledSource, Project, ProjectFront, ProjectFunction, Resource, WrongProject
from lambda_emulator.project_links import link_lines, links_without_functions
from lambda_emulator.project_resources import ProjectResources
from lambda_emulator.service import LocalLambda

__all__ = ["Serving"]

# What a mapping's setting is when it is not made; a setting without one is changed by making the mapping anew.
_MAPPING_DEFAULTS: Final[dict[str, Any]] = {
    "enabled": True,
    "maximum_batching_window_s": 0,
    "filters": [],
    "function_response_types": [],
}
_POSITIONS: Final = ("starting_position", "starting_position_timestamp")


@dataclass(slots=True)
class _Function:
    """One that runs."""

    described: ProjectFunction
    configuration: FunctionConfiguration


@dataclass(slots=True)
class _Mapping:
    """One that polls."""

    uuid: str
    settings: Mapping[str, Any]


@dataclass(slots=True)
class _Front:
    """One that listens."""

    front: HttpFront
    described: ProjectFront


class Serving:
    """Everything but the terminal. `report` gets what a user should know: refusals of fronts, what stays as it was."""

    def __init__(
        self,
        service: LocalLambda,
        aws: AwsClients | None,
        *,
        direct: bool,
        environment: Mapping[str, str],
        first_port: int,
        report: Callable[[str], object],
    ) -> None:
        """`direct`: that AWS invokes functions here. `environment` is of every function, `first_port` of the first
        front (0: free ones)."""
        self._service = service
        self._aws = aws
        self._direct = direct
        self._environment = dict(environment)
        self._first_port = first_port
        self._report = report
        self._resources = ProjectResources(aws)
        self._functions: dict[str, _Function] = {}
        self._mappings: dict[tuple[str, str | None, str], _Mapping] = {}
        self._fronts: dict[str, _Front] = {}
        self._ports: dict[str, int] = {}
        self._aliases: dict[str, set[str]] = {}
        self._event_invoke: dict[str, tuple[str | None, dict[str, Any]]] = {}
        self.project: Project | None = None

    def apply(self, project: Project) -> None:
        """Start it, or change what runs to it. Raises `WrongProject`, and what runs is as it was before."""
        before = self.project
        try:
            self._apply(project)
        except WrongProject:
            if before is not None:
                self._apply(before)
            raise
        self.project = project

    def code_changed(self, paths: Iterable[Path]) -> list[str]:
        """Begin anew with the functions that are loaded from there; their names. What runs runs to its end."""
        changed = set(paths)
        again = [
            each for each in self._functions.values()
            if any(path.is_relative_to(each.described.code) for path in changed)
        ]  # fmt: skip
        for each in again:
            self._service.update_function(each.configuration)
        return [each.described.name for each in again]

    @property
    def code_folders(self) -> set[Path]:
        """Where functions are loaded from."""
        return {each.described.code for each in self._functions.values()}

    @property
    def urls(self) -> dict[str, HttpFront]:
        """The fronts by title."""
        return {title: each.front for title, each in self._fronts.items()}

    @property
    def mappings(self) -> list[EventSourceMapping]:
        """As they stand."""
        return self._service.list_event_source_mappings()

    @property
    def links(self) -> list[str]:
        """What AWS hands to functions itself, a line each."""
        if self.project is None or self._aws is None:
            return []
        fill = self._resources.fill
        lines = (link_lines(link, fill(dict(link.request)), fill(link.name)) for link in self._links(self.project))
        return [line for each in lines for line in each]

    def address_of(self, arn: str) -> str:
        """Where a client sends to it: the URL of a queue."""
        return self._resources.address_of(arn)

    def failure_queues(self) -> dict[str, str]:
        """URLs by name."""
        return self._resources.queue_urls(self.project) if self.project and self._aws else {}

    def _apply(self, project: Project) -> None:
        self._resources.prepare(project, self._report)
        wanted = {each.name: self._configured(each) for each in project.functions}
        if len(wanted) < len(project.functions):
            names = [each.name for each in project.functions]
            twice = next(name for name in names if names.count(name) > 1)
            raise WrongProject(f"{project.file.name} has two functions of the name {twice}: rename one")
        for name in [each for each in self._functions if each not in wanted]:
            self._drop_mappings({name})
            self._service.delete_function(name)
            del self._functions[name]
            self._event_invoke.pop(name, None)
            self._aliases.pop(name, None)
        for name, function in wanted.items():
            self._put_function(name, function)
        for function in wanted.values():
            self._configure(function)
        self._map(project)
        self._resources.link(self._links(project))
        self._open(project)

    def _links(self, project: Project) -> list[Resource]:
        return list(project.links) if self._direct else links_without_functions(project.links)

    def _configured(self, function: ProjectFunction) -> _Function:
        try:
            configuration = FunctionConfiguration(
                name=function.name,
                handler=function.handler,
                task_root=function.code,
                environment={**self._environment, **self._resources.fill(dict(function.environment))},
                dead_letter_arn=self._resources.fill(function.dead_letter) if self._aws else None,
                **self._resources.fill(dict(function.options)),
            )
        except (InvalidConfiguration, TypeError) as error:
            raise WrongProject(f"{function.where}: {error}") from None
        return _Function(function, configuration)

    def _put_function(self, name: str, function: _Function) -> None:
        before = self._functions.get(name)
        if before is None:
            self._service.create_function(function.configuration)
        elif before.configuration != function.configuration:
            self._service.update_function(function.configuration)
        self._functions[name] = function

    def _configure(self, function: _Function) -> None:
        """What stands beside a configuration, once all functions are there."""
        described = function.described
        name = described.name
        config = self._resources.fill(dict(described.event_invoke))
        if self._aws is None:  # nothing but functions can be reached
            config = {key: value for key, value in config.items() if not str(value).startswith("arn:") or _calls(value)}
        try:
            self._service.put_function_concurrency(name, described.reserved_concurrency)
            if described.alias and described.alias not in self._aliases.setdefault(name, set()):
                self._service.create_alias(name, described.alias, "$LATEST")
                self._aliases[name].add(described.alias)
            key = (described.alias, config)
            before = self._event_invoke.get(name)
            if before == key:
                return
            if before is not None and before[1]:
                self._service.delete_event_invoke_config(name, qualifier=before[0])
            self._event_invoke.pop(name, None)
            if config:
                self._service.put_event_invoke_config(name, qualifier=described.alias, **config)
            self._event_invoke[name] = key
        except (InvokeError, InvalidConfiguration) as error:
            raise WrongProject(f"{described.where}: {error}") from None

    def _map(self, project: Project) -> None:
        if self._aws is None:
            return
        wanted: dict[tuple[str, str | None, str], tuple[PolledSource, Mapping[str, Any]]] = {}
        for source in project.polled:
            key = (source.function, source.qualifier, self._resources.fill(source.arn))
            wanted[key] = (source, self._resources.fill(dict(source.settings)))
        for key in [each for each in self._mappings if each not in wanted]:
            self._service.delete_event_source_mapping(self._mappings.pop(key).uuid)
        for key, (source, settings) in wanted.items():
            try:
                self._put_mapping(key, settings)
            except InvokeError as error:
                raise WrongProject(f"{source.where}: {error.message}") from None

    def _put_mapping(self, key: tuple[str, str | None, str], settings: Mapping[str, Any]) -> None:
        before = self._mappings.get(key)
        if before is not None and before.settings == settings:
            return
        function, qualifier, arn = key
        if before is not None:
            gone = before.settings.keys() - settings.keys()
            if gone <= _MAPPING_DEFAULTS.keys() and _positions(before.settings) == _positions(settings):
                changes = {name: value for name, value in settings.items() if name not in _POSITIONS}
                defaults = {name: _MAPPING_DEFAULTS[name] for name in gone}
                self._service.update_event_source_mapping(before.uuid, **defaults, **changes)
                before.settings = settings
                return
            self._service.delete_event_source_mapping(self._mappings.pop(key).uuid)
        name = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{function}:{qualifier}" if qualifier else function
        made = self._service.create_event_source_mapping(name, arn, **settings)
        self._mappings[key] = _Mapping(made.uuid, settings)

    def _drop_mappings(self, functions: set[str]) -> None:
        for key in [each for each in self._mappings if each[0] in functions]:
            self._service.delete_event_source_mapping(self._mappings.pop(key).uuid)

    def _open(self, project: Project) -> None:
        wanted = {front.title: front for front in project.fronts}
        for title, running in list(self._fronts.items()):
            if wanted.get(title) != running.described:
                running.front.close()
                del self._fronts[title]
        for title, described in wanted.items():
            if title not in self._fronts:
                self._fronts[title] = _Front(self._listening(title, described), described)

    def _listening(self, title: str, described: ProjectFront) -> HttpFront:
        if title not in self._ports:
            self._ports[title] = self._first_port + len(self._ports) if self._first_port else 0
        port = self._ports[title]
        front = HttpFront(
            self._service, described.routes, port=port, report=lambda line: self._report(f"{title}: {line}")
        )
        try:
            url = front.start()
        except (OSError, OverflowError) as error:
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            raise WrongProject(f"port {port} for {title} cannot be used ({reason}): choose others by --port") from None
        self._ports[title] = int(url.rpartition(":")[2])  # the same again after a reload
        return front


def _calls(arn: str) -> bool:
    return arn.split(":")[2] == "lambda"


def _positions(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in _POSITIONS if name in settings}

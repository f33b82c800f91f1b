"""What the options of `handlerkit serve` mean together, and which project they name. Read, or refused in one line."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lambda_emulator.command_input import WrongInput
from lambda_emulator.project import Project
from lambda_emulator.project_toml import has_project_table, read_toml_project

__all__ = ["DEFAULT_PORT", "ServeOptions", "find_project", "parse_parameters", "read_project"]

DEFAULT_PORT: Final = 3001
"""Where `sam local start-lambda` listens, which some scripts know."""
_TEMPLATES: Final = ("template.yaml", "template.yml", "template.json")
_CONFIG: Final = "handlerkit.toml"
_PYPROJECT: Final = "pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Checked together. Raises `WrongInput`."""

    file: Path
    parameters: dict[str, str] = field(default_factory=dict)
    port: int = DEFAULT_PORT
    endpoint_url: str | None = None
    aws: bool = True
    speed: float = 1.0
    reload: bool = True
    plain: bool = False

    def __post_init__(self) -> None:
        if self.endpoint_url is not None and not self.aws:
            raise WrongInput("--endpoint-url and --no-aws exclude each other: leave one of them out")
        if self.endpoint_url is not None and not self.endpoint_url.startswith(("http://", "https://")):
            raise WrongInput(f"--endpoint-url {self.endpoint_url} is no URL: it begins with http:// or https://")
        if not 0 <= self.port <= 65_000:
            raise WrongInput(f"--port {self.port} is not possible: use 1 to 65000, or 0 for free ones")
        if not 0 < self.speed <= 1_000_000:
            raise WrongInput(f"--speed {self.speed:g} is not possible: use a number above 0, such as 60")
        if self.parameters and self.is_toml:
            raise WrongInput(f"--parameter is for templates, and {self.file.name} is none")

    @property
    def is_toml(self) -> bool:
        """No template."""
        return self.file.suffix == ".toml"

    @property
    def embedded(self) -> bool:
        """AWS is in this process."""
        return self.aws and self.endpoint_url is None


def find_project(config: Path | None, template: Path | None, folder: Path) -> Path:
    """The one file that is meant, absolute. Raises `WrongInput`."""
    if config is not None and template is not None:
        raise WrongInput("--config and --template exclude each other: leave one of them out")
    given = config or template
    if given is not None:
        if not given.is_file():
            raise WrongInput(f"there is no file {given}")
        if (given.suffix == ".toml") != (config is not None):
            option, kind = ("--config", "a TOML file") if config else ("--template", "a template in YAML or JSON")
            raise WrongInput(f"{option} takes {kind}, and {given} is none")
        return given.absolute()
    names = [name for name in (*_TEMPLATES, _CONFIG) if (folder / name).is_file()]
    if has_project_table(folder / _PYPROJECT):
        names.append(_PYPROJECT)
    if len(names) > 1:
        raise WrongInput(f"there are {' and '.join(names)}: say which one by --template or --config")
    if not names:
        raise WrongInput(
            f"there is nothing to serve in {folder}: write a {_CONFIG}, or name a template by --template FILE"
        )
    return (folder / names[0]).absolute()


def parse_parameters(assignments: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` options as a dict."""
    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise WrongInput(f"--parameter {assignment!r} is no assignment: write --parameter NAME=VALUE")
        values[name] = value
    return values


def read_project(options: ServeOptions) -> Project:
    """As it stands in the file now. Raises `WrongProject`."""
    if options.is_toml:
        return read_toml_project(options.file)
    try:
        from lambda_emulator.sam_template import read_sam_template  # late: needs pyyaml
    except ImportError as error:
        raise WrongInput(f"{error.name} is not installed: install handlerkit[emulator] to read templates") from None
    try:
        return read_sam_template(options.file, options.parameters)
    except ImportError as error:
        raise WrongInput(f"{error.name} is not installed: install handlerkit[emulator] to read templates") from None

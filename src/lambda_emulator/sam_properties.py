"""What the readers of SAM resources share: a resource's part of the template, and typed looks at its properties."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambda_emulator.cloudformation_values import Values
from lambda_emulator.project import WrongProject, nearest

__all__ = ["Part", "Properties", "TemplateReading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One resource, worked out."""

    logical: str
    type: str
    properties: Mapping[str, Any]
    where: str
    ignored_globals: tuple[str, ...] = ()
    """Properties that it does not take from the Globals; `*` for all."""


@dataclass(slots=True, kw_only=True)
class TemplateReading:
    """One reading of one template."""

    file: Path
    values: Values
    stack: str
    globals: Mapping[str, Any]
    apis: dict[str, Part] = field(default_factory=dict)
    """The APIs that the template declares, by logical name."""
    notes: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        """Something is left out; each line once."""
        if line not in self.notes:
            self.notes.append(line)


class Properties:
    """Names with values: read by type, and refused where they are something else."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = values
        self.where = where

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def only(self, known: Iterable[str], ignored: Iterable[str] = ()) -> "Properties":
        """Refuse every other name."""
        names = {*known, *ignored}
        for name in self._values:
            if name not in names:
                raise WrongProject(f"{self.where} has no property {name}{nearest(name, names)}")
        return self

    def raw(self, name: str) -> Any:
        """As it is; None if it is not there."""
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        """A text; numbers are written as such."""
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise self._wrong(name, value, "a text")

    def needed(self, name: str) -> str:
        """A text that has to be there."""
        value = self.text(name)
        if not value:
            raise WrongProject(f"{self.where} needs a {name}")
        return value

    def number(self, name: str) -> int | None:
        """A whole number, also written as a text."""
        value = self._values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, str) and value.strip().lstrip("-").isdigit():
            return int(value)
        raise self._wrong(name, value, "a whole number")

    def truth(self, name: str, *, default: bool = False) -> bool:
        """True or false, also written as a text."""
        value = self._values.get(name)
        match value:
            case None:
                return default
            case bool():
                return value
            case "true" | "True":
                return True
            case "false" | "False":
                return False
        raise self._wrong(name, value, "true or false")

    def inner(self, name: str) -> "Properties":
        """Names with values inside; empty if they are not there."""
        value = self._values.get(name)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise self._wrong(name, value, "names with values")
        return Properties(value, f"{self.where}: {name}")

    def mapping(self, name: str) -> Mapping[str, Any]:
        """The same, as they are."""
        return self.inner(name)._values

    def list(self, name: str) -> list[Any]:
        """A list; one value is a list of one."""
        value = self._values.get(name)
        if value is None:
            return []
        return list(value) if isinstance(value, list) else [value]

    def names(self) -> Iterable[str]:
        """What is there."""
        return self._values.keys()

    def _wrong(self, name: str, value: Any, wanted: str) -> WrongProject:
        return WrongProject(f"{self.where}: {name} has to be {wanted}, not {value!r:.60}")

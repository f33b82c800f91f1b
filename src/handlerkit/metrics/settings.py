"""What the environment and `configure` say about metrics. The environment is read here and nowhere else, once."""

from __future__ import annotations

from handlerkit.environ import service_name, switch_of

from .checks import dimension_name, dimension_value, namespace_name

__all__ = ["Settings"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

OPTIONS = ("namespace", "service", "dimensions", "cold_start", "enabled", "stream")


class Settings:
    """All of them with their defaults; see `configure`. A wrong variable counts as unset and is in `complaints`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        get = environ.get
        self.complaints: list[str] = []
        self.function_name = get("AWS_LAMBDA_FUNCTION_NAME") or None
        self.service: str = service_name(environ) or "function"
        self.namespace: str | None = None
        try:
            self.namespace = namespace_name(get("HANDLERKIT_METRICS_NAMESPACE") or self.service)
        except ValueError as error:
            self.complaints.append(f"HANDLERKIT_METRICS_NAMESPACE is ignored: {error}")
        self.dimensions: dict[str, str] | None = None
        self.cold_start = self._switch("HANDLERKIT_METRICS_COLD_START", get)
        self.enabled = not self._switch("HANDLERKIT_METRICS_DISABLED", get)
        self.stream: Any = None

    def change(self, given: Mapping[str, Any]) -> None:
        """Take `configure`'s arguments. Raises `TypeError` for an unknown one, `ValueError` for a wrong value."""
        for name in given:
            if name not in OPTIONS:
                from difflib import get_close_matches  # late: only on the way to an error

                near = get_close_matches(name, OPTIONS, 1)
                raise TypeError(f"no option {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        checked = dict(given)
        if "namespace" in checked:
            checked["namespace"] = namespace_name(checked["namespace"])
        if checked.get("dimensions") is not None:
            checked["dimensions"] = checked_dimensions(checked["dimensions"])
        for name, value in checked.items():
            setattr(self, name, value)

    def _switch(self, name: str, get: Callable[[str], str | None]) -> bool:
        text = get(name)
        if not text or text.isspace():
            return False
        try:
            return switch_of(text)
        except ValueError as error:
            self.complaints.append(f"{name} is ignored: {error}")
            return False

    @property
    def effective_namespace(self) -> str:
        """The one that metrics go to by default; there is always one, so that no metric is lost for want of it."""
        return self.namespace or "handlerkit"

    @property
    def effective_dimensions(self) -> dict[str, str]:
        """The dimension set that metrics have by default."""
        if self.dimensions is not None:
            return self.dimensions
        return {"service": dimension_value(self.service)}


def checked_dimensions(given: Mapping[str, Any]) -> dict[str, str]:
    """Dimensions with values as CloudWatch takes them. Raises `TypeError` and `ValueError` for their names."""
    return {dimension_name(name): dimension_value(value) for name, value in given.items()}

"""What the environment and `configure` say about logs. The environment is read here and nowhere else, once.

A variable with a value that means nothing counts as unset and is told of in the log: a function must not fail to start
for it. A wrong argument of `configure` raises.
"""

from __future__ import annotations

from handlerkit.environ import service_name

from .keys import HANDLERKIT, POWERTOOLS, Keys
from .levels import INFO, level_of

__all__ = ["DEFAULT_SECRETS", "Settings"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

# Matched with keys in snake case: accessToken, Access-Token and ACCESS_TOKEN are all access_token.
DEFAULT_SECRETS = (
    "*password*",
    "*passwd*",
    "pwd",
    "*secret",
    "*secret_key",
    "*secret_access_key",
    "*client_secret*",
    "*token",
    "*authorization",
    "*api_key",
    "*apikey",
    "*credential",
    "*credentials",
    "*private_key",
    "*access_key",
    "*access_key_id",
    "cookie",
    "set_cookie",
)
# CloudWatch Logs took 262,144 bytes an event until April 2025 and takes 1 MB since; the old limit is safe anywhere.
MAX_LINE_BYTES = 262_144
OPTIONS = (
    "level",
    "format",
    "keys",
    "service",
    "redact",
    "sample_rate",
    "debug_buffer_bytes",
    "max_line_bytes",
    "correlation_id",
    "fields",
    "stream",
    "stdlib",
)


class Settings:
    """All of them with their defaults; see `configure`. `complaints` are sentences about variables without meaning."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        get = environ.get
        self.complaints: list[str] = []
        self.platform_level = self._read("AWS_LAMBDA_LOG_LEVEL", get, level_of)
        own_level = self._read("HANDLERKIT_LOG_LEVEL", get, level_of)
        self.level: int = INFO if own_level is None else own_level
        self.level_is_given = own_level is not None
        self.format: str = self._read("HANDLERKIT_LOG_FORMAT", get, format_of) or _platform_format(get)
        self.keys: Keys = self._read("HANDLERKIT_LOG_KEYS", get, keys_of) or HANDLERKIT
        self.redact: tuple[str, ...] = DEFAULT_SECRETS
        self.sample_rate: float = self._read("HANDLERKIT_LOG_SAMPLE_RATE", get, rate_of) or 0.0
        self.debug_buffer_bytes: int = self._read("HANDLERKIT_LOG_DEBUG_BUFFER_BYTES", get, bytes_of) or 0
        self.max_line_bytes = MAX_LINE_BYTES
        self.correlation_id: Callable[[Any], Any] | None = None
        self.fields: dict[str, Any] = {}
        self.shown_fields: dict[str, Any] = {}
        """The same without secrets; whoever knows these fills it in."""
        self.stream: Any = None
        self.stdlib = True
        self.function_name = get("AWS_LAMBDA_FUNCTION_NAME") or None
        self.service: str | None = service_name(environ)
        self.function_version = get("AWS_LAMBDA_FUNCTION_VERSION") or None
        self.memory_mb = _number(get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
        self.no_color = bool(get("NO_COLOR"))

    def change(self, given: Mapping[str, Any]) -> None:
        """Take `configure`'s arguments. Raises `TypeError` for an unknown one, `ValueError` for a wrong value."""
        for name in given:
            if name not in OPTIONS:
                from difflib import get_close_matches  # late: only on the way to an error

                near = get_close_matches(name, OPTIONS, 1)
                raise TypeError(f"no option {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        checked = {name: _CHECKS[name](value) if name in _CHECKS else value for name, value in given.items()}
        if isinstance(given.get("keys"), dict):
            checked["keys"] = self.keys.renamed(given["keys"])
        if "level" in checked:
            self.level_is_given = True
        for name, value in checked.items():
            setattr(self, name, value)

    @property
    def effective_level(self) -> int:
        """What the operator set on the function goes before what the code says."""
        return self.level if self.platform_level is None else self.platform_level

    def _read(self, name: str, get: Callable[[str], str | None], meaning: Callable[[str], Any]) -> Any:
        text = get(name)
        if not text:
            return None
        try:
            return meaning(text)
        except ValueError as error:
            self.complaints.append(f"{name} is ignored: {error}")
            return None


def _platform_format(get: Callable[[str], str | None]) -> str:
    return "text" if (get("AWS_LAMBDA_LOG_FORMAT") or "").lower() == "text" else "auto"


def format_of(text: str) -> str:
    """One of `json`, `text`, `console`, `auto`."""
    known = ("json", "text", "console", "auto")
    if str(text).lower() not in known:
        raise ValueError(f"{text!r} is no format: use {', '.join(known)}")
    return text.lower()


def keys_of(which: Any) -> Keys:
    """The keys by the name of the set they belong to."""
    if isinstance(which, Keys):
        return which
    known = {"handlerkit": HANDLERKIT, "powertools": POWERTOOLS}
    if str(which).lower() not in known:
        raise ValueError(f"{which!r} names no keys: use {', '.join(known)}, or a dict of fields and names")
    return known[which.lower()]


def rate_of(value: Any) -> float:
    """A share from 0 to 1."""
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ValueError(f"{value!r} is no share from 0 to 1")
    return rate


def bytes_of(value: Any) -> int:
    """A count of bytes."""
    try:
        count = int(value)
    except (TypeError, ValueError):
        count = -1
    if count < 0:
        raise ValueError(f"{value!r} is no count of bytes")
    return count


def _line_bytes(value: Any) -> int:
    if bytes_of(value) < 1_024:
        raise ValueError(f"max_line_bytes={value!r}: a line needs 1024 at least")
    return int(value)


def _patterns(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise TypeError("redact is a list of patterns, as in [*logs.DEFAULT_SECRETS, 'iban']")
    return tuple(value)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "level": level_of,
    "format": format_of,
    "keys": lambda value: value if isinstance(value, dict) else keys_of(value),
    "redact": _patterns,
    "sample_rate": rate_of,
    "debug_buffer_bytes": bytes_of,
    "max_line_bytes": _line_bytes,
    "fields": dict,
}

"""What the lines of one invocation share: its fields, whether it was drawn to log everything, its debug lines.

**The invocation hook.** Where no decorator of ours is around, a runtime may still say whose a line is: by a method
`__lambda_invocation__()` of the standard output that the process began with. It returns an object with `request_id`,
`function_arn`, `trace_id` (the whole header) and `tenant_id`, each text or None, or None in code of no invocation.
"""

from __future__ import annotations

import os
import sys

from handlerkit.tolerant_json import encode, plain

from .correlation import correlation_id_of
from .levels import DEBUG

__all__ = ["DebugBuffer", "InvocationLog", "process_fields", "runtimes_invocation", "trace_id"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from handlerkit.scope import Scope

    from .keys import Keys
    from .redaction import Redaction
    from .settings import Settings


class InvocationLog:
    """Made with the first line of an invocation. `text` is its fields as a piece of JSON that begins with a comma.

    `is_settled` is False where the event had not been read by then, and may still say a correlation id. `invocation` is
    the runtime's, where there is no scope.
    """

    __slots__ = ("_keys", "_redaction", "buffer", "fields", "is_sampled", "is_settled", "text")

    def __init__(
        self, scope: Scope | None, settings: Settings, redaction: Redaction, is_sampled: bool, invocation: Any = None
    ) -> None:
        self._keys = settings.keys
        self._redaction = redaction
        self.is_sampled = is_sampled
        self.read(scope, settings, invocation)
        keeps = scope is not None and settings.debug_buffer_bytes and not is_sampled
        self.buffer = DebugBuffer(settings.debug_buffer_bytes) if keeps else None

    def read(self, scope: Scope | None, settings: Settings, invocation: Any = None) -> None:
        """Take the fields from what is known by now."""
        self.fields = process_fields(settings)
        if scope is not None:
            self.fields |= invocation_fields(scope, settings)
        elif invocation is not None:
            self.fields |= runtimes_fields(invocation)
        self.text = self.text_of(self.fields)
        self.is_settled = scope is None or scope.event is not None

    def text_of(self, fields: dict[str, Any]) -> str:
        """Fields as a piece of JSON without secrets, under the names that they have in a line."""
        # Only the correlation id may be anything: what `configure` has brought is without secrets already.
        if self._redaction.hides_fields or type(fields.get("correlation_id", "")) is not str:
            fields = plain(fields, self._redaction.is_secret)
        return json_piece(named(fields, self._keys))


class DebugBuffer:
    """Lines that are written if the invocation fails; the oldest go when there are too many bytes of them."""

    __slots__ = ("_bytes", "_lines", "_max_bytes", "_process", "dropped")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lines: list[tuple[str, int]] = []
        self._bytes = 0
        self._process = os.getpid()
        self.dropped = 0

    def add(self, text: str, level: int) -> None:
        """Keep a line, whatever has to go for it; one that is larger than all the room is dropped itself."""
        self._lines.append((text, level))
        self._bytes += len(text)
        while self._bytes > self._max_bytes and self._lines:
            try:
                self._bytes -= len(self._lines.pop(0)[0])
            except IndexError:  # another thread was faster
                break
            self.dropped += 1

    def flush(self, write: Callable[[str, int], object]) -> None:
        """Write what is kept, once. A forked child writes nothing: the lines are its parent's."""
        lines, self._lines, self._bytes = self._lines, [], 0
        if os.getpid() == self._process:
            for text, level in lines:
                write(text, level)


def process_fields(settings: Settings) -> dict[str, Any]:
    """What is the same for all invocations."""
    fields = {
        "service": settings.service,
        "function_name": settings.function_name,
        "function_version": settings.function_version,
        "function_memory_mb": settings.memory_mb,
        **settings.shown_fields,
    }
    return {name: value for name, value in fields.items() if value is not None}


def invocation_fields(scope: Scope, settings: Settings) -> dict[str, Any]:
    """What the runtime's context and the event say."""
    context = scope.context
    fields: dict[str, Any] = {
        "function_name": getattr(context, "function_name", None),
        "function_version": getattr(context, "function_version", None),
        "function_memory_mb": _number(getattr(context, "memory_limit_in_mb", None)),
        "function_arn": getattr(context, "invoked_function_arn", None),
        "request_id": getattr(context, "aws_request_id", None),
        "cold_start": scope.is_cold_start,
        "trace_id": trace_id(scope.trace_header),
        "tenant_id": getattr(context, "tenant_id", None),
        "correlation_id": _correlation_id(scope.event, settings),
    }
    return {name: value for name, value in fields.items() if value is not None}


def runtimes_invocation() -> Any:
    """The invocation that the runtime says the calling code belongs to; None where there is none, or nobody says."""
    hook = getattr(sys.__stdout__, "__lambda_invocation__", None)
    return None if hook is None else hook()


def runtimes_fields(invocation: Any) -> dict[str, Any]:
    """What the runtime says of its invocation; whether it is the first is not in it."""
    fields = {
        "function_arn": getattr(invocation, "function_arn", None),
        "request_id": invocation.request_id,
        "trace_id": trace_id(getattr(invocation, "trace_id", None) or ""),
        "tenant_id": getattr(invocation, "tenant_id", None),
    }
    return {name: value for name, value in fields.items() if value is not None}


def trace_id(header: str) -> str | None:
    """The root in an X-Ray header.

    >>> trace_id("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    '1-5759e988-bd862e3fe1be46a994272793'
    """
    start = header.find("Root=")
    if start < 0:
        return None
    end = header.find(";", start)
    return header[start + 5 : end if end >= 0 else len(header)] or None


def named(fields: dict[str, Any], keys: Keys) -> dict[str, Any]:
    """Fields under the names that they have in a line; what `configure(fields=...)` brings keeps its own."""
    found: dict[str, Any] = {}
    for field, value in fields.items():
        name = keys.by_field.get(field, field)
        if name:
            found[name] = value
    return found


def json_piece(values: dict[str, Any]) -> str:
    """`,"a":1` for `{"a": 1}`."""
    if not values:
        return ""
    try:
        return "," + encode(values)[1:-1]
    except (TypeError, ValueError, RecursionError):
        return "," + encode(plain(values))[1:-1]


def draws(rate: float) -> bool:
    """True in that share of the calls; from the system's random numbers, which clones of a snapshot do not share."""
    return rate > 0 and int.from_bytes(os.urandom(4), "big") < rate * 2**32


def opened(scope: Scope, settings: Settings, redaction: Redaction, level: int) -> InvocationLog:
    """The log of an invocation that writes its first line."""
    return InvocationLog(scope, settings, redaction, level > DEBUG and draws(settings.sample_rate))


def _correlation_id(event: Any, settings: Settings) -> Any:
    if event is None:
        return None
    if settings.correlation_id is None:
        return correlation_id_of(event)
    try:
        whole = getattr(event, "whole_event", None)  # of a batch that is parsed in portions
        return plain(settings.correlation_id(event if whole is None else whole()))
    except Exception:  # noqa: BLE001  # the user's own; a line must not be lost for it
        return None


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value

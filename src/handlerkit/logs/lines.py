"""From an event and its values to a line: the one way that all lines take, whoever wrote them.

What is ordinary goes the fast way: a text and values of JSON's own types under harmless keys, put together from
pieces that are JSON already. All the rest goes the careful way, which takes anything. Nothing here raises.
"""

from __future__ import annotations

import sys
import time

from handlerkit.log_output import LineOutput
from handlerkit.scope import current
from handlerkit.tolerant_json import REDACTED, SCALARS, encode, is_plain, plain, quote, text_of

from .context import present
from .invocation import InvocationLog, named, opened, runtimes_invocation
from .levels import DEBUG, WARNING, rounded
from .redaction import Redaction

__all__ = ["Lines"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from handlerkit.scope import Scope

    from .context import Bound
    from .settings import Settings

ARGUMENTS = ("exc_info", "stack_info", "stacklevel")
"""Keywords of a call that are no values."""
MAX_KNOWN_KEYS = 4_096
MAX_FAST_DEPTH = 8
"""A structure that contains itself is never plain."""


class Lines:
    """The lines of one process. `floor` is the level below which nobody wants any."""

    def __init__(self, settings: Settings) -> None:
        self.contextvars: Callable[[], dict[str, Any]] | None = None
        """structlog's own context, once somebody has imported that."""
        self.apply(settings)

    def apply(self, settings: Settings) -> None:
        """Take new settings from here on."""
        keys = settings.keys
        self._second: tuple[int, str] = (-1, "")
        self.settings = settings
        self._key = object()
        """Under which an invocation keeps its log; settings that change in its midst mean another one."""
        self.output = LineOutput(settings.stream)
        self.level = settings.effective_level
        lowers = settings.sample_rate > 0 or settings.debug_buffer_bytes > 0
        self.floor = min(self.level, DEBUG) if lowers else self.level
        self.redaction = Redaction(settings.redact)
        settings.shown_fields = plain(settings.fields, self.redaction.is_secret)
        self._outside = InvocationLog(None, settings, self.redaction, False)
        self._undecorated: tuple[str, InvocationLog] = ("", self._outside)
        names = {name for name in keys.by_field.values() if name}
        self._own = frozenset(keys[field] for field in ("timestamp", "level", "event", "exception", "stack"))
        self._careful_keys = names | {"event", *ARGUMENTS, *settings.fields}
        self._plain_keys: set[str] = set()
        self._tags: dict[str | None, str] = {}
        self._start = f'{{"{keys["timestamp"]}":"'
        self._heads = {
            level: f'Z","{keys["level"]}":"{name}","{keys["event"]}":' for level, name in keys.levels.items()
        }
        self._rendered = self._renderer()
        self._is_fast = self._rendered is None and keys["location"] is None

    def log(self, level: int, name: str | None, event: Any, args: tuple[Any, ...], values: dict[str, Any]) -> None:
        """Write one event, if its level is wanted where it happens.

        Called by what the program calls, and by nothing further down: a location is looked for one frame up.
        """
        scope = current.get()
        log = self._log_without_scope() if scope is None else self._log_of(scope)
        if level < self.level and not log.is_sampled and log.buffer is None:
            return
        bound = present(scope)
        fields = log.text
        if bound is not None:
            if bound.values:
                values = {**bound.values, **values}
            if bound.fields or bound.record is not None:
                fields = bound.text(log)
        if self.contextvars is not None:
            values = {**self.contextvars(), **values}
        try:
            text = None
            if self._is_fast and not args and type(event) is str and self._plain_keys.issuperset(values):
                text = self._fast(level, name, event, fields, values)
            if text is None:
                text = self._careful(level, name, event, args, values, log, bound)
        except Exception as error:  # noqa: BLE001  # a line is never lost, and never raises
            text = self._last_resort(level, event, error)
        self._send(text, level, log)

    def text(
        self,
        level: int,
        name: str | None,
        event: Any,
        values: dict[str, Any],
        *,
        error: BaseException | None = None,
        location: str | None = None,
        request_id: str | None = None,
    ) -> str:
        """The line of an event whose level is wanted, without writing it; for records of others.

        `request_id` is the invocation's that a record was made in, where it may be formatted in another; empty where
        it was made in none.
        """
        try:
            scope = current.get()
            if scope is not None and request_id and getattr(scope.context, "aws_request_id", request_id) != request_id:
                scope = None
            log = self._log_without_scope(request_id) if scope is None else self._log_of(scope)
            bound = present(scope)
            if bound is not None and bound.values:
                values = {**bound.values, **values}
            if error is not None:
                values = {**values, "exc_info": error}
            own = {} if scope is not None or not request_id else {"request_id": request_id}
            return self._careful(level, name, event, (), values, log, bound, own, location)
        except Exception as trouble:  # noqa: BLE001  # as above
            return self._last_resort(level, event, trouble)

    def _log_without_scope(self, request_id: str | None = None) -> InvocationLog:
        """That of the runtime's invocation, if it says one, and if a record that tells its own tells the same."""
        invocation = runtimes_invocation()
        if invocation is None or (request_id is not None and invocation.request_id != request_id):
            return self._outside
        known = self._undecorated
        if known[0] != invocation.request_id:
            log = InvocationLog(None, self.settings, self.redaction, False, invocation)
            known = self._undecorated = (invocation.request_id, log)
        return known[1]

    def _log_of(self, scope: Scope) -> InvocationLog:
        found: InvocationLog | None = scope.values.get(self._key)
        return found if found is not None and found.is_settled else self._opened(scope, found)

    def _opened(self, scope: Scope, found: InvocationLog | None) -> InvocationLog:
        if found is not None:
            if scope.event is not None:  # it has been read since, and may say a correlation id
                found.read(scope, self.settings)
            return found
        log: InvocationLog = opened(scope, self.settings, self.redaction, self.level)
        if scope.has_ended:
            log.buffer = None
        elif log.buffer is not None:
            scope.at_end(lambda scope: self._ended(scope, log))
        scope.values[self._key] = log
        return log

    def _ended(self, scope: Scope, log: InvocationLog) -> None:
        buffer, log.buffer = log.buffer, None  # what a thread writes later is not kept for anyone
        if buffer is None or (scope.error is None and not scope.has_failures):
            return
        if buffer.dropped:
            text = self._careful(
                WARNING,
                "handlerkit.logs",
                "debug lines dropped: the buffer was full",
                (),
                {"dropped": buffer.dropped},
                log,
                None,
            )
            self.output.write(text, WARNING)
        buffer.flush(self.output.write)

    def _send(self, text: str, level: int, log: InvocationLog) -> None:
        if level < self.level and not log.is_sampled:
            buffer = log.buffer
            if buffer is not None:
                buffer.add(text, level)
            return
        self.output.write(text, level)

    def _fast(self, level: int, name: str | None, event: str, fields: str, values: dict[str, Any]) -> str | None:
        head, tag = self._heads.get(level), self._tags.get(name)
        if tag is None:
            tag = self._tag(name)
        if head is None:
            return None
        if not SCALARS.issuperset(map(type, values.values())):
            harmless = self.redaction.harmless
            for value in values.values():
                if not is_plain(value, harmless, MAX_FAST_DEPTH):
                    return None
        rest = ""
        if values:
            try:
                rest = "," + encode(values)[1:-1]
            except ValueError:  # NaN, or an integer of thousands of digits
                return None
        text = f"{self._start}{self._stamp()}{head}{quote(event)}{tag}{fields}{rest}}}"
        return text if len(text) * 4 <= self.settings.max_line_bytes else None

    def _tag(self, name: str | None) -> str:
        """A logger's name as a piece of a line."""
        key = self.settings.keys["logger"]
        tag = f",{quote(key)}:{quote(name)}" if key and name else ""
        if len(self._tags) < MAX_KNOWN_KEYS:
            self._tags[name] = tag
        return tag

    def _stamp(self) -> str:
        """Now in UTC with milliseconds, without the zone."""
        second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        known = self._second
        if known[0] != second:
            known = self._second = (second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)))
        return f"{known[1]}.{nanoseconds // 1_000_000:03d}"

    def _careful(
        self,
        level: int,
        name: str | None,
        event: Any,
        args: tuple[Any, ...],
        values: dict[str, Any],
        log: InvocationLog,
        bound: Bound | None,
        own_fields: dict[str, Any] | None = None,
        location: str | None = None,
    ) -> str:
        settings, keys = self.settings, self.settings.keys
        values = dict(values)
        exc_info, stack_info = values.pop("exc_info", None), values.pop("stack_info", None)
        values.pop("stacklevel", None)
        if event is None and "event" in values:
            event = values.pop("event")
        line: dict[str, Any] = {
            _name(keys["timestamp"]): self._stamp() + "Z",
            _name(keys["level"]): keys.levels[rounded(level)],
            _name(keys["event"]): plain(_formatted(event, args, values), self.redaction.is_secret),
        }
        if keys["logger"] and name:
            line[_name(keys["logger"])] = plain(name)
        if keys["location"]:
            line[_name(keys["location"])] = location or _caller(4)
        fields = {**log.fields, **(own_fields or {})}
        if bound is not None:
            fields |= bound.all_fields()
        line |= named(plain(fields, self.redaction.is_secret), keys)
        self._add(line, values)
        if exc_info:
            self._add_exception(line, exc_info)
        if stack_info and keys["stack"]:
            from .exceptions import stack_here  # late: only where asked for

            line[_name(keys["stack"])] = stack_here(4) if stack_info is True else plain(stack_info)
        if self._rendered is not None:
            return self._rendered(line, settings)
        text = encode(line)
        if len(text) * 4 > settings.max_line_bytes:
            from .shortening import shortened  # late: lines are seldom that long

            return shortened(line, text, settings.max_line_bytes)
        return text

    def _add(self, line: dict[str, Any], values: dict[str, Any]) -> None:
        """Put the caller's values into the line. They replace fields of the invocation; what is the line's own keeps
        its name, and the value gets another."""
        is_secret = self.redaction.is_secret
        for key, value in values.items():
            name = key if type(key) is str else text_of(key)
            if is_secret(name):
                line[name] = REDACTED
                continue
            if name in self._own:
                while name in line or name in self._own:
                    name += "_"
            elif name not in self._careful_keys and len(self._plain_keys) < MAX_KNOWN_KEYS:
                self._plain_keys.add(name)
            line[name] = plain(value, is_secret)

    def _add_exception(self, line: dict[str, Any], exc_info: Any) -> None:
        from . import exceptions  # late: only where there is one

        error = exceptions.exception_of(exc_info)
        if error is None:
            return
        key = _name(self.settings.keys["exception"])
        if not self.settings.keys.flat_exceptions:
            line[key] = exceptions.structured(error)
            return
        fields = exceptions.flat(error)
        line[key] = fields.pop("exception")
        line |= fields

    def _last_resort(self, level: int, event: Any, error: Exception) -> str:
        keys = self.settings.keys
        return encode(
            {
                _name(keys["timestamp"]): self._stamp() + "Z",
                _name(keys["level"]): keys.levels[rounded(level)],
                _name(keys["event"]): text_of(event)[:10_000],
                "logging_error": f"{type(error).__name__}: {text_of(error)}"[:1_000],
            }
        )

    def _renderer(self) -> Callable[[dict[str, Any], Settings], str] | None:
        """What makes text of a line, or None for JSON."""
        wanted = self.settings.format
        if wanted == "json" or (wanted == "auto" and not _is_terminal(self.output.stream)):
            return None
        from . import text  # late: on a terminal, or where asked for

        return text.lambda_text if wanted == "text" else text.console_text


def _formatted(event: Any, args: tuple[Any, ...], values: dict[str, Any]) -> Any:
    """The event with its arguments in it, as `logging` does; where they do not fit, they are values of the line."""
    if event is None:
        return ""
    if not args:
        return event
    given = args[0] if len(args) == 1 and isinstance(args[0], dict) and args[0] else args
    try:
        return text_of(event) % given
    except Exception:  # noqa: BLE001  # too few, too many, of a wrong kind
        values["args"] = list(args)
        return event


def _caller(depth: int) -> str:
    frame = sys._getframe(depth)
    return f"{frame.f_code.co_name}:{frame.f_lineno}"


def _is_terminal(stream: Any) -> bool:
    try:
        return bool((sys.stdout if stream is None else stream).isatty())
    except Exception:  # noqa: BLE001  # none, closed, or an object of the user's own
        return False


def _name(key: str | None) -> str:
    return key or ""

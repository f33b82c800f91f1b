"""From a whole event to what the user asked for: any type, from bytes or from a parsed value, with one result.

A reader is made once per annotation and used per invocation; unions of views go by what the event is.
"""

from __future__ import annotations

from .errors import EventValidationError, Problem, shortened
from .generics import TypeVar
from .readers import BytesReader, FunctionReader, Reader, reader_of
from .view import View, checked, type_name

__all__ = ["event_reader_of", "parse"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

T = TypeVar("T")


if TYPE_CHECKING:

    @overload
    def parse(kind: type[T], raw: object) -> T: ...
    @overload
    def parse(kind: Any, raw: object) -> Any: ...


def parse(kind: Any, raw: object) -> Any:
    """An event, or one record, as the type asked for; `raw` is JSON text, bytes of it, or the parsed value.

    Payloads whose type is named are validated here. Raises `EventValidationError`.
    """
    if isinstance(raw, dict) and isinstance(kind, type) and issubclass(kind, View):
        return checked(kind, raw)  # the call that a batch makes for each record
    reader = event_reader_of(kind)
    if isinstance(raw, (bytes, bytearray)):
        return reader.from_bytes(bytes(raw))
    return reader.from_text(raw) if isinstance(raw, str) else reader.from_object(raw)


def event_reader_of(kind: Any) -> Reader:
    """The reader of whole events for an annotation; made once, before the first event."""
    if kind is str:
        return _TextEvents()
    if kind is bytes:
        return _BytesEvents()
    members = _union_members(kind)
    if any(isinstance(member, type) and issubclass(member, View) for member in members):
        return _AnyOf(kind, members)
    reader = reader_of(kind)
    return _ParsedEvents(reader) if isinstance(reader, FunctionReader) else reader


class _ParsedEvents(Reader):
    """Events for a decoder of the user's: parsed first, because other runtimes parse them anyway."""

    def __init__(self, reader: FunctionReader) -> None:
        self.name = reader.name
        self.from_object = reader.from_object  # type: ignore[method-assign]


class _TextEvents(Reader):
    """Events that are a JSON string."""

    name = "str"

    def from_object(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        raise EventValidationError(self.name, (Problem("", "not a JSON string", shortened(value)),))


class _BytesEvents(BytesReader):
    """Events as the bytes that came; where the runtime has parsed them already, written again as compact JSON."""

    def from_object(self, value: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        import json  # late: only for handlers that take bytes, on runtimes that parse

        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class _AnyOf(Reader):
    """A union with views in it: the event's kind picks the member.

    Among several members for one kind the one whose payload fits the nested kind best goes first, then the one named
    first; the first that validates is taken. Types that are no views are the last resort.
    """

    def __init__(self, kind: Any, members: tuple[Any, ...]) -> None:
        self.name = type_name(kind)
        self.views = [one for one in members if isinstance(one, type) and issubclass(one, View)]
        others = [reader_of(one) for one in members if one not in self.views]
        self.others = others

    def from_object(self, value: Any) -> Any:
        from .detection import whole_kind  # late: unions only

        kinds = whole_kind(value).split(">")
        fits = [(fit, view) for view in self.views if (fit := _fit(view, kinds)) > 0]
        if kinds == ["unknown"]:
            fits = [(1, view) for view in self.views]
        candidates = [view for _, view in sorted(fits, key=lambda one: -one[0])]
        refusals = []
        for read in (*(_checker(view) for view in candidates), *(other.from_object for other in self.others)):
            try:
                return read(value)
            except EventValidationError as error:
                refusals.append(error)
        if len(refusals) == 1:
            raise refusals[0]
        if not refusals:
            reason = f"no member takes an event of kind {'>'.join(kinds)[:100]}"
            raise EventValidationError(self.name, (Problem("", reason),))
        problems = tuple(problem.within(error.source) for error in refusals for problem in error.problems)
        raise EventValidationError(self.name, problems, any(error.is_json for error in refusals))


def _checker(view: type[View]) -> Any:
    return lambda value: checked(view, value)


def _fit(view: type[View], kinds: list[str]) -> int:
    """How many of the nested kinds the view and its payloads stand for; 0 where one of them is another event's."""
    from .kinds import is_of_kind

    if not is_of_kind(kinds[0], view.kinds):
        return 0
    for argument in view._arguments:
        if isinstance(argument, type) and issubclass(argument, View) and argument.kinds:
            inner = _fit(argument, kinds[1:]) if len(kinds) > 1 else 0
            return 1 + inner if inner else 0
    return 1


def _union_members(kind: Any) -> tuple[Any, ...]:
    name = type(kind).__name__
    return kind.__args__ if name in ("UnionType", "_UnionGenericAlias", "Union") else ()

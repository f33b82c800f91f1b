"""From a raw record to what the function takes: a view with its payload validated, or the raw object itself.

Each record is read when its turn has come and forgotten when it is done, so a batch never holds more than the records
that are being run, and one that cannot be read concerns nobody else.
"""

from __future__ import annotations

from handlerkit.events.errors import EventValidationError, Problem
from handlerkit.events.view import View, checked, settled_class, type_name

from .errors import words_of
from .sources import Source, source_of_view

__all__ = ["RecordReader", "RecordReading", "as_it_is", "public_reason"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .sources import Found


class RecordReader:
    """The record type of one function: the sources it can come from, and how a raw record becomes one.

    `kind` is an annotation: a record view, a union of them, or None, `dict`, `object` for the raw object. Raises
    `TypeError` for anything else.
    """

    __slots__ = ("_made", "_views", "sources")

    def __init__(self, kind: Any) -> None:
        self._views: dict[str, type[View]] = {}
        self._made: dict[str, RecordReading] = {}
        self.sources: tuple[Source, ...] = ()
        if kind in (None, dict, object) or repr(kind).startswith(("dict[str,", "typing.Any", "typing.Dict[str,")):
            return
        members = kind.__args__ if type(kind).__name__ in ("UnionType", "_UnionGenericAlias", "Union") else (kind,)
        found = []
        for member in members:
            source = source_of_view(member) if isinstance(member, type) and issubclass(member, View) else None
            if source is None or member.kinds:
                hint = "the function is given one record, not the event" if getattr(member, "kinds", ()) else ""
                raise TypeError(
                    f"{type_name(member)} is not a record of a batch, as SqsRecord[Order] is; {hint}".rstrip("; ")
                )
            if source.module in self._views:
                raise TypeError(f"{type_name(kind)} has two types of records for one source, {source.module}")
            self._views[source.module] = member
            found.append(source)
        self.sources = tuple(found)

    def of(self, found: Found) -> RecordReading:
        """How the records that were found are read; made once for a source."""
        made = self._made.get(found.source.module)
        if made is None:
            made = self._made[found.source.module] = RecordReading.of(self._views.get(found.source.module))
        return _refusing(made, found) if found.unreadable else made


class RecordReading:
    """How a raw record becomes what the function takes: by `read`.

    Most have one payload that is JSON text for a model; for these, `direct` is not None and says it shorter: the record
    is an instance of `view` whose `_payload` is what `direct` makes of the text under `wire` (any ValueError says: the
    long way).
    """

    __slots__ = ("direct", "read", "view", "wire")

    def __init__(self, read: Callable[[dict[str, Any]], Any]) -> None:
        self.read = read
        self.direct: Callable[[str], Any] | None = None
        self.wire = ""
        self.view: type[View] = View

    @classmethod
    def of(cls, view: type[View] | None) -> RecordReading:
        """The reading of a view; None is the raw record itself."""
        if view is None:
            return cls(as_it_is)
        if len(view._eager) != 1:
            return cls((lambda raw: checked(view, raw)) if view._eager else view)
        payload = view._eager[0]
        settle = payload.settle

        def read(raw: dict[str, Any]) -> View:
            record = view(raw)
            settle(record)
            return record

        reading = cls(read)
        direct = getattr(payload, "direct", None)
        settled = None if direct is None else settled_class(view, payload)
        if settled is not None:
            reading.direct, reading.wire, reading.view = direct, payload.wire, settled
        return reading


def _refusing(reading: RecordReading, found: Found) -> RecordReading:
    """The same for a batch of which some records are known to be unreadable."""
    read = reading.read
    refused = {id(found.raws[position]): error for position, error in found.unreadable.items()}

    def refuse(raw: dict[str, Any]) -> Any:
        if id(raw) in refused:
            raise refused[id(raw)]
        return read(raw)

    return RecordReading(refuse)


def as_it_is(raw: dict[str, Any]) -> dict[str, Any]:
    """The raw record."""
    return raw


def public_reason(error: BaseException, with_payload: bool) -> str:
    """Why a record could not be read, in one line; without anything of what it holds unless asked."""
    if isinstance(error, EventValidationError) and not with_payload:
        bare = tuple(Problem(problem.path, problem.reason) for problem in error.problems)
        return str(EventValidationError(error.source, bare))
    if with_payload:
        return f"{type(error).__name__}: {words_of(error)}"
    return type(error).__name__

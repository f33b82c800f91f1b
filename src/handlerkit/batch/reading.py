"""From a raw record to what the function takes: a view with its payload validated, or the raw object itself.

Each record is read when its turn has come and forgotten when it is done, so a batch never holds more than the records
that are being run, and one that cannot be read concerns nobody else.
"""

from __future__ import annotations

from handlerkit.events.errors import EventValidationError, Problem
from handlerkit.events.view import View, checked, type_name

from .sources import Source, source_of_view

__all__ = ["RecordReader", "as_it_is", "public_reason", "refusing"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from handlerkit.events.descriptor import Field

    from .sources import Found


class RecordReader:
    """The record type of one function: the sources it can come from, and how a raw record becomes one.

    `kind` is an annotation: a record view, a union of them, or None, `dict`, `object` for the raw object. Raises
    `TypeError` for anything else.
    """

    __slots__ = ("_views", "sources")

    def __init__(self, kind: Any) -> None:
        self._views: dict[str, type[View]] = {}
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

    def of(self, source: Source) -> Callable[[dict[str, Any]], Any]:
        """The function that reads a record of this source."""
        view = self._views.get(source.module)
        if view is None:
            return as_it_is
        eager = view._eager
        if not eager:
            return view
        if len(eager) > 1:
            return lambda raw: checked(view, raw)
        direct = getattr(eager[0], "direct", None)
        if direct is None or view.__init__ is not View.__init__:
            return _reading(view, eager[0])
        return _reading_text(view, eager[0], direct)


def _reading(view: type[View], payload: Field[Any]) -> Callable[[dict[str, Any]], View]:
    """Records with one payload."""
    settle = payload.settle

    def read(raw: dict[str, Any]) -> View:
        record = view(raw)
        settle(record)
        return record

    return read


def _reading_text(
    view: type[View], payload: Field[Any], direct: Callable[[str], Any]
) -> Callable[[dict[str, Any]], View]:
    """Records with one payload that is JSON text for a model, as most are: nearly no call but the model's own."""
    name, wire, new, long_way = payload.name, payload.wire, object.__new__, _reading(view, payload)

    def read(raw: dict[str, Any]) -> View:
        text = raw.get(wire)
        if type(text) is not str or "NaN" in text or "Infinity" in text:
            return long_way(raw)
        try:
            kept = {name: direct(text)}
        except ValueError:
            return long_way(raw)  # which words the error
        record = new(view)
        record.raw = raw
        record._kept = kept
        return record

    return read


def refusing(read: Callable[[dict[str, Any]], Any], found: Found) -> Callable[[dict[str, Any]], Any]:
    """The same reader for a batch of which some records are known to be unreadable."""
    refused = {id(found.raws[position]): error for position, error in found.unreadable.items()}

    def reading(raw: dict[str, Any]) -> Any:
        if id(raw) in refused:
            raise refused[id(raw)]
        return read(raw)

    return reading


def as_it_is(raw: dict[str, Any]) -> dict[str, Any]:
    """The raw record."""
    return raw


def public_reason(error: BaseException, with_payload: bool) -> str:
    """Why a record could not be read, in one line; without anything of what it holds unless asked."""
    if isinstance(error, EventValidationError) and not with_payload:
        bare = tuple(Problem(problem.path, problem.reason) for problem in error.problems)
        return str(EventValidationError(error.source, bare))
    if with_payload:
        return f"{type(error).__name__}: {error}"
    return type(error).__name__

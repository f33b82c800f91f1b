"""What is bound for the rest of an invocation, or for a block of code; in context variables, so tasks and threads with
a copied context inherit it and nobody else sees it.

What one invocation binds is not there for the next one, whose scope is another: nothing has to be cleared for that.
What is bound outside of any (while the module is imported) is there for all.
"""

from __future__ import annotations

from _contextvars import ContextVar  # the C module: contextvars only re-exports it

from handlerkit.scope import current

__all__ = ["Bound", "bind", "bind_record", "bound", "clear", "present", "set_correlation_id", "unbind"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _contextvars import Token
    from collections.abc import Callable
    from typing import Any

    from handlerkit.scope import Scope

    from .invocation import InvocationLog

FIELDS = frozenset({"correlation_id", "record_id"})
"""Fields of the line that may differ within an invocation."""


class Bound:
    """Values as they were bound, never changed; `fields` those of them that are fields of the line.

    `whose` is the `values` of the scope they were bound in (a thread's own context keeps what is bound: the scope
    itself would keep the event and the context alive until somebody binds again), None outside of any; `outer` is what
    is bound there.
    """

    __slots__ = ("_text", "fields", "outer", "record", "values", "whose")

    def __init__(
        self,
        scope: Scope | None,
        values: dict[str, Any],
        fields: dict[str, Any],
        outer: Bound | None,
        record: Any = None,
    ) -> None:
        self.whose = None if scope is None else scope.values
        self.values = values
        self.fields = fields
        self.outer = outer
        self.record = record
        """A record of a batch of which the correlation id was not looked for yet."""
        self._text: tuple[str, str] | None = None

    def text(self, log: InvocationLog) -> str:
        """The invocation's fields with these in their place."""
        if self._text is None or self._text[0] is not log.text:
            self._text = (log.text, log.text_of({**log.fields, **self.all_fields()}))
        return self._text[1]

    def all_fields(self) -> dict[str, Any]:
        """With the correlation id of the record."""
        if self.record is not None:
            from .correlation import record_correlation_id  # late: only once a line is written

            found = record_correlation_id(self.record)
            if found is not None and "correlation_id" not in self.fields:
                self.fields = {**self.fields, "correlation_id": found}
            self.record = None
        return self.fields


_bound: ContextVar[Bound | None] = ContextVar("handlerkit_bound", default=None)


def present(scope: Scope | None) -> Bound | None:
    """What is bound here, seen from this scope."""
    found = _bound.get()
    if found is None or found.whose is None or (scope is not None and found.whose is scope.values):
        return found
    return found.outer


def bind(**values: Any) -> None:
    """Have these values in every line from here on, until the invocation ends; outside of one, for good.

    Threads and tasks that are started later inherit them. `correlation_id` replaces the event's.
    """
    _bound.set(_with(values))


def unbind(*names: str) -> None:
    """Take values away again; a name that is not bound is fine."""
    scope = current.get()
    found = present(scope)
    if found is not None:
        values = {name: value for name, value in found.values.items() if name not in names}
        fields = {name: value for name, value in found.all_fields().items() if name not in names}
        _bound.set(Bound(scope, values, fields, found if found.whose is None else found.outer))


def clear() -> None:
    """Take away all that is bound here; what was bound outside of any invocation stays for the next one."""
    scope = current.get()
    found = present(scope)
    if found is not None:
        outer = (found if found.whose is None else found.outer) if scope is not None else None
        _bound.set(Bound(scope, {}, {}, outer))


def set_correlation_id(correlation_id: object) -> None:
    """Have this id in every line from here on, for the event's: the same as `bind(correlation_id=...)`."""
    bind(correlation_id=correlation_id)


class bound:  # noqa: N801  # it is called like a function
    """`with bound(order_id="A-17"):` has the values in every line inside the block, and those before it back after."""

    __slots__ = ("_token", "_values")

    def __init__(self, **values: Any) -> None:
        self._values = values
        self._token: Token[Bound | None] | None = None

    def __enter__(self) -> None:
        self._token = _bound.set(_with(self._values))

    def __exit__(self, *_: object) -> None:
        token, self._token = self._token, None
        if token is None:
            return
        try:
            _bound.reset(token)
        except ValueError:  # left in another context than it was entered in, as generators may be
            _bound.set(token.old_value if isinstance(token.old_value, Bound) else None)


def bind_record(call: Callable[[Any], Any], record: Any, identifier: Any, raw: Any) -> Any:
    """`call(record)` with the record's id in every line; to be run in a context of the record's own."""
    enter_record(identifier, raw)
    return call(record)


def enter_record(identifier: Any, raw: Any) -> None:
    """Have the record's id in every line from here on."""
    scope = current.get()
    found = present(scope)
    if isinstance(identifier, dict):
        identifier = f"{identifier.get('partition')}/{identifier.get('offset')}"
    if found is None:
        _bound.set(Bound(scope, {}, {"record_id": identifier}, None, raw))
    else:
        outer = found if found.whose is None else found.outer
        _bound.set(Bound(scope, found.values, {**found.fields, "record_id": identifier}, outer, raw))


def _with(values: dict[str, Any]) -> Bound:
    scope = current.get()
    found = present(scope)
    own = {name: values[name] for name in values if name in FIELDS}
    rest = {name: value for name, value in values.items() if name not in own} if own else values
    if found is None:
        return Bound(scope, rest, own, None)
    outer = (found if found.whose is None else found.outer) if scope is not None else None
    return Bound(scope, {**found.values, **rest}, {**found.all_fields(), **own}, outer)

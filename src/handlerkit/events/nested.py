"""Fields that hold other views: one, perhaps one, a list, a map. Generic items take their payloads from the holder.

A type checker has to be told so: `records: Field[tuple[SqsRecord[BodyT], ...]] = views("Records", SqsRecord[BodyT])`.
"""

from __future__ import annotations

import gc

from .descriptor import Field, KeptField
from .errors import EventValidationError
from .generics import Generic, TypeVar
from .json_text import may_hold_nan
from .view import View, settle, settled_class

__all__ = [
    "MaybeViewField",
    "NestedField",
    "ViewField",
    "ViewListsField",
    "ViewMapField",
    "ViewsField",
    "maybe_view",
    "view",
    "view_lists",
    "view_map",
    "views",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

T = TypeVar("T")
V = TypeVar("V", bound=View)

# From here on the collector, looking again and again for garbage among payloads that are all still in use, costs
# more than validating them: 10,000 records took 70 ms with it and 26 without.
MANY = 1_000


def view(wire: str, item: ItemClass[V], *also: str, inside: str | None = None) -> Field[V]:
    """A nested object; when absent one without content, so that a chain of attributes never breaks."""
    return ViewField(wire, item, also, inside)


def maybe_view(wire: str, item: ItemClass[V], *also: str, inside: str | None = None) -> Field[V | None]:
    """A nested object, or None when absent."""
    return MaybeViewField(wire, item, also, inside)


def views(wire: str, item: ItemClass[V], *also: str, inside: str | None = None) -> Field[tuple[V, ...]]:
    """A list of objects, empty when absent."""
    return ViewsField(wire, item, also, inside)


def view_map(wire: str, item: ItemClass[V], *also: str, inside: str | None = None) -> Field[dict[str, V]]:
    """A map of objects, empty when absent."""
    return ViewMapField(wire, item, also, inside)


def view_lists(wire: str, item: ItemClass[V], *also: str, inside: str | None = None) -> Field[dict[str, tuple[V, ...]]]:
    """A map of lists of objects, empty when absent: Kafka's records by partition, RabbitMQ's messages by queue."""
    return ViewListsField(wire, item, also, inside)


class NestedField(KeptField[T], Generic[T, V]):
    """A field made of views of `item`, which may be a function that returns the class, for one not yet defined."""

    __slots__ = ("_item", "eager")

    def __init__(self, wire: str, item: ItemClass[V], also: tuple[str, ...] = (), inside: str | None = None) -> None:
        super().__init__(wire, self.make, None, also=also, inside=inside)  # type: ignore[arg-type]
        self._item: Any = item
        self.eager = False

    def make(self, value: Any) -> T:
        """The views over a wire value."""
        raise NotImplementedError

    def members(self, view: View) -> list[tuple[str, View]]:
        """The views that the field holds in this view, each with its step in an error's path."""
        raise NotImplementedError

    @property
    def item(self) -> type[V]:
        """The class of the nested views."""
        found: Any = self._item
        if not isinstance(found, type):
            found = self._item = found()
        return found  # type: ignore[no-any-return]

    def one(self, value: Any, where: str = "") -> V:
        """A view over one nested value."""
        if not isinstance(value, dict):
            raise TypeError(f"{where}not an object")
        return self.item(value)

    def bind(self, view_name: str, arguments: tuple[Any, ...], explicit: bool) -> NestedField[T, V]:
        if not explicit or not isinstance(self._item, type):
            return self  # a class that is not yet defined cannot be given payload types
        item: type[View] = self._item
        if not item._arguments or item._explicit:
            return self
        item_class: Any = item.__class_getitem__(arguments)
        bound = type(self)(self.wire, item_class, self.also, self.inside)
        bound.name, bound.view_name = self.name, view_name
        bound.eager = bool(bound.item._eager)
        return bound

    def settle(self, view: View) -> None:
        for step, member in self.members(view):
            try:
                settle(member)
            except EventValidationError as error:
                raise error.within(type(view).__name__, step) from None


class ViewField(NestedField[V, V], Generic[V]):
    """One nested object."""

    __slots__ = ()

    def make(self, value: Any) -> V:
        return self.one(value)

    def when_absent(self) -> V:
        return self.item({})

    def members(self, view: View) -> list[tuple[str, View]]:
        return [(self.name, self.__get__(view, type(view)))]


class MaybeViewField(NestedField["V | None", V], Generic[V]):
    """One nested object, or None."""

    __slots__ = ()

    def make(self, value: Any) -> V | None:
        return self.one(value)

    def when_absent(self) -> V | None:
        return None

    def members(self, view: View) -> list[tuple[str, View]]:
        member = self.__get__(view, type(view))
        return [] if member is None else [(self.name, member)]


class ViewsField(NestedField[tuple[V, ...], V], Generic[V]):
    """A list of objects."""

    __slots__ = ()

    def make(self, value: Any) -> tuple[V, ...]:
        if not isinstance(value, list):
            raise TypeError("not an array")
        item = self.item
        if not value or set(map(type, value)) == {dict}:
            return tuple(map(item, value))
        return tuple(self.one(one, f"item {index} is ") for index, one in enumerate(value))

    def when_absent(self) -> tuple[V, ...]:
        return ()

    def members(self, view: View) -> list[tuple[str, View]]:
        return [(f"{self.name}[{index}]", member) for index, member in enumerate(self.__get__(view, type(view)))]

    def settle(self, view: View) -> None:
        raws = view.raw.get(self.wire) if self.inside is None else None
        if type(raws) is not list or view._kept is not None:
            return super().settle(view)  # also for what is under another key, and for what is no list
        if len(raws) < MANY or not gc.isenabled():
            return self._settle_all(view, raws)
        gc.disable()
        try:
            return self._settle_all(view, raws)
        finally:
            gc.enable()

    def _settle_all(self, view: View, raws: list[Any]) -> None:
        """The hot path of a batch whose items have one payload, JSON text for a model, as most have, and all of them
        right: no code in between but the model's own. What is otherwise, or wrong, goes the long way."""
        item = self.item
        eager = item._eager
        if len(eager) != 1 or (direct := eager[0].direct) is None:
            return super().settle(view)
        settled: Any = item.__dict__.get("_settled") or settled_class(item, eager[0])
        if settled is None:
            return super().settle(view)
        wire = eager[0].wire
        try:
            texts = [raw.get(wire) for raw in raws]
            if may_hold_nan("".join(texts)):
                return super().settle(view)
            payloads = list(map(direct, texts))
        except (AttributeError, TypeError, ValueError, RecursionError):
            return super().settle(view)  # which finds the record, and words the error
        new, done = object.__new__, []
        for raw, payload in zip(raws, payloads, strict=True):
            member = new(settled)
            member.raw = raw
            member._kept = None
            member._payload = payload
            done.append(member)
        view._kept = {self.name: tuple(done)}
        return None


class ViewMapField(NestedField[dict[str, V], V], Generic[V]):
    """A map of objects."""

    __slots__ = ()

    def make(self, value: Any) -> dict[str, V]:
        if not isinstance(value, dict):
            raise TypeError("not an object")
        return {key: self.one(one, f"{key[:40]!r} is ") for key, one in value.items() if one is not None}

    def when_absent(self) -> dict[str, V]:
        return {}

    def members(self, view: View) -> list[tuple[str, View]]:
        return [(f"{self.name}[{key!r}]", member) for key, member in self.__get__(view, type(view)).items()]


class ViewListsField(NestedField[dict[str, tuple[V, ...]], V], Generic[V]):
    """A map of lists of objects."""

    __slots__ = ()

    def make(self, value: Any) -> dict[str, tuple[V, ...]]:
        if not isinstance(value, dict):
            raise TypeError("not an object")
        return {key: self._listed(key[:40], some) for key, some in value.items()}

    def _listed(self, key: str, value: Any) -> tuple[V, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            raise TypeError(f"{key!r} is not an array")
        return tuple(self.one(one, f"item {index} of {key!r} is ") for index, one in enumerate(value))

    def when_absent(self) -> dict[str, tuple[V, ...]]:
        return {}

    def members(self, view: View) -> list[tuple[str, View]]:
        found = self.__get__(view, type(view))
        return [(f"{self.name}[{key!r}][{at}]", one) for key, some in found.items() for at, one in enumerate(some)]


if TYPE_CHECKING:
    ItemClass = type[V] | Callable[[], type[V]]

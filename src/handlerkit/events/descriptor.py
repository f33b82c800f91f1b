"""The descriptor that a view's attributes are: one key of the raw object, decoded when it is read.

Leniency is the decoder's (see `fields`); here is what all fields share: where the value is looked for, what stands
for an absent one, which error names a hopeless one, what is kept.
"""

from __future__ import annotations

from .errors import EventFieldError, shortened
from .generics import Generic, TypeVar

__all__ = ["Field", "KeptField"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Never, Self, overload

    from .view import View

T = TypeVar("T")


class Field(Generic[T]):
    """One attribute of a view: the key it is read from, how, and what stands for an absent or null one.

    `also` are other spellings of the key, tried in order. `inside` names an object that holds the key; where that
    object is missing the key is looked for in the record itself, which is how EventBridge Pipes flattens records.
    """

    __slots__ = ("absent", "also", "decode", "inside", "name", "secret", "view_name", "wire")

    eager: bool = False  # whether parsing must read it: only payloads whose type the user named
    direct: Callable[[str], Any] | None = None  # what validates its text, where nothing else is to be done

    def __init__(  # all but two by keyword
        self,
        wire: str,
        decode: Callable[[Any], T],
        absent: T,
        *,
        also: tuple[str, ...] = (),
        inside: str | None = None,
        secret: bool = False,
    ) -> None:
        self.wire = wire
        self.decode = decode
        self.absent = absent
        self.also = also
        self.inside = inside
        self.secret = secret
        self.name = wire
        self.view_name = "View"

    def __set_name__(self, owner: type[View], name: str) -> None:
        self.name = name
        self.view_name = owner.__name__

    if TYPE_CHECKING:

        @overload
        def __get__(self, view: None, owner: type[object]) -> Self: ...
        @overload
        def __get__(self, view: View, owner: type[object]) -> T: ...

    def __get__(self, view: View | None, owner: type[object]) -> Self | T:
        if view is None:
            return self
        value = view.raw.get(self.wire) if self.inside is None else None
        if value is None:
            value = self.find(view.raw)
            if value is None:
                return self.when_absent()
        try:
            return self.decode(value)
        except (ValueError, TypeError, RecursionError) as error:
            raise self.refusal(value, error) from None

    def __set__(self, view: View, value: Never) -> None:
        raise AttributeError(f"{type(view).__name__}.{self.name} cannot be set: a view shows what came")

    def find(self, raw: dict[str, Any]) -> Any:
        """The wire value, under whichever spelling; None where there is none."""
        if self.inside is not None:
            nested = raw.get(self.inside)
            if nested is not None:
                if not isinstance(nested, dict):
                    raise self.refusal(nested, ValueError(f"{self.inside!r} is not an object"))
                raw = nested
        value = raw.get(self.wire)
        if value is None:
            for wire in self.also:
                value = raw.get(wire)
                if value is not None:
                    break
        return value

    def when_absent(self) -> T:
        """What stands for a missing or null value; a fresh one where it could be changed."""
        return self.absent

    def refusal(self, value: object, error: Exception) -> EventFieldError:
        """The error that names this field."""
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        shown = "a secret" if self.secret else shortened(value)
        return EventFieldError(self.view_name, self.name, self.wire, reason, shown)

    def own_keys(self) -> tuple[str, ...]:
        """The keys of the view's own object that this field may read."""
        inner = (self.wire, *self.also)
        return inner if self.inside is None else (self.inside, *inner)

    def bind(self, view_name: str, arguments: tuple[Any, ...], explicit: bool) -> Field[T]:
        """The field for a view class with these type arguments; most have no use for them."""
        del view_name, arguments, explicit
        return self

    def settle(self, view: View) -> None:
        """Read what must be right before a handler sees the view."""
        self.__get__(view, type(view))


class KeptField(Field[T]):
    """A field whose decoding is worth doing once, or whose value has an identity: kept in the view."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __get__(self, view: None, owner: type[object]) -> Self: ...
        @overload
        def __get__(self, view: View, owner: type[object]) -> T: ...

    def __get__(self, view: View | None, owner: type[object]) -> Self | T:
        if view is None:
            return self
        kept = view._kept
        if kept is None:
            kept = view._kept = {}
        elif self.name in kept:
            return kept[self.name]  # type: ignore[no-any-return]
        value = kept[self.name] = self.read(view)
        return value

    def read(self, view: View) -> T:
        """The value, decoded anew."""
        return Field.__get__(self, view, type(view))

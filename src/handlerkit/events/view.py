"""Typed views: a thin object over one parsed JSON object, whose attributes are decoded when they are read.

`view.raw` is the very dict that was parsed. A view never copies or changes it, so nothing is lost: keys that no field
names stay where they are. Making a view costs one allocation, whatever the event's size. A view class declares its
fields as descriptors (see `fields`), generic ones also payloads (see `payload`); `SqsRecord[Order]` is a real
subclass of `SqsRecord` that knows its argument, the same one each time for as long as it is in use.

Knows no source, no pydantic (but for the hook that pydantic itself calls) and no clock.
"""

from __future__ import annotations

from _operator import attrgetter  # the C module: operator only re-exports it

from .descriptor import Field
from .errors import EventFieldError, EventValidationError, Problem, shortened
from .generics import TypeVar
from .kinds import is_of_kind, outer_kind

__all__ = ["View", "checked", "settle", "settled_class", "type_name"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self

V = TypeVar("V", bound="View")

# One line of a log: enough to recognise a record, too little to leak it.
REPR_CHARACTERS = 300


class ViewType(type):
    """The class of view classes: their instances have no dict of their own, without each class having to say so."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **keywords: Any) -> ViewType:
        namespace.setdefault("__slots__", ())
        return super().__new__(mcs, name, bases, namespace, **keywords)


class View(metaclass=ViewType):
    """What all typed views share: `raw`, a bounded repr, equality by content, copying, pickling, pydantic's hook.

    Class keywords: `kinds`, the detected kinds (or their beginnings) that the class stands for; `payloads`, the types
    that stand for its type parameters where the user names none.
    """

    __slots__ = ("__weakref__", "_kept", "raw")

    kinds: ClassVar[tuple[str, ...]] = ()
    answered_by: ClassVar[str | None] = None  # the module of `handlerkit.answers` that knows what the service waits for
    may_answer_nothing: ClassVar[bool] = False
    _fields: ClassVar[dict[str, Field[Any]]] = {}
    _eager: ClassVar[tuple[Field[Any], ...]] = ()
    _keys: ClassVar[frozenset[str]] = frozenset()
    _origin: ClassVar[type[View]]
    _arguments: ClassVar[tuple[Any, ...]] = ()
    _explicit: ClassVar[bool] = False
    _made: ClassVar[Any] = None
    _unsettled: ClassVar[type[View] | None] = None
    _settled: ClassVar[type[View] | None] = None

    raw: dict[str, Any]
    _kept: dict[str, Any] | None

    def __init__(self, raw: dict[str, Any]) -> None:
        """Look at `raw`; nothing is read or checked yet (`parse` checks)."""
        self.raw = raw
        self._kept = None

    def __init_subclass__(
        cls,
        *,
        kinds: tuple[str, ...] | None = None,
        payloads: tuple[Any, ...] | None = None,
        **rest: Any,
    ) -> None:
        super().__init_subclass__(**rest)
        if kinds is not None:
            cls.kinds = kinds
        if payloads is not None:
            cls._arguments = payloads
            cls._origin = cls
            cls._made = None
        own = vars(cls)
        fields = {name: field for name, field in cls._fields.items() if name not in own}
        fields.update((name, value) for name, value in own.items() if isinstance(value, Field))
        cls._bind(fields)

    def __class_getitem__(cls, arguments: Any) -> type[Self]:
        """The view with its payload types, a subclass. Raises `TypeError` for too many of them."""
        if not isinstance(arguments, tuple):
            arguments = (arguments,)
        if cls._explicit:
            raise TypeError(f"{cls.__name__} takes no more payload types")
        if len(arguments) > len(cls._arguments):
            raise TypeError(f"{cls.__name__} takes {len(cls._arguments) or 'no'} payload types, not {len(arguments)}")
        if any(isinstance(argument, str) for argument in arguments):
            raise TypeError(f"{cls.__name__}[{arguments[0]!r}]: name the type itself, or quote the whole annotation")
        if any(type(argument).__name__ == "TypeVar" for argument in arguments):
            return cls  # a generic class of the user's own, still open
        arguments += cls._arguments[len(arguments) :]
        if "_made" not in vars(cls) or cls._made is None:
            from weakref import WeakValueDictionary

            # Held weakly: a parameterised class lives as long as an annotation or an instance uses it.
            cls._made = WeakValueDictionary()
        try:
            # The repr tells `A | B` from `B | A`, which are equal but do not validate alike.
            made = cls._made.get(key := (arguments, repr(arguments)))
        except TypeError:
            return cls._parameterised(arguments)  # unhashable metadata; such an annotation is evaluated once anyway
        if made is None:
            made = cls._made[key] = cls._parameterised(arguments)
        return made  # type: ignore[no-any-return]

    @classmethod
    def _parameterised(cls, arguments: tuple[Any, ...]) -> type[Self]:
        name = f"{cls.__name__}[{', '.join(map(type_name, arguments))}]"
        content: dict[str, Any] = {"__module__": cls.__module__, "__doc__": cls.__doc__}
        content |= {"_arguments": arguments, "_explicit": True, "_origin": cls}
        made: Any = ViewType(name, (cls,), content)
        return made  # type: ignore[no-any-return]

    @classmethod
    def _bind(cls, fields: dict[str, Field[Any]]) -> None:
        """Give the fields the class's type arguments, and list what parsing has to know of them."""
        for name, field in fields.items():
            bound = field.bind(cls.__name__, cls._arguments, cls._explicit)
            if bound is not field:
                setattr(cls, name, bound)
                fields[name] = bound
        cls._fields = fields
        cls._eager = tuple(field for field in fields.values() if field.eager)
        cls._keys = frozenset(key for field in fields.values() for key in field.own_keys())

    def __repr__(self) -> str:
        shown: list[str] = []
        left = REPR_CHARACTERS - len(type(self).__name__)
        for name, field in self._fields.items():
            try:
                value = field.find(self.raw)
            except (ValueError, AttributeError):
                continue
            if value is None:
                continue
            shown.append(f"{name}={'***' if field.secret else shortened(value, 60)}")
            left -= len(shown[-1]) + 2
            if left < 0:
                shown[-1] = "…"
                break
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, View):
            return NotImplemented
        mine, theirs = _open_class(type(self)), _open_class(type(other))
        return (issubclass(mine, theirs) or issubclass(theirs, mine)) and self.raw == other.raw

    __hash__ = None  # type: ignore[assignment]  # equality is by content, which a caller may change

    def __reduce__(self) -> tuple[Any, ...]:
        cls = self._unsettled or type(self)
        if "_explicit" in vars(cls):
            return _restored, (cls._origin, cls._arguments, self.raw)
        return cls, (self.raw,)

    def __copy__(self) -> Self:
        return (self._unsettled or type(self))(self.raw)  # type: ignore[return-value]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        from copy import deepcopy

        return (self._unsettled or type(self))(deepcopy(self.raw, memo))  # type: ignore[return-value]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """A view validates from an instance or a mapping and serialises as its raw object."""
        from pydantic_core import core_schema

        def validate(value: object) -> View:
            return value if isinstance(value, cls) else checked(cls, value.raw if isinstance(value, View) else value)

        return core_schema.no_info_plain_validator_function(
            validate,
            json_schema_input_schema=core_schema.dict_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda view: view.raw),
        )


def checked(cls: type[V], raw: object) -> V:
    """`raw` as a view of this class, its named payloads validated. Raises `EventValidationError`.

    Refused are values that are no objects, events that are recognisably of another kind, and objects that have not
    one of the keys the class knows: everything else is read leniently, field by field.
    """
    if not isinstance(raw, dict):
        raise EventValidationError(cls.__name__, (Problem("", "not a JSON object", shortened(raw)),))
    if cls.kinds:
        kind = outer_kind(raw)
        if kind != "unknown" and not is_of_kind(kind, cls.kinds):
            raise EventValidationError(cls.__name__, (Problem("", f"the event is of another kind, {kind[:100]}"),))
    if cls._keys and cls._keys.isdisjoint(raw):
        raise EventValidationError(cls.__name__, (Problem("", "no key of this kind of event", shortened(raw)),))
    view = cls(raw)
    if cls._eager:
        try:
            for field in cls._eager:  # as `settle` does
                field.settle(view)
        except EventFieldError as error:
            problem = Problem(error.field, error.reason, error.shown)
            raise EventValidationError(cls.__name__, (problem,)) from None
    return view


def settle(view: View) -> None:
    """Read every payload whose type the user named, here and in nested views. Raises what is wrong with the first."""
    for field in view._eager:
        field.settle(view)


def settled_class(cls: type[V], payload: Field[Any]) -> type[V] | None:
    """A view class like this one for views whose payload is known when they are made: nothing of it is left to do.

    It calls itself the same. Who makes an instance (by `object.__new__`) sets `raw`, `_kept` and `_payload`. None where
    the class has its own idea of the payload's attribute, or of how a view is made.
    """
    found: Any = vars(cls).get("_settled")
    if found is None and getattr(cls, payload.name) is payload and cls.__init__ is View.__init__:
        content = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
        found = ViewType(cls.__name__, (cls,), {**content, "__slots__": ("_payload",), "_unsettled": cls})
        # Read as fast as an attribute of a slot can be while it cannot be set. After the class is made, because
        # making it binds its fields.
        setattr(found, payload.name, property(attrgetter("_payload"), doc=payload.__doc__))
        cls._settled = found
    return found  # type: ignore[no-any-return]


def type_name(kind: object) -> str:
    """A type as its user would write it, bounded."""
    name = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else repr(kind)
    return name if len(name) <= 80 else name[:79] + "…"


def _open_class(cls: type[View]) -> type[View]:
    cls = cls._unsettled or cls
    return cls._origin if "_explicit" in vars(cls) else cls


def _restored(origin: type[View], arguments: tuple[Any, ...], raw: dict[str, Any]) -> View:
    cls: type[View] = origin.__class_getitem__(arguments)
    return cls(raw)

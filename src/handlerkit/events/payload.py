"""The fields that hold payloads: what an event carries for the user, as the type the user named.

How it travels (text, base64, a JSON value, DynamoDB attribute values) is the field's; the type is the view's type
argument, and `readers` makes one from the other.
"""

from __future__ import annotations

from .descriptor import KeptField
from .encoded import from_base64
from .errors import EventValidationError, Problem, shortened
from .generics import TypeVar
from .readers import Reader, TextReader, reader_of

__all__ = [
    "Payload",
    "attributes_payload",
    "base64_payload",
    "body_payload",
    "object_payload",
    "text_payload",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .view import View

T = TypeVar("T")


class Payload(KeptField[T]):
    """The field of a view that holds a payload: decoded once, and before the handler runs where its type is named.

    `carry` says how the payload travels; `parameter` is the index of the view's type parameter that types it.
    """

    __slots__ = ("_carried", "carry", "direct", "eager", "optional", "parameter", "reader")

    def __init__(
        self,
        wire: str,
        carry: Callable[[Reader], Callable[[Any], Any]],
        parameter: int,
        optional: bool,
        also: tuple[str, ...] = (),
        inside: str | None = None,
    ) -> None:
        super().__init__(wire, self.decoded, None, also=also, inside=inside)  # type: ignore[arg-type]
        self.carry = carry
        self.parameter = parameter
        self.optional = optional
        self.reader: Reader = TextReader()
        self._carried = carry(self.reader)
        self.eager = False
        self.direct = None

    def bind(self, view_name: str, arguments: tuple[Any, ...], explicit: bool) -> Payload[T]:
        bound = type(self)(self.wire, self.carry, self.parameter, self.optional, self.also, self.inside)
        bound.name, bound.view_name = self.name, view_name
        bound.reader = reader_of(arguments[self.parameter])
        bound._carried = self.carry(bound.reader)
        # Text as text cannot be wrong: reading it early would only cost time.
        bound.eager = explicit and not (isinstance(bound.reader, TextReader) and self.carry is carry_text)
        plain = type(bound) is Payload and self.carry is carry_text and self.inside is None and not self.also
        bound.direct = bound.reader.direct if plain else None
        return bound

    def decoded(self, value: Any) -> T:
        """A wire value as the payload's type."""
        try:
            return self._carried(value)  # type: ignore[no-any-return]
        except EventValidationError as error:
            raise error.within(self.view_name, self.name) from None
        except (ValueError, TypeError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise EventValidationError(self.view_name, (Problem(self.name, reason, shortened(value)),)) from None

    def settle(self, view: View) -> None:
        value = self.read(view)
        if view._kept is None:
            view._kept = {self.name: value}
        else:
            view._kept[self.name] = value

    def read(self, view: View) -> T:
        value = self.find(view.raw)
        return self.when_absent() if value is None else self.decoded(value)

    def when_absent(self) -> T:
        if self.optional:
            return None  # type: ignore[return-value]
        try:
            return self.reader.when_absent()  # type: ignore[no-any-return]
        except EventValidationError as error:
            raise error.within(self.view_name, self.name) from None


class BodyPayload(Payload[T]):
    """The body of an HTTP event: text, or base64 where the event says so. On bytes that are gzip see `readers`."""

    __slots__ = ()

    def find(self, raw: dict[str, Any]) -> Any:
        value = super().find(raw)
        if not isinstance(value, str) or not any(raw.get(key) in (True, "true") for key in _IS_BASE64):
            return value
        try:
            return from_base64(value)
        except ValueError as error:
            raise self.refusal(value, error) from None


_IS_BASE64 = ("isBase64Encoded", "is_base64_encoded")


def body_payload(wire: str = "body", *also: str, parameter: int = 0, optional: bool = False) -> Payload[Any]:
    """The payload of an HTTP event, which says itself whether it travels as text or as base64."""
    return BodyPayload(wire, carry_text, parameter, optional, also)


def text_payload(
    wire: str, *also: str, parameter: int = 0, optional: bool = False, inside: str | None = None
) -> Payload[Any]:
    """A payload that travels as text."""
    return Payload(wire, carry_text, parameter, optional, also, inside)


def base64_payload(
    wire: str, *also: str, parameter: int = 0, optional: bool = False, inside: str | None = None
) -> Payload[Any]:
    """A payload that travels as base64 text."""
    return Payload(wire, carry_base64, parameter, optional, also, inside)


def object_payload(
    wire: str, *also: str, parameter: int = 0, optional: bool = False, inside: str | None = None
) -> Payload[Any]:
    """A payload that travels as a JSON value in the event itself."""
    return Payload(wire, carry_object, parameter, optional, also, inside)


def attributes_payload(
    wire: str, *also: str, parameter: int = 0, optional: bool = False, inside: str | None = None
) -> Payload[Any]:
    """A payload that travels as DynamoDB attribute values."""
    return Payload(wire, carry_attributes, parameter, optional, also, inside)


def carry_text(reader: Reader) -> Callable[[Any], Any]:
    """Text to the reader; what is no text after all is taken as bytes or an object."""
    from_text = reader.from_text

    def carried(value: Any) -> Any:
        if isinstance(value, str):
            return from_text(value)
        return reader.from_bytes(value) if isinstance(value, bytes) else reader.from_object(value)

    return carried


def carry_base64(reader: Reader) -> Callable[[Any], Any]:
    """The bytes of base64 text to the reader."""

    def carried(value: Any) -> Any:
        if isinstance(value, bytes):
            return reader.from_bytes(value)
        if not isinstance(value, str):
            raise TypeError("not base64 text")
        return reader.from_bytes(from_base64(value))

    return carried


def carry_object(reader: Reader) -> Callable[[Any], Any]:
    """A JSON value to the reader as it is."""
    return reader.from_object


def carry_attributes(reader: Reader) -> Callable[[Any], Any]:
    """DynamoDB attribute values to the reader, as Python values."""

    def carried(value: Any) -> Any:
        from .attribute_values import from_attribute_map  # late: DynamoDB only

        return reader.from_values(from_attribute_map(value))

    return carried

"""Readers: from what an event carries to the type the user named.

A payload is text (an SQS body), bytes (Kinesis data), an object (an EventBridge detail) or DynamoDB attribute values.
A reader turns any of these into one type: `str`, `bytes`, plain JSON values, another view, the result of a function
(`Annotated[T, Decoder(function)]`), or whatever pydantic can validate, in one pass over the text. Models bring their
own validator; what else needs an adapter gets one, once per type. pydantic is imported only for that.
"""

from __future__ import annotations

from .encoded import inflate, is_gzip
from .errors import EventValidationError, Problem, shortened
from .json_text import MalformedJsonError, load, may_hold_nan
from .view import View, checked, type_name

__all__ = ["BytesReader", "Decoder", "FunctionReader", "ModelReader", "Reader", "TextReader", "parsed", "reader_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar


class Decoder:
    """Marks a payload type as made by a function: `SqsRecord[Annotated[Order, Decoder(parse_order)]]`.

    The function gets the payload as it travels: `str` from SQS and SNS, `bytes` from Kinesis and Kafka, `dict` from
    EventBridge and DynamoDB. What it raises is reported as an invalid payload of that one record.
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any], object]) -> None:
        self.function = function

    def __repr__(self) -> str:
        return f"Decoder({getattr(self.function, '__name__', 'function')})"


class Reader:
    """How one payload type is made from each form in which payloads travel; all raise `EventValidationError`."""

    name: str = ""
    direct: Callable[[Any], Any] | None = None  # takes text that holds no NaN; any ValueError says: the long way

    def from_text(self, text: str) -> Any:
        """From text: an SQS body, an SNS message, a log line."""
        return self.from_object(parsed(self.name, text))

    def from_bytes(self, data: bytes) -> Any:
        """From bytes; gzip data is inflated first where the type is not `bytes` itself."""
        return self.from_object(parsed(self.name, inflated(self.name, data)))

    def from_object(self, value: Any) -> Any:
        """From a JSON value that is parsed already."""
        raise NotImplementedError

    def from_values(self, values: dict[str, Any]) -> Any:
        """From Python values: a DynamoDB item with its `Decimal`s, sets and bytes."""
        return self.from_object(values)

    def when_absent(self) -> Any:
        """What stands for a missing payload."""
        raise EventValidationError(self.name, (Problem("", "missing"),))


class TextReader(Reader):
    """Payloads as `str`."""

    name = "str"

    def from_text(self, text: str) -> str:
        return text

    def from_bytes(self, data: bytes) -> str:
        data = inflated(self.name, data)
        try:
            return str(data, "utf-8")
        except UnicodeDecodeError as error:
            reason = f"not UTF-8 at byte {error.start}"
            raise EventValidationError(self.name, (Problem("", reason, shortened(data)),), False) from None

    def from_object(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        raise EventValidationError(self.name, (Problem("", "not text", shortened(value)),))

    def when_absent(self) -> str:
        return ""


class BytesReader(Reader):
    """Payloads as `bytes`, untouched."""

    name = "bytes"

    def from_text(self, text: str) -> bytes:
        return text.encode("utf-8", "surrogatepass")

    def from_bytes(self, data: bytes) -> bytes:
        return data

    def from_object(self, value: Any) -> bytes:
        if isinstance(value, str):
            return self.from_text(value)
        if isinstance(value, bytes):
            return value
        raise EventValidationError(self.name, (Problem("", "neither text nor bytes", shortened(value)),))

    def when_absent(self) -> bytes:
        return b""


class JsonReader(Reader):
    """Payloads as plain JSON values: a dict, a list, or whatever there is."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.name = "JSON" if kind is object else kind.__name__

    def from_object(self, value: Any) -> Any:
        if isinstance(value, self.kind):
            return value
        if isinstance(value, str) and self.kind is dict:
            return self.from_object(parsed(self.name, value))  # the default detail of EventBridge Scheduler is "{}"
        wanted = "object" if self.kind is dict else "array"
        raise EventValidationError(self.name, (Problem("", f"not a JSON {wanted}", shortened(value)),))

    def when_absent(self) -> Any:
        if self.kind is object:
            return None  # null is JSON too
        return {} if self.kind is dict else super().when_absent()


class ViewReader(Reader):
    """Payloads that are events themselves: S3 in SQS, SNS in SQS, logs in Kinesis."""

    def __init__(self, kind: type[View]) -> None:
        self.kind = kind
        self.name = kind.__name__

    def from_bytes(self, data: bytes) -> View:
        try:
            value = load(inflated(self.name, data) if is_gzip(data) else data)
        except MalformedJsonError as error:
            raise not_json(self.name, str(error), data) from None
        return checked(self.kind, value) if type(value) is dict else self.from_object(value)

    def from_object(self, value: Any) -> View:
        if isinstance(value, str):
            value = parsed(self.name, value)
        return checked(self.kind, value)


class FunctionReader(Reader):
    """Payloads decoded by a function of the user's."""

    def __init__(self, function: Callable[[Any], object]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "decoder")

    def from_text(self, text: str) -> Any:
        return self.from_object(text)

    def from_bytes(self, data: bytes) -> Any:
        return self.from_object(data)

    def from_object(self, value: Any) -> Any:
        try:
            return self.function(value)
        except EventValidationError:
            raise  # it parsed with us
        except Exception as error:  # what a decoder raises is its own affair: the payload is not what it decodes
            reason = f"{type(error).__name__}: {shortened(str(error), 200)}"
            raise EventValidationError(self.name, (Problem("", reason, shortened(value)),)) from error


class ModelReader(Reader):
    """Payloads that pydantic validates: models, dataclasses, typed dicts, unions, constrained types."""

    _made: ClassVar[Any] = None

    @classmethod
    def of(cls, kind: Any) -> ModelReader:
        """The reader for a type, made once: views of different sources with the same payload share its adapter."""
        if cls._made is None:
            from weakref import WeakValueDictionary

            cls._made = WeakValueDictionary()  # held by the view classes that use it, forgotten with them
        try:
            reader = cls._made.get(key := (kind, repr(kind)))
        except TypeError:
            return cls(kind)  # unhashable metadata
        if reader is None:
            reader = cls._made[key] = cls(kind)
        return reader  # type: ignore[no-any-return]

    def __init__(self, kind: Any) -> None:
        self.name = type_name(kind)
        # A model has its validator; the adapter's module alone would cost 25 ms.
        validator = getattr(kind, "__pydantic_validator__", None) if isinstance(kind, type) else None
        if validator is None:
            from pydantic import TypeAdapter

            validator = TypeAdapter(kind).validator
        self.validator = validator
        self.direct = validator.validate_json

    def from_text(self, text: str | bytes) -> Any:
        try:
            if may_hold_nan(text):
                parsed(self.name, text)  # pydantic would let it through
            return self.validator.validate_json(text)
        except ValueError as error:
            refusal = error if isinstance(error, EventValidationError) else invalid(self.name, error, text)
        if not refusal.is_json:
            # What pydantic's parser refuses (a byte order mark, some depths) may be JSON to everyone else.
            return self.from_object(parsed(self.name, text))
        try:
            raise refusal
        finally:
            del refusal  # or it would hold itself by this frame, and the event, until a collector comes

    def from_bytes(self, data: bytes) -> Any:
        return self.from_text(inflated(self.name, data))

    def from_object(self, value: Any) -> Any:
        # As JSON, so that both ways into a function validate alike: strict models take a date from text in JSON only.
        from pydantic_core import to_json

        try:
            text = to_json(value)
            if may_hold_nan(text):
                parsed(self.name, text)
            return self.validator.validate_json(text)
        except EventValidationError:
            raise
        except ValueError as error:
            raise invalid(self.name, error, value) from None

    def from_values(self, values: dict[str, Any]) -> Any:
        try:
            return self.validator.validate_python(values)
        except ValueError as error:
            raise invalid(self.name, error, values) from None


def reader_of(kind: Any) -> Reader:
    """The reader for a payload type; for a pydantic type the same one each time while it is in use."""
    if kind is str:
        return TextReader()
    if kind is bytes:
        return BytesReader()
    if plain := _plain_json_type(kind):
        return JsonReader(plain)
    if isinstance(kind, type) and issubclass(kind, View):
        return ViewReader(kind)
    for note in getattr(kind, "__metadata__", ()):
        if isinstance(note, Decoder):
            return FunctionReader(note.function)
    return ModelReader.of(kind)


def _plain_json_type(kind: Any) -> type | None:
    """`dict`, `list` or `object` where the type asks for plain JSON, which needs no pydantic."""
    if kind is dict or kind is list or kind is object:
        return kind
    if repr(kind) == "typing.Any":
        return object
    origin = getattr(kind, "__origin__", None)
    items = [repr(argument) for argument in getattr(kind, "__args__", ())]
    if origin is dict and items and items[0] == "<class 'str'>" and items[1] in _ANYTHING:
        return dict
    return list if origin is list and items and items[0] in _ANYTHING else None


_ANYTHING = ("typing.Any", "<class 'object'>")


def inflated(name: str, data: bytes) -> bytes:
    """The data, without its gzip cover if it has one. Raises `EventValidationError`."""
    if not is_gzip(data):
        return data
    try:
        return inflate(data)
    except ValueError as error:
        raise EventValidationError(name, (Problem("", str(error), shortened(data)),), False) from None


def parsed(name: str, text: str | bytes, shares: bool | None = None) -> Any:
    """JSON text as a value; `shares` as for `load`. Raises `EventValidationError` that says it is none."""
    try:
        return load(text, shares)
    except MalformedJsonError as error:
        raise not_json(name, str(error), text) from None


def not_json(name: str, reason: str, text: object) -> EventValidationError:
    """The error for a text or bytes that cannot even be parsed."""
    return EventValidationError(name, (Problem("", reason, shortened(text)),), False)


def invalid(name: str, error: ValueError, value: object) -> EventValidationError:
    """pydantic's findings in our words; another `ValueError` is one that text cannot be encoded."""
    if not hasattr(error, "errors"):
        return EventValidationError(name, (Problem("", str(error)[:200], shortened(value)),), False)
    found = error.errors(include_url=False, include_context=False)
    if len(found) == 1 and found[0]["type"] == "json_invalid":
        return not_json(name, found[0]["msg"][:200].replace("Invalid JSON", "not JSON"), value)
    problems = []
    for one in found:
        missing = one["type"] == "missing"  # its input is the object that lacks it
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in one["loc"])
        problems.append(Problem(path.removeprefix("."), one["msg"][:200], None if missing else shortened(one["input"])))
    return EventValidationError(name, tuple(problems))

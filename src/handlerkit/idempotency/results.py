"""A result as text and back, equal to the first one: type, order and falsiness included.

Plain JSON where that says all of it, so that results written by other tools can be read. What JSON does not know
stands in an object with one tag: `{"$hk": "tuple", "of": [1, 2]}`. Classes are named, and only those that the program
has loaded and that are models, dataclasses, named tuples or enums are made again: nothing is imported, no code of
theirs is run but a model's or dataclass's defaults.
"""

from __future__ import annotations

import sys

from .errors import RememberedError, ResultNotKeptError, ResultNotRestoredError

__all__ = ["encoded", "encoded_exception", "not_kept", "restored"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TAG, OF, CLASS = "$hk", "of", "class"
NOT_KEPT, RAISED = "not kept", "raised"


def encoded(value: object) -> str:
    """The text of a result. Raises `TypeError` or `ValueError` for what has no stored form."""
    if value is None:
        return "null"
    try:
        return _text(_plain(value))
    except RecursionError:
        raise ValueError("it is nested too deeply, or contains itself") from None


def not_kept(reason: str) -> str:
    """The text of a result that cannot be stored: that the work was done, and why there is no more."""
    return _text({TAG: NOT_KEPT, OF: reason[:500]})


def encoded_exception(error: BaseException) -> str:
    """The text of an exception that is remembered."""
    try:
        arguments = [_plain(one) for one in error.args]
    except (TypeError, ValueError, RecursionError):
        arguments = [str(error)]
    said = f"{type(error).__name__}: {error}"[:1000]
    return _text({TAG: RAISED, CLASS: _class_name(type(error)), OF: arguments, "said": said})


def restored(key: str, text: str) -> Any:
    """The result; raises the exception that is remembered, or `ResultNotKeptError`, `ResultNotRestoredError`."""
    if not text or text == "null":  # other tools leave out what is null
        return None
    from json import loads  # late: only for duplicates

    try:
        document = loads(text)
    except ValueError as error:
        raise ResultNotRestoredError(f"{key}: the stored result is no JSON ({error})") from error
    if isinstance(document, dict) and document.get(TAG) == NOT_KEPT:
        raise ResultNotKeptError(key, str(document.get(OF)))
    if isinstance(document, dict) and document.get(TAG) == RAISED:
        raise _exception(document)
    try:
        return _value(document)
    except ResultNotRestoredError as error:
        raise ResultNotRestoredError(f"{key}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultNotRestoredError(f"{key}: {type(error).__name__}: {error}") from error


def _text(document: object) -> str:
    from json import dumps  # late: 5 ms, unless something else has it loaded

    text = dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if _has_no_surrogate(text):
        return text
    return dumps(document, allow_nan=False, separators=(",", ":"))  # half an emoji in an exception's words


def _plain(value: Any) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is int:
        return value
    if kind is str:
        return value if _has_no_surrogate(value) else _tagged("text", value.encode("utf-8", SURROGATES).hex())
    if kind is float:
        return value if value - value == 0 else _tagged("float", repr(value))
    if kind is list:
        return [_plain(item) for item in value]
    if kind is dict:
        if TAG not in value and all(type(name) is str and _has_no_surrogate(name) for name in value):
            return {name: _plain(item) for name, item in value.items()}
        return _tagged("dict", [[_plain(name), _plain(item)] for name, item in value.items()])
    if kind is tuple:
        return _tagged("tuple", [_plain(item) for item in value])
    if kind is set or kind is frozenset:
        return _tagged(kind.__name__, [_plain(item) for item in value])
    if kind is bytes or kind is bytearray:
        return _tagged(kind.__name__, _base64(value))
    return _plain_standard(value, kind)


SURROGATES = "surrogatepass"


def _has_no_surrogate(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _plain_standard(value: Any, kind: type) -> Any:
    """Types that are known only if their module is loaded, and the program's own."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name == "decimal.Decimal":
        return _tagged("Decimal", str(value))
    if name in ("datetime.datetime", "datetime.date", "datetime.time"):
        zone = getattr(value, "tzinfo", None)
        if zone is not None and type(zone).__module__ != "datetime":
            if not getattr(zone, "key", None):
                raise TypeError(f"a {kind.__name__} in a zone of class {type(zone).__name__} has no stored form")
            return _tagged("zoned", [value.replace(tzinfo=None).isoformat(), zone.key, value.fold])
        return _tagged(kind.__name__, value.isoformat())
    if name == "datetime.timedelta":
        return _tagged("timedelta", [value.days, value.seconds, value.microseconds])
    if name == "uuid.UUID":
        return _tagged("UUID", value.hex)
    if name == "handlerkit.http.response.HttpResponse":
        content = [value.body, value.status, [list(pair) for pair in value.headers], value.cookies, value.content_type]
        return _tagged("HttpResponse", [_plain(one) for one in content])
    return _plain_object(value, kind)


def _plain_object(value: Any, kind: type) -> Any:
    enum = sys.modules.get("enum")
    if enum is not None and isinstance(value, enum.Enum):
        return _tagged("enum", _plain(value.value), kind)
    if hasattr(kind, "__pydantic_fields__") and not hasattr(kind, "__dataclass_fields__"):
        return _tagged("model", _plain_model(value, kind), kind)
    if hasattr(kind, "__dataclass_fields__"):
        names = [name for name in kind.__dataclass_fields__ if hasattr(value, name)]
        return _tagged("dataclass", {name: _plain(getattr(value, name)) for name in names}, kind)
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return _tagged("namedtuple", [_plain(item) for item in value], kind)
    raise TypeError(f"a {kind.__module__}.{kind.__qualname__} has no stored form")


def _plain_model(value: Any, kind: Any) -> list[Any]:
    """Fields, which of them were set, extra ones, private ones: what pydantic's own pickling keeps."""
    state = value.__getstate__()
    fields, private = kind.__pydantic_fields__, state["__pydantic_private__"] or {}
    return [
        {name: _plain(item) for name, item in state["__dict__"].items() if name in fields},
        sorted(state["__pydantic_fields_set__"]),
        _plain(state["__pydantic_extra__"]),
        {name: _plain(item) for name, item in private.items() if type(item).__name__ != "PydanticUndefinedType"},
    ]


def _tagged(tag: str, content: Any, kind: type | None = None) -> dict[str, Any]:
    return {TAG: tag, OF: content} if kind is None else {TAG: tag, CLASS: _class_name(kind), OF: content}


def _class_name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _base64(value: bytes | bytearray) -> str:
    from binascii import b2a_base64

    return b2a_base64(value, newline=False).decode()


def _value(document: Any) -> Any:
    if isinstance(document, list):
        return [_value(item) for item in document]
    if not isinstance(document, dict):
        return document
    tag = document.get(TAG)
    if tag is None:
        return {name: _value(item) for name, item in document.items()}
    content = document[OF]
    if CLASS in document:
        return _object(tag, _loaded(document[CLASS]), content)
    return _standard(tag, content)


def _standard(tag: str, content: Any) -> Any:
    if tag == "dict":
        return {_value(name): _value(item) for name, item in content}
    if tag in ("tuple", "set", "frozenset"):
        return {"tuple": tuple, "set": set, "frozenset": frozenset}[tag](_value(item) for item in content)
    if tag in ("bytes", "bytearray"):
        from binascii import a2b_base64

        return {"bytes": bytes, "bytearray": bytearray}[tag](a2b_base64(content, strict_mode=True))
    if tag == "text":
        return bytes.fromhex(content).decode("utf-8", SURROGATES)
    if tag == "float":
        return float(content)
    return _of_library(tag, content)


def _of_library(tag: str, content: Any) -> Any:
    if tag == "Decimal":
        from decimal import Decimal

        return Decimal(content)
    if tag == "UUID":
        from uuid import UUID

        return UUID(content)
    if tag == "HttpResponse":
        from handlerkit.http.response import HttpResponse

        body, status, headers, cookies, form = _value(content)
        return HttpResponse(body, status, headers, cookies=cookies, content_type=form)
    import datetime  # late, as those above: only results that hold one

    if tag == "timedelta":
        return datetime.timedelta(*content)
    if tag == "zoned":
        from zoneinfo import ZoneInfo

        moment, zone, fold = content
        kind = datetime.datetime if "T" in moment else datetime.time
        return kind.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone), fold=fold)
    if tag in ("datetime", "date", "time"):
        return getattr(datetime, tag).fromisoformat(content)
    raise ResultNotRestoredError(f"the stored result has a form that is not known here: {tag!r}")


def _object(tag: str, kind: Any, content: Any) -> Any:
    if tag == "enum":
        return kind(_value(content))
    if tag == "namedtuple":
        return kind._make(_value(item) for item in content)
    if tag == "model":
        return _model(kind, *content)
    if tag == "dataclass":
        return _dataclass(kind, content)
    raise ResultNotRestoredError(f"the stored result has a form that is not known here: {tag!r}")


def _model(kind: Any, content: dict[str, Any], fields_set: list[str], extra: Any, private: dict[str, Any]) -> Any:
    values = {name: _value(item) for name, item in content.items()}
    fields = kind.__pydantic_fields__
    # A model that has changed since: what is new gets its default, what is gone is left out.
    for name, field in fields.items():
        if name not in values:
            if field.is_required():
                raise ResultNotRestoredError(f"{_class_name(kind)} has a field {name!r} now, which was not stored")
            values[name] = field.get_default(call_default_factory=True)
    made = kind.__new__(kind)
    made.__setstate__({
        "__dict__": {name: values[name] for name in fields},
        "__pydantic_fields_set__": set(fields_set) & set(fields),
        "__pydantic_extra__": _value(extra),
        "__pydantic_private__": {name: _value(item) for name, item in private.items()} or None,
    })  # fmt: skip
    return made


def _dataclass(kind: Any, content: dict[str, Any]) -> Any:
    made = object.__new__(kind)
    for name, field in kind.__dataclass_fields__.items():
        if name in content:
            value = _value(content[name])
        elif type(field.default).__name__ != "_MISSING_TYPE":
            value = field.default
        elif type(field.default_factory).__name__ != "_MISSING_TYPE":
            value = field.default_factory()
        else:
            raise ResultNotRestoredError(f"{_class_name(kind)} has a field {name!r} now, which was not stored")
        object.__setattr__(made, name, value)
    return made


def _loaded(name: str) -> Any:
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    enum = sys.modules.get("enum")
    is_known = isinstance(found, type) and (
        hasattr(found, "__dataclass_fields__")
        or hasattr(found, "__pydantic_fields__")
        or (issubclass(found, tuple) and hasattr(found, "_fields"))
        or (enum is not None and issubclass(found, enum.Enum))
    )
    if not is_known:
        raise ResultNotRestoredError(f"the stored result is of class {name}, which this program has not loaded")
    return found


def _exception(document: dict[str, Any]) -> BaseException:
    module, _, path = str(document.get(CLASS)).partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type) and issubclass(found, Exception):
        try:
            return found(*(_value(one) for one in document[OF]))
        except Exception as error:  # noqa: BLE001  # a class with another signature than its arguments say
            return RememberedError(f"{document.get('said')} ({type(error).__name__} on making it again)")
    return RememberedError(str(document.get("said")))

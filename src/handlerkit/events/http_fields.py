"""The fields that the events of all HTTP fronts share: body, query, cookies, and header maps of other spellings.

The fronts are views of their own, with these attributes under the same names: `method`, `path`, `headers`, `query`,
`cookies`, `body`, `is_base64_encoded`, `source_ip`.
"""

from __future__ import annotations

from .descriptor import Field, KeptField
from .errors import EventValidationError
from .generics import TypeVar
from .payload import BodyPayload, Payload, carry_text
from .readers import BytesReader, Decoder, FunctionReader, ModelReader, TextReader

__all__ = ["AsItCame", "BodyT", "cookies", "http_body", "lenient_headers", "listed_headers", "nearest_ip", "query"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .headers import Headers
    from .query import Query
    from .view import View

T = TypeVar("T")
BodyT = TypeVar("BodyT", default=str | bytes)


def _as_it_came(body: object) -> object:
    return body


class AsItCame:
    """The payload type of a body whose type nobody named: `str` if it came as text, `bytes` if as base64."""

    __metadata__ = (Decoder(_as_it_came),)


class HttpBody(BodyPayload[T]):
    """The body of an HTTP event. No body is "" or b"", None for a type that takes None, and else an error."""

    __slots__ = ()

    def bind(self, view_name: str, arguments: tuple[Any, ...], explicit: bool) -> Payload[T]:
        bound = super().bind(view_name, arguments, explicit)
        bound.eager = explicit  # unlike elsewhere also for text: the caller of a function waits for his 400
        return bound

    def decoded(self, value: Any) -> T:
        takes_any_text = isinstance(self.reader, (TextReader, BytesReader, FunctionReader))
        if isinstance(value, (str, bytes)) and not value and not takes_any_text:
            return self.when_absent()  # load balancers send "" where API Gateway sends null
        return super().decoded(value)

    def when_absent(self) -> T:
        if self.optional:
            return super().when_absent()
        if isinstance(self.reader, FunctionReader) and self.reader.function is _as_it_came:
            return ""  # type: ignore[return-value]
        if isinstance(self.reader, ModelReader):
            try:
                return self.reader.from_object(None)  # type: ignore[no-any-return]  # Order | None
            except EventValidationError:
                pass
        return super().when_absent()


def http_body(*, optional: bool = False) -> Payload[Any]:
    """The payload of an HTTP event; `optional` where None stands for none, whatever the type."""
    return HttpBody("body", carry_text, 0, optional)


def query(*maps: str, text: str | None = None, in_path: bool = False, is_encoded: bool = False) -> Field[Query]:
    """The query: of a text where there is one (the more faithful form), else of a map and perhaps a map of lists.

    `in_path`: the text is a path that may end in a query. `is_encoded`: the maps hold what was sent, undecoded.
    """
    return _QueryField(maps, text, in_path, is_encoded)


class _QueryField(KeptField["Query"]):
    __slots__ = ("in_path", "is_encoded", "maps", "text")

    def __init__(self, maps: tuple[str, ...], text: str | None, in_path: bool, is_encoded: bool) -> None:
        wire, *also = (*maps, *([text] if text else []))
        super().__init__(wire, self._nothing, None, also=tuple(also))  # type: ignore[arg-type]  # read() asks neither
        self.maps = maps
        self.text = text
        self.in_path = in_path
        self.is_encoded = is_encoded

    @staticmethod
    def _nothing(value: Any) -> Query:
        raise NotImplementedError

    def read(self, view: View) -> Query:
        from .query import Query  # late, as headers are: only for those who look at it

        text = view.raw.get(self.text) if self.text else None
        if text is not None and not isinstance(text, str):
            raise self.refusal(text, ValueError("not text"))
        if text and self.in_path:
            text = text.partition("?")[2]
        if text:
            return Query.from_text(text)
        found = [view.raw.get(name) for name in self.maps]
        for one in found:
            if one is not None and not isinstance(one, dict):
                raise self.refusal(one, ValueError("not a map of parameters"))
        single, multiple = (*found, None, None)[:2]
        return Query.from_maps(single, multiple, self.is_encoded)


def cookies() -> Field[dict[str, str]]:
    """The cookies by name, values as sent; of two with one name the first, which is the one set for the longer path."""
    return _CookiesField()


class _CookiesField(KeptField[dict[str, str]]):
    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("cookies", dict, {})

    def read(self, view: View) -> dict[str, str]:
        lines = view.raw.get("cookies")
        if lines is None:
            headers: Headers = view.headers  # type: ignore[attr-defined]  # every view with cookies has them
            lines = headers.get_all("cookie")
        if isinstance(lines, str):
            lines = [lines]
        if isinstance(lines, list):
            lines = [line for line in lines if line is not None]
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise self.refusal(lines, ValueError("not a list of cookies"))
        found: dict[str, str] = {}
        for part in ";".join(lines).split(";"):
            name, is_pair, value = part.partition("=")
            if is_pair:
                found.setdefault(name.strip(), value.strip())
        return found


def lenient_headers(wire: str = "headers") -> Field[Headers]:
    """One map of headers; what is no map counts as none, for events that templates build."""
    return _OneMapField(wire, _lenient_headers)


def listed_headers(wire: str = "headers") -> Field[Headers]:
    """One map of headers in CloudFront's form: `{"host": [{"key": "Host", "value": "example.com"}]}`."""
    return _OneMapField(wire, _listed_headers)


class _OneMapField(KeptField["Headers"]):
    __slots__ = ()

    def __init__(self, wire: str, decode: Callable[[Any], Headers]) -> None:
        super().__init__(wire, decode, None)  # type: ignore[arg-type]  # when_absent makes one

    def when_absent(self) -> Headers:
        return self.decode({})


def _lenient_headers(value: Any) -> Headers:
    from .headers import Headers

    return Headers(value if isinstance(value, dict) else None)


def _listed_headers(value: Any) -> Headers:
    from .headers import Headers

    found: dict[str, list[object]] = {}
    for name, entries in value.items() if isinstance(value, dict) else ():
        for entry in entries if isinstance(entries, list) else [entries]:
            is_entry = isinstance(entry, dict)
            key = entry.get("key") if is_entry else None
            found.setdefault(key if isinstance(key, str) and key.lower() == name.lower() else name, []).append(
                entry.get("value") if is_entry else entry
            )
    return Headers(None, found)


def nearest_ip(headers: Headers) -> str:
    """The address that connected to a balancer: the last one in `X-Forwarded-For`, which the balancer itself added."""
    return headers.get("x-forwarded-for", "").rpartition(",")[2].strip()

"""`HttpRequest`: one request type over API Gateway, function URLs, load balancers and VPC Lattice.

A thin object over the parsed event: everything is read when it is asked for, and nothing is lost (`raw`).
"""

from __future__ import annotations

from handlerkit.events.errors import EventValidationError, Problem
from handlerkit.events.generics import Generic, TypeVar

from .sources import SOURCES, http_kind, unquoted

__all__ = ["HttpRequest"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from handlerkit.events.headers import Headers
    from handlerkit.events.query import Query
    from handlerkit.events.readers import Reader

    from .identity import Identity

BodyT = TypeVar("BodyT", default=bytes)


class HttpRequest(Generic[BodyT]):
    """A request. `HttpRequest[Order]` has its body as that type in `body`; without a type that is `content`.

    `raw` is the event, `kind` the front: `apigw_rest`, `apigw_http_v2`, `function_url`, `alb.single`, `alb.multi`,
    `vpc_lattice.v1` or `vpc_lattice.v2`. Raises `EventValidationError` for an event that is no HTTP request.
    """

    __slots__ = ("__weakref__", "_kept", "kind", "raw", "source")

    _type: Any = bytes
    _reader: Reader | None = None

    def __init__(self, raw: Any) -> None:
        kind = http_kind(raw)
        if kind is None:
            from handlerkit.events.kinds import outer_kind

            reason = f"the event is no HTTP request but of the kind {outer_kind(raw)[:100]!r}"
            raise EventValidationError("HttpRequest", (Problem("", reason),))
        self.raw: dict[str, Any] = raw
        self.kind = kind
        self.source = SOURCES[kind]
        self._kept: dict[str, Any] = {}

    if not TYPE_CHECKING:

        def __class_getitem__(cls, kind: Any) -> type[Self]:
            if type(kind).__name__ == "TypeVar":
                return cls
            if isinstance(kind, str):
                raise TypeError(f"HttpRequest[{kind!r}]: name the type itself, or quote the whole annotation")
            name = f"HttpRequest[{getattr(kind, '__name__', kind)}]"
            return type(name, (cls,), {"__slots__": (), "__doc__": cls.__doc__, "_type": kind, "_reader": None})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.raw_path[:100]} by {self.kind}>"

    # --- the request line ---

    @property
    def method(self) -> str:
        """In capitals, mostly."""
        return self.source.method(self.raw)

    @property
    def raw_path(self) -> str:
        """The path as it was sent, `%2F` and `..` too, without the stage."""
        return self.source.raw_path(self.raw)

    @property
    def path(self) -> str:
        """The path decoded once, without the stage. What must tell `%2F` from a slash looks at `raw_path`."""
        return unquoted(self.source.raw_path(self.raw))

    @property
    def root_path(self) -> str:
        """What stands before the path in the client's URL: the stage, at an API's own address; else empty."""
        return self.source.prefix(self.raw)

    @property
    def raw_query(self) -> str:
        """The query's text as it was sent, where the front keeps it (all but REST APIs and VPC Lattice)."""
        return self.source.raw_query(self.raw)

    @property
    def query(self) -> Query:
        """The decoded parameters, the last of several values; `get_all(name)`, `pairs()`."""
        found = self._kept.get("query")
        if found is None:
            found = self._kept["query"] = self.source.query(self.raw)
        return found

    @property
    def protocol(self) -> str:
        """As `HTTP/1.1`."""
        return self.source.protocol(self.raw)

    # --- headers ---

    @property
    def headers(self) -> Headers:
        """Looked up in any case; `get_all(name)` for every value."""
        found = self._kept.get("headers")
        if found is None:
            found = self._kept["headers"] = self.source.headers(self.raw)
        return found

    @property
    def cookie_header(self) -> str:
        """All cookies as one `Cookie` header."""
        lines = self.raw.get("cookies")
        if type(lines) is list and lines and all(type(line) is str for line in lines):
            return "; ".join(lines)
        return "; ".join(self.source.cookie_lines(self.raw, self.headers))

    @property
    def cookies(self) -> dict[str, str]:
        """Names and values as sent; of two with one name the first, which is the one set for the longer path."""
        found: dict[str, str] = {}
        for part in self.cookie_header.split(";"):
            name, is_pair, value = part.partition("=")
            if is_pair:
                found.setdefault(name.strip(), value.strip())
        return found

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case; empty where it was not sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def host(self) -> str:
        """The host that the client asked for, perhaps with a port."""
        context = self.raw.get("requestContext")
        name = context.get("domainName") if isinstance(context, dict) else None
        return self.headers.get("host") or (name if isinstance(name, str) else "") or "localhost"

    @property
    def scheme(self) -> str:
        """`https`, unless the front says otherwise."""
        return self.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower() or "https"

    # --- the body ---

    @property
    def content(self) -> bytes:
        """The body's bytes. Raises `HttpError` (400) where it is said to be base64 and is not."""
        found = self._kept.get("content")
        if found is None:
            found = self._kept["content"] = self._decoded()
        return found

    @property
    def text(self) -> str:
        """The body as UTF-8. Raises `HttpError` (400) where it is none."""
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError as error:
            from .errors import HttpError

            raise HttpError(400, f"The body is not UTF-8 at byte {error.start}.") from None

    def json(self) -> Any:
        """The body's JSON value. Raises `HttpError` (400) where it is none."""
        from handlerkit.events.json_text import load

        from .errors import HttpError

        try:
            return load(self.content)
        except ValueError as error:
            raise HttpError(400, f"The body is {error}.") from None

    def form(self) -> Query:
        """The fields of a form's body, `application/x-www-form-urlencoded`."""
        from handlerkit.events.query import Query

        return Query.from_text(self.text)

    @property
    def body(self) -> BodyT:
        """The body as the type named, validated once. Raises `HttpError`: 400 for no JSON, 422 for the wrong JSON."""
        if "body" not in self._kept:
            cls = type(self)
            if cls._reader is None:
                from handlerkit.events.readers import reader_of

                cls._reader = reader_of(cls._type)
            self._kept["body"] = self.body_by(cls._reader)
        return self._kept["body"]  # type: ignore[no-any-return]

    def body_by(self, reader: Reader) -> Any:
        """The body as a reader makes it. No body is None for a type that takes it, else what the reader says."""
        content = self.content
        try:
            if content:
                return reader.from_bytes(content)
            from handlerkit.events.readers import ModelReader

            if isinstance(reader, ModelReader):
                try:
                    return reader.from_object(None)
                except EventValidationError:
                    pass
            return reader.when_absent()
        except EventValidationError as error:
            from .errors import problem_of_refusal

            raise problem_of_refusal(error) from error

    def _decoded(self) -> bytes:
        body = self.raw.get("body")
        if body is None:
            return b""
        if not isinstance(body, str):
            from handlerkit.reply import encoded  # a template's doing: the body stands in the event as an object

            return encoded(body)
        if not self.source.is_base64(self.raw):
            return body.encode("utf-8", "surrogatepass")
        from handlerkit.events.encoded import from_base64

        try:
            return from_base64(body)
        except ValueError:
            from .errors import HttpError

            raise HttpError(400, "The body is not the base64 that it is said to be.") from None

    # --- who, and through what ---

    @property
    def client_ip(self) -> str:
        """The address that connected; not always an address: the console sends `test-invoke-source-ip`."""
        return self.source.client_ip(self.raw, self.headers)

    @property
    def identity(self) -> Identity:
        """Who calls."""
        from .identity import Identity

        return Identity(self.raw)

    @property
    def path_parameters(self) -> dict[str, str]:
        """What the API's route captured."""
        return _map(self.raw.get("pathParameters"))

    @property
    def stage_variables(self) -> dict[str, str]:
        """Of the API's stage."""
        return _map(self.raw.get("stageVariables"))

    @property
    def stage(self) -> str | None:
        """Of an API; None for what has no stages."""
        return self._said("stage")

    @property
    def route(self) -> str | None:
        """The API's route: `GET /orders/{id}`, `$default`; of a REST API the resource, `/orders/{id}`."""
        return self._said("routeKey") or self._said("resourcePath")

    @property
    def request_id(self) -> str | None:
        """The front's own id of this request."""
        return self._said("requestId")

    def _said(self, key: str) -> str | None:
        context = self.raw.get("requestContext")
        found = context.get(key) if isinstance(context, dict) else None
        return found if isinstance(found, str) else None


def _map(value: Any) -> dict[str, str]:
    return dict(value) if isinstance(value, dict) else {}

"""What each HTTP front calls things: from a raw event to what a request needs. No state, nothing decoded twice.

A front is known by its kind, as `handlerkit.events.kinds` names it.
"""

from __future__ import annotations

from handlerkit.events.encoded import unquote_plus
from handlerkit.events.headers import Headers
from handlerkit.events.query import Query

__all__ = ["SOURCES", "Source", "http_kind", "unquoted"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_NOTHING: dict[str, Any] = {}
_NOT_V2 = ("Records", "methodArn", "routeArn", "type")


def http_kind(event: Any) -> str | None:
    """The front that an event comes from, None where it is no HTTP request. The same as `outer_kind`, sooner."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    # The one form that is worth a shortcut: it is the commonest, and nearly the last of the table.
    if (
        isinstance(context, dict)
        and "rawPath" in event
        and type(context.get("http")) is dict
        and event.keys().isdisjoint(_NOT_V2)
        and context.keys().isdisjoint(("connectionId", "elb"))
    ):
        return "function_url" if ".lambda-url." in str(context.get("domainName")) else "apigw_http_v2"
    from handlerkit.events.kinds import outer_kind

    kind = outer_kind(event)
    return kind if kind in SOURCES else None


class Source:
    """One front. All functions take the raw event; paths and queries come as they were sent."""

    def method(self, raw: dict[str, Any]) -> str:
        """The request's method."""
        return _text(raw.get("httpMethod")) or _text(_of(raw, "requestContext").get("httpMethod")) or "GET"

    def raw_path(self, raw: dict[str, Any]) -> str:
        """The path behind the stage."""
        return _text(raw.get("path")) or "/"

    def prefix(self, raw: dict[str, Any]) -> str:
        """What stood before that path in the client's URL."""
        context = _of(raw, "requestContext")
        whole, stage, path = _text(context.get("path")), _text(context.get("stage")), self.raw_path(raw)
        prefix = f"/{stage}"
        return prefix if stage and whole in (prefix + path, prefix) and whole != path else ""

    def raw_query(self, raw: dict[str, Any]) -> str:
        """The query's text; where the front has decoded it, encoded again."""
        return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in self.query(raw).pairs())

    def query(self, raw: dict[str, Any]) -> Query:
        """The query's parameters, decoded."""
        return Query.from_maps(
            _of(raw, "queryStringParameters"), _of(raw, "multiValueQueryStringParameters"), is_encoded=False
        )

    def headers(self, raw: dict[str, Any]) -> Headers:
        """The headers."""
        return Headers(_of(raw, "headers"), _of(raw, "multiValueHeaders"))

    def header_pairs(self, raw: dict[str, Any]) -> list[tuple[str, str]]:
        """The headers one by one, names in lower case; for who needs all of them and looks none up."""
        multiple = raw.get("multiValueHeaders")
        if isinstance(multiple, dict) and multiple:
            headers = self.headers(raw)
            return [(name.lower(), value) for name in headers for value in headers.get_all(name)]
        single = _of(raw, "headers")
        try:
            return [(name.lower(), value + "") for name, value in single.items()]
        except (AttributeError, TypeError):  # lists, numbers, nothing
            headers = self.headers(raw)
            return [(name.lower(), value) for name in headers for value in headers.get_all(name)]

    def cookie_lines(self, raw: dict[str, Any], headers: Headers) -> list[str]:
        """The values of all `Cookie` headers."""
        del raw
        return headers.get_all("cookie")

    def is_base64(self, raw: dict[str, Any]) -> bool:
        """Whether the body is base64."""
        return raw.get("isBase64Encoded") in (True, "true")

    def client_ip(self, raw: dict[str, Any], headers: Mapping[str, str]) -> str:
        """The address that connected to the front."""
        del headers
        return _text(_of(_of(raw, "requestContext"), "identity").get("sourceIp"))

    def protocol(self, raw: dict[str, Any]) -> str:
        """The client's HTTP version, as `HTTP/1.1`."""
        return _text(_of(raw, "requestContext").get("protocol")) or "HTTP/1.1"


class _PayloadV2(Source):
    """HTTP APIs and function URLs."""

    def method(self, raw: dict[str, Any]) -> str:
        return _text(_of(_of(raw, "requestContext"), "http").get("method")) or "GET"

    def raw_path(self, raw: dict[str, Any]) -> str:
        return _whole_v2(raw)[len(self.prefix(raw)) :] or "/"

    def prefix(self, raw: dict[str, Any]) -> str:
        stage = _text(_of(raw, "requestContext").get("stage"))
        if not stage or stage == "$default":
            return ""
        whole, prefix = _whole_v2(raw), f"/{stage}"
        return prefix if whole == prefix or whole.startswith(f"{prefix}/") else ""

    def raw_query(self, raw: dict[str, Any]) -> str:
        text = raw.get("rawQueryString")
        return text if isinstance(text, str) else super().raw_query(raw)

    def query(self, raw: dict[str, Any]) -> Query:
        text = raw.get("rawQueryString")
        if isinstance(text, str) and (text or not raw.get("queryStringParameters")):
            return Query.from_text(text)
        return super().query(raw)

    def cookie_lines(self, raw: dict[str, Any], headers: Headers) -> list[str]:
        cookies = raw.get("cookies")
        if isinstance(cookies, list) and cookies:
            return [one for one in cookies if isinstance(one, str)]
        return super().cookie_lines(raw, headers)

    def client_ip(self, raw: dict[str, Any], headers: Mapping[str, str]) -> str:
        del headers
        return _text(_of(_of(raw, "requestContext"), "http").get("sourceIp"))

    def protocol(self, raw: dict[str, Any]) -> str:
        return _text(_of(_of(raw, "requestContext"), "http").get("protocol")) or "HTTP/1.1"


class _Balancer(Source):
    """Load balancers: nothing is decoded, the query's text is what its map says."""

    def prefix(self, raw: dict[str, Any]) -> str:
        del raw
        return ""

    def raw_query(self, raw: dict[str, Any]) -> str:
        maps = _of(raw, "queryStringParameters"), _of(raw, "multiValueQueryStringParameters")
        return "&".join(f"{name}={value}" for name, value in Query.from_maps(*maps).pairs())

    def query(self, raw: dict[str, Any]) -> Query:
        return Query.from_maps(
            _of(raw, "queryStringParameters"), _of(raw, "multiValueQueryStringParameters"), is_encoded=True
        )

    def client_ip(self, raw: dict[str, Any], headers: Mapping[str, str]) -> str:
        del raw
        return headers.get("x-forwarded-for", "").rpartition(",")[2].strip()


class _Lattice(_Balancer):
    """VPC Lattice, both versions."""

    def method(self, raw: dict[str, Any]) -> str:
        return _text(raw.get("method")) or "GET"

    def raw_path(self, raw: dict[str, Any]) -> str:
        return (_text(raw.get("raw_path")) or _text(raw.get("path"))).partition("?")[0] or "/"

    def raw_query(self, raw: dict[str, Any]) -> str:
        text = _text(raw.get("raw_path")).partition("?")[2]
        return text or Source.raw_query(self, raw)

    def query(self, raw: dict[str, Any]) -> Query:
        text = _text(raw.get("raw_path")).partition("?")[2]
        if text:
            return Query.from_text(text)
        return Query.from_maps(_of(raw, "queryStringParameters") or _of(raw, "query_string_parameters"), None)

    def is_base64(self, raw: dict[str, Any]) -> bool:
        return raw.get("is_base64_encoded") in (True, "true") or super().is_base64(raw)


SOURCES: dict[str, Source] = {
    "apigw_rest": Source(),
    "apigw_http_v2": _PayloadV2(),
    "function_url": _PayloadV2(),
    "alb.single": _Balancer(),
    "alb.multi": _Balancer(),
    "vpc_lattice.v1": _Lattice(),
    "vpc_lattice.v2": _Lattice(),
}


def unquoted(path: str) -> str:
    """A path decoded once, as UTF-8; what is no UTF-8 becomes U+FFFD.

    >>> unquoted("/a%2Fb+c%C3%A9")
    '/a/b+cé'
    """
    return unquote_plus(path.replace("+", "%2B")) if "%" in path else path


_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _quoted(text: str) -> str:
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))


def _whole_v2(raw: dict[str, Any]) -> str:
    return _text(raw.get("rawPath")) or _text(_of(_of(raw, "requestContext"), "http").get("path")) or "/"


def _of(raw: dict[str, Any], key: str) -> dict[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, dict) else _NOTHING


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

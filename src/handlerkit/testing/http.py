"""Events of HTTP fronts: one request, in the form of each."""

from __future__ import annotations

from handlerkit.reply import encoded

from .wire import ACCOUNT, REGION, SENT_AT_MS, as_base64, uuid

__all__ = [
    "HttpParts",
    "http_api_event",
    "http_event",
    "pairs_of",
    "rest_event",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Literal

    # `http_event` has them spelled out: `handlerkit event` reads its choices from that annotation.
    Kind = Literal["http_api", "rest", "function_url", "alb", "alb_multi", "lattice", "lattice_v1"]
    Many = Mapping[str, str | Iterable[str]]

SOURCE_IP = "203.0.113.7"
REQUEST_TIME = "01/Jan/2026:00:00:00 +0000"
_NOTHING: Any = object()


def http_event(
    method: str = "GET",
    path: str = "/",
    *,
    json: Any = _NOTHING,
    body: str | bytes | None = None,
    headers: Many | None = None,
    query: Many | None = None,
    cookies: Mapping[str, str] | None = None,
    path_parameters: Mapping[str, str] | None = None,
    claims: Mapping[str, Any] | None = None,
    kind: Literal["http_api", "rest", "function_url", "alb", "alb_multi", "lattice", "lattice_v1"] = "http_api",
) -> dict[str, Any]:
    """A request as API Gateway, a function URL, a load balancer or VPC Lattice sends it.

    Its body is JSON, or text, or bytes (sent as base64). Headers and parameters of the query may have lists of values.
    `path` is as sent, percent-encoded. `claims` are those of a verified token, for the two kinds of API. Raises
    `ValueError` for what a front does not know.
    """
    if kind not in _FRONTS:
        raise ValueError(f"no front {kind!r}; there are {', '.join(_FRONTS)}")
    if claims is not None and kind not in ("http_api", "rest"):
        raise ValueError(f"{kind} events carry no claims")
    if json is not _NOTHING:
        if body is not None:
            raise ValueError("a request has one body: json or body")
        body = str(encoded(json), "utf-8")
    sent = [(name.lower(), value) for name, value in pairs_of(headers)]
    given = {name for name, _ in sent}
    for name, value in (
        ("content-type", "application/json" if json is not _NOTHING else None),
        ("host", "api.example.com"),
        ("x-forwarded-for", SOURCE_IP),
    ):
        if value is not None and name not in given:
            sent.append((name, value))
    parts = HttpParts(method.upper(), path, sent, pairs_of(query), body)
    parts.cookies = [f"{name}={value}" for name, value in (cookies or {}).items()]
    parts.path_parameters = dict(path_parameters) if path_parameters else None
    parts.claims = dict(claims) if claims else None
    return _FRONTS[kind](parts)


class HttpParts:
    """A request before it takes the form of a front."""

    def __init__(
        self,
        method: str,
        path: str,
        headers: list[tuple[str, str]],
        query: list[tuple[str, str]],
        body: str | bytes | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.query = query
        self.is_base64 = isinstance(body, bytes)
        self.body = as_base64(body) if isinstance(body, bytes) else body
        self.cookies: list[str] = []
        self.path_parameters: dict[str, str] | None = None
        self.claims: dict[str, Any] | None = None

    def all_headers(self) -> list[tuple[str, str]]:
        """The headers, with that of the cookies."""
        return self.headers + ([("cookie", "; ".join(self.cookies))] if self.cookies else [])

    def query_string(self) -> str:
        """The query as it is sent."""
        from urllib.parse import urlencode

        return urlencode(self.query)


def pairs_of(many: Many | None) -> list[tuple[str, str]]:
    """Names and values, one by one."""
    return [
        (name, value)
        for name, values in (many or {}).items()
        for value in ([values] if isinstance(values, str) else values)
    ]


def lists(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Every value of each name."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The values of each name in one text, as payload format 2.0 does."""
    return {name: ",".join(values) for name, values in lists(pairs).items()}


def rest_event(parts: HttpParts) -> dict[str, Any]:
    """Payload format 1.0."""
    query, headers = parts.query, parts.all_headers()
    context: dict[str, Any] = {
        "accountId": ACCOUNT,
        "apiId": "a1b2c3d4e5",
        "stage": "prod",
        "resourceId": "abc123",
        "resourcePath": "/{proxy+}",
        "httpMethod": parts.method,
        "path": f"/prod{parts.path}",
        "protocol": "HTTP/1.1",
        "requestId": uuid(0),
        "extendedRequestId": "DXXXXXXXvHcFXyg=",
        "requestTime": REQUEST_TIME,
        "requestTimeEpoch": SENT_AT_MS,
        "domainName": "api.example.com",
        "domainPrefix": "api",
        "identity": {"sourceIp": SOURCE_IP, "userAgent": dict(headers).get("user-agent"), "userArn": None},
    }
    if parts.claims is not None:
        context["authorizer"] = {"claims": parts.claims}
    return {
        "resource": "/{proxy+}",
        "path": parts.path,
        "httpMethod": parts.method,
        "headers": dict(headers),
        "multiValueHeaders": lists(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": lists(query) or None,
        "pathParameters": parts.path_parameters or {"proxy": parts.path.lstrip("/")},
        "stageVariables": None,
        "requestContext": context,
        "body": parts.body,
        "isBase64Encoded": parts.is_base64,
    }


def http_api_event(parts: HttpParts, domain_name: str = "api.example.com") -> dict[str, Any]:
    """Payload format 2.0."""
    context: dict[str, Any] = {
        "accountId": ACCOUNT,
        "apiId": "a1b2c3d4e5",
        "domainName": domain_name,
        "domainPrefix": domain_name.partition(".")[0],
        "http": {
            "method": parts.method,
            "path": parts.path,
            "protocol": "HTTP/1.1",
            "sourceIp": SOURCE_IP,
            "userAgent": dict(parts.headers).get("user-agent", ""),
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": "$default",
        "stage": "$default",
        "time": REQUEST_TIME,
        "timeEpoch": SENT_AT_MS,
    }
    if parts.claims is not None:
        context["authorizer"] = {"jwt": {"claims": parts.claims, "scopes": None}}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path,
        "rawQueryString": parts.query_string(),
        **({"cookies": parts.cookies} if parts.cookies else {}),
        "headers": joined(parts.headers),
        **({"queryStringParameters": joined(parts.query)} if parts.query else {}),
        **({"pathParameters": parts.path_parameters} if parts.path_parameters else {}),
        "requestContext": context,
        **({"body": parts.body} if parts.body is not None else {}),
        "isBase64Encoded": parts.is_base64,
    }


def _function_url_event(parts: HttpParts) -> dict[str, Any]:
    event = http_api_event(parts, f"abcdefghijklmnopqrstuvwxyz012345.lambda-url.{REGION}.on.aws")
    event["requestContext"]["accountId"] = "anonymous"
    return event


def _alb_event(parts: HttpParts, is_multi: bool = False) -> dict[str, Any]:
    from urllib.parse import quote_plus

    arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/orders/6d0ecf831eec9f09"
    query = [(quote_plus(name), quote_plus(value)) for name, value in parts.query]
    headers = parts.all_headers()
    maps: dict[str, Any] = {"queryStringParameters": dict(query), "headers": dict(headers)}
    if is_multi:
        maps = {"multiValueQueryStringParameters": lists(query), "multiValueHeaders": lists(headers)}
    return {
        "requestContext": {"elb": {"targetGroupArn": arn}},
        "httpMethod": parts.method,
        "path": parts.path,
        **maps,
        "body": parts.body or "",
        "isBase64Encoded": parts.is_base64,
    }


def _lattice_event(parts: HttpParts) -> dict[str, Any]:
    arn = f"arn:aws:vpc-lattice:{REGION}:{ACCOUNT}"
    return {
        "version": "2.0",
        "path": parts.path,
        "method": parts.method,
        "headers": lists(parts.all_headers()),
        **({"queryStringParameters": lists(parts.query)} if parts.query else {}),
        **({"body": parts.body, "isBase64Encoded": parts.is_base64} if parts.body is not None else {}),
        "requestContext": {
            "serviceNetworkArn": f"{arn}:servicenetwork/sn-0bf3f2882e9cc805a",
            "serviceArn": f"{arn}:service/svc-0a40eebed65f8d69c",
            "targetGroupArn": f"{arn}:targetgroup/tg-6d0ecf831eec9f09",
            "region": REGION,
            "timeEpoch": str(SENT_AT_MS * 1000),
            "identity": {"sourceVpcArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-0b8276c84697e7339"},
        },
    }


def _lattice_v1_event(parts: HttpParts) -> dict[str, Any]:
    query = parts.query_string()
    return {
        "raw_path": f"{parts.path}?{query}" if query else parts.path,
        "method": parts.method,
        "headers": joined(parts.all_headers()),
        "query_string_parameters": dict(parts.query),
        "body": parts.body or "",
        "is_base64_encoded": parts.is_base64,
    }


_FRONTS: dict[str, Callable[[HttpParts], dict[str, Any]]] = {
    "http_api": http_api_event,
    "rest": rest_event,
    "function_url": _function_url_event,
    "alb": _alb_event,
    "alb_multi": lambda parts: _alb_event(parts, is_multi=True),
    "lattice": _lattice_event,
    "lattice_v1": _lattice_v1_event,
}

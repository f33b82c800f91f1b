"""Events of API Gateway's WebSocket APIs and authorizers."""

from __future__ import annotations

from .http import SOURCE_IP, HttpParts, http_api_event, pairs_of, rest_event
from .wire import ACCOUNT, REGION, SENT_AT_MS, as_text, uuid

__all__ = ["authorizer_event", "websocket_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from .http import Many

API = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5"


def websocket_event(
    body: Any = None,
    *,
    route: str = "$default",
    connection_id: str = "L0SM9cOFvHcCIhw=",
    headers: Many | None = None,
    query: Many | None = None,
) -> dict[str, Any]:
    """A moment of a connection: by its route the opening (`$connect`), the closing (`$disconnect`) or a message."""
    moment = {"$connect": "CONNECT", "$disconnect": "DISCONNECT"}.get(route, "MESSAGE")
    context: dict[str, Any] = {
        "routeKey": route,
        "eventType": moment,
        "extendedRequestId": "DXXXXXXXvHcFXyg=",
        "requestTime": "01/Jan/2026:00:00:00 +0000",
        "messageDirection": "IN",
        "stage": "prod",
        "connectedAt": SENT_AT_MS,
        "requestTimeEpoch": SENT_AT_MS,
        "identity": {"sourceIp": SOURCE_IP},
        "requestId": uuid(0),
        "domainName": f"a1b2c3d4e5.execute-api.{REGION}.amazonaws.com",
        "connectionId": connection_id,
        "apiId": "a1b2c3d4e5",
    }
    if moment == "MESSAGE":
        context["messageId"] = "L0SM9dGqPHcCIhw="
        return {"requestContext": context, "body": as_text(body), "isBase64Encoded": False}
    if moment == "DISCONNECT":
        context |= {"disconnectStatusCode": 1001, "disconnectReason": "Going away"}
    parts = rest_event(
        HttpParts("GET", "/", [("host", str(context["domainName"])), *pairs_of(headers)], pairs_of(query))
    )
    kept = ["headers", "multiValueHeaders"]
    if query:
        kept += ["queryStringParameters", "multiValueQueryStringParameters"]
    return {**{key: parts[key] for key in kept}, "requestContext": context, "isBase64Encoded": False}


def authorizer_event(
    token: str = "Bearer token",  # noqa: S107 - a value for tests
    *,
    method: str = "GET",
    path: str = "/",
    headers: Many | None = None,
    query: Many | None = None,
    kind: Literal["token", "request", "http_api", "websocket"] = "token",
) -> dict[str, Any]:
    """The question whether a request may pass, its token in the header `authorization`.

    Raises `ValueError` for a kind of authorizer that there is not.
    """
    sent = [("authorization", token), *pairs_of(headers)]
    parts = HttpParts(method, path, sent, pairs_of(query))
    arn = f"{API}/prod/{method}{path}"
    if kind == "token":
        return {"type": "TOKEN", "authorizationToken": token, "methodArn": arn}
    if kind == "request":
        event = rest_event(parts)
        del event["body"], event["isBase64Encoded"]
        return {"type": "REQUEST", "methodArn": arn, **event}
    if kind == "http_api":
        event = http_api_event(parts)
        del event["isBase64Encoded"]
        return {
            **event,
            "type": "REQUEST",
            "routeArn": f"{API}/$default/{method}{path}",
            "identitySource": [token],
        }
    if kind == "websocket":
        event = websocket_event(route="$connect", headers={"authorization": token, **(headers or {})}, query=query)
        del event["isBase64Encoded"]
        return {"type": "REQUEST", "methodArn": f"{API}/prod/$connect", **event}
    raise ValueError(f"no kind of authorizer {kind!r}; there are token, request, http_api, websocket")

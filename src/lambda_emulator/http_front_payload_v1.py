"""Payload format 1.0 both ways: REST APIs. What does not apply is null in the event; responses are checked strictly."""

import base64
import uuid
from typing import Any

from lambda_emulator.http_front_request import ACCOUNT_ID, FrontRequest, last_of_each, lists_of, query_pairs
from lambda_emulator.http_front_response import BadResponse, Parts, body_of, header_text, parsed, status_of

__all__ = ["event_v1", "parts_v1"]

_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_DROPPED = ("content-length", "connection")
_TITLED = {"authorization": "Authorization", "user-agent": "User-Agent"}
_NOBODY = (
    "accessKey accountId apiKey apiKeyId caller cognitoAmr cognitoAuthenticationProvider cognitoAuthenticationType "
    "cognitoIdentityId cognitoIdentityPoolId principalOrgId user userArn vpcId vpceId"
)


def event_v1(request: FrontRequest) -> dict[str, Any]:
    """The event."""
    route = request.route
    headers = [(_spelled(name), value) for name, value in request.headers if name.lower() not in _DROPPED]
    query = query_pairs(request.query)
    if route.path is not None:
        resource, captures = route.path, dict(request.captures)
        if "+}" in resource:  # the path keeps what the greedy parameter loses: a slash at its end
            captures = {name: value.rstrip("/") or value for name, value in captures.items()}
    elif request.path == "/":
        resource, captures = "/", {}
    else:
        resource, captures = "/{proxy+}", {"proxy": request.path.lstrip("/").rstrip("/")}
    if _is_binary(request.header("content-type"), route.binary_media_types):
        body, is_base64 = base64.b64encode(request.body).decode("ascii"), True
    else:
        body, is_base64 = request.body.decode("utf-8", "replace"), False
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": last_of_each(headers) or None,
        "multiValueHeaders": lists_of(headers) or None,
        "queryStringParameters": last_of_each(query) or None,
        "multiValueQueryStringParameters": lists_of(query) or None,
        "pathParameters": captures or None,
        "stageVariables": dict(route.stage_variables) or None,
        "requestContext": _context(request, resource),
        "body": body if request.body else None,
        "isBase64Encoded": is_base64 and bool(request.body),
    }


def _context(request: FrontRequest, resource: str) -> dict[str, Any]:
    route = request.route
    identity: dict[str, Any] = dict.fromkeys(_NOBODY.split())
    identity |= {"sourceIp": request.peer[0], "userAgent": request.header("user-agent") or None}
    return {
        "accountId": ACCOUNT_ID,
        "apiId": "localapi",
        **({"authorizer": dict(route.authorizer)} if route.authorizer is not None else {}),
        "deploymentId": "local1",
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "extendedRequestId": base64.b64encode(uuid.UUID(request.request_id).bytes[:11]).decode("ascii"),
        "httpMethod": request.method,
        "identity": identity,
        "path": f"/{route.stage}{request.path}" if route.stage_in_path else request.path,
        "protocol": request.protocol,
        "requestId": request.request_id,
        "requestTime": request.time,
        "requestTimeEpoch": request.time_ms,
        "resourceId": "local1",
        "resourcePath": resource,
        "stage": route.stage,
    }


def parts_v1(payload: bytes, request: FrontRequest) -> Parts:
    """The response of a result. Raises `BadResponse`."""
    result = parsed(payload)
    if not isinstance(result, dict):
        raise BadResponse(f"the result is a {type(result).__name__}, not an object")
    if unknown := sorted(result.keys() - _KEYS):
        raise BadResponse(f"the result has the key {unknown[0]!r:.60}, which a REST API does not know")
    pairs = _merged(_map(result.get("headers"), "headers"), _map(result.get("multiValueHeaders"), "multiValueHeaders"))
    if not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", "application/json"))
    is_wanted = _accepts_binary(request.header("accept"), request.route.binary_media_types)
    return Parts(status=status_of(result.get("statusCode", 200)), headers=pairs, body=body_of(result, decode=is_wanted))


def _map(value: Any, key: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise BadResponse(f"{key} is no object")
    return value or {}


def _merged(single: dict[str, Any], multiple: dict[str, Any]) -> list[tuple[str, str]]:
    """Of a header in both maps first the many values, then the single one, in the many's spelling."""
    pairs: list[tuple[str, str]] = []
    spelled = {name.lower(): name for name in multiple}
    for name, values in multiple.items():
        if not isinstance(values, list):
            raise BadResponse(f"multiValueHeaders: {name!r:.60} is no list")
        pairs += [(name, header_text(name, value)) for value in values]
    for name, value in single.items():
        if not isinstance(value, str | bool):
            raise BadResponse(f"header {name!r:.60} is a {type(value).__name__}, not text")
        pairs.append((spelled.get(name.lower(), name), header_text(name, value)))
    return pairs


def _accepts_binary(accept: str, types: tuple[str, ...]) -> bool:
    """Only the first type of `Accept` is looked at. Whether `*/*` matches is an open point: here it does."""
    first = accept.partition(",")[0].partition(";")[0].strip().lower()
    return _is_binary(first, types) or (not first and "*/*" in types)


def _is_binary(content_type: str, types: tuple[str, ...]) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return bool(kind) and any(
        one in ("*/*", kind) or (one.endswith("/*") and kind.startswith(one[:-1])) for one in map(str.lower, types)
    )


def _spelled(name: str) -> str:
    return _TITLED.get(name.lower(), name)

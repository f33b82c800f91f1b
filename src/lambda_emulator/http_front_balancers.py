"""Events and responses of Application Load Balancers, with single or multiple values, and of VPC Lattice."""

from typing import Any

from lambda_emulator.http_front_request import ACCOUNT_ID, FrontRequest, joined, last_of_each, lists_of, query_pairs
from lambda_emulator.http_front_response import BadResponse, Parts, body_of, header_text, parsed, status_of

__all__ = ["event_of_balancer", "event_of_lattice", "parts_of_balancer", "parts_of_lattice"]

_REGION = "us-east-1"


def event_of_balancer(request: FrontRequest) -> dict[str, Any]:
    """The event; values of the query are not decoded."""
    headers, query = request.lower_headers(), query_pairs(request.query, decoded=False)
    arn = f"arn:aws:elasticloadbalancing:{_REGION}:{ACCOUNT_ID}:targetgroup/local/0123456789abcdef"
    maps: dict[str, Any] = {"queryStringParameters": last_of_each(query), "headers": last_of_each(headers)}
    if request.route.kind == "alb_multi":
        maps = {"multiValueQueryStringParameters": lists_of(query), "multiValueHeaders": lists_of(headers)}
    body, is_base64 = request.body_by_type() if request.body else ("", False)
    return {
        "requestContext": {"elb": {"targetGroupArn": arn}},
        "httpMethod": request.method,
        "path": request.path,
        **maps,
        "body": body,
        "isBase64Encoded": is_base64,
    }


def parts_of_balancer(payload: bytes, request: FrontRequest) -> Parts:
    """The response of a result, whose headers are read in the mode of the request. Raises `BadResponse`."""
    result = _object(payload)
    if request.route.kind == "alb_multi":
        pairs = []
        for name, values in _map(result, "multiValueHeaders").items():
            if not isinstance(values, list):
                raise BadResponse(f"multiValueHeaders: {name!r:.60} is no list")
            pairs += [(name, header_text(name, value)) for value in values]
    else:
        pairs = [(name, header_text(name, value)) for name, value in _map(result, "headers").items()]
    return _parts(result, pairs)


def event_of_lattice(request: FrontRequest) -> dict[str, Any]:
    """The event of either version."""
    headers, query = request.lower_headers(), query_pairs(request.query)
    body, is_base64 = request.body_by_type() if request.body else ("", False)
    if request.route.kind == "lattice_v1":
        return {
            "raw_path": f"{request.path}?{request.query}" if request.query else request.path,
            "method": request.method,
            "headers": joined(headers),
            "query_string_parameters": last_of_each(query),
            "body": body,
            "is_base64_encoded": is_base64,
        }
    arn = f"arn:aws:vpc-lattice:{_REGION}:{ACCOUNT_ID}"
    return {
        "version": "2.0",
        "path": request.path,
        "method": request.method,
        "headers": lists_of(headers),
        **({"queryStringParameters": lists_of(query)} if query else {}),
        **({"body": body, "isBase64Encoded": is_base64} if request.body else {}),
        "requestContext": {
            "serviceNetworkArn": f"{arn}:servicenetwork/sn-0123456789abcdef0",
            "serviceArn": f"{arn}:service/svc-0123456789abcdef0",
            "targetGroupArn": f"{arn}:targetgroup/tg-0123456789abcdef0",
            "identity": {"sourceVpcArn": f"arn:aws:ec2:{_REGION}:{ACCOUNT_ID}:vpc/vpc-0123456789abcdef0"},
            "region": _REGION,
            "timeEpoch": str(request.time_ms * 1000),
        },
    }


def parts_of_lattice(payload: bytes, _request: FrontRequest) -> Parts:
    """The response of a result. Raises `BadResponse`."""
    result = _object(payload)
    return _parts(result, [(name, header_text(name, value)) for name, value in _map(result, "headers").items()])


def _object(payload: bytes) -> dict[str, Any]:
    result = parsed(payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        raise BadResponse("the result is no object with a statusCode")
    return result


def _map(result: dict[str, Any], key: str) -> dict[str, Any]:
    found = result.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadResponse(f"{key} is no object")
    return found


def _parts(result: dict[str, Any], pairs: list[tuple[str, str]]) -> Parts:
    status = result["statusCode"]
    if type(status) is not int:
        raise BadResponse(f"statusCode is {status!r:.40}, not a number")
    described = result.get("statusDescription")
    if described is not None and not isinstance(described, str):
        raise BadResponse("statusDescription is no text")
    reason = (described or "").removeprefix(str(status)).strip()
    if not (reason.isascii() and reason.isprintable()):
        raise BadResponse("statusDescription has characters that a status line may not have")
    if not any(name.lower() == "content-type" for name, _ in pairs) and result.get("body"):
        pairs.append(("content-type", "application/octet-stream"))
    return Parts(status=status_of(status), headers=pairs, body=body_of(result), reason=reason)

"""Events to measure with: the shape of an API Gateway proxy event, the same bytes on every run."""

import json
from typing import Any

SIZES = {"small": 100, "7 kB": 7_000, "150 kB": 150_000, "5.8 MB": 5_800_000}
"""Nominal bytes. The largest stays below the 6 MiB of a request, also when it is echoed."""

_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
_HEADERS = {
    "Accept": "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "de-DE,de;q=0.9,en;q=0.6",
    "Content-Type": "application/json",
    "Host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
    "User-Agent": _AGENT,
    "X-Amzn-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
    "X-Forwarded-For": "203.0.113.17, 198.51.100.4",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
}


def event(name: str) -> bytes:
    """The event called `name`, a key of `SIZES`, as JSON bytes.

    >>> [len(event(name)) // 1000 for name in SIZES]
    [0, 7, 150, 5800]
    """
    if name == "small":
        return _encode(
            {
                "orderId": "8f14e45f-ceea-467f-a0e5-d1b6a1c7c3a9",
                "quantity": 3,
                "express": True,
                "coupon": None,
                "tier": 2,
            }
        )
    proxy = _proxy_event()
    # Half of what is missing goes into the body, a string of JSON, and half into real nesting: a parser takes
    # the first at the speed of memory and works for the second.
    missing = SIZES[name] - len(_encode(proxy))
    lines = [_line(0)]
    per_line = (len(_encode(json.dumps(lines))) + len(_encode(lines))) * 0.96
    lines = [_line(number) for number in range(round(missing / per_line))]
    proxy["body"] = json.dumps({"lines": lines}, ensure_ascii=False)
    proxy["requestContext"]["authorizer"]["entitlements"] = lines
    proxy["stageVariables"]["padding"] = ""
    short = SIZES[name] - len(_encode(proxy))
    proxy["stageVariables"]["padding"] = "x" * max(short, 0)
    return _encode(proxy)


def failing() -> bytes:
    """An event that makes the `mixed` handler raise."""
    return _encode({"fail": "8f14e45f", "quantity": -1})


def _encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _line(number: int) -> dict[str, Any]:
    return {
        "sku": f"SKU-{number * 7919 % 100_000:05d}",
        "quantity": number % 9 + 1,
        "price": round(number * 0.37 % 250 + 0.99, 2),
        "gift": number % 5 == 0,
        "label": ("Kaffeemühle", "lamp", "desk, oak", 'cable 2"', None)[number % 5],
    }


def _proxy_event() -> dict[str, Any]:
    return {
        "resource": "/orders/{proxy+}",
        "path": "/orders/8f14e45f",
        "httpMethod": "POST",
        "headers": dict(_HEADERS),
        "multiValueHeaders": {key: [value] for key, value in _HEADERS.items()},
        "queryStringParameters": {"dryRun": "false", "page": "2"},
        "multiValueQueryStringParameters": {"dryRun": ["false"], "page": ["2"]},
        "pathParameters": {"proxy": "8f14e45f"},
        "stageVariables": {},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "authorizer": {"claims": {"sub": "0c5a6bd2", "scope": "orders/write orders/read"}},
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "httpMethod": "POST",
            "identity": {"sourceIp": "203.0.113.17", "userAgent": _AGENT, "user": None, "accessKey": None},
            "path": "/prod/orders/8f14e45f",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTimeEpoch": 1_583_349_317_135,
            "resourcePath": "/orders/{proxy+}",
            "stage": "prod",
        },
        "body": None,
        "isBase64Encoded": False,
    }

"""What an extension asks of the Telemetry API, checked. JSON in, a value or a refusal out."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from lambda_emulator.refusals import Refusal
from runtime import protocol

__all__ = ["Destination", "Subscription"]

TYPES = ("platform", "function", "extension")
_VERSIONS = ("2022-07-01", "2022-12-13", "2025-01-29")
# The name under which an extension's own listener is known inside an environment; here all is on loopback.
_HOSTS = ("sandbox.localdomain", "sandbox")
# Default, least and most, as documented.
_BUFFERING = {"maxItems": (10_000, 1_000, 10_000), "maxBytes": (262_144, 262_144, 1_048_576)}
_TIMEOUT_MS = (1_000, 25, 30_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where events go, always on loopback."""

    port: int
    path: str | None
    """Of the URL for HTTP; None for TCP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who gets what, and how."""

    name: str
    types: tuple[str, ...]
    destination: Destination
    max_items: int
    max_bytes: int
    timeout_ms: int

    @classmethod
    def parse(cls, name: str, body: bytes) -> "Subscription":
        """Raises `Refusal` (400)."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError) as error:
            _refuse(f"the request is no JSON: {error}")
        if not isinstance(document, dict):
            _refuse("the request is no JSON object")
        if document.get("schemaVersion") not in _VERSIONS:
            _refuse(f"schemaVersion {document.get('schemaVersion')!r} is none of {', '.join(_VERSIONS)}")
        types = document.get("types")
        if not isinstance(types, list) or not types:
            _refuse("types should not be empty")
        if unknown := [each for each in types if each not in TYPES]:
            _refuse(f"type {unknown[0]!r} is none of {', '.join(TYPES)}")
        buffering = document.get("buffering") or {}
        if not isinstance(buffering, dict):
            _refuse("buffering is no JSON object")
        return cls(
            name=name,
            types=tuple(dict.fromkeys(types)),
            destination=_destination_of(document.get("destination")),
            max_items=_number(buffering, "maxItems", *_BUFFERING["maxItems"]),
            max_bytes=_number(buffering, "maxBytes", *_BUFFERING["maxBytes"]),
            timeout_ms=_number(buffering, "timeoutMs", *_TIMEOUT_MS),
        )


def _destination_of(document: Any) -> Destination:
    destination = None
    match document:
        case {"protocol": "HTTP", "URI": str(uri)}:
            destination = _http_destination(uri)
        case {"protocol": "TCP", "port": int(port)} if 0 < port < 65_536:
            destination = Destination(port=port, path=None)
    return destination or _refuse("destination is neither {protocol: HTTP, URI} nor {protocol: TCP, port}")


def _http_destination(uri: str) -> Destination:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        _refuse(f"URI {uri!r} is no URL: {error}")
    if parts.scheme != "http" or parts.hostname not in _HOSTS:
        _refuse(f"URI {uri!r} does not begin with http://{_HOSTS[0]}")
    if not port:
        _refuse("URI port is not provided")
    path = parts.path or "/"
    return Destination(port=port, path=f"{path}?{parts.query}" if parts.query else path)


def _number(buffering: dict[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = buffering.get(name, default)
    if type(value) is not int or not least <= value <= most:
        _refuse(f"{name} is {value!r}, not a number from {least} to {most}")
    return value


def _refuse(message: str) -> NoReturn:
    """The code is the service's; its sentences differ from ours."""
    raise Refusal((protocol.BAD_REQUEST, "ValidationError", message))

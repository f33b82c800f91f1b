"""The Telemetry API over HTTP, and the stub that is left of the Logs API."""

import json

from lambda_emulator.extensions import Extensions
from lambda_emulator.http_message import Request, Response, Route
from lambda_emulator.refusals import refusing
from lambda_emulator.telemetry import TelemetryHub
from lambda_emulator.telemetry_subscription import Subscription
from runtime import protocol

__all__ = ["TelemetryApi"]

_LOGS_NOT_SUPPORTED = {"errorMessage": "Logs API is not supported", "errorType": "Logs.NotSupported"}


class TelemetryApi:
    """Routes for the server that the Runtime API listens on."""

    def __init__(self, extensions: Extensions, hub: TelemetryHub) -> None:
        self._extensions = extensions
        self._hub = hub

    def routes(self) -> tuple[Route, ...]:
        """Two calls, one of them answered as AWS's own emulator answers both: extensions take 202 for `not here`."""
        most = protocol.MAX_ERROR_BYTES
        return (
            Route(method="PUT", path=protocol.TELEMETRY, handler=refusing(self._subscribe), max_body_bytes=most),
            Route(method="PUT", path=protocol.LOGS, handler=refusing(self._logs), max_body_bytes=most),
        )

    async def _subscribe(self, request: Request) -> Response:
        extension = self._extensions.find(request.headers.get(protocol.EXTENSION_IDENTIFIER))
        self._hub.subscribe(Subscription.parse(extension.name, request.body))
        return Response(status=protocol.OK, headers=(("content-type", protocol.JSON),), body=b'"OK"')

    async def _logs(self, request: Request) -> Response:
        self._extensions.find(request.headers.get(protocol.EXTENSION_IDENTIFIER))
        body = json.dumps(_LOGS_NOT_SUPPORTED, separators=(",", ":")).encode() + b"\n"
        return Response(status=protocol.ACCEPTED, headers=(("content-type", protocol.JSON),), body=body)

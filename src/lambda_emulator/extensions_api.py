"""The Extensions API over HTTP: headers and bodies in, calls on `Extensions` out, the exact answers back."""

import json
import uuid
from typing import Any

from lambda_emulator.extension import Extension, ExtensionMove
from lambda_emulator.extensions import Extensions
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.http_message import Request, Response, Route
from lambda_emulator.refusals import ACCEPTED, Refusal, refusing
from runtime import protocol

__all__ = ["ExtensionsApi"]


class ExtensionsApi:
    """Routes for the server that the Runtime API listens on."""

    def __init__(self, extensions: Extensions, configuration: FunctionConfiguration) -> None:
        self._extensions = extensions
        self._configuration = configuration

    def routes(self) -> tuple[Route, ...]:
        """Four calls."""
        most = protocol.MAX_ERROR_BYTES
        return (
            Route(
                method="POST",
                path=protocol.EXTENSION_REGISTER,
                handler=refusing(self._register),
                max_body_bytes=most,
            ),
            Route(method="GET", path=protocol.EXTENSION_NEXT, handler=refusing(self._next)),
            Route(
                method="POST",
                path=protocol.EXTENSION_INIT_ERROR,
                handler=refusing(self._init_error),
                max_body_bytes=most,
            ),
            Route(
                method="POST",
                path=protocol.EXTENSION_EXIT_ERROR,
                handler=refusing(self._exit_error),
                max_body_bytes=most,
            ),
        )

    async def _register(self, request: Request) -> Response:
        name = request.headers.get(protocol.EXTENSION_NAME)
        if not name:
            raise _refusal("Extension.InvalidExtensionName", "Empty extension name")
        extension = self._extensions.register(name, _events_of(request.body))
        document = {
            "functionName": self._configuration.name,
            "functionVersion": self._configuration.version,
            "handler": self._configuration.handler,
        }
        features = request.headers.get(protocol.EXTENSION_FEATURES, "").split(",")
        if "accountId" in (feature.strip() for feature in features):
            document["accountId"] = self._configuration.account_id
        return _json_response(document, ("Lambda-Extension-Identifier", extension.identifier))

    async def _next(self, request: Request) -> Response | None:
        event = await self._extensions.next(self._extension_of(request), request.disconnected)
        if event is None:
            return None
        return _json_response(event, ("Lambda-Extension-Event-Identifier", str(uuid.uuid4())))

    async def _init_error(self, request: Request) -> Response:
        return self._fail(request, ExtensionMove.INIT_ERROR)

    async def _exit_error(self, request: Request) -> Response:
        return self._fail(request, ExtensionMove.EXIT_ERROR)

    def _fail(self, request: Request, move: ExtensionMove) -> Response:
        extension = self._extension_of(request)
        error_type = request.headers.get(protocol.EXTENSION_ERROR_TYPE)
        if not error_type:
            raise _refusal("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
        self._extensions.fail(extension, move, error_type)
        return ACCEPTED

    def _extension_of(self, request: Request) -> Extension:
        return self._extensions.find(request.headers.get(protocol.EXTENSION_IDENTIFIER))


def _events_of(body: bytes) -> tuple[str, ...]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _refusal("InvalidRequestFormat", str(error)) from error
    events = document.get("events") or [] if isinstance(document, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise _refusal("InvalidRequestFormat", "the request is no JSON object with a list of events")
    if document.get("configurationKeys"):
        text = "configurationKeys are deprecated; use environment variables instead"
        raise _refusal("InvalidRequestFormat", text)
    return tuple(dict.fromkeys(events))


def _json_response(document: Any, header: tuple[str, str]) -> Response:
    body = json.dumps(document, separators=(",", ":")).encode() + b"\n"
    return Response(status=protocol.OK, headers=(("content-type", protocol.JSON), header), body=body)


def _refusal(error_type: str, message: str) -> Refusal:
    return Refusal((protocol.FORBIDDEN, error_type, message))

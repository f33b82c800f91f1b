"""What the Runtime API says: every answer but an event, with the exact statuses, bodies and content types."""

import json

from lambda_emulator.http_message import Handler, Request, Response
from runtime import protocol

__all__ = ["ACCEPTED", "PONG", "Refusal", "refusing"]

_JSON_HEADERS = (("content-type", protocol.JSON),)
ACCEPTED = Response(status=protocol.ACCEPTED, headers=_JSON_HEADERS, body=b'{"status":"OK"}\n')
PONG = Response(status=protocol.OK, headers=(("content-type", "text/plain; charset=utf-8"),), body=b"pong")


class Refusal(Exception):  # noqa: N818 (it ends a request, not the program)
    """A call that the platform does not accept; made of the three values of `runtime.protocol`."""

    def __init__(self, refusal: tuple[int, str, str]) -> None:
        super().__init__(refusal)
        self.status, self.error_type, self.message = refusal

    def response(self) -> Response:
        """The refusal as it goes over the wire."""
        text = json.dumps({"errorMessage": self.message, "errorType": self.error_type}, separators=(",", ":"))
        return Response(status=self.status, headers=_JSON_HEADERS, body=_as_go_escapes(text).encode("utf-8") + b"\n")


def refusing(handler: Handler) -> Handler:
    """A handler whose refusals are answers."""

    async def handle(request: Request) -> Response | None:
        try:
            return await handler(request)
        except Refusal as refusal:
            return refusal.response()

    return handle


def _as_go_escapes(text: str) -> str:
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text

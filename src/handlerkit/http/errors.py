"""What a client is told when something is wrong: problem details (RFC 9457), never a stack trace. Imports nothing."""

from __future__ import annotations

__all__ = ["HttpError", "phrase_of", "problem_of_refusal"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from handlerkit.events.errors import EventValidationError

# A client is told where its mistake is, not all of the places.
MAX_PROBLEMS = 20


class HttpError(Exception):
    """Raised by a handler, it is the response: `raise HttpError(404, "no such order")`.

    The response is a problem document with `status`, `title` (the status in words unless given), `detail` and `type`;
    further keywords become members of it. Raises `ValueError` for a status that is no error's.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        title: str | None = None,
        type: str = "about:blank",  # noqa: A002  # the document's own name for it
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(status, detail)
        if status not in range(400, 600):
            raise ValueError(f"status is {status!r}: an error's is from 400 to 599")
        self.status = status
        self.detail = detail
        self.title = title or phrase_of(status)
        self.type = type
        self.headers = dict(headers or {})
        self.members = members

    def __str__(self) -> str:
        return f"{self.status} {self.title}" + (f": {self.detail}" if self.detail else "")

    def document(self) -> dict[str, Any]:
        """The problem document."""
        document: dict[str, Any] = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail is not None:
            document["detail"] = self.detail
        return {**document, **self.members}


def problem_of_refusal(error: EventValidationError) -> HttpError:
    """400 for a body that is not even JSON, 422 for one of the wrong shape; names places and reasons, repeats no value.

    Each of `errors` has a `detail` and a `pointer` (RFC 6901) into the body.
    """
    errors = [{"detail": one.reason, "pointer": _pointer(one.path)} for one in error.problems[:MAX_PROBLEMS]]
    status = 422 if error.is_json else 400
    return HttpError(status, "The request's body is not what is expected here.", errors=errors)


def _pointer(path: str) -> str:
    """A place such as `lines[0].sku` as `#/lines/0/sku`."""
    return "#" + "".join(f"/{step}" for step in path.replace("[", ".").replace("]", "").split(".") if step)


_PHRASES = (
    "200 OK 201 Created 202 Accepted 203 Non-Authoritative_Information 204 No_Content 205 Reset_Content "
    "206 Partial_Content 207 Multi-Status 208 Already_Reported 226 IM_Used "
    "300 Multiple_Choices 301 Moved_Permanently 302 Found 303 See_Other 304 Not_Modified 307 Temporary_Redirect "
    "308 Permanent_Redirect "
    "400 Bad_Request 401 Unauthorized 402 Payment_Required 403 Forbidden 404 Not_Found 405 Method_Not_Allowed "
    "406 Not_Acceptable 407 Proxy_Authentication_Required 408 Request_Timeout 409 Conflict 410 Gone "
    "411 Length_Required 412 Precondition_Failed 413 Content_Too_Large 414 URI_Too_Long 415 Unsupported_Media_Type "
    "416 Range_Not_Satisfiable 417 Expectation_Failed 418 I'm_a_Teapot 421 Misdirected_Request "
    "422 Unprocessable_Content 423 Locked 424 Failed_Dependency 425 Too_Early 426 Upgrade_Required "
    "428 Precondition_Required 429 Too_Many_Requests 431 Request_Header_Fields_Too_Large "
    "451 Unavailable_For_Legal_Reasons "
    "500 Internal_Server_Error 501 Not_Implemented 502 Bad_Gateway 503 Service_Unavailable 504 Gateway_Timeout "
    "505 HTTP_Version_Not_Supported 507 Insufficient_Storage 508 Loop_Detected 511 Network_Authentication_Required"
)
"""RFC 9110 and the IANA registry; the standard library's enumeration costs 4 ms to import."""


def phrase_of(status: int) -> str:
    """A status in words.

    >>> phrase_of(404), phrase_of(499)
    ('Not Found', 'Error')
    """
    words = _PHRASES.split()
    try:
        return words[words.index(str(status)) + 1].replace("_", " ")
    except ValueError:
        return "Error" if status >= 400 else "Status"

"""The answer of an HTTP function to a request it cannot read: 400 for no JSON, 422 for JSON of the wrong shape."""

from __future__ import annotations

from .events.kinds import is_of_kind, outer_kind

__all__ = ["refusal"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .events.errors import EventValidationError

HTTP_KINDS = ("apigw_rest", "apigw_http_v2", "apigw_websocket", "function_url", "alb", "vpc_lattice")
# Fronts that want the status in words, too.
DESCRIBED_KINDS = ("alb", "vpc_lattice")
# A client is told where its mistake is, not all of the places.
MAX_PROBLEMS = 20


def refusal(error: EventValidationError, event: object) -> dict[str, Any] | None:
    """A proxy response in the form that the event's front understands; None where nobody waits for one.

    It names fields and reasons and repeats no value.
    """
    kind = outer_kind(event)
    if not is_of_kind(kind, HTTP_KINDS):
        return None
    from json import dumps

    status, words = (422, "Unprocessable Entity") if error.is_json else (400, "Bad Request")
    problems = [{"path": one.path, "reason": one.reason} for one in error.problems[:MAX_PROBLEMS]]
    content_type = "application/json"
    answer: dict[str, Any] = {
        "statusCode": status,
        "body": dumps({"message": words, "problems": problems}),
        "isBase64Encoded": False,
    }
    if kind == "alb.multi":
        answer["multiValueHeaders"] = {"content-type": [content_type]}
    else:
        answer["headers"] = {"content-type": content_type}
    if is_of_kind(kind, DESCRIBED_KINDS):
        answer["statusDescription"] = f"{status} {words}"
    return answer

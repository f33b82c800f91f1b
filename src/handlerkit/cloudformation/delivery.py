"""The PUT to the presigned URL. CloudFormation has no other way to learn what became of a resource.

`requests` serves here: its certificates, proxies and timeouts count, a hundred milliseconds do not.
"""

from __future__ import annotations

__all__ = ["AnswerNotDeliveredError", "Delivery", "require_requests"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ATTEMPTS = 4
# Between attempts, doubled each time; a bucket that is busy is so for fractions of a second.
FIRST_PAUSE_S = 0.2
CONNECT_S = 3.0
READ_S = 5.0


class AnswerNotDeliveredError(Exception):
    """CloudFormation could not be told what became of the request. The invocation fails: Lambda runs it again."""


def require_requests() -> None:
    """Raises `ImportError` with what to install. Asked before a function has done anything that needs an answer."""
    try:
        import requests  # noqa: F401  # late: 90 ms
    except ImportError as error:
        if error.name != "requests":
            raise
        raise ImportError(
            "custom resources answer CloudFormation with requests: pip install 'handlerkit[cloudformation]'",
            name="requests",
        ) from None


class Delivery:
    """Answers to one URL. `seconds_left` says how long attempts may go on."""

    def __init__(self, url: str, seconds_left: Callable[[], float]) -> None:
        self._url = url
        self._seconds_left = seconds_left

    def put(self, answer: dict[str, Any]) -> None:
        """Deliver. Raises `AnswerNotDeliveredError` when the URL refuses, or cannot be reached in time."""
        from time import sleep

        from handlerkit.reply import encoded

        body = encoded(answer)
        pause = FIRST_PAUSE_S
        for attempt in range(1, ATTEMPTS + 1):
            failed = self._attempt(body)
            if failed is None:
                return
            if attempt == ATTEMPTS or self._seconds_left() <= pause:
                break
            sleep(pause)
            pause *= 2
        raise AnswerNotDeliveredError(f"CloudFormation was not told {answer['Status']}: {failed}")

    def _attempt(self, body: bytes) -> str | None:
        """None when it was taken, else what went wrong. Raises where another attempt would fare no better."""
        import requests

        left = max(1.0, self._seconds_left())
        try:
            # The signature covers an empty content type, and no credentials.
            reply = requests.put(
                self._url,
                data=body,
                headers={"content-type": ""},
                timeout=(min(CONNECT_S, left), min(READ_S, left)),
                allow_redirects=False,
                auth=_no_credentials,
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema):
            raise AnswerNotDeliveredError("CloudFormation cannot be told anything: ResponseURL is no URL") from None
        except requests.exceptions.RequestException as error:
            return type(error).__name__  # its text holds the URL, which is a credential
        if reply.status_code < 300:
            return None
        said = f"the URL answered {reply.status_code} {reply.reason}"
        if reply.status_code < 500 and reply.status_code not in (408, 429):
            raise AnswerNotDeliveredError(f"CloudFormation was not told anything: {said} (has it expired?)")
        return said


def _no_credentials(request: Any) -> Any:
    """Keeps a .netrc file from adding a header that breaks the signature."""
    return request

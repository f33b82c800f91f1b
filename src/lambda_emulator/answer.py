"""What a caller gets for one invocation, whoever made it: the function, or the platform in its stead. A value."""

from dataclasses import dataclass

from lambda_emulator.answer_stream import AnswerStream, StreamFailure
from runtime import protocol

__all__ = ["Answer", "failure_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The body that reaches the caller, and what the platform notes about it."""

    payload: bytes
    content_type: str = protocol.JSON
    failed: bool = False
    """True puts `X-Amz-Function-Error: Unhandled` on the caller's response."""
    error_type: str | None = None
    """The type in the platform's vocabulary, as the REPORT line shows it; never read from the payload."""
    stream: AnswerStream | None = None
    """The body that is still being produced, for a caller that reads it as it comes; `payload` is empty then."""
    xray_cause: str | None = None
    """The X-Ray cause that came along, as compact JSON of at most 64 KiB; None where there was none."""


def failure_of(answer: Answer) -> StreamFailure | None:
    """What a caller who reads streams is told went wrong; for a stream, once it has ended."""
    if answer.stream is not None:
        return answer.stream.failure
    if not answer.failed:
        return None
    return StreamFailure(error_type=answer.error_type or protocol.RUNTIME_UNKNOWN, document=answer.payload)

"""What a caller gets for one invocation, whoever made it: the function, or the platform in its stead. A value."""

from dataclasses import dataclass

from runtime import protocol

__all__ = ["Answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The body that reaches the caller, and what the platform notes about it."""

    payload: bytes
    content_type: str = protocol.JSON
    failed: bool = False
    """True puts `X-Amz-Function-Error: Unhandled` on the caller's response."""
    error_type: str | None = None
    """The type in the platform's vocabulary, as the REPORT line shows it; never read from the payload."""
    xray_cause: str | None = None
    """The X-Ray cause that came along, as compact JSON of at most 64 KiB; None where there was none."""

"""How asynchronous invocations of one qualifier are retried, and where what came of them goes. Values only."""

from dataclasses import dataclass, replace
from typing import Any

from lambda_emulator.errors import InvalidParameterValue, ValidationFailed

__all__ = ["DEFAULT_MAX_AGE_S", "DEFAULT_MAX_RETRIES", "EventInvokeConfig", "check_dead_letter_arn"]

# Documented.
DEFAULT_MAX_RETRIES = 2
DEFAULT_MAX_AGE_S = 21_600
_RETRIES = (0, 2)
_AGE_S = (60, 21_600)
_ON_SUCCESS = ("sqs", "sns", "lambda", "events")
_ON_FAILURE = (*_ON_SUCCESS, "s3")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfig:
    """None for what is not set. Raises `ValidationFailed` and `InvalidParameterValue` in the service's words."""

    maximum_retry_attempts: int | None = None
    maximum_event_age_s: int | None = None
    on_success: str | None = None
    """ARN of a queue, topic, function or event bus."""
    on_failure: str | None = None
    """The same, or of a bucket."""
    last_modified_s: float = 0.0

    def __post_init__(self) -> None:
        for member, value, (low, high) in (
            ("maximumRetryAttempts", self.maximum_retry_attempts, _RETRIES),
            ("maximumEventAgeInSeconds", self.maximum_event_age_s, _AGE_S),
        ):
            if value is not None and (type(value) is not int or not low <= value <= high):
                bound = f"less than or equal to {high}" if _is_above(value, high) else f"greater than or equal to {low}"
                raise ValidationFailed(
                    f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
                    f"Member must have value {bound}"
                )
        if _is_unfit(self.on_success, _ON_SUCCESS) or _is_unfit(self.on_failure, _ON_FAILURE):
            raise InvalidParameterValue(
                "The provided destination config DestinationConfig("
                f"onSuccess={_side('OnSuccess', self.on_success)}, onFailure={_side('OnFailure', self.on_failure)}) "
                "is invalid."
            )

    @property
    def retries(self) -> int:
        """That are made after a failure."""
        return DEFAULT_MAX_RETRIES if self.maximum_retry_attempts is None else self.maximum_retry_attempts

    @property
    def max_age_s(self) -> int:
        """From acceptance to the last chance."""
        return DEFAULT_MAX_AGE_S if self.maximum_event_age_s is None else self.maximum_event_age_s

    @property
    def is_empty(self) -> bool:
        """Nothing is set at all."""
        return replace(self, last_modified_s=0.0) == EventInvokeConfig()

    def merged_with(self, other: "EventInvokeConfig") -> "EventInvokeConfig":
        """Where `other` sets something it counts."""
        names = ("maximum_retry_attempts", "maximum_event_age_s", "on_success", "on_failure")
        changes: dict[str, Any] = {name: getattr(other, name) for name in names if getattr(other, name) is not None}
        return replace(self, last_modified_s=other.last_modified_s, **changes)


def check_dead_letter_arn(arn: str) -> str | None:
    """What is wrong with it, if something is: it has to be a standard queue's or a standard topic's.

    >>> check_dead_letter_arn("arn:aws:sqs:us-east-1:123456789012:lost.fifo")
    "dead_letter_arn 'arn:aws:sqs:us-east-1:123456789012:lost.fifo' is not possible: use a standard SQS queue's or \
standard SNS topic's ARN"
    """
    if not _is_unfit(arn, ("sqs", "sns")):
        return None
    return f"dead_letter_arn {arn!r} is not possible: use a standard SQS queue's or standard SNS topic's ARN"


def _is_unfit(arn: str | None, services: tuple[str, ...]) -> bool:
    if arn is None:
        return False
    parts = arn.split(":", 5)
    fits = len(parts) == 6 and parts[0] == "arn" and parts[2] in services and bool(parts[5])
    return not fits or arn.endswith(".fifo")


def _side(name: str, arn: str | None) -> str:
    return "null" if arn is None else f"{name}(destination={arn})"


def _is_above(value: object, high: int) -> bool:
    return isinstance(value, int | float) and value > high

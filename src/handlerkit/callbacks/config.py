"""AWS Config's rules: `PutEvaluations` with what a function says of a resource, or of many.

A function that raises evaluates nothing, and the invocation fails: AWS Config shows the rule as failing, and keeps what
it knew of the resource.
"""

from __future__ import annotations

import sys

from handlerkit.events.config_rule import ConfigRuleEvent

from .told import ANSWER_MARGIN_MS, TellingHandler, known

__all__ = ["ConfigRule", "Evaluation", "config_rule"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, overload

    Compliance = Literal["COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"]

COMPLIANCES = ("COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA")
# Limits of the API.
MAX_EVALUATIONS = 100
MAX_ANNOTATION_CHARACTERS = 256


class Evaluation:
    """What is said of a resource; of the event's own where type and id are None. A long annotation is cut off."""

    __slots__ = ("annotation", "compliance", "resource_id", "resource_type")

    def __init__(
        self,
        compliance: Compliance,
        annotation: str | None = None,
        *,
        resource_type: str | None = None,
        resource_id: str | None = None,
    ) -> None:
        if compliance not in COMPLIANCES:
            raise ValueError(f"compliance={compliance!r}: one of {', '.join(COMPLIANCES)}")
        if (resource_type is None) != (resource_id is None):
            raise ValueError("a resource has both a type and an id")
        self.compliance = compliance
        self.annotation = annotation
        self.resource_type = resource_type
        self.resource_id = resource_id


class ConfigRule(TellingHandler):
    """What `config_rule` makes."""

    service = "config"
    decorator = "config_rule"

    def subject(self, event: Any) -> Any:
        """The evaluation asked for."""
        return known(event, ConfigRuleEvent, "result_token")

    def settled(self, subject: Any) -> Any:
        """A resource that is gone or out of scope is neither compliant nor not."""
        return None if subject.is_applicable else Evaluation("NOT_APPLICABLE")

    def tell_success(self, subject: Any, outcome: Any) -> None:
        """A compliance, an `Evaluation`, or a list of these. Raises `TypeError` for anything else."""
        listed = [outcome] if isinstance(outcome, (str, Evaluation)) else outcome
        if not isinstance(listed, (list, tuple)):
            kind = type(outcome).__name__
            raise TypeError(f"the function returned a {kind}; it can be a compliance, an Evaluation, or a list of them")
        evaluations = [self._evaluation(subject, one) for one in listed]
        for start in range(0, len(evaluations), MAX_EVALUATIONS):
            self.client().put_evaluations(
                Evaluations=evaluations[start : start + MAX_EVALUATIONS], ResultToken=subject.result_token
            )

    def tell_failure(self, subject: Any, error: BaseException) -> None:  # noqa: ARG002
        """Nothing is known of the resource: the invocation fails."""
        raise error

    def tell_too_late(self, subject: Any) -> bool:  # noqa: ARG002
        """Nothing is known of the resource, and its end will be seen."""
        return False

    def _evaluation(self, subject: Any, given: Any) -> dict[str, Any]:
        one = Evaluation(given) if isinstance(given, str) else given  # type: ignore[arg-type]  # it is checked there
        if not isinstance(one, Evaluation):
            raise TypeError(f"{given!r:.60} is no compliance and no Evaluation")
        about = subject.invoking_event
        kind, identifier, when = one.resource_type, one.resource_id, about.notification_creation_time
        if kind is None:
            item = about.item
            kind, identifier = (
                ("AWS::::Account", subject.account_id)
                if item is None
                else (
                    item.resource_type,
                    item.resource_id,
                )
            )
            when = when if item is None else item.configuration_item_capture_time or when
        if when is None:
            from datetime import UTC, datetime  # late: the event had no time

            when = datetime.now(UTC)
        made = {
            "ComplianceResourceType": kind,
            "ComplianceResourceId": identifier,
            "ComplianceType": one.compliance,
            "OrderingTimestamp": when,
        }
        if one.annotation:
            made["Annotation"] = one.annotation[:MAX_ANNOTATION_CHARACTERS]
        return made


if TYPE_CHECKING:

    @overload
    def config_rule(func: Callable[..., Any], /) -> ConfigRule: ...
    @overload
    def config_rule(*, client: Any = None) -> Callable[[Callable[..., Any]], ConfigRule]: ...


def config_rule(
    func: Callable[..., Any] | None = None, /, *, client: Any = None
) -> ConfigRule | Callable[[Callable[..., Any]], ConfigRule]:
    """Make a handler of a function that takes a `ConfigRuleEvent[Parameters]`, and the context if it likes.

    It returns a compliance (`"COMPLIANT"`), an `Evaluation`, or a list of these. For a resource that is gone or out of
    scope it is not called: that is NOT_APPLICABLE. `client` is boto3's.
    """
    names = dict(sys._getframe(1).f_locals)
    if func is not None:
        return ConfigRule(func, names=names)
    return lambda function: ConfigRule(function, client, ANSWER_MARGIN_MS, names)

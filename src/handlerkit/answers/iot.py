"""AWS IoT: whether a device may connect, and with which policies; whether it is to be provisioned."""

from __future__ import annotations

from .answer import Answer, AnswerError, want_object

__all__ = ["ConnectionDecision", "ProvisioningDecision", "checked"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_PRINCIPAL_CHARACTERS = 128
MAX_POLICIES = 10
SECONDS = (300, 86_400)


class ConnectionDecision(Answer):
    """Of a custom authorizer: `event.allow(…)`, `event.deny()`. Times are in seconds."""

    __slots__ = ()


class ProvisioningDecision(Answer):
    """Of a pre-provisioning hook: `event.allow(…)`, `event.refuse()`."""

    __slots__ = ()


def checked(event: Any, result: Any) -> dict[str, Any]:
    """Refuse what AWS IoT would refuse the device for."""
    if hasattr(event, "template_arn"):
        answer = want_object(result, "AWS IoT", "return event.allow(...) or event.refuse()")
        if not isinstance(answer.get("allowProvisioning"), bool):
            raise AnswerError(f"allowProvisioning has to be true or false, not {answer.get('allowProvisioning')!r:.50}")
        return answer
    answer = want_object(result, "AWS IoT", "return event.allow(...) or event.deny()")
    if not isinstance(answer.get("isAuthenticated"), bool):
        raise AnswerError(f"isAuthenticated has to be true or false, not {answer.get('isAuthenticated')!r:.50}")
    if not answer["isAuthenticated"]:
        return answer
    principal = answer.get("principalId")
    if not (isinstance(principal, str) and principal.isascii() and principal.isalnum()):
        raise AnswerError(f"principalId has to be letters and figures, not {principal!r:.60}")
    if len(principal) > MAX_PRINCIPAL_CHARACTERS:
        raise AnswerError(f"principalId has {len(principal)} characters, of {MAX_PRINCIPAL_CHARACTERS} that are taken")
    policies = answer.get("policyDocuments")
    if not isinstance(policies, list) or not 0 < len(policies) <= MAX_POLICIES:
        raise AnswerError(f"policyDocuments has to be a list of 1 to {MAX_POLICIES} policies")
    for name in ("disconnectAfterInSeconds", "refreshAfterInSeconds"):
        seconds = answer.get(name)
        if not (isinstance(seconds, int) and SECONDS[0] <= seconds <= SECONDS[1]):
            raise AnswerError(f"{name} has to be from {SECONDS[0]} to {SECONDS[1]}, not {seconds!r:.50}")
    return answer

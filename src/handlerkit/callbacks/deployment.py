"""CodeDeploy's lifecycle hooks: `PutLifecycleEventHookExecutionStatus`, always."""

from __future__ import annotations

import sys

from handlerkit.described import show_traceback
from handlerkit.events.codedeploy import CodeDeployHookEvent

from .told import ANSWER_MARGIN_MS, TellingHandler, known

__all__ = ["LifecycleHook", "lifecycle_hook"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload


class LifecycleHook(TellingHandler):
    """What `lifecycle_hook` makes."""

    service = "codedeploy"
    decorator = "lifecycle_hook"

    def subject(self, event: Any) -> Any:
        """The hook's run."""
        return known(event, CodeDeployHookEvent, "lifecycle_event_hook_execution_id")

    def tell_success(self, subject: Any, outcome: Any) -> None:
        """Succeeded, unless the function returned False."""
        self._tell(subject, "Failed" if outcome is False else "Succeeded")

    def tell_failure(self, subject: Any, error: BaseException) -> None:
        """Failed: the deployment is rolled back."""
        show_traceback(error)
        self._tell(subject, "Failed")

    def tell_too_late(self, subject: Any) -> bool:
        """Failed."""
        self._tell(subject, "Failed")
        return True

    def _tell(self, subject: Any, status: str) -> None:
        self.client().put_lifecycle_event_hook_execution_status(
            deploymentId=subject.deployment_id,
            lifecycleEventHookExecutionId=subject.lifecycle_event_hook_execution_id,
            status=status,
        )


if TYPE_CHECKING:

    @overload
    def lifecycle_hook(func: Callable[..., Any], /) -> LifecycleHook: ...
    @overload
    def lifecycle_hook(
        *, client: Any = None, answer_margin_ms: int = ...
    ) -> Callable[[Callable[..., Any]], LifecycleHook]: ...


def lifecycle_hook(
    func: Callable[..., Any] | None = None, /, *, client: Any = None, answer_margin_ms: int = ANSWER_MARGIN_MS
) -> LifecycleHook | Callable[[Callable[..., Any]], LifecycleHook]:
    """Make a handler of a function that takes a `CodeDeployHookEvent`, and the context if it likes.

    The deployment goes on when it returns, and is rolled back when it raises, returns False, or has less than
    `answer_margin_ms` of the invocation left. `client` is boto3's.
    """
    names = dict(sys._getframe(1).f_locals)
    if func is not None:
        return LifecycleHook(func, names=names)
    return lambda function: LifecycleHook(function, client, answer_margin_ms, names)

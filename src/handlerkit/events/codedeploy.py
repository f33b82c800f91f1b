"""AWS CodeDeploy lifecycle hooks, asynchronous.

Nothing says which hook fired: use one function for each. The return value is ignored: answer, within an hour, with
`PutLifecycleEventHookExecutionStatus`.
"""

from __future__ import annotations

from .fields import text
from .view import View

__all__ = ["CodeDeployHookEvent"]


class CodeDeployHookEvent(View, kinds=("codedeploy_hook",)):
    """A hook of a deployment; the two identifiers are all there is."""

    deployment_id = text("DeploymentId")
    lifecycle_event_hook_execution_id = text("LifecycleEventHookExecutionId")

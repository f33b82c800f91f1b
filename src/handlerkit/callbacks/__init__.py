"""Handlers for services that are answered by a call to their API: CodePipeline, CodeDeploy, AWS Config.

The return value of such a function goes nowhere, and silence stalls a pipeline or a deployment until its time is up.
The decorators make the call in every case, also after an exception and before the time runs out.
"""

from __future__ import annotations

__all__ = ["Continue", "Evaluation", "JobError", "codepipeline_job", "config_rule", "lifecycle_hook"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config import Evaluation, config_rule
    from .deployment import lifecycle_hook
    from .pipeline import Continue, JobError, codepipeline_job

_HOME = {
    "Continue": "pipeline",
    "Evaluation": "config",
    "JobError": "pipeline",
    "codepipeline_job": "pipeline",
    "config_rule": "config",
    "lifecycle_hook": "deployment",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

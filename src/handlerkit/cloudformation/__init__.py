"""CloudFormation custom resources: functions that create, update and delete, and an answer in every case.

`answers` is the document and its rules, `delivery` the PUT, `handler` the Lambda handler that joins them. Importing
this package costs nothing.
"""

from __future__ import annotations

__all__ = ["AnswerNotDeliveredError", "CustomResource", "Resource", "ResourceError", "custom_resource"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answers import Resource, ResourceError
    from .delivery import AnswerNotDeliveredError
    from .handler import CustomResource, custom_resource

_HOME = {
    "AnswerNotDeliveredError": "delivery",
    "CustomResource": "handler",
    "Resource": "answers",
    "ResourceError": "answers",
    "custom_resource": "handler",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found

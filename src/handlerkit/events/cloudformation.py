"""AWS CloudFormation: custom resources (asynchronous) and macros (synchronous). Generic in properties and parameters.

Wire names are those of the request: `ResourceProperties` is `resource_properties`. CloudFormation makes every scalar
among the properties text ("3", "true"): a model that reads text as numbers and booleans takes them. The answer to a
custom resource is a PUT to `response_url`, also after a failure and before the time is up, or the stack hangs. The
provider framework of the CDK does that itself: it calls without a URL, and takes what the function returns.
"""

from __future__ import annotations

from .fields import mapping, maybe_text, text
from .generics import Any, Generic, TypeVar
from .payload import Payload, object_payload
from .view import View

__all__ = ["CloudFormationMacroEvent", "CustomResourceEvent"]

PropertiesT = TypeVar("PropertiesT", default=dict[str, Any])
OldPropertiesT = TypeVar("OldPropertiesT", default=dict[str, Any])
ParametersT = TypeVar("ParametersT", default=dict[str, Any])


class CustomResourceEvent(
    View, Generic[PropertiesT, OldPropertiesT], kinds=("cfn_custom_resource",), payloads=(dict, dict)
):
    """A custom resource to create, update or delete: `CustomResourceEvent[Properties]`.

    The old properties have a type of their own, so that an update can mend properties that were wrong.
    """

    request_type = text("RequestType")
    resource_properties: Payload[PropertiesT] = object_payload("ResourceProperties")
    old_resource_properties: Payload[OldPropertiesT | None] = object_payload(
        "OldResourceProperties", parameter=1, optional=True
    )
    logical_resource_id = text("LogicalResourceId")
    physical_resource_id = maybe_text("PhysicalResourceId")
    resource_type = text("ResourceType")
    stack_id = text("StackId")
    request_id = text("RequestId")
    response_url = maybe_text("ResponseURL", secret=True)  # presigned
    service_token = maybe_text("ServiceToken")

    @property
    def is_create(self) -> bool:
        """Whether the resource is to be created."""
        return self.request_type == "Create"

    @property
    def is_update(self) -> bool:
        """Whether the resource is to be changed; another physical id has the old one deleted later."""
        return self.request_type == "Update"

    @property
    def is_delete(self) -> bool:
        """Whether the resource is to be deleted."""
        return self.request_type == "Delete"

    @property
    def answers_by_return(self) -> bool:
        """Whether the provider framework of the CDK called, which takes the answer from the return value."""
        return self.response_url is None


class CloudFormationMacroEvent(View, Generic[ParametersT], kinds=("cfn_macro",), payloads=(dict,)):
    """A piece of a template to transform; answer with `event.succeeded(fragment)` or `event.failed(message)`."""

    fragment = mapping("fragment")
    params: Payload[ParametersT] = object_payload("params")
    template_parameter_values = mapping("templateParameterValues")
    transform_id = text("transformId")
    request_id = text("requestId")
    account_id = text("accountId")
    region = text("region")

    def succeeded(self, fragment: object) -> dict[str, Any]:
        """The answer with the transformed fragment."""
        return {"requestId": self.request_id, "status": "success", "fragment": fragment}

    def failed(self, message: str) -> dict[str, Any]:
        """The answer that fails the stack operation, with a message for its user."""
        return {
            "requestId": self.request_id,
            "status": "failure",
            "fragment": self.fragment,
            "errorMessage": message,
        }

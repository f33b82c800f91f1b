"""A CloudFormation custom resource: `handlerkit invoke examples.custom_resource.handler --event event.json`.

Whatever becomes of the function, the stack is told: after an exception, and before the time runs out.
"""

from pydantic import BaseModel

from handlerkit import custom_resource
from handlerkit.cloudformation import Resource
from handlerkit.events import CustomResourceEvent

ZONES: dict[str, list[str]] = {}


class Zone(BaseModel):
    Domain: str
    Servers: int = 2


@custom_resource
def handler(event: CustomResourceEvent[Zone]) -> Resource:
    wanted = event.resource_properties
    servers = ZONES[wanted.Domain] = [f"ns{number}.{wanted.Domain}" for number in range(1, wanted.Servers + 1)]
    return Resource(wanted.Domain, {"NameServers": ",".join(servers)})


@handler.update
def change(event: CustomResourceEvent[Zone]) -> Resource:
    moved = event.resource_properties.Domain != event.physical_resource_id
    # Another domain is another zone: CloudFormation deletes the former one once the stack is updated.
    return Resource(event.resource_properties.Domain, {"Servers": event.resource_properties.Servers}, replaces=moved)


@handler.delete
def remove(event: CustomResourceEvent) -> None:
    ZONES.pop(event.physical_resource_id or "", None)

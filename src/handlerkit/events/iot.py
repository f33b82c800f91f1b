"""AWS IoT: custom authorizers, provisioning hooks, buttons, and events of the registry.

Wire names are those of the event: `x509CertificatePem` is `x509_certificate_pem`. What an IoT rule sends is whatever
its SQL selects, which no view can recognise: annotate with your own type.
"""

from __future__ import annotations

from .descriptor import Field, KeptField
from .encoded import from_base64
from .fields import boolean, instant, items, mapping, maybe_integer, maybe_number, maybe_text, text, text_map, texts
from .http_fields import lenient_headers, query
from .nested import maybe_view, view
from .view import View

__all__ = [
    "IotAuthorizerEvent",
    "IotButtonEvent",
    "IotClick",
    "IotConnection",
    "IotDevice",
    "IotDeviceEvent",
    "IotHttp",
    "IotMqtt",
    "IotOneClickEvent",
    "IotPlacement",
    "IotProtocols",
    "IotProvisioningEvent",
    "IotRegistryEvent",
    "IotTls",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from handlerkit.answers.iot import ConnectionDecision, ProvisioningDecision


class IotTls(View):
    """Of the TLS handshake."""

    server_name = text("serverName")
    x509_certificate_pem = maybe_text("x509CertificatePem")
    principal_id = maybe_text("principalId")


class IotHttp(View):
    """Of the HTTP request, or the one that opened a WebSocket."""

    headers = lenient_headers()
    query_string = text("queryString")
    query = query(text="queryString")


def _password(value: Any) -> bytes:
    if not isinstance(value, str):
        raise TypeError("not text")
    return from_base64(value)


class IotMqtt(View):
    """Of the MQTT connect message."""

    client_id = text("clientId")
    username = maybe_text("username")
    password: Field[bytes | None] = KeptField("password", _password, None, secret=True)


class IotProtocols(View):
    """What the client sent, by protocol; None for those it did not use."""

    tls = maybe_view("tls", IotTls)
    http = maybe_view("http", IotHttp)
    mqtt = maybe_view("mqtt", IotMqtt)


class IotConnection(View):
    """The connection, for the logs."""

    id = text("id")


class IotAuthorizerEvent(View, kinds=("iot_custom_auth",)):
    """A device wants to connect; `token` is verified if `signature_verified`."""

    token = maybe_text("token", secret=True)
    signature_verified = boolean("signatureVerified")
    protocols = texts("protocols")
    protocol_data = view("protocolData", IotProtocols)
    connection_metadata = view("connectionMetadata", IotConnection)
    answered_by = "iot"

    def allow(
        self,
        principal_id: str,
        *policies: Mapping[str, Any] | str,
        disconnect_after_s: int = 86_400,
        refresh_after_s: int = 3_600,
    ) -> ConnectionDecision:
        """Let the device connect, with 1 to 10 policies; both times are from 300 to 86,400 seconds."""
        from handlerkit.answers.iot import ConnectionDecision  # late: it is needed for the answer

        return ConnectionDecision(
            isAuthenticated=True,
            principalId=principal_id,
            policyDocuments=list(policies),
            disconnectAfterInSeconds=disconnect_after_s,
            refreshAfterInSeconds=refresh_after_s,
        )

    def deny(self) -> ConnectionDecision:
        """Refuse the connection."""
        from handlerkit.answers.iot import ConnectionDecision

        return ConnectionDecision(isAuthenticated=False)


class IotProvisioningEvent(View, kinds=("iot_preprovision",)):
    """A device wants to be provisioned by a template; `parameters` is what it said of itself."""

    claim_certificate_id = text("claimCertificateId")
    certificate_id = text("certificateId")
    certificate_pem = text("certificatePem")
    template_arn = text("templateArn")
    client_id = text("clientId")
    parameters = mapping("parameters")
    answered_by = "iot"

    def allow(self, parameter_overrides: Mapping[str, str] | None = None) -> ProvisioningDecision:
        """Have the device provisioned, with other values for the template's parameters."""
        from handlerkit.answers.iot import ProvisioningDecision

        decision = ProvisioningDecision(allowProvisioning=True)
        if parameter_overrides is not None:
            decision["parameterOverrides"] = dict(parameter_overrides)
        return decision

    def refuse(self) -> ProvisioningDecision:
        """Do not have it provisioned."""
        from handlerkit.answers.iot import ProvisioningDecision

        return ProvisioningDecision(allowProvisioning=False)


class IotButtonEvent(View, kinds=("iot_button",)):
    """A button was pressed: `SINGLE`, `DOUBLE` or `LONG`."""

    serial_number = text("serialNumber")
    click_type = text("clickType")
    battery_voltage = text("batteryVoltage")

    @property
    def battery_millivolts(self) -> int | None:
        """The battery's voltage, written `2000 mV` or `1584mV`; None in any other form."""
        figures = self.battery_voltage.strip().lower().removesuffix("mv").rstrip()
        return int(figures) if figures.isascii() and figures.isdecimal() and len(figures) < 10 else None


class IotClick(View):
    """How a button was pressed, and when."""

    click_type = text("clickType")
    reported_time = instant("reportedTime")


class IotDeviceEvent(View):
    """What happened."""

    button_clicked = maybe_view("buttonClicked", IotClick)


class IotDevice(View):
    """The device; `remaining_life` is a percentage."""

    device_id = text("deviceId")
    type = text("type")
    remaining_life = maybe_number("remainingLife")
    attributes = mapping("attributes")


class IotPlacement(View):
    """Where it is."""

    project_name = text("projectName")
    placement_name = text("placementName")
    attributes = mapping("attributes")
    devices = text_map("devices")


class IotOneClickEvent(View, kinds=("iot_1click",)):
    """A 1-Click device did something."""

    device_event = view("deviceEvent", IotDeviceEvent)
    device_info = view("deviceInfo", IotDevice)
    placement_info = view("placementInfo", IotPlacement)


class IotRegistryEvent(View, kinds=("iot_registry",)):
    """Something in the registry changed. Which of the names there are depends on `event_type`, say `THING_EVENT`."""

    event_type = text("eventType")
    event_id = text("eventId")
    operation = text("operation")
    timestamp = instant("timestamp")
    account_id = maybe_text("accountId")
    thing_id = maybe_text("thingId")
    thing_name = maybe_text("thingName")
    thing_arn = maybe_text("thingArn")
    thing_type_id = maybe_text("thingTypeId")
    thing_type_name = maybe_text("thingTypeName")
    is_deprecated = boolean("isDeprecated")
    deprecation_date = instant("deprecationDate")
    searchable_attributes = texts("searchableAttributes")
    propagating_attributes = items("propagatingAttributes")
    description = maybe_text("description")
    thing_group_id = maybe_text("thingGroupId", "groupId")
    thing_group_name = maybe_text("thingGroupName")
    group_id = maybe_text("groupId")
    group_arn = maybe_text("groupArn")
    parent_group_id = maybe_text("parentGroupId")
    parent_group_name = maybe_text("parentGroupName")
    child_group_id = maybe_text("childGroupId")
    child_group_arn = maybe_text("childGroupArn")
    root_to_parent_thing_groups = items("rootToParentThingGroups")
    dynamic_group_mapping_id = maybe_text("dynamicGroupMappingId")
    membership_id = maybe_text("membershipId")
    billing_group_name = maybe_text("billingGroupName")
    attributes = mapping("attributes")
    version_number = maybe_integer("versionNumber")

"""IoT, the edges of CloudFront, and widgets of dashboards."""

from datetime import UTC, datetime
from typing import Any

import pytest

from handlerkit.events import (
    CloudFrontEvent,
    EventFieldError,
    IotAuthorizerEvent,
    IotButtonEvent,
    IotOneClickEvent,
    IotProvisioningEvent,
    IotRegistryEvent,
    WidgetEvent,
    detect,
    parse,
)
from tests.handlerkit.samples import read_all


def test_a_device_authorizes_by_any_of_its_protocols() -> None:
    raw: dict[str, Any] = {"token": "t0ken", "signatureVerified": True, "protocols": ["mqtt"], "protocolData": {}}
    data = raw["protocolData"]
    data["mqtt"] = {"username": "u?key=1", "password": "cGFzcw==", "clientId": "c"}
    data["http"] = {"headers": None, "queryString": "?a=1&b=x%20y"}
    event = parse(IotAuthorizerEvent, raw)
    mqtt, http = event.protocol_data.mqtt, event.protocol_data.http
    assert mqtt is not None
    assert http is not None
    assert (mqtt.username, mqtt.password, mqtt.client_id) == ("u?key=1", b"pass", "c")
    assert dict(http.query) == {"a": "1", "b": "x y"}
    assert event.protocol_data.tls is None
    assert event.signature_verified
    assert "t0ken" not in repr(event)
    assert "cGFz" not in repr(mqtt)
    assert read_all(event) > 8
    for wrong in ("a", 7):
        data["mqtt"]["password"] = wrong
        broken = parse(IotAuthorizerEvent, raw).protocol_data.mqtt
        with pytest.raises(EventFieldError, match="got a secret"):
            _ = broken and broken.password


def test_a_device_without_password_or_token_still_asks() -> None:
    raw = {"signatureVerified": False, "protocols": ["tls", "mqtt"], "protocolData": {"mqtt": {"clientId": "c"}}}
    assert detect(raw) == "iot_custom_auth"
    event = parse(IotAuthorizerEvent, raw)
    assert event.token is None
    assert event.protocol_data.mqtt is not None
    assert event.protocol_data.mqtt.password is None


def test_parameters_of_a_device_to_be_provisioned_are_its_own() -> None:
    raw = {"claimCertificateId": "a", "templateArn": "b", "parameters": {"SerialNumber": "7"}}
    assert parse(IotProvisioningEvent, raw).parameters == {"SerialNumber": "7"}


@pytest.mark.parametrize(
    ("voltage", "millivolts"),
    [("2000 mV", 2000), ("1584mV", 1584), ("3 V", None), ("", None), (None, None), ("9" * 10, None), (1800, 1800)],
)
def test_the_voltage_of_a_button_is_a_number_where_it_is_known(voltage: Any, millivolts: int | None) -> None:
    raw = {"serialNumber": "s", "clickType": "LONG", "batteryVoltage": voltage}
    assert parse(IotButtonEvent, raw).battery_millivolts == millivolts


def test_a_device_that_only_reports_its_health_was_not_clicked() -> None:
    raw = {"deviceEvent": {"deviceHealthMonitor": {}}, "deviceInfo": {"remainingLife": "99.5"}, "placementInfo": None}
    event = parse(IotOneClickEvent, raw)
    assert event.device_event.button_clicked is None
    assert event.device_info.remaining_life == 99.5
    assert event.placement_info.devices == {}


def test_the_registry_leaves_out_what_a_change_has_not() -> None:
    raw = {"eventType": "THING_EVENT", "eventId": "e", "timestamp": 1_767_225_600_000, "operation": "CREATED"}
    assert detect(raw) == "iot_registry"
    event = parse(IotRegistryEvent, raw | {"thingTypeName": None, "versionNumber": "1", "attributes": {"a": None}})
    assert event.timestamp == datetime(2026, 1, 1, tzinfo=UTC)
    assert (event.thing_type_name, event.version_number, event.attributes) == (None, 1, {"a": None})


def edge(**parts: Any) -> dict[str, Any]:
    request = {
        "method": "GET",
        "uri": "/a%20b",
        "clientIp": "203.0.113.7",
        "headers": {
            "host": [{"key": "Host", "value": "example.com"}],
            "cookie": [{"key": "Cookie", "value": "a=1"}, {"key": "Cookie", "value": "b=2"}],
        },
    }
    return {"Records": [{"cf": {"config": {"distributionId": "E"}, "request": request} | parts}]}


def test_a_request_at_the_edge_reads_like_any_other() -> None:
    event = parse(CloudFrontEvent, edge())
    request = event.request
    assert (request.headers["HOST"], request.cookies) == ("example.com", {"a": "1", "b": "2"})
    assert list(request.headers) == ["Host", "Cookie"]
    assert (event.event_type, event.response, request.body, dict(request.query)) == ("", None, None, {})
    assert [record.config.distribution_id for record in event] == ["E"]
    assert len(event) == 1


def test_origins_bodies_and_responses_are_typed() -> None:
    raw = edge(response={"status": "304", "statusDescription": "Not Modified", "headers": None})
    cf = raw["Records"][0]["cf"]
    cf["config"]["eventType"] = "origin-response"
    cf["request"] |= {"querystring": "a=1&a=2", "origin": {"s3": {"customHeaders": {"x-a": [{"value": "1"}]}}}}
    event = parse(CloudFrontEvent, raw)
    assert event.response is not None
    assert (event.response.status, dict(event.response.headers)) == (304, {})
    assert event.request.query.get_all("a") == ["1", "2"]
    assert event.request.origin is not None
    assert event.request.origin.custom is None
    assert event.request.origin.s3 is not None
    assert event.request.origin.s3.custom_headers["X-A"] == "1"
    assert read_all(event) > 8
    cf["request"]["headers"] = {"x-a": "plain", "x-b": []}
    assert dict(parse(CloudFrontEvent, raw).request.headers) == {"x-a": "plain"}


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({"encoding": "base64", "data": "AP8="}, b"\x00\xff"),
        ({"encoding": "text", "data": "é"}, "é".encode()),
        ({"encoding": "base64"}, b""),
    ],
)
def test_a_body_at_the_edge_is_bytes(body: dict[str, Any], data: bytes) -> None:
    raw = edge()
    raw["Records"][0]["cf"]["request"]["body"] = body | {"inputTruncated": "false", "action": "read-only"}
    found = parse(CloudFrontEvent, raw).request.body
    assert found is not None
    assert (found.data, found.input_truncated, found.action) == (data, False, "read-only")


@pytest.mark.parametrize("data", ["?", 7])
def test_a_body_that_is_not_base64_is_named(data: Any) -> None:
    raw = edge()
    raw["Records"][0]["cf"]["request"]["body"] = {"data": data}
    body = parse(CloudFrontEvent, raw).request.body
    with pytest.raises(EventFieldError, match="data"):
        _ = body and body.data


def test_an_edge_event_without_records_reads_as_nothing() -> None:
    event = parse(CloudFrontEvent, {"Records": []})
    assert (event.event_type, event.request.uri, len(event)) == ("", "", 0)


def test_a_widget_may_be_asked_to_describe_itself() -> None:
    event = parse(WidgetEvent, {"describe": True})
    assert event.is_describe
    assert event.widget_context.params == {}
    raw = {"widgetContext": {"timeRange": {"start": 1_767_225_600_000, "zoom": None}, "width": "588", "forms": {}}}
    context = parse(WidgetEvent, raw).widget_context
    assert context.time_range.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert (context.width, context.time_range.zoom) == (588, None)
    assert not parse(WidgetEvent, raw).is_describe

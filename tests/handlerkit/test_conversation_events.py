"""Alexa, Lex, Connect, Bedrock: what these sources do beyond declaring fields."""

from typing import Any

import pydantic
import pytest

from handlerkit.events import (
    AlexaSkillEvent,
    AlexaSmartHomeEvent,
    BedrockAgentApiEvent,
    BedrockAgentEvent,
    BedrockAgentFunctionEvent,
    ConnectCampaignEvent,
    ConnectEvent,
    EventFieldError,
    EventValidationError,
    LexV1Event,
    LexV2Event,
    parse,
)
from handlerkit.events.lex_v1 import LexV1Intent
from handlerkit.events.lex_v2 import LexV2Interpretation, LexV2Slot


class Vacation(pydantic.BaseModel):
    """Arguments of a function."""

    days: int = 1
    paid: bool = True


def test_a_request_without_a_session_names_its_skill_in_the_context() -> None:
    system = {"application": {"applicationId": "skill"}, "apiAccessToken": "hunter2"}
    raw = {"version": "1.0", "context": {"System": system}, "request": {"type": "AudioPlayer.PlaybackStarted"}}
    event = parse(AlexaSkillEvent, raw)
    assert (event.application_id, event.session, event.intent_name, event.slots) == ("skill", None, None, {})
    assert "hunter2" not in repr([event, event.context, event.context.system])


def test_slots_of_a_skill_are_as_spoken() -> None:
    slots = {"Item": {"name": "Item", "value": "snow"}, "Size": {"name": "Size"}}
    session = {"application": {"applicationId": "skill"}}
    request = {"type": "IntentRequest", "intent": {"name": "Recipe", "slots": slots}}
    event = parse(AlexaSkillEvent, {"version": "1.0", "session": session, "request": request})
    assert (event.application_id, event.intent_name) == ("skill", "Recipe")
    assert event.slots == {"Item": "snow", "Size": None}


@pytest.mark.parametrize("wrap", [lambda directive: {"directive": directive}, lambda directive: directive])
def test_a_directive_reads_the_same_in_all_versions(wrap: Any) -> None:
    directive = {
        "header": {"namespace": "Alexa.PowerController", "name": "TurnOn"},
        "endpoint": {"endpointId": "lamp", "scope": {"type": "BearerToken", "token": "hunter2"}},
        "payload": {"days": 2},
    }
    event = parse(AlexaSmartHomeEvent[Vacation], wrap(directive))
    assert (event.header.name, event.payload.days) == ("TurnOn", 2)
    assert event.endpoint is not None
    assert (event.endpoint.endpoint_id, event.endpoint.token) == ("lamp", "hunter2")
    assert "hunter2" not in repr([event, event.endpoint])


@pytest.mark.parametrize(
    ("wire", "score"),
    [(0.5, 0.5), (1, 1.0), ("0.5", 0.5), ({"score": 0.5}, 0.5), ({}, None), ("", None), (None, None)],
)
def test_confidences_come_as_numbers_or_objects(wire: Any, score: Any) -> None:
    # aws/aws-lambda-dotnet#1129.
    assert LexV2Interpretation({"nluConfidence": wire}).nlu_confidence == score
    assert LexV1Intent({"nluIntentConfidenceScore": wire}).nlu_intent_confidence_score == score


@pytest.mark.parametrize("wire", [True, [], {"score": []}, "high", 10**400])
def test_confidences_that_are_none_are_refused(wire: Any) -> None:
    with pytest.raises(EventFieldError, match="nlu_confidence"):
        _ = LexV2Interpretation({"nluConfidence": wire}).nlu_confidence


def test_unfilled_slots_stay_none() -> None:
    # aws/aws-lambda-dotnet#869 and #1077, aws/aws-lambda-go#120.
    first = parse(LexV1Event, {"bot": {}, "currentIntent": {"slots": {"City": None, "Nights": 4}, "slotDetails": None}})
    assert first.current_intent.slots == {"City": None, "Nights": "4"}
    assert (first.session_attributes, first.alternative_intents, first.current_intent.slot_details) == ({}, (), {})
    city = {"shape": "Scalar", "value": {"originalValue": "paris", "interpretedValue": "Paris", "resolvedValues": []}}
    intent = {"name": "Book", "slots": {"City": city, "Nights": None}}
    second = parse(LexV2Event, {"bot": {}, "sessionState": {"intent": intent, "sessionAttributes": None}})
    assert (second.intent.slot_value("City"), second.intent.slot_value("Nights")) == ("Paris", None)
    assert list(second.intent.raw["slots"]) == ["City", "Nights"]
    assert second.proposed_next_state is None
    wrong_ones: list[Any] = [[], {"City": {}}]
    for wrong in wrong_ones:
        with pytest.raises(EventFieldError, match="slots"):
            _ = LexV1Intent({"slots": wrong}).slots


def test_slots_may_hold_slots() -> None:
    one = {"shape": "Scalar", "value": {"interpretedValue": "a"}}
    slot = LexV2Slot({"shape": "List", "values": [one, one], "subSlots": {"x": one, "y": None}})
    assert [inner.interpreted_value for inner in slot.values] == ["a", "a"]
    assert {name: inner.interpreted_value for name, inner in slot.sub_slots.items()} == {"x": "a"}


@pytest.mark.parametrize(
    ("queue", "name"),
    [({"ARN": "a", "Name": "Sales"}, "Sales"), ("Sales", "Sales"), (None, None)],
)
def test_the_queue_of_a_contact_is_an_object_a_name_or_missing(queue: Any, name: Any) -> None:
    # aws/aws-lambda-java-libs#278, #458 and #482, calavera/aws-lambda-events#122.
    data = {"Queue": queue, "CustomerEndpoint": None, "MediaStreams": {"Customer": {"Audio": None}}}
    event = parse(ConnectEvent, {"Details": {"ContactData": data, "Parameters": {"days": "2"}}})
    assert (event.contact.queue.name if event.contact.queue is not None else None) == name
    assert event.contact.customer_endpoint is None
    assert event.contact.media_streams.customer.audio.stream_arn is None
    assert event.parameters == {"days": "2"}
    assert parse(ConnectEvent[Vacation], event.raw).parameters.days == 2
    with pytest.raises(EventValidationError, match=r"details\.parameters\.days"):
        parse(ConnectEvent[Vacation], {"Details": {"ContactData": {}, "Parameters": {"days": "many"}}})


def test_customers_of_a_campaign_are_json_in_text() -> None:
    profiles = [{"ProfileId": "1", "CustomerData": '{"days": 2}', "IdempotencyToken": "t"}]
    raw = {"InvocationMetadata": {"CampaignContext": {"CampaignId": "c"}}, "Items": {"CustomerProfiles": profiles}}
    event = parse(ConnectCampaignEvent[Vacation], raw)
    assert [profile.customer_data.days for profile in event] == [2]
    assert (event.campaign.campaign_id, len(event)) == ("c", 1)
    assert parse(ConnectCampaignEvent, raw).customer_profiles[0].customer_data == {"days": 2}


AGENT = {"agent": {"name": "a"}, "actionGroup": "g", "sessionAttributes": {"user": "1"}}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "2", 2),
        ("integer", "two", "two"),
        ("number", "2.5", 2.5),
        ("number", "NaN", "NaN"),
        ("boolean", "True", True),
        ("boolean", "false", False),
        ("boolean", "perhaps", "perhaps"),
        ("array", '["a", 1]', ["a", 1]),
        ("array", "[a, b]", ["a", "b"]),
        ("array", "a, b", "a, b"),
        ("array", "5", "5"),
        ("object", '{"a": 1}', {"a": 1}),
        ("object", "[1]", "[1]"),
        ("object", "{a=1}", "{a=1}"),
        ("string", "2", "2"),
        ("integer", 2, 2),
        ("unheard-of", "x", "x"),
        (None, None, None),
    ],
)
def test_an_argument_is_decoded_as_declared_or_stays_text(kind: Any, text: Any, value: Any) -> None:
    raw = AGENT | {"function": "f", "parameters": [{"name": "x", "type": kind, "value": text}]}
    assert parse(BedrockAgentFunctionEvent, raw).arguments == {"x": value}


@pytest.mark.parametrize("parameters", [{}, {"parameters": None}, {"parameters": []}])
def test_a_function_may_be_called_without_arguments(parameters: Any) -> None:
    event = parse(BedrockAgentFunctionEvent[Vacation], AGENT | {"function": "f"} | parameters)
    assert (event.arguments, event.parameters) == (Vacation(), ())
    many = {"function": "f", "parameters": [{"name": "days", "type": "integer", "value": "many"}]}
    with pytest.raises(EventValidationError, match=r"arguments\.days"):
        parse(BedrockAgentFunctionEvent[Vacation], AGENT | many)
    wrong_ones: list[Any] = [{}, ["x"]]
    for wrong in wrong_ones:
        with pytest.raises(EventValidationError, match="not a list of arguments"):
            parse(BedrockAgentFunctionEvent[Vacation], AGENT | {"function": "f", "parameters": wrong})


def test_the_body_of_an_operation_is_made_of_its_properties_and_may_be_absent() -> None:
    # aws-samples/amazon-bedrock-samples#226.
    absent = parse(BedrockAgentApiEvent[Vacation], AGENT | {"apiPath": "/v", "httpMethod": "POST"})
    assert absent.body == Vacation()
    properties = {"properties": [{"name": "days", "type": "integer", "value": "3"}]}
    for form in ("application/json", "text/plain"):
        raw = AGENT | {"requestBody": {"content": {form: properties}}}
        assert parse(BedrockAgentApiEvent[Vacation], raw).body.days == 3
        assert parse(BedrockAgentApiEvent, raw).body == {"days": 3}
    assert parse(BedrockAgentApiEvent, AGENT | {"requestBody": {"content": {}}}).body == {}
    wrong_ones: list[Any] = [[], {"text/plain": "x"}]
    for content in wrong_ones:
        with pytest.raises(EventValidationError, match="body: not"):
            parse(BedrockAgentApiEvent[Vacation], AGENT | {"requestBody": {"content": content}})
    typed = parse(
        BedrockAgentApiEvent[dict[str, Any], Vacation],
        AGENT | {"parameters": [{"name": "days", "type": "integer", "value": "4"}]},
    )
    assert typed.arguments.days == 4


def test_an_answer_to_an_agent_sends_the_session_back() -> None:
    # powertools-lambda-python#5042.
    function = parse(BedrockAgentFunctionEvent, AGENT | {"function": "f"})
    assert function.reply("done") == {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": "g",
            "function": "f",
            "functionResponse": {"responseBody": {"TEXT": {"body": "done"}}},
        },
        "sessionAttributes": {"user": "1"},
        "promptSessionAttributes": {},
    }
    failed = function.reply("no", state="FAILURE", session_attributes={}, prompt_session_attributes={"a": "b"})
    assert failed["response"]["functionResponse"]["responseState"] == "FAILURE"
    assert (failed["sessionAttributes"], failed["promptSessionAttributes"]) == ({}, {"a": "b"})
    operation = parse(BedrockAgentApiEvent, AGENT | {"apiPath": "/v", "httpMethod": "GET"})
    assert operation.reply(Vacation(), status=201)["response"] == {
        "actionGroup": "g",
        "apiPath": "/v",
        "httpMethod": "GET",
        "httpStatusCode": 201,
        "responseBody": {"application/json": {"body": '{"days":1,"paid":true}'}},
    }
    plain = operation.reply("text", content_type="text/plain")["response"]["responseBody"]
    assert plain == {"text/plain": {"body": "text"}}


def test_what_is_common_to_both_forms_has_a_view_too() -> None:
    assert parse(BedrockAgentEvent, AGENT | {"function": "f"}).action_group == "g"
    with pytest.raises(EventValidationError, match="another kind"):
        parse(BedrockAgentApiEvent, AGENT | {"function": "f"})

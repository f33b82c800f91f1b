"""Answers: the right one is easy to make, and a wrong one does not leave, or is not even defined."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlerkit import event_handler
from handlerkit.answers import (
    AlexaAnswer,
    AnswerError,
    AuthorizerPolicy,
    EdgeRequest,
    LexAnswer,
    LexMessage,
    SimpleDecision,
    UnauthorizedError,
)
from handlerkit.answers.answer import check_answer
from handlerkit.events import (
    AlexaSkillEvent,
    AlexaSmartHomeEvent,
    AppSyncAuthorizerEvent,
    AppSyncChannelEvent,
    AppSyncResolverEvent,
    BedrockAgentFunctionEvent,
    ClientVpnEvent,
    CloudFrontEvent,
    CognitoCustomMessageEvent,
    CognitoPostConfirmationEvent,
    CognitoPreSignUpEvent,
    CognitoTokenGenerationEvent,
    ConnectEvent,
    FirehoseEvent,
    HttpApiAuthorizerEvent,
    IotAuthorizerEvent,
    IotProvisioningEvent,
    LexV1Event,
    LexV2Event,
    TokenAuthorizerEvent,
    TransferIdentityEvent,
    WebSocketAuthorizerEvent,
    parse,
)
from handlerkit.events.view import View
from handlerkit.testing import authorizer_event, cognito_event, firehose_event
from tests.handlerkit.samples import SAMPLES, view_for

EVENTS = Path(__file__).parents[2] / "events"
ARN = "arn:aws:execute-api:eu-central-1:123456789012:a1b2/prod"


def answered(kind: type[View], event: Any, result: Any) -> Any:
    """What a handler of this event gets through with, both ways alike."""

    @event_handler(event=kind)
    def handler(asked: Any) -> Any:
        return result(asked) if callable(result) else result

    outcomes: list[Any] = []
    copy = json.loads(json.dumps(event))
    by_bytes = json.dumps(copy).encode()
    for way in ("dict", "bytes"):
        try:
            outcomes.append(handler(event) if way == "dict" else json.loads(handler.__lambda_raw__(by_bytes, None)))
        except AnswerError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1] or "messageId" in str(outcomes[0])
    if isinstance(outcomes[0], str):
        raise AnswerError(outcomes[0])
    return outcomes[0]


def refused(kind: type[View], event: Any, result: Any) -> str:
    with pytest.raises(AnswerError) as raised:
        answered(kind, event, result)
    return str(raised.value)


# --- what is refused where the function is defined --------------------------------------------------------------------


def test_a_function_that_answers_nothing_to_who_waits_is_not_even_defined() -> None:
    with pytest.raises(TypeError, match="returns None, and the event's service waits"):

        @event_handler
        def handler(event: TokenAuthorizerEvent) -> None: ...


def test_a_function_with_the_answer_to_another_event_is_not_even_defined() -> None:
    with pytest.raises(TypeError, match="returns LexAnswer, which is no answer to its event"):

        @event_handler
        def handler(event: AlexaSkillEvent) -> LexAnswer:
            return LexAnswer()


def test_functions_may_be_annotated_with_the_answer_itself() -> None:
    @event_handler
    def handler(event: AlexaSkillEvent) -> AlexaAnswer:
        return event.say("Hello")

    @event_handler
    def quiet(event: ConnectEvent) -> None: ...

    assert handler({"version": "1.0", "request": {"type": "LaunchRequest"}})["response"]["outputSpeech"] == {
        "type": "PlainText",
        "text": "Hello",
    }


def test_a_check_can_be_switched_off() -> None:
    @event_handler(check_answer=False)
    def handler(event: TokenAuthorizerEvent) -> None: ...

    assert handler(authorizer_event()) is None


@pytest.mark.parametrize("sample", [one for one in SAMPLES if getattr(view_for(one), "answered_by", None)], ids=repr)
@given(result=st.sampled_from([None, 1, "text", [], {}, {"a": 1}, {"response": 3}, True]))
def test_no_check_fails_over_any_sample_whatever_was_returned(sample: Any, result: Any) -> None:
    kind = view_for(sample)
    assert kind is not None
    assert kind.answered_by is not None
    event = parse(kind, sample.body)
    said = ""
    try:
        check_answer(kind.answered_by, event, result)
    except AnswerError as error:
        said = str(error)
    assert len(said) < 300


@pytest.mark.parametrize(
    ("name", "kind", "event"),
    [
        ("apigw_authorizer-iam", TokenAuthorizerEvent, authorizer_event()),
        ("apigw_authorizer-simple", HttpApiAuthorizerEvent, authorizer_event(kind="http_api")),
        ("appsync-authorizer", AppSyncAuthorizerEvent, {"authorizationToken": "t", "requestContext": {}}),
        ("iot_preprovision", IotProvisioningEvent, {"templateArn": "t", "claimCertificateId": "c"}),
        ("lex_v2", LexV2Event, {"bot": {}, "sessionState": {"intent": {"name": "A"}}}),
    ],
)
def test_real_answers_get_through(name: str, kind: type[View], event: Any) -> None:
    answer = json.loads((EVENTS / "responses" / f"{name}.json").read_text("utf-8"))
    assert answered(kind, event, answer) == answer


# --- authorizers ------------------------------------------------------------------------------------------------------


def test_a_policy_names_routes_of_the_stage() -> None:
    policy = TokenAuthorizerEvent(authorizer_event()).allow("ada", "GET /orders/*", "* /me", context={"tier": 1})
    stage = "/".join(authorizer_event()["methodArn"].split("/")[:2])
    assert policy == {
        "principalId": "ada",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": [f"{stage}/GET/orders/*", f"{stage}/*/me"],
                }
            ],
        },
        "context": {"tier": 1},
    }


def test_a_policy_without_routes_is_for_the_whole_stage_because_it_is_cached() -> None:
    event = TokenAuthorizerEvent({"methodArn": f"{ARN}/GET/orders/1"})
    assert event.allow("ada")["policyDocument"]["Statement"][0]["Resource"] == [f"{ARN}/*"]
    assert event.deny()["policyDocument"]["Statement"][0]["Effect"] == "Deny"


def test_a_policy_can_have_several_rules() -> None:
    event = WebSocketAuthorizerEvent({"methodArn": f"{ARN}/$connect"})
    policy = event.policy("ada").allow("$connect").deny("admin")
    assert [one["Resource"] for one in policy["policyDocument"]["Statement"]] == [[f"{ARN}/$connect"], [f"{ARN}/admin"]]


@pytest.mark.parametrize("route", ["/orders", "FETCH /orders", "GET orders"])
def test_what_is_no_route_is_refused(route: str) -> None:
    with pytest.raises(AnswerError, match="is no route"):
        TokenAuthorizerEvent(authorizer_event()).allow("ada", route)


def test_unauthorized_has_exactly_the_text_that_means_401() -> None:
    assert str(UnauthorizedError()) == "Unauthorized"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "returned nothing"),
        ("Allow", "returned a str"),
        ({"isAuthorized": True}, "HTTP APIs with payload format 2.0"),
        ({"policyDocument": {"Statement": [1]}}, "no principalId"),
        (lambda event: event.policy("ada"), "no statement"),
        (lambda event: event.allow("ada", context={"a": {"b": 1}}), r"context['a']"),
        (lambda event: event.allow("ada", *[f"GET /{'x' * 90}/{n}" for n in range(100)]), "of about 8192"),
    ],
)
def test_a_policy_that_api_gateway_would_not_take_is_refused(result: Any, said: str) -> None:
    assert said in refused(TokenAuthorizerEvent, authorizer_event(), result)


def test_the_simple_decision_is_for_http_apis() -> None:
    event = authorizer_event(kind="http_api")
    assert answered(HttpApiAuthorizerEvent, event, lambda event: event.allow({"a": {"b": 1}})) == {
        "isAuthorized": True,
        "context": {"a": {"b": 1}},
    }
    assert answered(HttpApiAuthorizerEvent, event, SimpleDecision(False)) == {"isAuthorized": False}
    assert "isAuthorized has to be" in refused(HttpApiAuthorizerEvent, event, {"isAuthorized": "yes"})
    assert isinstance(HttpApiAuthorizerEvent(event).policy("ada").allow("GET /"), AuthorizerPolicy)


# --- Cognito ----------------------------------------------------------------------------------------------------------


def test_a_trigger_sets_its_response_and_returns_the_event() -> None:
    def confirm(event: CognitoPreSignUpEvent) -> Any:
        event.response.auto_confirm_user = True
        assert event.response.auto_verify_email is False
        return event

    answer = answered(CognitoPreSignUpEvent, cognito_event(), confirm)
    assert answer["response"] == {"autoConfirmUser": True, "autoVerifyEmail": False, "autoVerifyPhone": False}
    assert answer["userName"] == "ada"


@pytest.mark.parametrize("came", [None, {}, "missing"])
def test_reading_a_response_changes_nothing_and_writing_puts_it_there(came: Any) -> None:
    raw = cognito_event()
    if came == "missing":
        del raw["response"]
    else:
        raw["response"] = came
    before = json.dumps(raw)
    event = CognitoPreSignUpEvent(raw)
    assert event.response.auto_confirm_user is None
    assert json.dumps(raw) == before
    event.response.update(autoConfirmUser=True)
    event.response.auto_verify_phone = False
    assert raw["response"] == {"autoConfirmUser": True, "autoVerifyPhone": False}


def test_a_value_of_the_wrong_type_is_refused_where_it_is_set() -> None:
    event = CognitoPreSignUpEvent(cognito_event())
    with pytest.raises(AnswerError, match="autoConfirmUser has to be a bool"):
        event.response.auto_confirm_user = "yes"  # type: ignore[assignment]


@pytest.mark.parametrize("result", [None, {}, {"autoConfirmUser": True}, {"response": {}}, "ok"])
def test_anything_but_the_event_is_refused(result: Any) -> None:
    assert "return the event" in refused(CognitoPreSignUpEvent, cognito_event(), result)


def test_a_copy_of_the_event_is_taken_as_well() -> None:
    raw = cognito_event("PostConfirmation_ConfirmSignUp")
    assert answered(CognitoPostConfirmationEvent, raw, lambda event: {**event.raw, "response": {}})["response"] == {}


def test_a_message_has_to_contain_the_code() -> None:
    raw = cognito_event("CustomMessage_SignUp", request={"codeParameter": "{####}"})

    def write(text: str) -> Any:
        def handler(event: CognitoCustomMessageEvent) -> Any:
            event.response.email_message = text
            return event

        return handler

    assert "{####}" in refused(CognitoCustomMessageEvent, raw, write("Welcome"))
    assert answered(CognitoCustomMessageEvent, raw, write("Your code is {####}"))


def test_token_overrides_are_written_in_the_form_of_the_version() -> None:
    first = cognito_event("TokenGeneration_Authentication")
    event = CognitoTokenGenerationEvent(first)
    event.override(id_claims={"tier": "1"}, suppress_id_claims=["email"])
    assert first["response"] == {
        "claimsOverrideDetails": {"claimsToAddOrOverride": {"tier": "1"}, "claimsToSuppress": ["email"]}
    }
    with pytest.raises(AnswerError, match="choose version 2"):
        event.override(add_scopes=["orders/read"])
    with pytest.raises(AnswerError, match="'tier' is none"):
        event.override(id_claims={"tier": 1})
    second = cognito_event("TokenGeneration_Authentication", request={"scopes": ["openid"]}) | {"version": "2"}
    CognitoTokenGenerationEvent(second).override(id_claims={"tier": 1}, add_scopes=["orders/read"])
    assert second["response"]["claimsAndScopeOverrideDetails"] == {
        "idTokenGeneration": {"claimsToAddOrOverride": {"tier": 1}},
        "accessTokenGeneration": {"scopesToAdd": ["orders/read"]},
    }


# --- Lex --------------------------------------------------------------------------------------------------------------

INTENT = {"name": "Book", "slots": {"City": None, "Nights": None}, "state": "InProgress"}
TURN: dict[str, Any] = {"bot": {}, "sessionState": {"intent": INTENT, "sessionAttributes": {"a": "1"}}}
OLD_TURN: dict[str, Any] = {
    "bot": {},
    "currentIntent": {"name": "Book", "slots": {"City": None, "Nights": "2"}},
    "sessionAttributes": {"a": "1"},
}


def test_a_conversation_closes_with_what_came() -> None:
    answer = answered(LexV2Event, TURN, lambda event: event.close("Booked", slots={"City": "Paris"}))
    assert answer["sessionState"]["intent"]["state"] == "Fulfilled"
    assert answer["sessionState"]["intent"]["slots"]["Nights"] is None
    assert answer["sessionState"]["intent"]["slots"]["City"]["value"]["interpretedValue"] == "Paris"
    assert answer["sessionState"]["sessionAttributes"] == {"a": "1"}
    assert answer["messages"] == [{"contentType": "PlainText", "content": "Booked"}]


def test_active_contexts_go_back_as_they_came() -> None:
    contexts = [{"name": "booking", "timeToLive": {"turnsToLive": 3}}]
    turn = {"bot": {}, "sessionState": {"intent": INTENT, "activeContexts": contexts}}
    assert answered(LexV2Event, turn, lambda event: event.delegate())["sessionState"]["activeContexts"] == contexts


def test_every_turn_of_version_2_is_one_that_lex_takes() -> None:
    card = LexMessage.card("Where?", "Choose", image_url="https://example.com/a.png", buttons={"Paris": "paris"})
    for turn in (
        lambda event: event.delegate(slots={"City": None}, session_attributes={}),
        lambda event: event.elicit_slot("City", card, LexMessage.ssml("<speak>Where?</speak>")),
        lambda event: event.elicit_intent("What?", LexMessage.custom("{}")),
        lambda event: event.confirm_intent("Sure?"),
        lambda event: event.close(fulfilled=False),
    ):
        answered(LexV2Event, TURN, turn)


def test_every_turn_of_version_1_is_one_that_lex_takes() -> None:
    elicited = answered(LexV1Event, OLD_TURN, lambda event: event.elicit_slot("City", "Where?"))
    assert elicited["dialogAction"] == {
        "type": "ElicitSlot",
        "intentName": "Book",
        "slots": {"City": None, "Nights": "2"},
        "slotToElicit": "City",
        "message": {"contentType": "PlainText", "content": "Where?"},
    }
    for turn in (
        lambda event: event.close("Done", session_attributes={"b": "2"}),
        lambda event: event.delegate(slots={"City": "Paris"}),
        lambda event: event.elicit_intent("What?"),
        lambda event: event.confirm_intent("Sure?"),
    ):
        answered(LexV1Event, OLD_TURN, turn)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "returned nothing"),
        ({}, "no dialogAction"),
        ({"sessionState": {"dialogAction": {"type": "Closed"}}}, "Close, ConfirmIntent"),
        ({"sessionState": {"dialogAction": {"type": "ElicitSlot"}}}, "slotToElicit"),
        (lambda event: event.elicit_intent(), "at least one message"),
        (lambda event: event.delegate(slots={"City": ""}) | {}, "empty text"),
        (lambda event: event.close(LexMessage(content="x")), "contentType"),
    ],
)
def test_a_turn_that_lex_would_not_take_is_refused(result: Any, said: str) -> None:
    if said == "empty text":
        state = {"dialogAction": {"type": "Delegate"}, "intent": {"name": "Book", "slots": {"City": ""}}}
        result = {"sessionState": state}
    assert said in refused(LexV2Event, TURN, result)


def test_a_card_with_too_many_buttons_is_refused() -> None:
    with pytest.raises(AnswerError, match="at most 5 buttons"):
        LexMessage.card("t", buttons={str(n): "v" for n in range(6)})


# --- Alexa ------------------------------------------------------------------------------------------------------------


def test_a_skill_speaks_and_keeps_its_session() -> None:
    event = {"version": "1.0", "session": {"attributes": {"step": 1}}, "request": {"type": "IntentRequest"}}
    answer = answered(AlexaSkillEvent, event, lambda event: event.say("<speak>Hi</speak>", reprompt="Well?"))
    assert answer["sessionAttributes"] == {"step": 1}
    assert answer["response"] == {
        "outputSpeech": {"type": "SSML", "ssml": "<speak>Hi</speak>"},
        "reprompt": {"outputSpeech": {"type": "PlainText", "text": "Well?"}},
        "shouldEndSession": False,
    }


def test_nothing_is_said_after_the_end_of_a_session() -> None:
    event = {"version": "1.0", "request": {"type": "SessionEndedRequest", "reason": "USER_INITIATED"}}
    assert "once the session has ended" in refused(AlexaSkillEvent, event, lambda event: event.say("Bye"))
    assert answered(AlexaSkillEvent, event, lambda event: event.say())["response"] == {}


def test_a_device_answers_with_the_correlation_token() -> None:
    header = {"namespace": "Alexa.PowerController", "name": "TurnOn", "messageId": "1", "correlationToken": "c"}
    event = {"directive": {"header": header, "endpoint": {"endpointId": "lamp"}, "payload": {}}}
    answer = answered(AlexaSmartHomeEvent, event, lambda event: event.respond(properties=[{"name": "powerState"}]))
    assert answer["event"]["header"]["correlationToken"] == "c"
    assert answer["event"]["endpoint"] == {"endpointId": "lamp"}
    assert answer["context"]["properties"] == [{"name": "powerState"}]
    error = answered(AlexaSmartHomeEvent, event, lambda event: event.refuse("ENDPOINT_UNREACHABLE", "gone"))
    assert error["event"]["header"]["name"] == "ErrorResponse"
    assert "no header" in refused(AlexaSmartHomeEvent, event, {"event": {}})


# --- Lambda@Edge ------------------------------------------------------------------------------------------------------


def edge(moment: str, *, headers: dict[str, str] | None = None, status: str = "200") -> dict[str, Any]:
    listed = {name: [{"key": name, "value": value}] for name, value in (headers or {"host": "example.com"}).items()}
    cf: dict[str, Any] = {
        "config": {"eventType": moment, "distributionId": "E1"},
        "request": {"method": "GET", "uri": "/a", "querystring": "", "headers": listed, "clientIp": "203.0.113.7"},
    }
    if moment.endswith("response"):
        cf["response"] = {"status": status, "statusDescription": "OK", "headers": listed}
    return {"Records": [{"cf": cf}]}


def test_a_request_goes_on_changed() -> None:
    event = edge("origin-request", headers={"host": "a", "x-old": "1"})
    request = answered(
        CloudFrontEvent, event, lambda event: event.pass_on(uri="/b", headers={"X-New": "2", "X-Old": None})
    )
    assert (request["uri"], request["querystring"], request["clientIp"]) == ("/b", "", "203.0.113.7")
    assert request["headers"] == {
        "host": [{"key": "host", "value": "a"}],
        "x-new": [{"key": "X-New", "value": "2"}],
    }
    assert event["Records"][0]["cf"]["request"]["uri"] == "/a"


def test_a_response_is_made_at_the_edge() -> None:
    answer = answered(
        CloudFrontEvent,
        edge("viewer-request"),
        lambda event: event.respond(302, headers={"Location": "/b"}, cookies=["a=1", "b=2"]),
    )
    assert (answer["status"], answer["statusDescription"]) == ("302", "Found")
    assert [one["value"] for one in answer["headers"]["set-cookie"]] == ["a=1", "b=2"]
    binary = answered(CloudFrontEvent, edge("origin-request"), lambda event: event.respond(200, b"\xff"))
    assert (binary["body"], binary["bodyEncoding"]) == ("/w==", "base64")


def test_a_response_goes_back_changed() -> None:
    answer = answered(
        CloudFrontEvent,
        edge("origin-response", status="404"),
        lambda event: event.pass_back(status=200, body="found", headers={"Cache-Control": "no-store"}),
    )
    assert (answer["status"], answer["body"]) == ("200", "found")


@pytest.mark.parametrize(
    ("moment", "result", "said"),
    [
        ("viewer-request", None, "returned nothing"),
        ("viewer-request", {"a": 1}, "neither a request"),
        ("viewer-request", lambda e: e.pass_on(headers={"Host": "b"}), "'host' cannot be changed at viewer-request"),
        ("viewer-request", lambda e: e.pass_on(headers={"Host": None}), "'host' cannot be changed"),
        ("viewer-request", lambda e: e.pass_on(headers={"X-Edge-Thing": "1"}), "keeps the header 'x-edge-thing'"),
        ("viewer-request", lambda e: e.pass_on(headers={"X-A": "1\r\nSet-Cookie: b"}), "line break"),
        ("viewer-request", lambda e: e.pass_on(uri="no-slash"), "begins with /"),
        ("viewer-request", lambda e: e.pass_on(uri="/a?b=1"), "has no query"),
        ("viewer-request", lambda e: e.respond(200, "x" * 41_000), "of 40960"),
        ("origin-request", lambda e: e.respond(200, "x" * 1_100_000), "of 1048576"),
        ("origin-request", lambda e: e.respond(20), "three digits"),
        ("origin-request", lambda e: {**e.respond(200), "headers": {"a": "b"}}, "has to be a list"),
        ("origin-request", lambda e: {**e.respond(200), "headers": {"a": [{"key": "b", "value": "c"}]}}, "has the key"),
        ("origin-request", lambda e: {**e.respond(200, "x"), "bodyEncoding": "gzip"}, "text or base64"),
        ("origin-request", lambda e: e.pass_back(), "no response yet"),
        ("origin-response", lambda e: e.pass_on(), "has to return the response"),
        ("viewer-response", lambda e: e.pass_back(status=500), "cannot change the status"),
        ("viewer-response", lambda e: e.pass_back(body="b"), "cannot replace the body"),
        ("viewer-response", lambda e: e.pass_back(headers={"Via": "me"}), "'via' cannot be changed"),
    ],
)
def test_what_cloudfront_would_answer_502_for_is_refused(moment: str, result: Any, said: str) -> None:
    assert said in refused(CloudFrontEvent, edge(moment), result)


def test_a_host_may_be_changed_on_the_way_to_the_origin() -> None:
    assert answered(CloudFrontEvent, edge("origin-request"), lambda e: e.pass_on(headers={"Host": "b"}))
    assert isinstance(CloudFrontEvent(edge("origin-request")).pass_on(), EdgeRequest)


# --- the others -------------------------------------------------------------------------------------------------------


def test_an_appsync_authorizer_decides_over_fields() -> None:
    event = {"authorizationToken": "t", "requestContext": {"apiId": "a"}}
    allowed = answered(
        AppSyncAuthorizerEvent,
        event,
        lambda e: e.allow({"tenant": "t1"}, denied_fields=["Query.secrets"], ttl_s=60),
    )
    assert allowed == {
        "isAuthorized": True,
        "resolverContext": {"tenant": "t1"},
        "deniedFields": ["Query.secrets"],
        "ttlOverride": 60,
    }
    assert answered(AppSyncAuthorizerEvent, event, lambda e: e.deny()) == {"isAuthorized": False}
    assert "true or false" in refused(AppSyncAuthorizerEvent, event, {"isAuthorized": 1})
    assert "resolverContext['a']" in refused(AppSyncAuthorizerEvent, event, lambda e: e.allow({"a": []}))


def test_messages_to_a_channel_are_accepted_one_by_one() -> None:
    info = {"channel": {"path": "/a"}, "channelNamespace": {"name": "a"}, "operation": "PUBLISH"}
    event = {"info": info, "events": [{"id": "1", "payload": 5}, {"id": "2", "payload": 6}, {"id": "3"}]}

    def judged(asked: AppSyncChannelEvent) -> Any:
        first, second, _ = asked
        return asked.publish(first.accepted(), second.refused("no"))

    assert answered(AppSyncChannelEvent, event, judged)["events"] == [
        {"id": "1", "payload": 5},
        {"id": "2", "error": "no"},
    ]
    assert "drops every message" in refused(AppSyncChannelEvent, event, None)
    assert "no message has the id" in refused(AppSyncChannelEvent, event, {"events": [{"id": "9"}]})
    subscription = {"info": info | {"operation": "SUBSCRIBE"}, "events": None}
    assert answered(AppSyncChannelEvent, subscription, None) is None
    assert answered(AppSyncChannelEvent, subscription, lambda e: e.refuse("no")) == {"error": "no"}


def test_one_item_of_a_batch_of_fields_can_fail() -> None:
    assert AppSyncResolverEvent({}).failed("no", "NotFound") == {
        "data": None,
        "errorMessage": "no",
        "errorType": "NotFound",
    }


def test_a_device_connects_with_policies() -> None:
    event = {"protocols": ["mqtt"], "signatureVerified": False, "protocolData": {}}
    policy = {"Version": "2012-10-17", "Statement": []}
    answer = answered(IotAuthorizerEvent, event, lambda e: e.allow("device7", policy, refresh_after_s=300))
    assert answer["policyDocuments"] == [policy]
    assert answered(IotAuthorizerEvent, event, lambda e: e.deny()) == {"isAuthenticated": False}
    assert "letters and figures" in refused(IotAuthorizerEvent, event, lambda e: e.allow("device-7", policy))
    assert "1 to 10" in refused(IotAuthorizerEvent, event, lambda e: e.allow("d"))
    assert "1 to 10" in refused(IotAuthorizerEvent, event, lambda e: e.allow("d", *[policy] * 11))
    assert "from 300 to" in refused(IotAuthorizerEvent, event, lambda e: e.allow("d", policy, disconnect_after_s=1))
    assert "of 128" in refused(IotAuthorizerEvent, event, lambda e: e.allow("d" * 129, policy))


def test_a_device_is_provisioned_or_not() -> None:
    event = {"templateArn": "t", "claimCertificateId": "c"}
    assert answered(IotProvisioningEvent, event, lambda e: e.allow({"Place": "roof"})) == {
        "allowProvisioning": True,
        "parameterOverrides": {"Place": "roof"},
    }
    assert answered(IotProvisioningEvent, event, lambda e: e.refuse()) == {"allowProvisioning": False}
    assert "true or false" in refused(IotProvisioningEvent, event, {})


def test_every_record_of_a_transformation_has_one_result() -> None:
    event = firehose_event([b"a", b"b"])
    answer = answered(FirehoseEvent, event, lambda e: e.reply(*(record.ok() for record in e)))
    assert [one["result"] for one in answer["records"]] == ["Ok", "Ok"]
    assert "1 of 2 records have no result" in refused(FirehoseEvent, event, lambda e: e.reply(next(iter(e)).ok()))
    twice = refused(FirehoseEvent, event, lambda e: e.reply(*(next(iter(e)).ok() for _ in range(2))))
    assert "two results" in twice
    strange = refused(FirehoseEvent, event, lambda e: e.reply(*(r.ok() for r in e), {"recordId": "x", "result": "Ok"}))
    assert "names no record" in strange
    big = refused(FirehoseEvent, event, lambda e: e.reply(*(record.ok(b"x" * 3_000_000) for record in e)))
    assert "that are taken" in big
    odd = refused(FirehoseEvent, event, lambda e: {"records": [{"recordId": r.record_id, "result": "No"} for r in e]})
    assert "Ok, Dropped" in odd


def test_a_login_needs_a_role_and_keys_where_it_is_by_key() -> None:
    event = {"username": "ada", "password": "p", "protocol": "SFTP", "serverId": "s-1"}
    answer = answered(
        TransferIdentityEvent, event, lambda e: e.allow("arn:role", home_directories={"/": "/bucket/ada"}, policy={})
    )
    assert answer["HomeDirectoryDetails"] == '[{"Entry":"/","Target":"/bucket/ada"}]'
    assert answered(TransferIdentityEvent, event, lambda e: e.deny()) == {}
    assert "without a Role" in refused(TransferIdentityEvent, event, {"Policy": "{}"})
    assert "JSON in text" in refused(TransferIdentityEvent, event, {"Role": "r", "HomeDirectoryDetails": []})
    by_key = event | {"password": ""}
    assert "PublicKeys" in refused(TransferIdentityEvent, by_key, lambda e: e.allow("arn:role"))
    assert answered(TransferIdentityEvent, by_key, lambda e: e.allow("arn:role", public_keys=["ssh-rsa AAAA"]))


def test_a_vpn_client_is_let_in_or_told_why_not() -> None:
    event = {"connection-id": "c", "endpoint-id": "e", "schema-version": "v3"}
    assert answered(ClientVpnEvent, event, lambda e: e.allow())["allow"] is True
    denied = answered(ClientVpnEvent, event, lambda e: e.deny("not from there"))
    assert denied["error-msg-on-failed-posture-compliance"] == "not from there"
    assert "true or false" in refused(ClientVpnEvent, event, {"allow": "yes"})


def test_answers_of_agents_and_flows_have_a_limit() -> None:
    agent = {"messageVersion": "1.0", "agent": {}, "actionGroup": "g", "function": "f"}
    assert answered(BedrockAgentFunctionEvent, agent, lambda e: e.reply("done"))
    assert "of 25600" in refused(BedrockAgentFunctionEvent, agent, lambda e: e.reply("x" * 26_000))
    assert "event.reply" in refused(BedrockAgentFunctionEvent, agent, {"body": 1})
    flow = {"Name": "ContactFlowEvent", "Details": {"ContactData": {}, "Parameters": {}}}
    assert answered(ConnectEvent, flow, None) is None
    assert "of 32768" in refused(ConnectEvent, flow, {"a": "x" * 33_000})

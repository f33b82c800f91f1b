"""User pools, Cognito Sync, Client VPN, and AppSync."""

from typing import Any

import pydantic
import pytest

from handlerkit import event_handler
from handlerkit.events import (
    AppSyncAuthorizerEvent,
    AppSyncChannelEvent,
    AppSyncResolverEvent,
    ClientVpnEvent,
    CognitoCreateAuthChallengeEvent,
    CognitoCustomMessageEvent,
    CognitoCustomSenderEvent,
    CognitoDefineAuthChallengeEvent,
    CognitoEvent,
    CognitoInboundFederationEvent,
    CognitoPostAuthenticationEvent,
    CognitoPostConfirmationEvent,
    CognitoPreAuthenticationEvent,
    CognitoPreSignUpEvent,
    CognitoSyncEvent,
    CognitoTokenGenerationEvent,
    CognitoUserMigrationEvent,
    CognitoVerifyAuthChallengeEvent,
    EventFieldError,
    EventValidationError,
    detect,
    parse,
)
from handlerkit.testing import appsync_event, cognito_event
from tests.handlerkit.samples import SAMPLES, read_all

TRIGGERS: dict[str, Any] = {
    "PreSignUp_SignUp": CognitoPreSignUpEvent,
    "PostConfirmation_ConfirmForgotPassword": CognitoPostConfirmationEvent,
    "PreAuthentication_Authentication": CognitoPreAuthenticationEvent,
    "PostAuthentication_Authentication": CognitoPostAuthenticationEvent,
    "TokenGeneration_ClientCredentials": CognitoTokenGenerationEvent,
    "UserMigration_ForgotPassword": CognitoUserMigrationEvent,
    "CustomMessage_AdminCreateUser": CognitoCustomMessageEvent,
    "CustomEmailSender_AccountTakeOverNotification": CognitoCustomSenderEvent,
    "CustomSMSSender_SignUp": CognitoCustomSenderEvent,
    "DefineAuthChallenge_Authentication": CognitoDefineAuthChallengeEvent,
    "CreateAuthChallenge_Authentication": CognitoCreateAuthChallengeEvent,
    "VerifyAuthChallengeResponse_Authentication": CognitoVerifyAuthChallengeEvent,
    "InboundFederation_ExternalProvider": CognitoInboundFederationEvent,
}


@pytest.mark.parametrize("source", TRIGGERS)
def test_every_trigger_has_its_view_and_fits_the_one_for_all(source: str) -> None:
    raw = cognito_event(source, attributes={"email": "ada@example.com"})
    assert detect(raw) == f"cognito.{source.partition('_')[0]}"
    for view in (TRIGGERS[source], CognitoEvent):
        event = parse(view, raw)
        assert (event.trigger_source, event.user_name) == (source, "ada")
        assert event.request.user_attributes == {"email": "ada@example.com"}
        assert read_all(event) > 8
    others = {view for view in TRIGGERS.values() if view is not TRIGGERS[source]}
    for other in others:
        with pytest.raises(EventValidationError, match="another kind"):
            parse(other, raw)


# Bug reports: Cognito sends null nearly everywhere.
@pytest.mark.parametrize("source", TRIGGERS)
@pytest.mark.parametrize("is_null", [True, False])
def test_what_a_trigger_is_asked_with_may_be_null_or_absent(source: str, is_null: bool) -> None:
    raw = cognito_event(source)
    raw["request"] = dict.fromkeys(raw["request"]) if is_null else {}
    raw["response"] = dict.fromkeys(raw["response"]) if is_null else None
    for key in ("userName", "callerContext", "region", "version"):
        if is_null:
            raw[key] = None
        else:
            del raw[key]
    assert read_all(parse(TRIGGERS[source], raw)) > 8


def test_nulls_inside_the_request_read_as_nothing() -> None:
    groups: dict[str, Any] = {"groupsToOverride": None, "iamRolesToOverride": [], "preferredRole": None}
    token = parse(
        CognitoTokenGenerationEvent,
        cognito_event("TokenGeneration_HostedAuth", request={"groupConfiguration": groups, "scopes": None}),
    )
    assert token.request.group_configuration.preferred_role is None
    assert token.request.group_configuration.groups_to_override == []
    assert token.request.scopes == []
    answer = parse(CognitoVerifyAuthChallengeEvent, cognito_event("VerifyAuthChallengeResponse_Authentication"))
    assert (answer.request.challenge_answer, answer.request.user_not_found) == ("42", False)
    assert answer.response == {"answerCorrect": None}
    assert "42" not in repr(answer.request).partition("challenge_answer")[2]
    signed_up = parse(CognitoPreSignUpEvent, cognito_event())
    assert (signed_up.request.validation_data, signed_up.request.client_metadata) == ({}, {})


def test_attributes_are_text_also_where_documentation_shows_truth_values() -> None:
    event = parse(CognitoPreSignUpEvent, cognito_event(request={"userAttributes": {"email_verified": True, "x": None}}))
    assert event.request.user_attributes == {"email_verified": "true", "x": ""}


@pytest.mark.parametrize(
    ("version", "scopes", "is_v1"), [("1", None, True), ("1", [], False), ("2", None, False), ("3", ["a"], False)]
)
def test_versions_of_token_generation_are_told_by_number_then_by_scopes(version: str, scopes: Any, is_v1: bool) -> None:
    raw = cognito_event("TokenGeneration_Authentication", request={"scopes": scopes}) | {"version": version}
    assert parse(CognitoTokenGenerationEvent, raw).is_v1 is is_v1


# Bug report: a handler has to get the typed event and to return the whole of it.
def test_a_handler_returns_the_event_with_its_answer() -> None:
    @event_handler
    def handler(event: CognitoPreSignUpEvent) -> dict[str, Any]:
        return {**event.raw, "response": {**event.response, "autoConfirmUser": True}}

    raw = cognito_event()
    answer = handler(raw)
    assert answer == cognito_event() | {"response": {**raw["response"], "autoConfirmUser": True}}
    assert raw == cognito_event()


def test_secrets_of_a_trigger_are_not_shown() -> None:
    migration = parse(CognitoUserMigrationEvent, cognito_event("UserMigration_Authentication"))
    assert migration.request.password == "secret"
    assert "secret" not in repr(migration.request)
    sender = parse(CognitoCustomSenderEvent, cognito_event("CustomEmailSender_SignUp"))
    assert "RVhB" not in repr(sender.request)


def test_earlier_challenges_and_other_providers_are_typed() -> None:
    session = [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}]
    event = parse(
        CognitoDefineAuthChallengeEvent,
        cognito_event("DefineAuthChallenge_Authentication", request={"session": session}),
    )
    step = event.request.session[0]
    assert (step.challenge_name, step.challenge_result, step.challenge_metadata) == ("SRP_A", True, None)
    attributes = {"idToken": {"email": "a@example.com"}, "samlResponse": None}
    federation = parse(
        CognitoInboundFederationEvent,
        cognito_event("InboundFederation_ExternalProvider", request={"attributes": attributes}),
    )
    assert federation.request.attributes.id_token == {"email": "a@example.com"}
    assert federation.request.attributes.saml_response == {}


def test_a_dataset_of_cognito_sync_has_typed_records() -> None:
    raw = {
        "eventType": "SyncTrigger",
        "version": 2,
        "datasetName": "scores",
        "identityPoolId": "p",
        "datasetRecords": {"a": {"op": "replace", "newValue": "1"}, "b": {"op": "remove", "oldValue": None}},
    }
    event = parse(CognitoSyncEvent, raw)
    assert event.dataset_records["a"].new_value == "1"
    assert event.dataset_records["b"].old_value is None
    assert event.version == 2


def test_a_vpn_client_need_not_have_a_user_name() -> None:
    event = parse(ClientVpnEvent, {"connection-id": "c", "endpoint-id": "e", "public-ip": "203.0.113.7"})
    assert (event.connection_id, event.username, event.public_ip) == ("c", None, "203.0.113.7")


# --- AppSync ----------------------------------------------------------------------------------------------------------


class Args(pydantic.BaseModel):
    """A payload."""

    id: int


class Parent(pydantic.BaseModel):
    """A payload."""

    name: str


def test_arguments_and_parent_are_typed() -> None:
    raw = appsync_event("orders", Args(id=7), parent_type="Customer", source=Parent(name="Ada"), claims={"sub": "s"})
    assert detect(raw) == "appsync.resolver"
    event = parse(AppSyncResolverEvent[Args, Parent], raw)
    assert (event.arguments, event.source) == (Args(id=7), Parent(name="Ada"))
    assert (event.field_name, event.parent_type_name) == ("orders", "Customer")
    assert event.identity is not None
    assert (event.identity.kind, event.identity.sub, event.identity.groups) == ("jwt", "s", [])
    plain = parse(AppSyncResolverEvent, appsync_event("orders"))
    assert (plain.arguments, plain.source, plain.identity, plain.prev) == ({}, None, None, None)
    with pytest.raises(EventValidationError, match=r"arguments\.id"):
        parse(AppSyncResolverEvent[Args], appsync_event("orders", {"id": "x"}))


def test_a_batch_is_a_list_of_resolver_events() -> None:
    @event_handler
    def handler(batch: list[AppSyncResolverEvent[Args]]) -> list[int]:
        return [event.arguments.id for event in batch]

    assert handler([appsync_event("order", Args(id=number)) for number in (1, 2)]) == [1, 2]
    sample = next(sample for sample in SAMPLES if sample.kind == "appsync.batch")
    events = parse(list[AppSyncResolverEvent], sample.body)
    assert [event.raw for event in events] == sample.parsed()
    assert all(read_all(event) > 8 for event in events)


@pytest.mark.parametrize(
    ("identity", "kind"),
    [
        ({"resolverContext": {"a": 1}}, "lambda"),
        ({"userArn": "arn", "cognitoIdentityId": None, "sourceIp": ["::1"]}, "iam"),
        ({"claims": {}, "groups": None}, "jwt"),
        ({"sub": "s", "username": "u"}, ""),
    ],
)
def test_a_caller_is_told_by_what_is_said_of_him(identity: dict[str, Any], kind: str) -> None:
    event = parse(AppSyncResolverEvent, appsync_event("f") | {"identity": identity})
    assert event.identity is not None
    assert event.identity.kind == kind
    assert read_all(event.identity) > 8


def test_amplify_and_templates_name_things_differently() -> None:
    raw = {"typeName": "Query", "fieldName": "orders", "arguments": {"page": 1}, "prev": {"result": [1]}}
    event = parse(AppSyncResolverEvent, raw)
    assert (event.parent_type_name, event.field_name) == ("Query", "orders")
    assert event.prev is not None
    assert event.prev.result == [1]
    made = appsync_event("f") | {"request": {"headers": "{a=b}"}, "identity": "None", "prev": "null"}
    template = parse(AppSyncResolverEvent, made)
    assert (dict(template.request.headers), template.identity, template.prev) == ({}, None, None)
    with pytest.raises(EventFieldError, match="identity"):
        _ = parse(AppSyncResolverEvent, appsync_event("f") | {"identity": 1}).identity


def test_an_appsync_authorizer_reads_documents_and_channels() -> None:
    context = {"apiId": "a", "queryDocument": "query { a }", "variables": None}
    event = parse(
        AppSyncAuthorizerEvent,
        {"authorizationToken": "t0ken", "requestContext": context, "requestHeaders": {"X-Id": "7"}},
    )
    assert (event.request_context.query_string, event.request_context.variables) == ("query { a }", {})
    assert event.request_headers["x-id"] == "7"
    assert "t0ken" not in repr(event)
    channel = parse(
        AppSyncAuthorizerEvent,
        {"authorizationToken": "t", "requestContext": {"operation": "EVENT_PUBLISH", "channel": "/a"}},
    )
    assert (channel.request_context.operation, channel.request_context.channel) == ("EVENT_PUBLISH", "/a")
    assert dict(channel.request_headers) == {}


def channel_event(**changes: Any) -> dict[str, Any]:
    info = {
        "channel": {"path": "/orders/42", "segments": ["orders", "42"]},
        "channelNamespace": {"name": "orders"},
        "operation": "PUBLISH",
    }
    return {"info": info, "events": [{"id": "1", "payload": {"id": 7}}], "identity": None, "request": {}} | changes


def test_messages_to_a_channel_are_typed() -> None:
    event = parse(AppSyncChannelEvent[Args], channel_event())
    assert [(message.id, message.payload) for message in event] == [("1", Args(id=7))]
    assert (len(event), event.is_publish) == (1, True)
    assert (event.info.channel.segments, event.info.channel_namespace) == (["orders", "42"], "orders")
    plain = parse(AppSyncChannelEvent, channel_event(events=[{"id": "1", "payload": 7}]))
    assert plain.events[0].payload == 7
    with pytest.raises(EventValidationError, match=r"events\[0\]\.payload\.id"):
        parse(AppSyncChannelEvent[Args], channel_event(events=[{"id": "1", "payload": {}}]))


@pytest.mark.parametrize("nothing", ["None", None, ""])
def test_a_subscription_has_no_messages_however_that_is_written(nothing: Any) -> None:
    parts = dict.fromkeys(("events", "identity", "prev"), nothing)
    event = parse(AppSyncChannelEvent, channel_event(result="None", error=None, **parts))
    assert (event.events, event.identity, event.prev) == ((), None, None)
    assert read_all(event) > 8

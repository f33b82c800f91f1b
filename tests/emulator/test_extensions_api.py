"""The Extensions API over real sockets: every status, body and header that an extension may meet."""

import json
import uuid
from collections.abc import Iterator

import pytest

from lambda_emulator.happenings import ExtensionFailed, ExtensionReady, ExtensionRegistered
from runtime import protocol
from tests.emulator.api_under_test import ApiUnderTest, delivery
from tests.emulator.raw_client import RawAnswer, RawClient, request_bytes
from tests.emulator.test_runtime_api import OK, refusal, seen

REGISTER, NEXT = "/2020-01-01/extension/register", "/2020-01-01/extension/event/next"
ERRORS = {"init": "/2020-01-01/extension/init/error", "exit": "/2020-01-01/extension/exit/error"}


def forbidden(error_type: str, message: str) -> tuple[int, str, bytes]:
    return refusal(403, error_type, message)


def stuck(before: str, tried: str, called: str) -> tuple[int, str, bytes]:
    text = f"State transition from {before} to {tried} failed for extension {called}."
    return forbidden("Extension.InvalidExtensionState", f"{text} Error: State transition is not allowed")


@pytest.fixture
def api() -> Iterator[ApiUnderTest]:
    with ApiUnderTest(external=("outer",)) as under_test:
        yield under_test


@pytest.fixture
def client(api: ApiUnderTest) -> RawClient:
    return api.client()


def register(client: RawClient, name: str, *events: str, **headers: str) -> RawAnswer:
    body = json.dumps({"events": events}).encode()
    return client.call("POST", REGISTER, body, {"Lambda-Extension-Name": name, **headers})


def identified(client: RawClient, name: str, *events: str) -> dict[str, str]:
    answer = register(client, name, *events)
    assert answer.status == 200
    return {"Lambda-Extension-Identifier": answer.headers["lambda-extension-identifier"]}


@pytest.mark.parametrize("name", ["outer", "inner"])
def test_registering_tells_the_function_and_gives_an_identifier(
    api: ApiUnderTest, client: RawClient, name: str
) -> None:
    answer = register(client, name, "INVOKE")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"functionName": "f", "functionVersion": "$LATEST", "handler": "app.handler"}
    assert str(uuid.UUID(answer.headers["lambda-extension-identifier"]))
    assert api.happening() == ExtensionRegistered(name=name)


def test_the_account_is_told_to_those_who_ask(client: RawClient) -> None:
    headers = {"Lambda-Extension-Name": "inner", "Lambda-Extension-Accept-Feature": "other, accountId"}
    assert client.call("POST", REGISTER, b"{}", headers).json()["accountId"] == "123456789012"


@pytest.mark.parametrize(
    ("name", "body", "answer"),
    [
        ("", b"{}", forbidden("Extension.InvalidExtensionName", "Empty extension name")),
        (
            "outer",
            b'{"events":["SHUTDOWN","OTHER"]}',
            forbidden("Extension.InvalidEventType", "OTHER: ErrorInvalidEventType"),
        ),
        (
            "inner",
            b'{"events":["INVOKE","SHUTDOWN"]}',
            forbidden("Extension.InvalidEventType", "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"),
        ),
        (
            "inner",
            b'{"configurationKeys":["a"]}',
            forbidden("InvalidRequestFormat", "configurationKeys are deprecated; use environment variables instead"),
        ),
    ],
)
def test_what_cannot_be_registered_is_refused(
    client: RawClient, name: str, body: bytes, answer: tuple[int, str, bytes]
) -> None:
    assert seen(client.call("POST", REGISTER, body, {"Lambda-Extension-Name": name})) == answer


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"events":1}', b'{"events":[1]}', b"[" * 10_000])
def test_a_request_that_is_none_is_refused(client: RawClient, body: bytes) -> None:
    answer = client.call("POST", REGISTER, body, {"Lambda-Extension-Name": "inner"})
    assert (answer.status, answer.json()["errorType"]) == (403, "InvalidRequestFormat")


def test_a_name_can_be_registered_once(client: RawClient) -> None:
    identified(client, "outer")
    identified(client, "inner")
    assert seen(register(client, "outer")) == stuck("Registered", "Registered", "outer")
    taken = forbidden("Extension.InvalidExtensionState", "Extension with this name already registered")
    assert seen(register(client, "inner")) == taken


def test_there_is_room_for_ten(client: RawClient) -> None:
    for number in range(9):
        identified(client, f"inner-{number}")
    assert seen(register(client, "one-more")) == forbidden(
        "Extension.TooManyExtensions", "Extension limit (10) reached"
    )


@pytest.mark.parametrize(("method", "path"), [("GET", protocol.NEXT), ("POST", protocol.INIT_ERROR)])
def test_registration_closes_when_the_runtime_is_there(
    api: ApiUnderTest, client: RawClient, method: str, path: str
) -> None:
    client.send(request_bytes(method, path))
    api.happening()
    closed = forbidden("Extension.RegistrationClosed", "Extension registration closed already")
    assert seen(register(api.client(), "inner")) == closed


@pytest.mark.parametrize(
    ("identifier", "answer"),
    [
        (None, forbidden("Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")),
        ("nonsense", forbidden("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")),
        (
            "6f3e5f64-4d0e-4ae5-9c2a-000000000000",
            forbidden("Extension.UnknownExtensionIdentifier", "Unknown Lambda-Extension-Identifier"),
        ),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", NEXT), ("POST", ERRORS["init"]), ("POST", ERRORS["exit"])])
def test_every_other_call_says_who_calls(
    client: RawClient, method: str, path: str, identifier: str | None, answer: tuple[int, str, bytes]
) -> None:
    headers = {"Lambda-Extension-Identifier": identifier} if identifier else {}
    assert seen(client.call(method, path, b"", headers)) == answer


def test_an_invocation_is_told_to_those_who_want_it(api: ApiUnderTest, client: RawClient) -> None:
    me = identified(client, "outer", "INVOKE", "SHUTDOWN")
    other = identified(client, "inner")
    silent = api.client()
    client.send(request_bytes("GET", NEXT, headers=me))
    silent.send(request_bytes("GET", NEXT, headers=other))
    kinds = {type(api.happening()) for _ in range(4)}
    assert kinds == {ExtensionRegistered, ExtensionReady}
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    api.on_loop(lambda: api.extensions.invoke(delivery("id-1", trace_header=trace)))
    answer = client.answer()
    assert answer.json() == {
        "eventType": "INVOKE",
        "deadlineMs": 1_900_000_000_000,
        "requestId": "id-1",
        "invokedFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "tracing": {"type": "X-Amzn-Trace-Id", "value": trace},
    }
    assert "lambda-extension-event-identifier" in answer.headers
    assert not api.on_loop(lambda: api.extensions.are_back)
    client.send(request_bytes("GET", NEXT, headers=me))
    assert isinstance(api.happening(), ExtensionReady)
    assert api.on_loop(lambda: api.extensions.are_back)
    assert api.on_loop(lambda: api.extensions.shut_down("spindown", 5)) == {"outer"}
    assert client.answer().json() == {"eventType": "SHUTDOWN", "shutdownReason": "spindown", "deadlineMs": 5}


def test_whoever_waits_already_cannot_wait_once_more(api: ApiUnderTest, client: RawClient) -> None:
    me = identified(client, "outer")
    client.send(request_bytes("GET", NEXT, headers=me))
    while not isinstance(api.happening(), ExtensionReady):
        pass
    again = api.client().call("GET", NEXT, headers=me)
    assert seen(again) == stuck("Ready", "Ready", me["Lambda-Extension-Identifier"])


def test_an_extension_that_leaves_while_it_waits_is_forgotten(api: ApiUnderTest, client: RawClient) -> None:
    client.send(request_bytes("GET", NEXT, headers=identified(client, "outer")))
    while not isinstance(api.happening(), ExtensionReady):
        pass
    client.close()
    api.awaited(lambda: api.api.server.settle(10))


@pytest.mark.parametrize("kind", ["init", "exit"])
def test_an_error_is_accepted_and_final(api: ApiUnderTest, client: RawClient, kind: str) -> None:
    me = identified(client, "outer")
    api.happening()
    missing = forbidden("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
    assert seen(client.call("POST", ERRORS[kind], b"", me)) == missing
    typed = {**me, "Lambda-Extension-Function-Error-Type": "Extension.Odd"}
    assert seen(client.call("POST", ERRORS[kind], b'{"errorMessage":"m"}', typed)) == OK
    state = f"{kind.capitalize()}Error"
    assert api.happening() == ExtensionFailed(name="outer", error_type=f"Extension.{state}")
    assert seen(client.call("POST", ERRORS[kind], b"", typed)) == OK  # said twice, heard once
    assert api.happenings.empty()
    assert seen(client.call("GET", NEXT, headers=me)) == stuck(state, "Ready", me["Lambda-Extension-Identifier"])


def test_an_init_error_comes_too_late_after_the_first_event_was_asked_for(api: ApiUnderTest, client: RawClient) -> None:
    me = identified(client, "outer")
    client.send(request_bytes("GET", NEXT, headers=me))
    while not isinstance(api.happening(), ExtensionReady):
        pass
    typed = {**me, "Lambda-Extension-Function-Error-Type": "Extension.Odd"}
    late = api.client().call("POST", ERRORS["init"], b"", typed)
    assert seen(late) == stuck("Ready", "InitError", me["Lambda-Extension-Identifier"])


def test_on_managed_instances_there_are_no_internal_ones_and_no_invoke_events() -> None:
    with ApiUnderTest(external=("outer",), managed_instance=True) as api:
        client = api.client()
        assert register(client, "outer", "INVOKE").json()["errorType"] == "Extension.InvalidEventType"
        assert register(client, "inner").json()["errorType"] == "Extension.RegistrationClosed"
        identified(client, "outer", "SHUTDOWN")


def test_the_logs_api_says_that_it_is_not_there(client: RawClient) -> None:
    me = identified(client, "outer")
    client.send(b"PUT /2020-08-15/logs HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n")
    client.send(f"Lambda-Extension-Identifier: {me['Lambda-Extension-Identifier']}\r\n\r\n{{}}".encode())
    answer = client.answer()
    assert (answer.status, answer.json()) == (
        202,
        {"errorMessage": "Logs API is not supported", "errorType": "Logs.NotSupported"},
    )

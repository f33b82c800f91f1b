"""The context: every attribute and method of the managed runtime's, from headers and environment."""

import json
import time

import pytest

from runtime.environ import Settings
from runtime.errors import FunctionError, PlatformError
from runtime.invocation import Invocation, LambdaContext
from runtime.protocol import REQUEST_ID
from tests.runtime.conftest import Serve
from tests.runtime.platform import event

HEADERS = {
    "lambda-runtime-aws-request-id": "id-1",
    "lambda-runtime-deadline-ms": "4000000000000",
    "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:123456789012:function:demo:live",
}
ENVIRON = {
    "AWS_LAMBDA_FUNCTION_NAME": "demo",
    "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/demo",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/31/[$LATEST]abc",
}


def context(environ: dict[str, str] | None = None, **headers: str) -> LambdaContext:
    """A context as the loop makes it; keywords are the headers' names after `lambda-runtime-`."""
    extra = {f"lambda-runtime-{name.replace('_', '-')}": value for name, value in headers.items()}
    lines: list[str] = []
    made = LambdaContext(Invocation({**HEADERS, **extra}, b"{}"), Settings(environ or {}), lines.append)
    made.log_lines = lines  # type: ignore[attr-defined]  # a context takes attributes, as the managed one does
    return made


def test_attributes_come_from_the_headers_and_the_environment() -> None:
    made = context(ENVIRON, aws_tenant_id="tenant-1")
    assert made.aws_request_id == "id-1"
    assert made.invoked_function_arn == "arn:aws:lambda:us-east-1:123456789012:function:demo:live"
    assert made.tenant_id == "tenant-1"
    assert made.function_name == "demo"
    assert made.function_version == "7"
    assert made.memory_limit_in_mb == "256"
    assert made.log_group_name == "/aws/lambda/demo"
    assert made.log_stream_name == "2026/01/31/[$LATEST]abc"


def test_what_is_not_there_is_none_and_an_empty_header_is_not_there() -> None:
    made = context(aws_tenant_id="", client_context="", cognito_identity="", trace_id="")
    assert made.tenant_id is None
    assert made.client_context is None
    assert made.function_name is None
    assert made.memory_limit_in_mb is None
    assert made.identity.cognito_identity_id is None
    assert made.identity.cognito_identity_pool_id is None
    assert made.w3c() == {}


def test_the_client_context_and_the_identity_are_objects() -> None:
    made = context(
        client_context=json.dumps(
            {"custom": {"a": 1}, "env": {"locale": "de"}, "client": {"installation_id": "i", "app_title": "t"}}
        ),
        cognito_identity='{"cognitoIdentityId": "id", "cognitoIdentityPoolId": "pool"}',
    )
    assert made.client_context is not None
    assert made.client_context.custom == {"a": 1}
    assert made.client_context.env == {"locale": "de"}
    assert made.client_context.client is not None
    assert made.client_context.client.installation_id == "i"
    assert made.client_context.client.app_title == "t"
    assert made.client_context.client.app_package_name is None
    assert made.identity.cognito_identity_id == "id"
    assert made.identity.cognito_identity_pool_id == "pool"


def test_w3c_fields_are_taken_out_of_the_client_context() -> None:
    made = context(
        client_context=json.dumps(
            {"custom": {}, "w3c": {"traceparent": "00-1", "tracestate": 5, "baggage": "a=b", "other": "x"}}
        )
    )
    assert made.w3c() == {"traceparent": "00-1", "baggage": "a=b"}
    made.w3c().clear()
    assert made.w3c() == {"traceparent": "00-1", "baggage": "a=b"}
    assert context(client_context='{"w3c": "nonsense"}').w3c() == {}


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"client_context": "{nope"}, "Unable to parse Client Context JSON: "),
        ({"client_context": "[]"}, "Unable to parse Client Context JSON: expected an object"),
        ({"cognito_identity": "nope"}, "Unable to parse Cognito Identity JSON: "),
    ],
)
def test_a_broken_header_is_an_error_of_the_invocation(headers: dict[str, str], message: str) -> None:
    with pytest.raises(FunctionError, match=message) as caught:
        context(None, **headers)
    assert caught.value.error_type == "Runtime.LambdaContextUnmarshalError"


def test_non_ascii_text_in_a_header_is_utf_8(serve: Serve) -> None:
    code = "def handler(event, context): return context.client_context.custom"
    outcome = serve(code, event(client_context='{"custom": {"name": "Zoë"}}'))
    assert json.loads(outcome.answers[0].body) == {"name": "Zoë"}


def test_the_remaining_time_follows_the_wall_clock_and_is_never_negative() -> None:
    now = int(time.time() * 1000)
    remaining = context(deadline_ms=str(now + 60_000)).get_remaining_time_in_millis()
    assert 50_000 < remaining <= 60_000
    assert context(deadline_ms=str(now - 5)).get_remaining_time_in_millis() == 0


def test_log_writes_the_text_as_it_is() -> None:
    made = context()
    made.log("no newline")
    made.log(5)
    assert made.log_lines == ["no newline", "5"]


def test_the_representation_names_every_attribute() -> None:
    text = repr(context(ENVIRON, client_context='{"custom": {"a": 1}}'))
    assert text.startswith("LambdaContext([aws_request_id=id-1,log_group_name=/aws/lambda/demo,")
    assert "client_context=ClientContext([client=None,custom={'a': 1},env=None])" in text
    assert "identity=CognitoIdentity([cognito_identity_id=None,cognito_identity_pool_id=None])" in text
    assert text.endswith("tenant_id=None])")


@pytest.mark.parametrize("request_id", ["", "a b"])
def test_an_event_without_a_usable_request_id_is_a_broken_platform(request_id: str) -> None:
    with pytest.raises(PlatformError, match="request id"):
        Invocation({**HEADERS, "lambda-runtime-aws-request-id": request_id}, b"")


def test_attempts_are_told_apart_by_nonce_and_deadline() -> None:
    first = Invocation({**HEADERS, "lambda-runtime-invocation-id": "1"}, b"")
    assert first.is_same_attempt(Invocation({**HEADERS, "lambda-runtime-invocation-id": "1"}, b""))
    assert not first.is_same_attempt(Invocation({**HEADERS, "lambda-runtime-invocation-id": "2"}, b""))
    assert not first.is_same_attempt(Invocation(HEADERS, b""))
    later = {**HEADERS, "lambda-runtime-deadline-ms": "4000000000001"}
    assert Invocation(HEADERS, b"").is_same_attempt(Invocation(HEADERS, b""))
    assert not Invocation(HEADERS, b"").is_same_attempt(Invocation(later, b""))
    assert not Invocation(HEADERS, b"").is_same_attempt(Invocation({**HEADERS, REQUEST_ID: "id-2"}, b""))


def test_the_identity_of_one_invocation_is_not_that_of_another() -> None:
    first, second = context(), context()
    first.identity.cognito_identity_id = "changed"
    assert first.identity.cognito_identity_id == "changed"
    assert second.identity.cognito_identity_id is None
    assert context().identity.cognito_identity_id is None


def test_a_client_context_of_null_is_none() -> None:
    made = context(client_context="null", cognito_identity="null")
    assert made.client_context is None
    assert made.w3c() == {}
    assert made.identity.cognito_identity_id is None

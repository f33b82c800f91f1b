"""Versions, aliases, concurrency and asynchronous settings through boto3, and what is refused as the API words it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambda_emulator import LocalLambda, ManualClock
from tests.emulator.conftest import MakeFunction
from tests.emulator.raw_client import RawClient

Start = Callable[..., LocalLambda]
ARN = "arn:aws:lambda:us-east-1:123456789012:function:function"
ECHO = "serve(lambda body: body)"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000_000_000)


@pytest.fixture
def service(make_function: MakeFunction, start_lambda: Start, clock: ManualClock) -> LocalLambda:
    return start_lambda(make_function(ECHO), make_function(ECHO, name="other"), clock=clock)


@pytest.fixture
def boto(service: LocalLambda) -> Iterator[Any]:
    client = boto3.client(
        "lambda",
        endpoint_url=service.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )
    yield client
    client.close()


def refusal(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Status, code and message."""
    with pytest.raises(ClientError) as refused:
        call()
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def body(response: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in response.items() if key != "ResponseMetadata"}


def test_versions_and_aliases(boto: Any) -> None:
    published = boto.publish_version(FunctionName="function", Description="first")
    assert published["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (published["Version"], published["FunctionArn"], published["Description"]) == ("1", f"{ARN}:1", "first")
    again = boto.publish_version(FunctionName="function", CodeSha256=published["CodeSha256"])
    assert again["Version"] == "1"
    assert refusal(lambda: boto.publish_version(FunctionName="function", CodeSha256="x"))[:2] == (
        400,
        "InvalidParameterValueException",
    )
    versions = boto.list_versions_by_function(FunctionName="function")["Versions"]
    assert [each["Version"] for each in versions] == ["$LATEST", "1"]

    made = boto.create_alias(FunctionName="function", Name="live", FunctionVersion="1")
    revision = made["RevisionId"]
    assert body(made) == {
        "AliasArn": f"{ARN}:live",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "",
        "RevisionId": revision,
    }
    answer = boto.invoke(FunctionName="function", Qualifier="live", Payload=b"1")
    assert (answer["ExecutedVersion"], answer["Payload"].read()) == ("1", b"1")
    assert boto.get_function(FunctionName="function", Qualifier="live")["Configuration"]["Version"] == "1"
    changed = boto.update_alias(FunctionName="function", Name="live", Description="d", RevisionId=revision)
    assert changed["RevisionId"] != revision
    stale = refusal(lambda: boto.update_alias(FunctionName="function", Name="live", RevisionId=revision))
    assert stale[:2] == (412, "PreconditionFailedException")
    assert boto.get_alias(FunctionName="function", Name="live")["Description"] == "d"
    assert [each["Name"] for each in boto.list_aliases(FunctionName="function", FunctionVersion="1")["Aliases"]] == [
        "live"
    ]
    assert boto.list_aliases(FunctionName="function", FunctionVersion="2")["Aliases"] == []
    boto.delete_alias(FunctionName="function", Name="live")
    assert refusal(lambda: boto.get_alias(FunctionName="function", Name="live")) == (
        404,
        "ResourceNotFoundException",
        f"Cannot find alias arn: {ARN}:live",
    )


@pytest.mark.parametrize(
    ("settings", "status", "message"),
    [
        ({"Name": "1", "FunctionVersion": "1"}, 400, "1 validation error detected: Value '1' at 'name'"),
        ({"FunctionVersion": "1"}, 400, "Value null at 'name' failed to satisfy constraint: Member must not be null."),
        ({"Name": "a", "FunctionVersion": "9"}, 404, f"Function not found: {ARN}:9"),
        ({"Name": "a", "FunctionVersion": 1}, 400, "FunctionVersion is no text"),
    ],
)
def test_aliases_that_cannot_be(boto: Any, settings: dict[str, Any], status: int, message: str) -> None:
    boto.publish_version(FunctionName="function")
    answer = refusal(lambda: boto.create_alias(FunctionName="function", **settings))
    assert answer[0] == status
    assert message in answer[2]


def test_reserved_concurrency(boto: Any) -> None:
    assert body(boto.get_function_concurrency(FunctionName="function")) == {}
    put = boto.put_function_concurrency(FunctionName="function", ReservedConcurrentExecutions=0)
    assert body(put) == {"ReservedConcurrentExecutions": 0}
    assert boto.get_function(FunctionName="function")["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    with pytest.raises(boto.exceptions.TooManyRequestsException) as refused:
        boto.invoke(FunctionName="function")
    response = refused.value.response
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    assert boto.delete_function_concurrency(FunctionName="function")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert boto.invoke(FunctionName="function")["StatusCode"] == 200
    settings = boto.get_account_settings()["AccountLimit"]
    assert (settings["ConcurrentExecutions"], settings["UnreservedConcurrentExecutions"]) == (1000, 1000)
    too_much = refusal(lambda: boto.put_function_concurrency(FunctionName="function", ReservedConcurrentExecutions=901))
    assert too_much[:2] == (400, "InvalidParameterValueException")
    assert refusal(lambda: boto.put_function_concurrency(FunctionName="function"))[0] == 400


def test_asynchronous_settings(boto: Any, clock: ManualClock) -> None:
    other = ARN.replace(":function:function", ":function:other")
    put = boto.put_function_event_invoke_config(
        FunctionName="function", MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": {"Destination": other}}
    )
    assert put["LastModified"].timestamp() == clock.time()
    del put["LastModified"]
    assert body(put) == {
        "FunctionArn": f"{ARN}:$LATEST",
        "MaximumRetryAttempts": 0,
        "DestinationConfig": {"OnSuccess": {"Destination": other}, "OnFailure": {}},
    }
    merged = boto.update_function_event_invoke_config(FunctionName="function", MaximumEventAgeInSeconds=60)
    assert (merged["MaximumRetryAttempts"], merged["MaximumEventAgeInSeconds"]) == (0, 60)
    replaced = boto.put_function_event_invoke_config(FunctionName="function", MaximumRetryAttempts=1)
    assert (replaced["DestinationConfig"], "MaximumEventAgeInSeconds" in replaced) == (
        {"OnSuccess": {}, "OnFailure": {}},
        False,
    )
    listed = boto.list_function_event_invoke_configs(FunctionName="function")["FunctionEventInvokeConfigs"]
    assert [each["MaximumRetryAttempts"] for each in listed] == [1]
    boto.delete_function_event_invoke_config(FunctionName="function")
    assert refusal(lambda: boto.get_function_event_invoke_config(FunctionName="function")) == (
        404,
        "ResourceNotFoundException",
        f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig",
    )


QUEUE, BUCKET = "arn:aws:sqs:us-east-1:123456789012:q.fifo", "arn:aws:s3:::bucket"
NO_DESTINATION = (
    "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={}), onFailure=null) is invalid."
)


@pytest.mark.parametrize(
    ("settings", "status", "message"),
    [
        ({}, 400, "You must specify at least one of error handling or destination setting."),
        (
            {"DestinationConfig": {"OnSuccess": {"Destination": ARN}}},
            400,
            "You can't specify the function as a destination for itself.",
        ),
        (
            {"DestinationConfig": {"OnFailure": {"Destination": f"{ARN}-gone"}}},
            400,
            f"The destination ARN {ARN}-gone is invalid.",
        ),
        ({"DestinationConfig": {"OnSuccess": {"Destination": QUEUE}}}, 400, NO_DESTINATION.format(QUEUE)),
        ({"DestinationConfig": {"OnSuccess": {"Destination": BUCKET}}}, 400, NO_DESTINATION.format(BUCKET)),
        ({"MaximumRetryAttempts": 3}, 400, "Member must have value less than or equal to 2"),
        ({"MaximumEventAgeInSeconds": 59}, 400, "Member must have value greater than or equal to 60"),
        ({"Qualifier": "9", "MaximumRetryAttempts": 1}, 404, "The function doesn't exist."),
    ],
)
def test_asynchronous_settings_that_cannot_be(boto: Any, settings: dict[str, Any], status: int, message: str) -> None:
    answer = refusal(lambda: boto.put_function_event_invoke_config(FunctionName="function", **settings))
    assert answer[0] == status
    assert message in answer[2]


def test_provisioned_concurrency(boto: Any, clock: ManualClock) -> None:
    boto.publish_version(FunctionName="function")
    put = boto.put_provisioned_concurrency_config(
        FunctionName="function", Qualifier="1", ProvisionedConcurrentExecutions=1
    )
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert body(put) == {
        "RequestedProvisionedConcurrentExecutions": 1,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "AvailableProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
        "LastModified": "2001-09-09T01:46:40+0000",
    }
    clock.advance(0)
    ready = boto.get_provisioned_concurrency_config(FunctionName="function", Qualifier="1")
    assert (ready["Status"], ready["AvailableProvisionedConcurrentExecutions"]) == ("READY", 1)
    listed = boto.list_provisioned_concurrency_configs(FunctionName="function")["ProvisionedConcurrencyConfigs"]
    assert [each["FunctionArn"] for each in listed] == [f"{ARN}:1"]
    boto.delete_provisioned_concurrency_config(FunctionName="function", Qualifier="1")
    gone = refusal(lambda: boto.get_provisioned_concurrency_config(FunctionName="function", Qualifier="1"))
    assert gone[:2] == (404, "ProvisionedConcurrencyConfigNotFoundException")
    for amount in (0, "x", None):
        wrong = refusal(
            partial(
                boto.put_provisioned_concurrency_config,
                FunctionName="function",
                Qualifier="1",
                ProvisionedConcurrentExecutions=amount,
            )
        )
        assert wrong[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("POST", "/2015-03-31/functions/function/aliases", "{"),
        ("POST", "/2015-03-31/functions/function/aliases", "[]"),
        ("POST", "/2015-03-31/functions/function/aliases", '{"Name":"a","FunctionVersion":"1","RoutingConfig":[1]}'),
        (
            "POST",
            "/2015-03-31/functions/function/aliases",
            '{"Name":"a","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":"x"}}}',
        ),
        ("PUT", "/2019-09-25/functions/function/event-invoke-config", '{"DestinationConfig":1}'),
        (
            "PUT",
            "/2019-09-25/functions/function/event-invoke-config",
            '{"DestinationConfig":{"OnFailure":{"Destination":5}}}',
        ),
        ("PUT", "/2019-09-25/functions/function/event-invoke-config", '{"MaximumRetryAttempts":true}'),
        ("PUT", "/2017-10-31/functions/function/concurrency", '{"ReservedConcurrentExecutions":"1"}'),
    ],
)
def test_documents_that_no_sdk_sends_are_refused(service: LocalLambda, method: str, path: str, document: str) -> None:
    service.publish_version("function")
    client = RawClient(service.endpoint_url.removeprefix("http://"))
    try:
        assert client.call(method, path, document.encode()).status == 400
    finally:
        client.close()


def test_functions_are_listed_and_deleted(boto: Any) -> None:
    assert [each["FunctionName"] for each in boto.list_functions()["Functions"]] == ["function", "other"]
    boto.delete_function(FunctionName="other")
    assert [each["FunctionName"] for each in boto.list_functions()["Functions"]] == ["function"]
    assert refusal(lambda: boto.invoke(FunctionName="other"))[:2] == (404, "ResourceNotFoundException")
    assert refusal(lambda: boto.delete_function(FunctionName="other"))[0] == 404


def test_the_waiters_of_boto3_are_content(boto: Any) -> None:
    boto.publish_version(FunctionName="function")
    boto.get_waiter("function_active_v2").wait(FunctionName="function")
    boto.get_waiter("published_version_active").wait(FunctionName="function", Qualifier="1")

"""A project's resources in an embedded AWS: made once, in the order of their references, changed where they can be."""

from pathlib import Path
from typing import Any

import pytest

from lambda_emulator.clock import RealClock
from lambda_emulator.embedded_aws import EmbeddedAws
from lambda_emulator.project import Project, ProjectFunction, Resource, ResourceKind, WrongProject, hole
from lambda_emulator.project_links import link_lines, links_without_functions
from lambda_emulator.project_resources import ProjectResources


@pytest.fixture
def aws(embedded: EmbeddedAws) -> EmbeddedAws:
    """An empty one."""
    embedded.follow(RealClock())
    embedded.reset()
    return embedded


def resource(kind: ResourceKind, logical: str, **request: Any) -> Resource:
    """One of that name."""
    return Resource(kind=kind, logical=logical, name=logical, request=request, where=f"Resources.{logical}")


def project(*resources: Resource, **others: Any) -> Project:
    """With one function."""
    function = ProjectFunction(name="f", handler="a.b", code=Path(), where="F", logical="F", alias="live")
    return Project(file=Path("template.yaml"), functions=(function,), resources=resources, **others)


def test_what_others_name_is_made_first(aws: EmbeddedAws) -> None:
    policy = {"deadLetterTargetArn": hole("failed", "Arn"), "maxReceiveCount": 2}
    made = ProjectResources(aws.clients)
    told: list[str] = []
    those = project(
        resource("queue", "jobs", Attributes={"RedrivePolicy": policy}),
        resource("queue", "failed", Attributes={}),
        resource("table", "things", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                 AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
                 StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
                 TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}),
        resource("stream", "clicks", ShardCount=2),
        resource("topic", "news", Attributes={}),
        resource("bucket", "files", VersioningConfiguration={"Status": "Enabled"}),
        resource("bus", "money"),
    )  # fmt: skip
    made.prepare(those, told.append)
    assert made.queue_urls(those) == {"failed": made.fill(hole("failed"))}
    assert made.fill(hole("jobs", "Arn")) == "arn:aws:sqs:us-east-1:123456789012:jobs"
    assert made.address_of(made.fill(hole("jobs", "Arn"))) == made.fill(hole("jobs"))
    assert made.fill(hole("things", "StreamArn")).startswith(
        "arn:aws:dynamodb:us-east-1:123456789012:table/things/stream/"
    )
    assert made.fill([hole("F", "Arn"), hole("F", "Alias"), hole("FAliaslive")]) == [
        "arn:aws:lambda:us-east-1:123456789012:function:f",
        "arn:aws:lambda:us-east-1:123456789012:function:f:live",
        "arn:aws:lambda:us-east-1:123456789012:function:f:live",
    ]
    assert aws.client("s3").get_bucket_versioning(Bucket="files")["Status"] == "Enabled"
    assert len(aws.client("kinesis").list_shards(StreamName="clicks")["Shards"]) == 2
    aws.client("sqs").send_message(QueueUrl=made.fill(hole("jobs")), MessageBody="kept")

    made.prepare(those, told.append)  # nothing is made twice
    again = ProjectResources(aws.clients)
    again.prepare(those, told.append)  # nor by another one at the same AWS
    assert aws.client("sqs").receive_message(QueueUrl=made.fill(hole("jobs")))["Messages"][0]["Body"] == "kept"
    assert told == []


def test_a_queue_is_changed_and_what_cannot_be_is_told(aws: EmbeddedAws) -> None:
    made = ProjectResources(aws.clients)
    told: list[str] = []
    made.prepare(
        project(
            resource("queue", "jobs", Attributes={"VisibilityTimeout": "30"}), resource("stream", "s", ShardCount=1)
        ),
        told.append,
    )
    made.prepare(
        project(
            resource("queue", "jobs", Attributes={"VisibilityTimeout": "90"}), resource("stream", "s", ShardCount=2)
        ),
        told.append,
    )
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=made.fill(hole("jobs")), AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "90"
    assert told == ["Resources.s: stream s stays as it was made: start serve again to change it"]
    made.prepare(project(resource("queue", "jobs", Attributes={"VisibilityTimeout": "90"})), told.append)
    assert told[1:] == ["stream s is in the project no more; what it holds stays"]


def test_links_are_made_once_and_taken_back(aws: EmbeddedAws) -> None:
    made = ProjectResources(aws.clients)
    those = project(resource("topic", "news", Attributes={}), resource("queue", "jobs", Attributes={}))
    made.prepare(those, print)
    subscription = {
        "TopicArn": hole("news"), "Protocol": "sqs", "Endpoint": hole("jobs", "Arn"),
        "Attributes": {"FilterPolicy": {"kind": ["a"]}},
    }  # fmt: skip
    rule = {"rule": {"Name": "r", "State": "ENABLED", "EventPattern": {"source": ["shop"]}},
            "targets": [{"Id": "1", "Arn": hole("jobs", "Arn"), "Input": {"n": 1}}]}  # fmt: skip
    links = (resource("subscription", "s", **subscription), resource("rule", "r", **rule))
    made.link(links)
    made.link(links)
    sns, events = aws.client("sns"), aws.client("events")
    assert len(sns.list_subscriptions()["Subscriptions"]) == 1
    assert events.list_targets_by_rule(Rule="r")["Targets"][0]["Input"] == '{"n": 1}'
    made.link(links[:1])
    assert events.list_rules()["Rules"] == []
    made.link(())
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_a_circle_and_a_refusal_are_told_with_their_place(aws: EmbeddedAws) -> None:
    made = ProjectResources(aws.clients)
    circle = project(
        resource("queue", "a", Attributes={"RedrivePolicy": {"deadLetterTargetArn": hole("b", "Arn")}}),
        resource("queue", "b", Attributes={"RedrivePolicy": {"deadLetterTargetArn": hole("a", "Arn")}}),
    )
    with pytest.raises(WrongProject, match="these resources refer to each other: a, b"):
        made.prepare(circle, print)
    with pytest.raises(WrongProject, match=r"Resources\.no name: "):
        made.prepare(project(resource("queue", "no name", Attributes={})), print)
    made.prepare(project(resource("table", "t", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                                  AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                                  BillingMode="PAY_PER_REQUEST")), print)  # fmt: skip
    with pytest.raises(
        WrongProject, match=r"Resources\.t has no attribute StreamArn here: .*with a StreamSpecification"
    ):
        made.fill(hole("t", "StreamArn"))


def test_without_an_aws_nothing_is_made_and_names_are_readable() -> None:
    made = ProjectResources(None)
    made.prepare(project(resource("queue", "jobs", Attributes={}), resource("bucket", "files")), print)
    assert made.fill(f"{hole('jobs')} {hole('files', 'Arn')} {hole('Role', 'Arn')} {hole('Log')}") == (
        "https://sqs.us-east-1.amazonaws.com/123456789012/jobs arn:aws:s3:::files "
        "arn:aws:local:us-east-1:123456789012:Role Log"
    )


FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f:live"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


def test_links_are_shown_and_an_aws_elsewhere_gets_those_that_need_no_function() -> None:
    to_function = {"LambdaFunctionArn": FUNCTION, "Id": "1", "Events": ["s3:ObjectCreated:*"]}
    to_queue = {"QueueArn": QUEUE, "Id": "2", "Events": ["s3:ObjectRemoved:*"]}
    links = [
        resource("subscription", "a", TopicArn="arn:t", Protocol="lambda", Endpoint=FUNCTION),
        resource("subscription", "b", TopicArn="arn:t", Protocol="sqs", Endpoint=QUEUE),
        resource("notification", "files", LambdaFunctionConfigurations=[to_function], QueueConfigurations=[to_queue]),
        resource("notification", "more", LambdaFunctionConfigurations=[to_function]),
        resource("rule", "r", rule={"Name": "r"}, targets=[{"Id": "1", "Arn": FUNCTION}, {"Id": "2", "Arn": QUEUE}]),
        resource("rule", "s", rule={"Name": "s", "ScheduleExpression": "rate(1 hour)"}, targets=[{"Arn": FUNCTION}]),
        resource("schedule", "t", ScheduleExpression="rate(1 day)", Target={"Arn": FUNCTION}),
    ]
    assert [line for link in links for line in link_lines(link, link.request, link.name)] == [
        "arn:t → f:live",
        f"arn:t → {QUEUE}",
        "s3://files s3:ObjectCreated:* → f:live",
        f"s3://files s3:ObjectRemoved:* → {QUEUE}",
        "s3://more s3:ObjectCreated:* → f:live",
        "rule r → f:live",
        f"rule r → {QUEUE}",
        "rate(1 hour) → f:live",
        "rate(1 day) → f:live",
    ]
    assert [line for link in links_without_functions(links) for line in link_lines(link, link.request, link.name)] == [
        f"arn:t → {QUEUE}",
        f"s3://files s3:ObjectRemoved:* → {QUEUE}",
        f"rule r → {QUEUE}",
    ]

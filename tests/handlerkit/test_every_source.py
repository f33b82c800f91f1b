"""Every kind of event has a view, and every EventBridge sample a detail that fits it."""

from typing import Any

import pytest

from handlerkit import events
from handlerkit.events import AppSyncResolverEvent, EventBridgeEvent, KafkaRecord, SqsRecord, parse
from handlerkit.events.view import View
from handlerkit.testing import kafka_event
from tests.handlerkit.samples import FILES, SAMPLES, Sample, read_all, view_for

# What is no object has no view: it is typed as the list that it is.
LISTS: dict[str, Any] = {"pipes": list[SqsRecord], "appsync.batch": list[AppSyncResolverEvent]}

DETAILS: dict[str, type[View]] = {
    "aws.autoscaling:EC2 Instance Launch Successful": events.AutoScalingInstanceChange,
    "aws.autoscaling:EC2 Instance Launch Unsuccessful": events.AutoScalingInstanceChange,
    "aws.autoscaling:EC2 Instance Terminate Unsuccessful": events.AutoScalingInstanceChange,
    "aws.autoscaling:EC2 Instance-launch Lifecycle Action": events.AutoScalingLifecycleAction,
    "aws.autoscaling:EC2 Instance-terminate Lifecycle Action": events.AutoScalingLifecycleAction,
    "aws.batch:Batch Job State Change": events.BatchJobChange,
    "aws.cloudwatch:CloudWatch Alarm State Change": events.CloudWatchAlarmData,
    "aws.codebuild": events.CodeBuildChange,
    "aws.codecommit": events.CodeCommitChange,
    "aws.codedeploy": events.CodeDeployChange,
    "aws.codepipeline": events.CodePipelineChange,
    "aws.config:Config Rules Compliance Change": events.ConfigComplianceChange,
    "aws.ec2:EC2 Instance State-change Notification": events.Ec2InstanceStateChange,
    "aws.ecr:ECR Image Action": events.EcrImageAction,
    "aws.ecr:ECR Image Scan": events.EcrImageScan,
    "aws.ecr:ECR Scan Resource Change": events.EcrScanChange,
    "aws.ecs:ECS Task State Change": events.EcsTaskChange,
    "aws.ecs:ECS Deployment State Change": events.EcsDeploymentChange,
    "aws.guardduty": events.GuardDutyFinding,
    "aws.health": events.HealthEvent,
    "aws.ecs:ECS Container Instance State Change": events.EcsContainerInstanceChange,
    "aws.s3": events.S3EventBridgeDetail,
    "aws.states": events.StepFunctionsStatusChange,
    "aws.trustedadvisor": events.TrustedAdvisorCheckItem,
    "lambda": events.LambdaDestinationEvent,
}
BRIDGED = [sample for sample in SAMPLES if sample.kind.startswith("eventbridge:")]


def detail_for(sample: Sample) -> type[View] | None:
    kind = sample.kind.removeprefix("eventbridge:")
    if kind.endswith(" via CloudTrail"):
        return events.CloudTrailApiCall
    return DETAILS.get(kind) or DETAILS.get(kind.partition(":")[0])


def test_no_kind_of_event_is_without_a_view() -> None:
    without = {sample.kind for sample in SAMPLES if view_for(sample) is None and sample.kind not in LISTS}
    assert without == {"unknown"}  # what its author defines
    assert (len(FILES), len(SAMPLES)) == (265, 493)


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.kind in LISTS], ids=repr)
def test_a_sample_that_is_a_list_parses_as_a_list_of_views(sample: Sample) -> None:
    found = parse(LISTS[sample.kind], sample.body)
    assert [one.raw for one in found] == sample.parsed()
    for one in found:
        assert read_all(one) > 3


@pytest.mark.parametrize("sample", [one for one in BRIDGED if detail_for(one)], ids=repr)
def test_the_detail_of_a_bridged_sample_can_be_read_to_the_last_field(sample: Sample) -> None:
    kind = detail_for(sample)
    assert kind is not None
    event = parse(EventBridgeEvent.__class_getitem__(kind), sample.body)
    assert read_all(event) > 10
    assert isinstance(event.detail, kind)
    assert event.detail.raw == sample.parsed()["detail"]


def test_most_bridged_samples_have_a_detail_of_their_own() -> None:
    plain = {sample.kind.split(":")[1] for sample in BRIDGED if detail_for(sample) is None}
    assert plain == {
        *("aws.events", "aws.scheduler", "aws.transcribe", "aws.translate", "aws.workspaces"),
        *("aws.rds", "aws.securityhub"),
        *("eventbridge.custom.event.sender", "my.app"),
    }


def test_the_records_of_a_pipe_are_those_of_the_source_flattened() -> None:
    (record,) = kafka_event([{"a": 1}], keys=["k"])["records"]["orders-0"]
    origin = {"eventSource": "aws:kafka", "eventSourceKey": "orders-0"}
    (found,) = parse(list[KafkaRecord[str, dict[str, int]]], [record | origin])
    assert (found.key, found.value, found.event_source_key) == ("k", {"a": 1}, "orders-0")


@pytest.mark.parametrize("view", sorted(set(DETAILS.values()), key=repr))
def test_a_detail_without_content_reads_as_empty(view: type[View]) -> None:
    assert read_all(view({})) > 1

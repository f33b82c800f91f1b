"""Operations, storage and mail: what these sources do beyond declaring fields."""

import datetime
import json
from typing import Any

import pydantic
import pytest

from handlerkit import event_handler
from handlerkit.events import (
    CloudFormationMacroEvent,
    CloudWatchAlarmData,
    CloudWatchAlarmEvent,
    CodeBuildChange,
    CodeCommitEvent,
    CodePipelineChange,
    CodePipelineJobEvent,
    ConfigRuleEvent,
    CustomResourceEvent,
    EcrImageScan,
    EventBridgeEvent,
    EventFieldError,
    EventValidationError,
    LambdaDestinationEvent,
    S3BatchEvent,
    S3ObjectLambdaEvent,
    SesEvent,
    SqsEvent,
    StepFunctionsStatusChange,
    TransferIdentityEvent,
    TransferWorkflowEvent,
    detect,
    parse,
)
from handlerkit.events.eventbridge_compute import AutoScalingLifecycleAction
from handlerkit.events.ses import SesMail
from handlerkit.testing import (
    cloudwatch_alarm_event,
    codepipeline_event,
    custom_resource_event,
    eventbridge_event,
    s3_batch_event,
    ses_event,
    sqs_event,
)


class Settings(pydantic.BaseModel):
    """A payload whose fields are no texts."""

    replicas: int
    public: bool = False


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (cloudwatch_alarm_event(), "cloudwatch_alarm"),
        (codepipeline_event(), "codepipeline_job"),
        (custom_resource_event({"a": 1}), "cfn_custom_resource.create"),
        (custom_resource_event({"a": 1}, old={"a": 2}), "cfn_custom_resource.update"),
        (custom_resource_event(request_type="Delete", provider_framework=True), "cfn_custom_resource.delete"),
        (s3_batch_event("b", "k"), "s3_batch.v2"),
        (s3_batch_event("b", "k", schema="1.0"), "s3_batch.v1"),
        (ses_event(), "ses"),
    ],
)
def test_a_made_event_is_detected_as_what_it_is_made_for(event: dict[str, Any], kind: str) -> None:
    assert detect(event) == kind


def test_an_alarm_tells_its_reason_as_json_where_it_is_json() -> None:
    event = parse(CloudWatchAlarmEvent, cloudwatch_alarm_event(reason_data={"threshold": 1}))
    assert (event.is_alarm, event.alarm_data.state.reason_data) == (True, {"threshold": 1})
    assert event.alarm_data.configuration.metrics[0].metric_stat is not None
    assert event.alarm_data.configuration.metrics[0].metric_stat.metric.dimensions == {"QueueName": "orders"}
    # A published sample has a quotation mark too few.
    broken = parse(CloudWatchAlarmEvent, cloudwatch_alarm_event(reason_data='{"queryDate: "x"}', value="OK"))
    assert (broken.is_alarm, broken.alarm_data.state.reason_data) == (False, '{"queryDate: "x"}')
    assert broken.alarm_data.previous_state.reason_data is None
    assert CloudWatchAlarmData({"state": {"reasonData": {"a": 1}}}).state.reason_data == {"a": 1}


def test_an_alarm_by_way_of_eventbridge_has_the_same_data() -> None:
    data = cloudwatch_alarm_event()["alarmData"]
    event = parse(EventBridgeEvent[CloudWatchAlarmData], eventbridge_event(data, source="aws.cloudwatch"))
    assert event.detail.alarm_name == "orders-failed"
    with pytest.raises(EventValidationError, match="another kind, cloudwatch_alarm"):
        parse(EventBridgeEvent, cloudwatch_alarm_event())


def test_the_kind_of_an_alarm_picks_the_member_of_a_union() -> None:
    @event_handler
    def handler(event: EventBridgeEvent | CloudWatchAlarmEvent) -> str:
        return type(event).__name__

    assert handler(cloudwatch_alarm_event(), None) == "CloudWatchAlarmEvent"
    assert handler(eventbridge_event({}), None) == "EventBridgeEvent"


def test_pushes_name_branch_or_tag_and_the_repository() -> None:
    references = [{"ref": "refs/heads/a/b", "commit": "1", "created": True}, {"ref": "refs/tags/v1", "deleted": True}]
    raw = {"eventSource": "aws:codecommit", "eventSourceARN": "arn:aws:codecommit:r:1:repo"}
    event = parse(CodeCommitEvent, {"Records": [raw | {"codecommit": {"references": references}}]})
    (record,) = event
    branch, tag = record.references
    assert (branch.branch, branch.tag, branch.created, branch.deleted) == ("a/b", None, True, False)
    assert (tag.branch, tag.tag, tag.deleted) == (None, "v1", True)
    assert (record.repository, len(event)) == ("repo", 1)


def test_user_parameters_of_a_pipeline_are_text_or_the_type_named() -> None:
    assert parse(CodePipelineJobEvent, codepipeline_event("plain", inputs={"code": "k"})).user_parameters == "plain"
    event = parse(CodePipelineJobEvent[Settings], codepipeline_event({"replicas": 2}, continuation_token="more"))
    assert (event.user_parameters.replicas, event.is_continuation) == (2, True)
    assert parse(CodePipelineJobEvent, codepipeline_event(inputs={"code": "k"})).data.input_artifacts[0].name == "code"
    with pytest.raises(EventValidationError, match=r"data\.action_configuration\.user_parameters: not JSON"):
        parse(CodePipelineJobEvent[Settings], codepipeline_event("plain"))
    raw = codepipeline_event()
    del raw["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    assert parse(CodePipelineJobEvent, raw).user_parameters == ""


def test_credentials_and_what_gives_access_are_in_no_repr() -> None:
    job = parse(CodePipelineJobEvent, codepipeline_event())
    login = parse(TransferIdentityEvent, {"serverId": "s", "username": "u", "protocol": "SFTP", "password": "hunter2"})
    step = parse(TransferWorkflowEvent, {"token": "hunter2", "serviceMetadata": {"transferDetails": {}}})
    resource = parse(CustomResourceEvent, custom_resource_event() | {"ResponseURL": "https://hunter2"})
    shown = repr([job, job.data, job.data.artifact_credentials, login, step, resource])
    assert "EXAMPLE" not in shown
    assert "hunter2" not in shown
    assert not login.is_key_login
    assert parse(TransferIdentityEvent, login.raw | {"password": ""}).is_key_login


CHANGED = {"resourceType": "AWS::S3::Bucket", "configurationItemStatus": "OK", "configuration": None}


@pytest.mark.parametrize(
    ("invoking", "left_scope", "is_applicable"),
    [
        ({"messageType": "ConfigurationItemChangeNotification", "configurationItem": CHANGED}, False, True),
        ({"configurationItem": CHANGED}, True, False),
        ({"configurationItem": CHANGED | {"configurationItemStatus": "ResourceDeleted"}}, False, False),
        ({"configurationItemSummary": CHANGED, "configurationItemDiff": None}, "false", True),
        ({"messageType": "ScheduledNotification"}, None, True),
    ],
)
def test_a_rule_applies_to_what_is_in_scope_and_not_gone(invoking: Any, left_scope: Any, is_applicable: bool) -> None:
    raw = {"invokingEvent": json.dumps(invoking), "resultToken": "t", "eventLeftScope": left_scope}
    event = parse(ConfigRuleEvent, raw)
    assert event.is_applicable == is_applicable
    assert event.invoking_event.is_oversized == ("configurationItemSummary" in invoking)
    assert event.invoking_event.is_scheduled == (invoking.get("messageType") == "ScheduledNotification")
    assert event.invoking_event is event.invoking_event


def test_parameters_of_a_rule_are_a_dict_or_the_type_named() -> None:
    raw = {"invokingEvent": "{}", "resultToken": "t", "ruleParameters": '{"replicas": "3"}'}
    assert parse(ConfigRuleEvent, raw).rule_parameters == {"replicas": "3"}
    assert parse(ConfigRuleEvent[Settings], raw).rule_parameters.replicas == 3
    del raw["ruleParameters"]
    assert parse(ConfigRuleEvent, raw).rule_parameters == {}
    with pytest.raises(EventFieldError, match=r"ConfigRuleEvent\.invoking_event"):
        _ = parse(ConfigRuleEvent, raw | {"invokingEvent": "{"}).invoking_event


def test_properties_of_a_resource_are_texts_that_a_model_reads() -> None:
    raw = custom_resource_event(Settings(replicas=3, public=True), old={"size": 1, "none": None, "list": [1, "a"]})
    assert raw["ResourceProperties"]["replicas"] == "3"
    event = parse(CustomResourceEvent[Settings], raw)
    assert event.resource_properties == Settings(replicas=3, public=True)
    # The old ones may be what the update mends.
    assert event.old_resource_properties is not None
    assert event.old_resource_properties["size"] == "1"
    assert event.old_resource_properties["list"] == ["1", "a"]
    assert (event.is_create, event.is_update, event.is_delete) == (False, True, False)
    assert (event.physical_resource_id, event.answers_by_return) == ("resource-1", False)
    assert parse(CustomResourceEvent, custom_resource_event()).old_resource_properties is None
    assert parse(CustomResourceEvent, custom_resource_event(provider_framework=True)).answers_by_return
    assert parse(CustomResourceEvent[Settings, Settings], custom_resource_event({"replicas": 1})).is_create


def test_a_macro_answers_in_its_own_form() -> None:
    raw = {"transformId": "t", "fragment": {"a": 1}, "requestId": "r", "params": {"replicas": "2"}}
    event = parse(CloudFormationMacroEvent[Settings], raw)
    assert event.params.replicas == 2
    assert event.succeeded({"b": 2}) == {"requestId": "r", "status": "success", "fragment": {"b": 2}}
    assert event.failed("why") == {
        "requestId": "r",
        "status": "failure",
        "fragment": {"a": 1},
        "errorMessage": "why",
    }


def test_tasks_of_a_batch_job_have_plain_keys_and_one_bucket_name() -> None:
    event = parse(S3BatchEvent, s3_batch_event("b", "a b+ü.txt", arguments={"to": "c"}))
    (task,) = event
    assert (task.s3_key, task.bucket, event.job.user_arguments, len(event)) == ("a b+ü.txt", "b", {"to": "c"}, 1)
    older = parse(S3BatchEvent, s3_batch_event("b", "k", schema="1.0", version_id="1"))
    assert (older.tasks[0].bucket, older.tasks[0].s3_version_id, older.job.user_arguments) == ("b", "1", {})
    results = [task.succeeded("done"), task.failed("no"), task.failed_for_now()]
    assert [result["resultCode"] for result in results] == ["Succeeded", "PermanentFailure", "TemporaryFailure"]
    assert older.reply(results[:1], treat_missing_keys_as="Succeeded") == {
        "invocationSchemaVersion": "1.0",
        "treatMissingKeysAs": "Succeeded",
        "invocationId": older.invocation_id,
        "results": [{"taskId": "task-0", "resultCode": "Succeeded", "resultString": "done"}],
    }


@pytest.mark.parametrize(
    ("context", "operation", "url", "key"),
    [
        ("getObjectContext", "GetObject", "/a%20b+c/%C3%A9.txt?versionId=1", "a b+c/é.txt"),
        ("headObjectContext", "HeadObject", "https://host.example.com/k#x", "k"),
        ("listObjectsContext", "ListObjects", "https://host.example.com", ""),
        ("listObjectsV2Context", "ListObjectsV2", "/?list-type=2", ""),
    ],
)
def test_a_request_to_an_access_point_says_what_is_asked_for(context: str, operation: str, url: str, key: str) -> None:
    raw = {
        context: {"inputS3Url": "https://signed"},
        "configuration": {"payload": '{"replicas": 2}'},
        "userRequest": {"url": url, "headers": {"Host": "h"}},
    }
    event = parse(S3ObjectLambdaEvent[Settings], raw)
    assert (event.operation, event.key, event.context.input_s3_url) == (operation, key, "https://signed")
    assert (event.configuration.payload.replicas, event.user_request.headers["host"]) == (2, "h")


def test_a_request_of_a_kind_yet_unknown_has_an_empty_context() -> None:
    event = S3ObjectLambdaEvent({"userRequest": {"url": "/k"}, "putObjectContext": {}})
    assert (event.operation, event.key, event.context.input_s3_url) == ("", "k", "")


def test_mail_lacks_what_older_events_lack() -> None:
    # aws/aws-lambda-go#63 and #126, powertools-lambda-python#1025: DMARC absent, the policy plain text, DISABLED.
    event = parse(SesEvent, ses_event(spam="DISABLED"))
    (record,) = event
    assert (record.receipt.dmarc_policy, record.receipt.dmarc_verdict.is_pass) == ("reject", True)
    assert (record.receipt.spam_verdict.status, record.receipt.spam_verdict.is_pass) == ("DISABLED", False)
    assert record.mail.common_headers.date == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert record.mail.headers["RETURN-PATH"] == "<ada@example.com>"
    receipt = record.raw["ses"]["receipt"]
    del receipt["dmarcVerdict"], receipt["dmarcPolicy"]
    receipt["action"] = {"type": "Bounce", "smtpReplyCode": "550", "sender": "x@example.com"}
    older = parse(SesEvent, event.raw).records[0].receipt
    assert (older.dmarc_verdict.status, older.dmarc_verdict.is_pass, older.dmarc_policy) == ("", False, None)
    assert (older.action.type, older.action.smtp_reply_code, older.action.function_arn) == ("Bounce", "550", None)
    assert len(event) == 1


def test_headers_of_a_mail_keep_repeats_and_may_be_missing() -> None:
    mail = SesMail({"headers": [{"name": "Received", "value": "a"}, {"name": "Received", "value": "b"}]})
    assert mail.headers.get_all("received") == ["a", "b"]
    assert dict(SesMail({}).headers) == {}
    wrong_ones: list[Any] = [{}, ["x"], [{"value": "a"}]]
    for wrong in wrong_ones:
        with pytest.raises(EventFieldError, match=r"SesMail\.headers"):
            _ = SesMail({"headers": wrong}).headers


def test_what_became_of_an_invocation_comes_directly_in_queues_and_in_events() -> None:
    raw = {
        "version": "1.0",
        "requestContext": {"condition": "Success", "functionArn": "a", "approximateInvokeCount": "1"},
        "requestPayload": {"replicas": 1},
        "responsePayload": None,
        "responseContext": {"statusCode": 200, "functionError": None},
    }
    event = parse(LambdaDestinationEvent[Settings], raw)
    assert event.request_payload == Settings(replicas=1)
    assert (event.response_payload, event.is_success, event.batch_info) == (None, True, None)
    queued = parse(SqsEvent[LambdaDestinationEvent[Settings]], sqs_event([raw]))
    assert queued.records[0].body.request_payload == Settings(replicas=1)
    assert detect(queued.raw) == "sqs.standard>lambda_destination"
    bridged = parse(EventBridgeEvent[LambdaDestinationEvent], eventbridge_event(raw, source="lambda"))
    assert bridged.detail.request_payload == {"replicas": 1}
    batch = {"requestContext": {"condition": "RetryAttemptsExhausted", "functionArn": "a"}}
    info = {"shardId": "s", "batchSize": 3}
    for key in ("KinesisBatchInfo", "DDBStreamBatchInfo", "KafkaBatchInfo"):
        given_up = parse(LambdaDestinationEvent, batch | {key: info, "payload": "no JSON"})
        assert given_up.batch_info is not None
        assert (given_up.batch_info.batch_size, given_up.payload, given_up.is_success) == (3, "no JSON", False)


def test_integers_of_builds_and_pipelines_come_as_floats_and_texts() -> None:
    # aws/aws-lambda-go#228 and #552.
    build = CodeBuildChange({"additional-information": {"timeout-in-minutes": 60.0, "build-number": "55"}})
    assert build.additional_information.timeout_in_minutes == 60
    assert build.additional_information.build_number == 55
    for version in (2, 2.0, "2"):
        assert CodePipelineChange({"version": version}).version == 2
    assert CodePipelineChange({"pipeline-execution-attempt": 1.0}).pipeline_execution_attempt == 1


def test_scans_count_only_what_was_found() -> None:
    # aws/aws-lambda-rust-runtime#783.
    raw = eventbridge_event({"finding-severity-counts": {"HIGH": 1.0, "LOW": "2"}, "image-tags": []}, source="aws.ecr")
    event = parse(EventBridgeEvent[EcrImageScan], raw)
    assert (event.detail.finding_severity_counts, event.detail.image_tags, event.resources) == (
        {"HIGH": 1, "LOW": 2},
        [],
        [],
    )
    assert EcrImageScan({}).finding_severity_counts == {}
    wrong_ones: list[Any] = [[], {"HIGH": {}}, {"HIGH": True}, {"HIGH": "x"}, {"HIGH": "1e999"}]
    for wrong in wrong_ones:
        with pytest.raises(EventFieldError, match="finding_severity_counts"):
            _ = EcrImageScan({"finding-severity-counts": wrong}).finding_severity_counts


def test_executions_carry_json_and_launches_are_told_from_terminations() -> None:
    change = StepFunctionsStatusChange({"input": '{"a": 1}', "output": None, "outputDetails": None, "stopDate": None})
    assert (change.input, change.output, change.is_output_included, change.stop_date) == ({"a": 1}, None, None, None)
    assert AutoScalingLifecycleAction({"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}).is_launch
    assert not AutoScalingLifecycleAction({}).is_launch

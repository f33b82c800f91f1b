"""Notifications of buckets, as S3 gives them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlerkit.events import S3Event, S3EventBridgeEvent
from lambda_emulator import EmbeddedAws, FunctionConfiguration, LocalLambda, ManualClock
from tests.emulator.direct_sources.conftest import Scene


def notify(scene: Scene, bucket: str = "uploads", *, create: bool = True, **configuration: Any) -> Any:
    """The S3 client, with a bucket that is configured; by default all creations go to the function."""
    s3 = scene.client("s3")
    if create:
        s3.create_bucket(Bucket=bucket)
    if not configuration:
        configuration = {"LambdaFunctionConfigurations": [to(scene.arn)]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    return s3


def to(arn: str, *events: str, **filters: str) -> dict[str, Any]:
    """One configuration of a function."""
    return {"LambdaFunctionArn": arn, "Events": list(events or ["s3:ObjectCreated:*"])} | filtered(**filters)


def filtered(**filters: str) -> dict[str, Any]:
    rules = [{"Name": name, "Value": value} for name, value in filters.items()]
    return {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}


def test_an_upload_reaches_the_function_with_all_that_s3_says(scene: Scene) -> None:
    s3 = notify(scene, LambdaFunctionConfigurations=[to(scene.arn) | {"Id": "all"}])
    s3.put_object(Bucket="uploads", Key="in/a b+c.txt", Body=b"hello")
    [record] = S3Event(scene.events()[0]).records
    assert (record.event_name, record.event_source, record.aws_region) == ("ObjectCreated:Put", "aws:s3", "us-east-1")
    assert record.event_time is not None
    assert record.event_time.timestamp() == scene.clock.time()
    assert (record.bucket, record.key, record.s3.object.encoded_key) == ("uploads", "in/a b+c.txt", "in/a+b%2Bc.txt")
    assert (record.s3.object.size, record.s3.object.e_tag) == (5, "5d41402abc4b2a76b9719d911017c592")
    assert record.s3.object.version_id is None
    assert len(record.s3.object.sequencer or "") == 18
    assert (record.s3.configuration_id, record.s3.bucket.arn) == ("all", "arn:aws:s3:::uploads")
    assert record.user_identity.principal_id
    assert record.s3.bucket.owner_identity.principal_id
    assert record.request_parameters.source_ip_address == "127.0.0.1"
    assert set(record.response_elements) == {"x-amz-request-id", "x-amz-id-2"}


def test_copies_and_uploads_in_parts_have_their_own_names(scene: Scene) -> None:
    s3 = notify(scene)
    s3.put_object(Bucket="uploads", Key="a", Body=b"1", Tagging="x=y", ACL="private")
    s3.copy_object(Bucket="uploads", Key="b", CopySource={"Bucket": "uploads", "Key": "a"})
    upload = s3.create_multipart_upload(Bucket="uploads", Key="c")["UploadId"]
    part = s3.upload_part(Bucket="uploads", Key="c", UploadId=upload, PartNumber=1, Body=b"123")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket="uploads", Key="c", UploadId=upload, MultipartUpload=parts)
    records = S3Event({"Records": scene.records()}).records
    assert {each.event_name: each.key for each in records} == {
        "ObjectCreated:Put": "a",
        "ObjectCreated:Copy": "b",
        "ObjectCreated:CompleteMultipartUpload": "c",
    }
    in_order = sorted(records, key=lambda each: each.key)
    assert in_order[0].s3.object.is_before(in_order[1].s3.object)
    assert in_order[1].s3.object.is_before(in_order[2].s3.object)


def test_prefix_suffix_and_event_choose_and_are_case_sensitive(scene: Scene) -> None:
    s3 = notify(
        scene, LambdaFunctionConfigurations=[to(scene.arn, "s3:ObjectCreated:Put", prefix="in/", Suffix=".csv")]
    )
    for key in ("in/1.csv", "in/2.CSV", "out/3.csv", "in/4.txt", "In/5.csv"):
        s3.put_object(Bucket="uploads", Key=key, Body=b"")
    s3.copy_object(Bucket="uploads", Key="in/6.csv", CopySource={"Bucket": "uploads", "Key": "in/1.csv"})
    s3.delete_object(Bucket="uploads", Key="in/1.csv")
    assert [each["s3"]["object"]["key"] for each in scene.records()] == ["in/1.csv"]


def test_deletions_have_no_size_and_in_a_versioned_bucket_a_version(scene: Scene) -> None:
    s3 = notify(scene, LambdaFunctionConfigurations=[to(scene.arn, "s3:ObjectRemoved:*")])
    s3.put_object(Bucket="uploads", Key="a", Body=b"1")
    s3.delete_object(Bucket="uploads", Key="a")
    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="uploads", Key="b", Body=b"2")["VersionId"]
    marker = s3.delete_object(Bucket="uploads", Key="b")["VersionId"]
    s3.delete_objects(Bucket="uploads", Delete={"Objects": [{"Key": "b", "VersionId": version}]})
    s3.delete_object(Bucket="uploads", Key="b", VersionId="no such version")
    first, second, third = sorted(
        S3Event({"Records": scene.records()}).records, key=lambda each: each.s3.object.sequencer or ""
    )
    assert (first.event_name, first.key) == ("ObjectRemoved:Delete", "a")
    assert (first.s3.object.size, first.s3.object.e_tag, first.s3.object.version_id) == (None, None, None)
    assert (second.event_name, second.s3.object.version_id) == ("ObjectRemoved:DeleteMarkerCreated", marker)
    assert second.s3.object.e_tag == "d41d8cd98f00b204e9800998ecf8427e"
    assert (third.event_name, third.s3.object.version_id) == ("ObjectRemoved:Delete", version)


def test_a_version_is_named_and_tags_are_told_only_where_they_are_set_afterwards(scene: Scene) -> None:
    wanted = to(scene.arn, "s3:ObjectTagging:*", "s3:ObjectAcl:Put", "s3:ObjectCreated:*")
    s3 = notify(scene, LambdaFunctionConfigurations=[wanted])
    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="uploads", Key="a", Body=b"1", Tagging="x=y")["VersionId"]
    s3.put_object_tagging(Bucket="uploads", Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object_tagging(Bucket="uploads", Key="a")
    s3.put_object_acl(Bucket="uploads", Key="a", ACL="private")
    records = {each["eventName"]: each["s3"]["object"] for each in scene.records()}
    assert set(records) == {"ObjectCreated:Put", "ObjectTagging:Put", "ObjectTagging:Delete", "ObjectAcl:Put"}
    assert {each["versionId"] for each in records.values()} == {version}
    assert "size" not in records["ObjectTagging:Put"]
    assert "sequencer" not in records["ObjectAcl:Put"]


def test_a_failed_event_is_retried_twice_and_goes_to_the_dead_letter_queue(
    aws: EmbeddedAws,
    clock: ManualClock,
    make_taker: Callable[..., FunctionConfiguration],
    start_lambda: Callable[..., LocalLambda],
) -> None:
    function = make_taker(dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:dead")
    scene = Scene(aws, clock, start_lambda(function, clock=clock, aws=aws.clients))
    dead, _ = scene.queue("dead")
    notify(scene).put_object(Bucket="uploads", Key="please-fail", Body=b"")
    assert clock.run_until_quiet().total_seconds() == 180
    assert [event["Records"][0]["s3"]["object"]["key"] for event in scene.events()] == ["please-fail"] * 3
    assert scene.bodies(dead) == scene.events()[:1]


def test_queues_and_topics_get_the_test_event_and_then_the_whole_record(scene: Scene) -> None:
    url, arn = scene.queue("notified")
    behind, behind_arn = scene.queue("behind-topic")
    topic = scene.client("sns").create_topic(Name="notified")["TopicArn"]
    scene.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=behind_arn)
    s3 = notify(
        scene,
        QueueConfigurations=[{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]} | filtered(prefix="q/")],
        TopicConfigurations=[{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]} | filtered(prefix="t/")],
    )
    s3.put_object(Bucket="uploads", Key="q/ü ß", Body=b"1")
    s3.put_object(Bucket="uploads", Key="t/x", Body=b"12")
    test, real = scene.bodies(url)
    assert S3Event(test).is_test
    assert set(test) == {"Service", "Event", "Time", "Bucket", "RequestId", "HostId"}
    assert S3Event(real).records[0].key == "q/ü ß"
    assert S3Event(real).records[0].user_identity.principal_id
    assert real["Records"][0]["s3"]["object"]["key"] == "q/%C3%BC+%C3%9F"
    test, real = [json.loads(body["Message"]) for body in scene.bodies(behind)]
    assert S3Event(test).is_test
    assert S3Event(real).records[0].s3.object.size == 2
    assert scene.events() == []  # no test event for functions, and none was asked for


def test_a_bucket_tells_event_bridge_in_its_own_form(scene: Scene) -> None:
    events = scene.client("events")
    events.put_rule(
        Name="objects", EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": ["uploads"]}}})
    )
    events.put_targets(Rule="objects", Targets=[{"Id": "1", "Arn": scene.arn}])
    s3 = notify(scene, EventBridgeConfiguration={})
    s3.put_object(Bucket="uploads", Key="a b", Body=b"123")
    s3.delete_object(Bucket="uploads", Key="a b")
    created, deleted = sorted(scene.events(), key=lambda each: each["detail"]["object"]["sequencer"])
    view = S3EventBridgeEvent(created)
    assert (view.detail_type, view.detail.reason, view.account) == ("Object Created", "PutObject", "123456789012")
    assert (view.detail.object.key, view.detail.object.size) == ("a b", 3)
    assert (deleted["detail-type"], deleted["detail"]["deletion-type"]) == ("Object Deleted", "Permanently Deleted")
    assert "size" not in deleted["detail"]["object"]


@pytest.mark.parametrize(
    ("kind", "configuration"),
    [
        (
            "LambdaFunctionConfigurations",
            {"LambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:nobody"},
        ),
        (
            "LambdaFunctionConfigurations",
            {"LambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:taker:9"},
        ),
        ("QueueConfigurations", {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:nowhere"}),
        ("TopicConfigurations", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:nowhere"}),
    ],
)
def test_a_destination_that_is_not_there_is_refused(scene: Scene, kind: str, configuration: dict[str, Any]) -> None:
    s3 = notify(scene)
    before = s3.get_bucket_notification_configuration(Bucket="uploads")["LambdaFunctionConfigurations"]
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations") as refused:
        s3.put_bucket_notification_configuration(
            Bucket="uploads",
            NotificationConfiguration={kind: [configuration | {"Events": ["s3:ObjectCreated:*"]}]},
        )
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    assert s3.get_bucket_notification_configuration(Bucket="uploads")["LambdaFunctionConfigurations"] == before


def test_a_destination_in_another_region_is_refused_and_the_former_settings_stay(scene: Scene) -> None:
    s3 = notify(scene)
    there = scene.aws.client("sns", "eu-west-1").create_topic(Name="there")["TopicArn"]
    with pytest.raises(ClientError, match="region is not valid"):
        notify(scene, create=False, TopicConfigurations=[{"TopicArn": there, "Events": ["s3:ObjectCreated:*"]}])
    s3.put_object(Bucket="uploads", Key="a", Body=b"")
    assert len(scene.events()) == 1


def test_settings_that_clash_are_refused_and_others_are_not(scene: Scene) -> None:
    with pytest.raises(ClientError, match="Configuration is ambiguously defined"):
        notify(
            scene,
            LambdaFunctionConfigurations=[
                to(scene.arn, prefix="in/"),
                to(scene.arn, "s3:ObjectCreated:Put", prefix="in/a/", suffix=".csv"),
            ],
        )
    notify(
        scene,
        create=False,
        LambdaFunctionConfigurations=[
            to(scene.arn, prefix="in/", suffix=".csv"),
            to(scene.arn, prefix="in/", suffix=".txt"),
            to(scene.arn, "s3:ObjectRemoved:*", prefix="in/"),
        ],
    )


def test_an_event_for_a_function_that_is_gone_is_remembered(scene: Scene) -> None:
    s3 = notify(scene)
    scene.service.delete_function("taker")
    s3.put_object(Bucket="uploads", Key="a", Body=b"")
    [missed] = scene.aws.undelivered
    assert (missed.source, missed.target) == ("arn:aws:s3:::uploads", scene.arn)
    assert "no local Lambda has this function" in missed.reason
    assert json.loads(missed.payload)["Records"][0]["s3"]["object"]["key"] == "a"


KEYS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(" +%/~*&=ü€😀\"'"), min_size=1, max_size=40
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=KEYS.filter(lambda key: key.strip("/.") == key and "//" not in key and "/." not in key and "./" not in key))
def test_a_handler_sees_the_plain_key_whatever_it_is(scene: Scene, key: str) -> None:
    s3 = scene.client("s3")
    if not s3.list_buckets()["Buckets"]:
        notify(scene)
    before = len(scene.events())
    s3.put_object(Bucket="uploads", Key=key, Body=b"")
    [event] = scene.events()[before:]
    assert S3Event(event).records[0].key == key

"""Sources, queues and functions in a row; and what is left when an embedded AWS or a local Lambda is closed."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambda_emulator import EmbeddedAws, FunctionConfiguration, LocalLambda, ManualClock
from tests.emulator.direct_sources.conftest import Scene

CHAIN = """
import json
import os
import urllib.parse

import boto3


def upload(event, context):
    for record in event["Records"]:
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        bucket = record["s3"]["bucket"]["name"]
        text = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        for line in text.splitlines():
            boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=line)


def work(event, context):
    failed = [each["messageId"] for each in event["Records"] if each["body"] == "poison"]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
"""


def test_an_upload_a_function_a_queue_and_a_batch_function(
    aws: EmbeddedAws, clock: ManualClock, task_root: Path, start_lambda: Callable[..., LocalLambda]
) -> None:
    (task_root / "chain.py").write_text(CHAIN)
    sqs = aws.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 3}
    attributes = {"VisibilityTimeout": "60", "RedrivePolicy": json.dumps(policy)}
    queue = sqs.create_queue(QueueName="lines", Attributes=attributes)["QueueUrl"]
    environment = {**aws.environment, "QUEUE": queue}
    functions = [
        FunctionConfiguration(
            name=name, handler=f"chain.{name}", task_root=task_root, environment=environment, timeout_s=20
        )
        for name in ("upload", "work")
    ]
    service = start_lambda(*functions, clock=clock, aws=aws.clients)
    service.create_event_source_mapping(
        "work", "arn:aws:sqs:us-east-1:123456789012:lines", function_response_types=["ReportBatchItemFailures"]
    )
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="uploads")
    wanted = {"LambdaFunctionArn": functions[0].arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="uploads", NotificationConfiguration={"LambdaFunctionConfigurations": [wanted]}
    )
    s3.put_object(Bucket="uploads", Key="my lines.txt", Body=b"one\npoison\ntwo")
    assert clock.run_until_quiet().total_seconds() == 180
    bodies = [record["body"] for past in service.history.of("work") for record in json.loads(past.event)["Records"]]
    assert sorted(bodies) == ["one", "poison", "poison", "poison", "two"]
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead)["Messages"]] == ["poison"]


def test_the_first_local_lambda_that_has_the_function_gets_the_event(
    aws: EmbeddedAws,
    clock: ManualClock,
    make_taker: Callable[..., FunctionConfiguration],
    start_lambda: Callable[..., LocalLambda],
) -> None:
    first = Scene(aws, clock, start_lambda(make_taker(), clock=clock, aws=aws.clients))
    other = start_lambda(make_taker(name="other", handler="taker.handler"), clock=clock, aws=aws.clients)
    sns = aws.client("sns")
    topic = sns.create_topic(Name="both")["TopicArn"]
    for name in ("taker", "other"):
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="x")
    assert len(first.events()) == 1
    assert len(other.history.of("other")) == 1
    first.service.close()
    sns.publish(TopicArn=topic, Message="y")
    clock.advance(0)
    assert len(other.history.of("other")) == 2
    assert [missed.target for missed in aws.undelivered] == [first.arn]


def test_an_alias_gets_its_own_invocations(scene: Scene) -> None:
    scene.service.publish_version("taker")
    scene.service.create_alias("taker", "live", "1")
    sns = scene.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=f"{scene.arn}:live")
    sns.publish(TopicArn=topic, Message="x")
    assert len(scene.events()) == 1
    [past] = scene.service.history.of("taker")
    assert (past.qualifier, past.version) == ("live", "1")
    assert json.loads(past.payload) == {"arn": f"{scene.arn}:live"}


LOOP = """
import boto3


def handler(event, context):
    s3 = boto3.client("s3")
    if "Records" not in event:
        for number in range(event["files"]):
            s3.put_object(Bucket="loop", Key=f"begin-{number}", Body=b"")
    elif event["Records"][0]["s3"]["object"]["key"] == "begin-0":
        s3.put_object(Bucket="loop", Key="again", Body=b"")
    elif event["Records"][0]["s3"]["object"]["key"] == "again":
        s3.put_object(Bucket="loop", Key="again", Body=b"")
"""


def test_a_function_that_invokes_itself_by_its_bucket_is_stopped_and_one_that_only_fans_out_is_not(
    aws: EmbeddedAws, clock: ManualClock, task_root: Path, start_lambda: Callable[..., LocalLambda]
) -> None:
    (task_root / "loop.py").write_text(LOOP)
    function = FunctionConfiguration(
        name="loop", handler="loop.handler", task_root=task_root, environment=aws.environment, timeout_s=20
    )
    service = start_lambda(function, clock=clock, aws=aws.clients)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="loop")
    wanted = {"LambdaFunctionArn": function.arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="loop", NotificationConfiguration={"LambdaFunctionConfigurations": [wanted]}
    )
    service.invoke("loop", {"files": 25}).json()
    clock.run_until_quiet()
    outcomes = [outcome.condition for outcome in service.event_outcomes("loop")]
    assert (outcomes.count("RecursionStopped"), outcomes.count("Success")) == (1, 25 + 15)
    assert service.metrics.sum("RecursiveInvocationsDropped", function="loop") == 1


def test_a_local_lambda_that_closes_amid_events_makes_nobody_wait(scene: Scene) -> None:
    sns = scene.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=scene.arn)
    answers: list[Any] = []
    begun = threading.Event()

    def publish() -> None:
        for number in range(40):
            answers.append(sns.publish(TopicArn=topic, Message=str(number)))
            begun.set()

    thread = threading.Thread(target=publish)
    thread.start()
    begun.wait(10)
    scene.service.close()
    thread.join(60)
    assert len(answers) == 40


def test_closing_leaves_moto_as_it_was() -> None:
    program = """
import importlib

NAMES = {
    "moto.s3.notifications": ["send_event", "_get_test_event"],
    "moto.s3.models": ["S3Backend.delete_object", "S3Backend.complete_multipart_upload",
                       "FakeBucket.set_notification_configuration"],
    "moto.s3.responses": ["S3Response.put_object_tagging"],
    "moto.sns.models": ["Subscription.publish", "SNSBackend.subscribe"],
    "moto.sns.utils": ["FilterPolicyMatcher.matches"],
    "moto.events.models": ["Rule.send_to_targets", "EventsBackend.put_rule", "EventsBackend.put_events"],
    "moto.scheduler.models": ["EventBridgeSchedulerBackend.create_schedule"],
    "moto.awslambda.utils": ["get_backend"],
}

def found():
    answer = []
    for module, names in NAMES.items():
        for name in names:
            value = importlib.import_module(module)
            for part in name.split("."):
                value = getattr(value, part)
            answer.append(value)
    return answer

from lambda_emulator import EmbeddedAws
before = found()
with EmbeddedAws():
    assert not any(one is other for one, other in zip(before, found()))
assert all(one is other for one, other in zip(before, found()))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

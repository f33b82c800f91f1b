"""The AWS inside the process: its time, its life, what moto does otherwise."""

import subprocess
import sys
import time
from typing import Any

import pytest

from lambda_emulator import ManualClock
from lambda_emulator.embedded_aws import EmbeddedAws
from tests.emulator.pollers.scene import Queue, Scene, Stream


def received(aws: EmbeddedAws, queue: Queue, **more: Any) -> list[str]:
    found = aws.client("sqs").receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10, **more)
    return [message["Body"] for message in found.get("Messages", [])]


def test_a_visibility_timeout_ends_when_the_clock_says_so(aws: EmbeddedAws, clock: ManualClock, scene: Scene) -> None:
    queue = scene.queue()
    queue.send("a", "b")
    assert received(aws, queue) == ["a", "b"]
    clock.advance(29)
    assert received(aws, queue) == []
    clock.advance(1)
    assert received(aws, queue) == ["a", "b"]


def test_a_group_of_a_fifo_queue_comes_back_whole_and_in_order(
    aws: EmbeddedAws, clock: ManualClock, scene: Scene
) -> None:
    queue = scene.fifo()
    queue.send(*"abcd", MessageGroupId="g")
    for _ in range(3):
        assert received(aws, queue) == list("abcd")
        assert received(aws, queue) == []
        clock.advance(30)


def test_a_long_poll_ends_though_the_clock_stands_still(aws: EmbeddedAws, scene: Scene) -> None:
    queue = scene.queue()
    began_s = time.monotonic()
    assert received(aws, queue, WaitTimeSeconds=1) == []
    assert time.monotonic() - began_s >= 0.9


def test_streams_and_tables_go_by_the_clock_too(aws: EmbeddedAws, scene: Scene) -> None:
    stream = Stream(aws, "kinesis", f"s-{scene.unique}")
    summary = aws.client("kinesis").describe_stream_summary(StreamName=stream.name)["StreamDescriptionSummary"]
    assert summary["StreamCreationTimestamp"].timestamp() == scene.clock.time()
    table = Stream(aws, "dynamodb", f"t-{scene.unique}")
    described = aws.client("dynamodb").describe_table(TableName=table.name)["Table"]
    assert described["CreationDateTime"].timestamp() == scene.clock.time()


def test_there_is_one_in_a_process(aws: EmbeddedAws) -> None:
    with pytest.raises(RuntimeError, match="this process has an embedded AWS already: share it"):
        EmbeddedAws()
    aws.client("sqs").list_queues()  # the first one goes on


def test_a_function_finds_it_by_its_environment(aws: EmbeddedAws) -> None:
    assert aws.environment == {"AWS_ENDPOINT_URL": aws.endpoint_url}


def test_it_leaves_moto_threads_and_ports_as_they_were() -> None:
    program = """
import threading, socket, time
import moto.core.utils
original = moto.core.utils.utcnow
from lambda_emulator import EmbeddedAws, ManualClock
for _ in range(2):
    with EmbeddedAws(clock=ManualClock(0)) as aws:
        aws.client("sqs").create_queue(QueueName="q")
        assert aws.client("sqs").list_queues()["QueueUrls"]
        assert moto.core.utils.utcnow().year == 1970
        aws.reset()
        assert "QueueUrls" not in aws.client("sqs").list_queues()
        port = int(aws.endpoint_url.rpartition(":")[2])
    import moto.sqs.models, moto.kinesis.models
    assert moto.core.utils.utcnow is original
    assert moto.kinesis.models.utcnow is original
    assert moto.sqs.models.SQSBackend.receive_message.__module__ == "moto.sqs.models"
    for _ in range(500):  # the last connection's thread is about to end
        if threading.active_count() == 1:
            break
        time.sleep(0.01)
    assert threading.active_count() == 1, threading.enumerate()
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        raise SystemExit("still listening")
    except ConnectionRefusedError:
        pass
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_moto_one_sentence_says_what_to_install() -> None:
    program = """
import sys
sys.modules["moto"] = None
from lambda_emulator import EmbeddedAws
EmbeddedAws()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "MotoMissing: moto is not installed: install handlerkit[emulator] to embed AWS" in done.stderr

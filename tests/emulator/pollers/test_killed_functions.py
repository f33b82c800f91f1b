"""Real functions that are killed while they work: every message is processed or dead-lettered, none is lost."""

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda, ManualClock
from lambda_emulator.embedded_aws import EmbeddedAws
from tests.emulator.pollers.conftest import START_S
from tests.emulator.pollers.scene import Scene

# Says that it works, works a little, says that it is done; one line of a file each.
WORKER = """
import json, os, time

def handler(event, context):
    with open("workers", "a") as file:
        file.write(f"{os.getpid()}\\n")
    failed = []
    for record in event["Records"]:
        time.sleep(0.0005)
        if record["body"].endswith("poison"):
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        with open("done", "a") as file:
            file.write(record["body"] + "\\n")
    return {"batchItemFailures": failed}
"""


def deliver(scene: Scene, root: Path, messages: int, kills: int) -> tuple[set[str], list[str], set[str]]:
    """Send, kill while it runs, and say what was sent, what was processed, and what is dead."""
    queue, dead = scene.with_dead_letters(4)
    scene.service.create_event_source_mapping(
        "killed", queue.arn, function_response_types=["ReportBatchItemFailures"], maximum_concurrency=10
    )
    sent = {f"{number}{'-poison' if number % 50 == 7 else ''}" for number in range(messages)}
    sqs = scene.aws.client("sqs")
    bodies = sorted(sent)
    for at in range(0, messages, 10):
        entries = [{"Id": str(each), "MessageBody": body} for each, body in enumerate(bodies[at : at + 10])]
        sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    quiet = threading.Event()
    killed = 0

    def kill_some() -> None:
        nonlocal killed
        chance = random.Random(7)
        while not quiet.wait(chance.uniform(0.01, 0.03)) and killed < kills:
            workers = (root / "workers").read_text().split() if (root / "workers").exists() else []
            if workers:
                try:
                    os.kill(int(chance.choice(workers[-10:])), signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    continue

    killer = threading.Thread(target=kill_some)
    killer.start()
    try:
        scene.run()
    finally:
        quiet.set()
        killer.join()
    assert killed > 0
    assert queue.count() == 0
    return sent, (root / "done").read_text().splitlines(), set(dead.take())


@pytest.fixture
def stage(
    aws: EmbeddedAws,
    unique: str,
    task_root: Path,
    start_lambda: Callable[..., LocalLambda],
) -> Scene:
    (task_root / "killed.py").write_text(WORKER)
    function = FunctionConfiguration(name="killed", handler="killed.handler", task_root=task_root, timeout_s=20)
    aws.follow(patient := ManualClock(START_S, patience_s=1500))  # moto takes 20 ms for a receive from a long queue
    service = start_lambda(function, clock=patient, aws=aws.clients, max_environments=10)
    return Scene(aws, patient, service, unique, task_root)


def check(sent: set[str], processed: list[str], dead: set[str]) -> None:
    assert set(processed) | dead == sent
    assert {body for body in sent if body.endswith("poison")} <= dead
    assert not any(body.endswith("poison") for body in processed)


def test_messages_of_killed_functions_are_processed_or_dead_lettered(stage: Scene, task_root: Path) -> None:
    check(*deliver(stage, task_root, messages=100, kills=4))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_thousand_messages_through_ten_environments_that_are_killed_at_random(stage: Scene, task_root: Path) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    sent, processed, dead = deliver(stage, task_root, messages=1000, kills=60)
    check(sent, processed, dead)
    stage.service.close()
    deadline_s = time.monotonic() + 5
    while (left := len(os.listdir("/proc/self/fd"))) > descriptors and time.monotonic() < deadline_s:
        threading.Event().wait(0.05)
    # Connections of the shared embedded AWS stay open; of ten environments and sixty killed processes nothing does.
    assert left <= descriptors + 25
    assert threading.active_count() < 60
    print(json.dumps({"processed": len(processed), "dead": len(dead)}))

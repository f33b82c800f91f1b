"""One embedded AWS for all tests of a worker, a clock and names of its own for each, and a function that obeys."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda, ManualClock
from lambda_emulator.embedded_aws import EmbeddedAws
from tests.emulator.pollers.scene import Scene

START_S = 1_800_000_000.0

# A worker that does to each record what a file says, and writes down what it got.
WORKER = """
import base64, json, os, sys, time

FOLDER = os.environ["LAMBDA_TASK_ROOT"]


def name(record):
    if "body" in record:
        return record["body"]
    if "kinesis" in record:
        return base64.b64decode(record["kinesis"]["data"]).decode()
    return record["dynamodb"]["Keys"]["id"]["S"]


def identifier(record):
    if "body" in record:
        return record["messageId"]
    return record["kinesis"]["sequenceNumber"] if "kinesis" in record else record["dynamodb"]["SequenceNumber"]


def handler(event, context):
    with open(os.path.join(FOLDER, "plan.json")) as file:
        plan = json.load(file)
    seen = os.path.join(FOLDER, "seen.jsonl")
    before = []
    if os.path.exists(seen):
        with open(seen) as file:
            before = [json.loads(line) for line in file]
    names = [name(record) for record in event["Records"]]
    with open(seen, "a") as file:
        file.write(json.dumps({"names": names, "event": event, "arn": context.invoked_function_arn}) + "\\n")
    failed = []
    for record in event["Records"]:
        actions = plan.get(name(record), [])
        tried = sum(each["names"].count(name(record)) for each in before)
        action = actions[min(tried, len(actions) - 1)] if actions else None
        if action == "raise":
            raise ValueError(name(record))
        if action == "exit":
            os._exit(3)
        if action == "hang":
            time.sleep(600)
        if action == "list":
            failed.append({"itemIdentifier": identifier(record)})
    if "state" in event:
        state = event["state"]
        state["count"] = state.get("count", 0) + len(names)
        return {"state": state, "batchItemFailures": failed}
    answers = plan.get("answers")
    if answers:
        return answers[min(len(before), len(answers) - 1)]
    return {"batchItemFailures": failed}
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_S)


@pytest.fixture
def aws(embedded: EmbeddedAws, clock: ManualClock) -> EmbeddedAws:
    """The embedded AWS, going by the test's clock."""
    embedded.follow(clock)
    return embedded


@pytest.fixture
def unique() -> str:
    """Part of every queue's and stream's name."""
    return uuid.uuid4().hex[:8]


@pytest.fixture
def make_worker(task_root: Path) -> Callable[..., FunctionConfiguration]:
    """The obedient function, on our bootstrap unless a command says otherwise."""

    def make(**fields: Any) -> FunctionConfiguration:
        (task_root / "worker.py").write_text(WORKER)
        (task_root / "plan.json").write_text("{}")
        settings: dict[str, Any] = {"name": "worker", "handler": "worker.handler", "task_root": task_root}
        return FunctionConfiguration(**(settings | {"timeout_s": 20} | fields))

    return make


@pytest.fixture
def scene(
    aws: EmbeddedAws,
    clock: ManualClock,
    unique: str,
    task_root: Path,
    make_worker: Callable[..., FunctionConfiguration],
    start_lambda: Callable[..., LocalLambda],
) -> Scene:
    """A local Lambda with the worker, and the words in which the tests speak."""
    service = start_lambda(make_worker(), clock=clock, aws=aws.clients)
    return Scene(aws, clock, service, unique, task_root)

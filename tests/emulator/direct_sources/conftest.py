"""A function that answers with what it gets, an AWS that starts empty, and a clock that stands still."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_emulator import EmbeddedAws, FunctionConfiguration, LocalLambda, ManualClock

START_S = 1_800_000_000.0  # a Friday, 08:00 UTC

# Does what the event's own words ask for; everything else is in the history.
FUNCTION = """
import json

def handler(event, context):
    text = json.dumps(event)
    if "please-fail" in text:
        raise ValueError("as asked")
    return {"arn": context.invoked_function_arn}
"""


class Scene:
    """A local Lambda with the function `taker`, and what it got."""

    def __init__(self, aws: EmbeddedAws, clock: ManualClock, service: LocalLambda) -> None:
        self.aws = aws
        self.clock = clock
        self.service = service
        self.arn = "arn:aws:lambda:us-east-1:123456789012:function:taker"

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def events(self) -> list[Any]:
        """What the function got, when all that goes on is over."""
        self.clock.advance(0)
        return [json.loads(past.event) for past in self.service.history.of("taker")]

    def records(self) -> list[Any]:
        return [record for event in self.events() for record in event["Records"]]

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a new queue."""
        url = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:123456789012:{name}"

    def messages(self, url: str) -> list[dict[str, Any]]:
        """All that is in a queue."""
        found: list[dict[str, Any]] = []
        while (
            more := self.client("sqs")
            .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600)
            .get("Messages")
        ):
            found += more
        return found

    def bodies(self, url: str) -> list[Any]:
        return [json.loads(message["Body"]) for message in self.messages(url)]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_S)


@pytest.fixture
def aws(embedded: EmbeddedAws, clock: ManualClock) -> Iterator[EmbeddedAws]:
    """The embedded AWS, going by the test's clock, with nothing in it."""
    embedded.follow(clock)
    embedded.reset()
    yield embedded
    embedded.reset()


@pytest.fixture
def make_taker(task_root: Path) -> Callable[..., FunctionConfiguration]:
    def make(**fields: Any) -> FunctionConfiguration:
        (task_root / "taker.py").write_text(FUNCTION)
        settings: dict[str, Any] = {"name": "taker", "handler": "taker.handler", "task_root": task_root}
        return FunctionConfiguration(**(settings | {"timeout_s": 20} | fields))

    return make


@pytest.fixture
def scene(
    aws: EmbeddedAws,
    clock: ManualClock,
    make_taker: Callable[..., FunctionConfiguration],
    start_lambda: Callable[..., LocalLambda],
) -> Scene:
    return Scene(aws, clock, start_lambda(make_taker(), clock=clock, aws=aws.clients))

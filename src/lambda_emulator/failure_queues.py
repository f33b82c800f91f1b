"""Looks at the queues that take what has failed, and tells when there is more in one of them."""

import threading
from collections.abc import Callable, Mapping
from typing import Final

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.cloudformation_values import REGION

__all__ = ["FailureQueues"]

_EVERY_S: Final = 1.0


class FailureQueues:
    """From its making until `close`. `tell` is called in its thread with one line for each queue that has grown."""

    def __init__(self, aws: AwsClients, urls: Mapping[str, str], tell: Callable[[str], object]) -> None:
        self._aws = aws
        self._urls = dict(urls)
        self._tell = tell
        self._seen: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_for_ever, name="failure-queues", daemon=True)
        self._thread.start()

    def watch(self, urls: Mapping[str, str]) -> None:
        """Look at these from now on."""
        self._urls = dict(urls)

    def close(self) -> None:
        """Stop looking; a call to an AWS that does not answer is left behind."""
        self._stop.set()
        self._thread.join(timeout=2)

    def _look_for_ever(self) -> None:
        while not self._stop.wait(_EVERY_S):
            for name, url in self._urls.items():
                count = self._count(url)
                before = self._seen.get(name, 0)
                if count is None or count == before:
                    continue
                self._seen[name] = count
                if count > before:
                    self._tell(f"{name} holds {count} message{'s' if count > 1 else ''} ({count - before} more)")

    def _count(self, url: str) -> int | None:
        """None where it cannot be known now."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        try:
            answer = self._aws.client("sqs", REGION).get_queue_attributes(QueueUrl=url, AttributeNames=names)
        except Exception:  # noqa: BLE001 (whatever boto3 raises: the queue or its server is gone, others tell of it)
            return None
        return sum(int(value) for value in answer.get("Attributes", {}).values())

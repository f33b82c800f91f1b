"""Events that several tests want."""

import base64
import hashlib
from functools import partial
from itertools import count
from typing import Any

import pytest

from handlerkit.batch import RecordFacts
from handlerkit.batch.deadline import Deadline
from handlerkit.testing import kinesis_event


def packed(*data: bytes) -> bytes:
    """User records as the producer library packs them, each under a key of its own."""

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    body = b"".join(field(1, f"key-{number}".encode()) for number in range(len(data)))
    body += b"".join(field(3, bytes([1 << 3, number]) + field(3, one)) for number, one in enumerate(data))
    return b"\xf3\x89\x9a\xc2" + body + hashlib.md5(body).digest()


class Remembers:
    """As little of idempotency as can be: what was done once is not done again. All its roles in one object."""

    def __init__(self) -> None:
        self.known: set[object] = set()
        self.corrections: list[tuple[int, Exception | None, Any]] = []
        self.ends = 0

    def for_records(self, function: Any) -> "Remembers":
        return self

    def session(self, raws: Any, names: Any, read: Any, context: Any, keeps_values: bool) -> "Remembers":
        self.names, self.read = names, read
        return self

    def reading(self, raw: dict[str, Any]) -> Any:
        return self.read(raw)

    def run(self, record: Any, facts: RecordFacts, call: Any) -> Any:
        name = self.names[facts.position]
        if name in self.known:
            return None
        result = call()
        self.known.add(name)
        return result

    async def run_async(self, record: Any, facts: RecordFacts, call: Any) -> Any:
        name = self.names[facts.position]
        if name in self.known:
            return None
        result = await call()
        self.known.add(name)
        return result

    def end(self) -> list[tuple[int, Exception | None, Any]]:
        self.ends += 1
        return self.corrections

    async def end_async(self) -> list[tuple[int, Exception | None, Any]]:
        return self.end()


@pytest.fixture(autouse=True)
def _clock_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time in contexts may be virtual: every look counts, however soon after the last."""
    monkeypatch.setattr(Deadline, "clock", staticmethod(partial(next, count())))


@pytest.fixture
def kpl_event() -> dict[str, Any]:
    """A packed record of three, and an ordinary one."""
    event = kinesis_event([b"x", b'{"n": 3}'])
    event["Records"][0]["kinesis"]["data"] = base64.b64encode(packed(b'{"n": 0}', b'{"n": 1}', b'{"n": 2}')).decode()
    return event

"""Idempotency against the best-known library on the same moto server: requests, bytes, latency, cold start, key cost.

    python -m bench.idempotency [--rounds 50]

Needs `moto[server]` and boto3; the comparison also `aws-lambda-powertools`, and is left out without it. Both sides talk
to one server process through a counting client (latency and cold start: without it); each works on keys of its own.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from typing import Any

from bench import tables

ENVIRON = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
ENVIRON |= {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": "bench"}

SERVER = """
import sys
from moto.server import ThreadedMotoServer
import logging
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""

OURS = """
from handlerkit import event_handler
from handlerkit.idempotency import DynamoDBStore, Idempotency
@event_handler(idempotency=Idempotency(DynamoDBStore("ours"), key=lambda event: event["id"]))
def handler(event: dict):
    return {"ok": event["id"]}
"""
THEIRS = """
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
@idempotent(persistence_store=DynamoDBPersistenceLayer("theirs"), config=IdempotencyConfig(event_key_jmespath="id"))
def handler(event, context):
    return {"ok": event["id"]}
"""
# What the runtime client costs is measured elsewhere (`bench start`): here only handler, imports and the first call.
START = """
{code}
class Context:
    function_name = "bench"
    def get_remaining_time_in_millis(self):
        return 30_000
assert handler({{"id": "{key}"}}, Context())["ok"]
"""


def main() -> int:
    """Measure and print; needs no arguments."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--rounds", type=int, default=50)
    rounds = arguments.parse_args().rounds
    has_theirs = importlib.util.find_spec("aws_lambda_powertools") is not None
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        os.environ.update({**ENVIRON, "AWS_ENDPOINT_URL": url})
        for table in ("ours", "theirs"):
            make_table(table)
        print(tables.markdown(["what", "requests", "bytes sent"], requests_and_bytes(has_theirs)), end="\n\n")
        print(tables.markdown(["what", "ours", "theirs"], latencies(rounds, has_theirs)), end="\n\n")
        print(tables.markdown(["what", "µs"], key_costs()))
        assert server.stdin is not None
        server.stdin.close()
    return 0


def make_table(name: str) -> None:
    """An empty table in the layout that both know."""
    import boto3

    boto3.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


class Counting:
    """Our client with its requests and their bytes counted."""

    def __init__(self) -> None:
        from handlerkit.idempotency.dynamodb_client import LeanClient

        self.inner = LeanClient()
        self.requests = 0
        self.sent = 0

    def call(self, action: str, parameters: dict[str, Any], /) -> dict[str, Any]:
        """Count and pass on."""
        self.requests += 1
        self.sent += len(json.dumps(parameters, separators=(",", ":")))
        return self.inner.call(action, parameters)

    def taken(self) -> tuple[int, int]:
        """Requests and bytes since the last time."""
        found = self.requests, self.sent
        self.requests = self.sent = 0
        return found


def requests_and_bytes(has_theirs: bool) -> list[list[str]]:
    """A row per case; bytes are those of the bodies."""
    from handlerkit import batch_handler
    from handlerkit.events import SqsRecord
    from handlerkit.idempotency import DynamoDBStore, Idempotency, idempotent
    from handlerkit.testing import sqs_event

    client = Counting()
    store = DynamoDBStore("ours", client=client)

    @idempotent(store, key="key")
    def work(key: str) -> dict[str, str]:
        return {"ok": key}

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> None:
        pass

    rows = []

    def row(name: str, call: Callable[[], object]) -> None:
        call()
        requests, sent = client.taken()
        rows.append([name, str(requests), f"{sent:,}"])

    batch = sqs_event([f"b-{number}" for number in range(10)])
    row("ours: first call", lambda: work("a"))
    row("ours: replay", lambda: work("a"))
    row("ours: batch of 10 new keys", lambda: handler(batch))
    row("ours: batch of 10 replays", lambda: handler(batch))
    if has_theirs:
        rows += their_requests_and_bytes()
    return rows


def their_requests_and_bytes() -> list[list[str]]:
    """The same of the other library, whose records are processed one by one."""
    import boto3
    from aws_lambda_powertools.utilities.idempotency import (
        DynamoDBPersistenceLayer,
        IdempotencyConfig,
        idempotent_function,
    )

    client = boto3.client("dynamodb")
    sent: list[int] = []
    client.meta.events.register("before-send.dynamodb", lambda request, **_: sent.append(len(request.body)))

    guarded: Any = idempotent_function(
        data_keyword_argument="key",
        persistence_store=DynamoDBPersistenceLayer("theirs", boto3_client=client),
        config=IdempotencyConfig(lambda_context=Context()),
    )

    def work_of(key: str) -> dict[str, str]:
        return {"ok": key}

    work: Callable[..., object] = guarded(work_of)

    def batch() -> None:
        for number in range(10):
            work(key=f"b-{number}")

    cases: list[tuple[str, Callable[[], object]]] = [
        ("first call", lambda: work(key="a")),
        ("replay", lambda: work(key="a")),
        ("batch of 10 new keys", batch),
        ("batch of 10 replays", batch),
    ]
    rows = []
    for name, call in cases:
        call()
        rows.append([f"theirs: {name}", str(len(sent)), f"{sum(sent):,}"])
        sent.clear()
    return rows


class Context:
    """What both take their lease from."""

    function_name = "bench"

    def get_remaining_time_in_millis(self) -> int:
        """Half a minute."""
        return 30_000


def latencies(rounds: int, has_theirs: bool) -> list[list[str]]:
    """First calls, replays and cold starts, in milliseconds, in turns."""
    sides = {"ours": OURS, **({"theirs": THEIRS} if has_theirs else {})}
    handlers: dict[str, Callable[..., Any]] = {}
    for side, code in sides.items():
        scope: dict[str, Any] = {"__name__": f"bench_{side}"}
        exec(code, scope)
        handlers[side] = scope["handler"]
        handlers[side]({"id": "warm-up"}, Context())
    figures: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds):
        for side, handler in handlers.items():
            for what in ("first call, ms", "replay, ms"):
                began = time.perf_counter()
                handler({"id": f"l-{number}"}, Context())
                figures.setdefault(what, {}).setdefault(side, []).append((time.perf_counter() - began) * 1000)
    for number in range(max(3, rounds // 5)):
        for side, code in sides.items():
            script = START.format(code=code, key=f"s-{number}")
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", script], check=True)
            what = "process start → first answer, ms"
            figures.setdefault(what, {}).setdefault(side, []).append((time.perf_counter() - began) * 1000)
    return [
        [what, *(f"{statistics.median(by_side[side]):.1f}" if side in by_side else "–" for side in ("ours", "theirs"))]
        for what, by_side in figures.items()
    ]


def key_costs() -> list[list[str]]:
    """Extraction and hashing, without a store."""
    from handlerkit.idempotency import Idempotency, MemoryStore, jmespath

    event = {"order": {"id": "o-1", "user": "u-1"}, "lines": [{"article": "book", "n": 1}] * 3}

    def function(event: dict[str, Any]) -> None: ...

    kinds: list[tuple[str, Any]] = [
        ("a text, by a callable", lambda event: event["order"]["id"]),
        ("two texts, by JMESPath", jmespath("[order.id, order.user]")),
        ("the whole event", "event"),
    ]
    rows = []
    for name, key in kinds:
        guard = Idempotency(MemoryStore(), key=key).for_function(function)
        took_s = min(timeit.repeat(lambda: guard.attempt((event,), {}, None), number=2000, repeat=5)) / 2000  # noqa: B023
        rows.append([name, f"{took_s * 1e6:.1f}"])
    return rows


if __name__ == "__main__":
    sys.exit(main())

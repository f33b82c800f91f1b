"""Records of aws-lambda-powertools itself, read by us, and ours by it: tables can be taken over and given back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from handlerkit.idempotency import Claim, Completion, DynamoDBStore, Layout
from handlerkit.idempotency.results import restored

from .stores_under_test import ENVIRON, Servers, boto_client

THEIRS = """
import json, sys
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

class Context:
    function_name = "orders"
    def get_remaining_time_in_millis(self):
        return 60_000

layer = DynamoDBPersistenceLayer(sys.argv[1], **json.loads(sys.argv[2]))
config = IdempotencyConfig(lambda_context=Context(), event_key_jmespath="id")
ran = []

@idempotent_function(data_keyword_argument="order", persistence_store=layer, config=config)
def place(order):
    ran.append(order["id"])
    if order["id"] == "dies":
        import os
        os._exit(0)
    return {"placed": order["id"], "items": [1, "two", None, 2.5]}

for line in sys.stdin:
    try:
        answer = place(order={"id": line.strip()})
    except IdempotencyAlreadyInProgressError:
        answer = "in progress"
    print(json.dumps({"answer": answer, "ran": ran}), flush=True)
    ran.clear()
"""


class Powertools:
    """A process with their function; each call gives what it answered, and whether it ran."""

    def __init__(self, url: str, table: str, options: dict[str, str]) -> None:
        environment = {
            **ENVIRON,
            "AWS_ENDPOINT_URL": url,
            "AWS_DEFAULT_REGION": ENVIRON["AWS_REGION"],
            "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "PATH": os.environ["PATH"],
        }
        arguments = [sys.executable, "-W", "ignore", "-c", THEIRS, table, json.dumps(options)]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def place(self, order: str) -> tuple[Any, bool]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            return None, True
        document = json.loads(line)
        return document["answer"], document["ran"] == [order]


@pytest.fixture(params=["", "sk"], ids=["partition key", "sort key"])
def both(request: pytest.FixtureRequest, servers: Servers) -> Iterator[tuple[DynamoDBStore, Powertools, Any]]:
    url, table = servers.dynamodb(), servers.table(request.param)
    client = boto_client(url)
    layout, options = Layout(table), {}
    if request.param:
        layout = Layout(table, sort_key="sk", partition="idempotency#orders")
        options = {"sort_key_attr": "sk"}
    theirs = Powertools(url, table, options)

    def keys() -> list[str]:
        items = client.scan(TableName=table)["Items"]
        return sorted(item[layout.sort_key or layout.key]["S"] for item in items)

    yield DynamoDBStore(layout, client=client), theirs, keys
    theirs.process.communicate()
    client.close()


def claim_of(key: str, owner: str) -> Claim:
    return Claim(key=key, owner=owner, lease_ms=60_000, ttl_s=60)


def test_what_powertools_has_done_is_done_for_us_and_what_it_does_is_in_progress(
    both: tuple[DynamoDBStore, Powertools, Any],
) -> None:
    store, theirs, keys = both
    answer, ran = theirs.place("a")
    assert ran
    [key] = keys()
    record = store.claim(claim_of(key, "me"))
    assert record.is_completed
    assert restored(key, record.result) == answer == {"placed": "a", "items": [1, "two", None, 2.5]}
    assert [one.is_completed for one in store.claim_many([claim_of(key, "me"), claim_of("another", "me")])] == [
        True,
        False,
    ]
    theirs.place("dies")
    [dying] = [one for one in keys() if one not in (key, "another")]
    record = store.claim(claim_of(dying, "me"))
    assert (record.is_completed, record.owner) == (False, "")
    assert 0 < record.lease_until_ms < record.expires_at_ms


def test_what_we_have_done_is_done_for_powertools_and_what_we_do_is_in_progress(
    both: tuple[DynamoDBStore, Powertools, Any],
) -> None:
    store, theirs, keys = both
    theirs.place("a")
    [template] = keys()
    prefix = template.rpartition("#")[0]
    digests = {order: _md5(order) for order in "abc"}
    assert template == f"{prefix}#{digests['a']}"
    for order in "bc":
        key = f"{prefix}#{digests[order]}"
        assert store.claim(claim_of(key, "me")).owner == "me"
        assert theirs.place(order) == ("in progress", False)
        result = '{"placed":"by us"}' if order == "b" else "null"
        assert store.complete(Completion(key=key, owner="me", result=result, ttl_s=60)) is not None
        assert theirs.place(order) == (json.loads(result), False)


def _md5(order: str) -> str:
    from hashlib import md5

    return md5(json.dumps(order).encode(), usedforsecurity=False).hexdigest()

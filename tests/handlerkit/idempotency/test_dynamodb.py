"""DynamoDB: our signature against botocore's, credentials, faults on the wire, other tools' tables, clear errors."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from handlerkit import batch_handler
from handlerkit.batch import BatchFailedError
from handlerkit.events import SqsRecord
from handlerkit.idempotency import (
    AlreadyInProgressError,
    Claim,
    Completion,
    DynamoDBStore,
    Idempotency,
    PayloadMismatchError,
    Release,
    ResultNotKeptError,
    StoreError,
    idempotent,
)
from handlerkit.idempotency.credentials import CredentialsError, CredentialSource
from handlerkit.idempotency.dynamodb_client import BotoClient, LeanClient, ServiceError, UnreachableError
from handlerkit.idempotency.dynamodb_items import Layout
from handlerkit.idempotency.http_post import Endpoint
from handlerkit.idempotency.signing import Credentials, signed_headers
from handlerkit.testing import sqs_event
from tests.handlerkit.test_imports import loaded_by

from .stores_under_test import ENVIRON, START_MS, Clock, CountingClient, Servers, boto_client, lean_client

CLAIM = Claim(key="k", owner="a", lease_ms=10_000, ttl_s=60)
DONE = Completion(key="k", owner="a", result="1", ttl_s=60)


@pytest.mark.parametrize("token", ["", "session-token=="])
def test_our_signature_is_botocores(token: str) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as BotoCredentials

    body = '{"TableName":"ü"}'.encode()
    headers = {"content-type": "application/x-amz-json-1.0", "host": "dynamodb.eu-west-1.amazonaws.com"}
    headers["x-amz-target"] = "DynamoDB_20120810.PutItem"
    request = AWSRequest("POST", "https://dynamodb.eu-west-1.amazonaws.com/", headers=dict(headers), data=body)
    signer = SigV4Auth(BotoCredentials("AKID", "secret", token or None), "dynamodb", "eu-west-1")
    signer.add_auth(request)
    ours = signed_headers(
        headers, body, Credentials("AKID", "secret", token), "eu-west-1", "dynamodb", request.context["timestamp"]
    )
    assert ours["authorization"] == request.headers["Authorization"]


def test_the_lean_path_loads_neither_boto3_nor_what_it_stands_on(servers: Servers) -> None:
    environment = json.dumps({**ENVIRON, "AWS_ENDPOINT_URL": servers.dynamodb()})
    loaded = loaded_by(
        f"""
import os, json
os.environ.update(json.loads({environment!r}))
from handlerkit.idempotency import DynamoDBStore, idempotent
@idempotent(DynamoDBStore({servers.table()!r}), key="key")
def work(key):
    return key
assert work("a") == work("a") == "a"
"""
    )
    heavy = {"boto3", "botocore", "http.client", "urllib", "urllib3", "email", "ssl", "uuid", "asyncio", "typing"}
    assert not loaded & {*heavy, "dataclasses", "inspect", "threading", "logging", "datetime", "pydantic", "pathlib"}


def test_a_table_of_powertools_is_taken_over_as_it_is(servers: Servers, clock: Clock) -> None:
    table, client = servers.table(), boto_client(servers.dynamodb())
    store = DynamoDBStore(table, client=client, clock_ms=clock)
    now_s = START_MS // 1000

    def put(key: str, **attributes: Any) -> None:
        kinds = {name: {"S" if isinstance(value, str) else "N": str(value)} for name, value in attributes.items()}
        client.put_item(TableName=table, Item={"id": {"S": key}, **kinds})

    put("done", status="COMPLETED", expiration=now_s + 60, data='{"a": 1}', validation="d41d8cd98f00b204")
    put("null", status="COMPLETED", expiration=now_s + 60)
    put("over", status="COMPLETED", expiration=now_s)
    put("busy", status="INPROGRESS", expiration=now_s + 60, in_progress_expiration=START_MS + 1)
    put("dead", status="INPROGRESS", expiration=now_s + 60, in_progress_expiration=START_MS)
    put("locked", status="INPROGRESS", expiration=now_s + 60)
    put("unlocked", status="INPROGRESS", expiration=now_s)
    keys = ["done", "null", "over", "busy", "dead", "locked", "unlocked"]
    records = [store.claim(Claim(key=key, owner="me", lease_ms=1_000, ttl_s=60)) for key in keys]
    mine = [record.key for record in records if record.owner == "me"]
    assert mine == ["over", "dead", "unlocked"]
    assert (records[0].is_completed, records[0].result) == (True, '{"a": 1}')
    assert (records[1].is_completed, records[1].result) == (True, "")
    client.close()


def test_another_tools_fingerprint_is_not_held_against_ours(servers: Servers, clock: Clock) -> None:
    table, client = servers.table(), boto_client(servers.dynamodb())
    store = DynamoDBStore(table, client=client, clock_ms=clock)

    @idempotent(store, key="key", payload=lambda key, amount: amount)
    def work(key: str, amount: int) -> int:
        return amount

    assert work("k", 1) == 1
    with pytest.raises(PayloadMismatchError):
        work("k", 2)
    [item] = client.scan(TableName=table)["Items"]
    client.put_item(TableName=table, Item={**item, "validation": {"S": "d41d8cd98f00b204e9800998ecf8427e"}})
    assert work("k", 2) == 1
    client.put_item(TableName=table, Item={name: value for name, value in item.items() if name != "data"})
    with pytest.raises(ResultNotKeptError):
        work("k", 1)
    client.close()


def test_a_table_with_a_sort_key_and_names_of_its_own_is_served(servers: Servers, clock: Clock) -> None:
    layout = Layout(
        servers.table("sk"), sort_key="sk", partition="idempotency#orders", status="state", owner="who", data="result",
        expiry="ttl", lease="lease_ms", validation="print",
    )  # fmt: skip
    lean = lean_client(servers.dynamodb())
    store = DynamoDBStore(layout, client=lean, clock_ms=clock)
    assert store.claim(CLAIM).owner == "a"
    assert store.complete(DONE) is not None
    assert store.claim(CLAIM).result == "1"
    assert [one.owner for one in store.claim_many([CLAIM, Claim(key="l", owner="b", lease_ms=1, ttl_s=1)])] == [
        "a",
        "b",
    ]
    store.release(Release(key="l", owner="b"))
    lean.close()
    with pytest.raises(ValueError, match="two attributes of one name"):
        Layout("t", key="id", sort_key="id")


def test_a_missing_table_is_named(servers: Servers) -> None:
    store = DynamoDBStore("nowhere", client=lean_client(servers.dynamodb()))
    for call in (
        lambda: store.claim(CLAIM),
        lambda: store.complete(DONE),
        lambda: store.release(Release(key="k", owner="a")),
        lambda: store.claim_many([CLAIM, Claim(key="l", owner="b", lease_ms=1, ttl_s=1)]),
    ):
        with pytest.raises(StoreError, match=r"DynamoDB table 'nowhere'.*no such table.*`handlerkit idem") as caught:
            call()
        assert not caught.value.outcome_is_unknown


class Scripted:
    """A client that raises what it is told, once each."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.actions: list[str] = []

    def call(self, action: str, parameters: dict[str, Any], /) -> dict[str, Any]:
        self.actions.append(action)
        if self.errors:
            raise self.errors.pop(0)
        return {}


def test_a_missing_permission_names_the_actions_that_are_needed() -> None:
    denied = ServiceError("AccessDeniedException", "User is not authorized to perform dynamodb:PutItem", {})
    with pytest.raises(StoreError, match=r"needs dynamodb:PutItem, .* and GetItem on this table; `handlerkit"):
        DynamoDBStore("t", client=Scripted(denied)).claim(CLAIM)
    refused = ServiceError("ConditionalCheckFailedException", "", {})
    with pytest.raises(StoreError, match="GetItem is not allowed"):
        DynamoDBStore("t", client=Scripted(refused, denied)).claim(CLAIM)


def test_no_answer_is_an_unknown_outcome() -> None:
    with pytest.raises(StoreError, match="PutItem got no answer: gone") as caught:
        DynamoDBStore("t", client=Scripted(UnreachableError("gone"))).claim(CLAIM)
    assert caught.value.outcome_is_unknown


def test_a_record_that_vanishes_between_refusal_and_read_is_claimed_again() -> None:
    refused = ServiceError("ConditionalCheckFailedException", "", {})

    class Vanishing:
        puts = 0

        def call(self, action: str, parameters: dict[str, Any], /) -> dict[str, Any]:
            if action == "PutItem":
                self.puts += 1
                if self.puts <= self.refusals:
                    raise refused
            return {}

        def __init__(self, refusals: int) -> None:
            self.refusals = refusals

    assert DynamoDBStore("t", client=Vanishing(2)).claim(CLAIM).owner == "a"
    with pytest.raises(StoreError, match="changes hands faster"):
        DynamoDBStore("t", client=Vanishing(3)).claim(CLAIM)


def test_an_item_of_another_kind_is_refused() -> None:
    detail = {"Item": {"id": {"S": "k"}, "status": {"S": "shipped"}}}
    with pytest.raises(StoreError, match="status 'shipped': is this table another's") as caught:
        DynamoDBStore("t", client=Scripted(ServiceError("ConditionalCheckFailedException", "", detail))).claim(CLAIM)
    assert not caught.value.outcome_is_unknown  # the condition kept what is there


def cancelled(*reasons: str) -> ServiceError:
    return ServiceError("TransactionCanceledException", "", {"CancellationReasons": [{"Code": one} for one in reasons]})


@pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"])
def test_a_transaction_that_is_throttled_or_in_conflict_is_taken_apart(reason: str) -> None:
    client = Scripted(cancelled("None", reason))
    store = DynamoDBStore("t", client=client)
    claims = [Claim(key=key, owner="me", lease_ms=1_000, ttl_s=60) for key in "ab"]
    assert [one.owner for one in store.claim_many(claims)] == ["me", "me"]
    client.errors = [cancelled(reason, "None")]
    done = [Completion(key=key, owner="me", result="1", ttl_s=60) for key in "ab"]
    assert [one is not None and one.is_completed for one in store.complete_many(done)] == [True, True]
    assert client.errors == []
    one_by_one = [["TransactWriteItems", action, action] for action in ("PutItem", "UpdateItem")]
    assert client.actions == [*one_by_one[0], *one_by_one[1]]


def test_throttling_that_lasts_is_an_error_with_the_table_and_nothing_ran() -> None:
    throttled = ServiceError("ThrottlingException", "Rate exceeded", {})
    ran: list[str] = []

    store = DynamoDBStore("t", client=Scripted(*[throttled] * 9))

    @batch_handler(idempotency=Idempotency(store, key=lambda record: record.body))
    def handler(record: SqsRecord[str]) -> None:
        ran.append(record.body)

    with pytest.raises(BatchFailedError, match="table 't': TransactWriteItems was refused: ThrottlingException"):
        handler(sqs_event(["a", "b"]))
    assert ran == []


def test_what_is_no_client_is_refused() -> None:
    with pytest.raises(TypeError, match="not a resource or table"):
        DynamoDBStore("t", client=object())
    with pytest.raises(TypeError, match="knows its region"):
        DynamoDBStore("t", client=Scripted(), region="eu-west-1")


class Faulty:
    """Fails the request with a number, before or after its effect; counts them all."""

    def __init__(self, number: int, when: str, error: Callable[[], Exception]) -> None:
        self.number, self.when, self.error, self.seen = number, when, error, 0

    def __call__(self, when: str, action: str) -> None:
        self.seen += when == "before"
        if when == self.when and self.seen == self.number:
            raise self.error()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_after_a_fault_on_any_request_no_effect_is_repeated_that_was_acknowledged(
    servers: Servers, clock: Clock, when: str, number: int, caplog: Any
) -> None:
    lean = lean_client(servers.dynamodb())
    fault = Faulty(number, when, lambda: UnreachableError("lost"))
    store = DynamoDBStore(servers.table(), client=CountingClient(lean, fault), clock_ms=clock)
    effects: list[str] = []

    @idempotent(store, key="key", lease_s=10)
    def work(key: str) -> str:
        effects.append(key)
        return "done"

    acknowledged = 0
    for _ in range(4):
        try:
            assert work("k") == "done"
            acknowledged += 1
        except StoreError:
            assert effects in ([], ["k"])
        except AlreadyInProgressError:
            pass
    unwritten = "could not be written" in caplog.text
    assert len(effects) == (0 if when == "after" and number == 1 else 1)
    assert unwritten == (number == 2)
    clock.move(10_000)
    assert work("k") == "done"
    # The limit: an effect whose completion never arrived is repeated when its lease is over.
    assert len(effects) == (2 if number == 2 and when == "before" else 1)
    lean.close()


@contextmanager
def server_of(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, one per connection, and keeps the requests."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(10)
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65_536)
                head, _, body = data.partition(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                while len(body) < length:
                    body += connection.recv(65_536)
                requests.append(head + b"\r\n\r\n" + body)
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        thread.join(20)
        listener.close()


def answer(body: bytes, status: str = "200 OK", head: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


@pytest.mark.parametrize(
    "fault",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        answer(b"no json"),
        answer(b"<html>", "502 Bad Gateway"),
        answer(b'{"__type":"com.amazon.coral.availability#ThrottlingException"}', "400 Bad Request"),
        answer(b'{"__type":"x#ProvisionedThroughputExceededException"}', "400 Bad Request"),
        answer(b'{"__type":"x#InternalServerError"}', "500 Internal Server Error"),
    ],
)
def test_a_request_is_sent_again_after_a_fault_on_the_wire(fault: bytes) -> None:
    pauses: list[float] = []
    with server_of(fault, answer(b'{"ok":1}')) as (url, requests):
        client = LeanClient(endpoint_url=url, environ=ENVIRON, pause=pauses.append, timeout_s=10)
        assert client.call("PutItem", {"a": 1}) == {"ok": 1}
        client.close()
    assert requests[0].partition(b"\r\n\r\n")[2] == requests[1].partition(b"\r\n\r\n")[2] == b'{"a":1}'
    assert len(pauses) == 1
    assert 0.025 <= pauses[0] <= 0.05


def test_a_chunked_answer_is_read() -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3;x=y\r\n:1}\r\n0\r\n\r\n'
    with server_of(chunked) as (url, _):
        client = LeanClient(endpoint_url=url, environ=ENVIRON)
        assert client.call("PutItem", {}) == {"a": 1}
        client.close()


def test_after_four_attempts_the_fault_is_told() -> None:
    pauses: list[float] = []
    with server_of(*[answer(b"", "503 Service Unavailable")] * 4) as (url, requests):
        client = LeanClient(endpoint_url=url, environ=ENVIRON, pause=pauses.append)
        with pytest.raises(ServiceError, match="503"):
            client.call("PutItem", {})
        client.close()
    assert len(requests) == 4
    assert [0.5 <= pause / nominal <= 1 for pause, nominal in zip(pauses, (0.05, 0.1, 0.2), strict=True)] == [True] * 3


def test_nobody_there_is_said_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = LeanClient(endpoint_url=f"http://127.0.0.1:{port}", environ=ENVIRON, pause=lambda _: None)
    with pytest.raises(StoreError, match=rf"'t': PutItem got no answer: 127.0.0.1:{port}: ConnectionRefusedError"):
        DynamoDBStore("t", client=client).claim(CLAIM)


def test_a_connection_is_kept_and_replaced_once_the_server_has_closed_it(servers: Servers) -> None:
    with server_of(answer(b"{}"), answer(b'{"second":1}')) as (url, requests):
        client = LeanClient(endpoint_url=url, environ=ENVIRON)
        assert client.call("GetItem", {}) == {}
        assert client.call("GetItem", {}) == {"second": 1}
        client.close()
    assert len(requests) == 2


def test_a_region_and_an_endpoint_come_from_the_environment() -> None:
    places = [
        ({"AWS_REGION": "eu-west-1"}, "dynamodb.eu-west-1.amazonaws.com"),
        ({"AWS_DEFAULT_REGION": "cn-north-1"}, "dynamodb.cn-north-1.amazonaws.com.cn"),
        ({"AWS_REGION": "x", "AWS_ENDPOINT_URL": "http://localhost:4566"}, "localhost:4566"),
        ({"AWS_REGION": "x", "AWS_ENDPOINT_URL_DYNAMODB": "http://[::1]:8000/", "AWS_ENDPOINT_URL": "y"}, "[::1]:8000"),
    ]
    for environ, authority in places:
        assert LeanClient(environ=environ)._found_place()[1].authority == authority
    with pytest.raises(ServiceError, match="no AWS region"):
        LeanClient(environ={}).call("GetItem", {})
    with pytest.raises(ServiceError, match="no AWS credentials"):
        LeanClient(environ={"AWS_REGION": "x"}).call("GetItem", {})
    for wrong in ("localhost:8000", "ftp://x", "https://"):
        with pytest.raises(ValueError, match="is no address"):
            Endpoint(wrong)


CREDENTIALS = {"AccessKeyId": "AKID", "SecretAccessKey": "s", "Token": "t", "Expiration": "2026-01-01T01:00:00Z"}
ISSUED_S = 1_767_225_600.0  # an hour before


def test_credentials_of_the_container_endpoint_are_kept_and_renewed_before_they_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret token\n")
    now = [ISSUED_S]
    second = {**CREDENTIALS, "AccessKeyId": "AKID2", "Expiration": None}
    answers = [answer(json.dumps(one).encode()) for one in (CREDENTIALS, second)]
    with server_of(answers[0], answer(b"", "500 Oops"), answers[1]) as (url, requests):
        environ = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/role?x=1",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        }
        source = CredentialSource(environ, clock_s=lambda: now[0])
        assert (source.current().access_key, source.current().token) == ("AKID", "t")
        now[0] += 3600 - 900
        assert source.current().access_key == "AKID"  # the endpoint failed, and these are still good
        assert source.current().access_key == "AKID2"
        assert source.current().access_key == "AKID2"
    assert b"GET /role?x=1 HTTP/1.1" in requests[0]
    assert b"authorization: secret token\r\n" in requests[0]
    assert "AKID2" not in repr(source.current())


NOBODY = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"}


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no AWS credentials"),
        ({"AWS_ACCESS_KEY_ID": "only"}, "no AWS credentials"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"}, "not asked for at example.com"),
        ({**NOBODY, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nb"}, "line break"),
        ({**NOBODY, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/no/file"}, "token file"),
        (NOBODY, "does not answer"),
    ],
)  # fmt: skip
def test_credentials_that_cannot_be_had_are_said_to_be_missing(environ: dict[str, str], said: str) -> None:
    with pytest.raises(CredentialsError, match=said):
        CredentialSource(environ).current()


@pytest.mark.parametrize(
    ("status", "body"), [("404 No", b"{}"), ("200 OK", b"{}"), ("200 OK", b"["), ("200 OK", b"[]")]
)
def test_an_endpoint_that_gives_no_credentials_is_refused(status: str, body: bytes) -> None:
    with server_of(answer(body, status)) as (url, _), pytest.raises(CredentialsError):
        CredentialSource({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url}).current()


def test_a_forked_child_opens_connections_of_its_own() -> None:
    with server_of(answer(b"{}"), answer(b"{}")) as (url, requests):
        client = LeanClient(endpoint_url=url, environ=ENVIRON)
        client.call("GetItem", {})
        assert client._place is not None
        connections = client._place[2]
        [kept] = connections._idle
        connections._process = os.getpid() + 1  # as if this were the child
        client.call("GetItem", {})
        assert kept not in connections._idle
        assert kept.fileno() > 0, "the parent's connection is the parent's to close"
        kept.close()
        client.close()
    assert len(requests) == 2


def test_errors_of_boto3_are_told_apart() -> None:
    import botocore.exceptions

    class Client:
        error: Exception

        def put_item(self, **_: Any) -> None:
            raise self.error

        get_item = update_item = delete_item = transact_write_items = put_item

    client = Client()
    cases: list[tuple[Exception, type[Exception], str]] = [
        (botocore.exceptions.NoCredentialsError(), ServiceError, "NoCredentials"),
        (botocore.exceptions.ParamValidationError(report="Unknown"), ServiceError, "ValidationException"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="x"), UnreachableError, "EndpointConnectionError"),
        (botocore.exceptions.ClientError({"Error": {"Code": "X", "Message": "m"}}, "PutItem"), ServiceError, "X: m"),
        (KeyError("a bug"), KeyError, "a bug"),
    ]
    for client.error, kind, said in cases:
        with pytest.raises(kind, match=said):
            BotoClient(client).call("PutItem", {})

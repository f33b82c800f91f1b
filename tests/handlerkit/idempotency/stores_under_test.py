"""The stores that every test of the contract runs on, with a clock that tests move."""

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handlerkit.idempotency import DynamoDBStore, MemoryStore, SQLiteStore, Store
from handlerkit.idempotency.dynamodb_client import BotoClient, LeanClient, ServiceError

START_MS = 1_790_000_000_000
ENVIRON = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}


class Clock:
    """Milliseconds that stand still until they are moved."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def move(self, milliseconds: int) -> None:
        self.now_ms += milliseconds


def boto_client(url: str) -> Any:
    """boto3's client for a server here."""
    import boto3
    from botocore.config import Config

    session = boto3.Session(
        aws_access_key_id=ENVIRON["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ENVIRON["AWS_SECRET_ACCESS_KEY"],
        region_name=ENVIRON["AWS_REGION"],
    )
    return session.client("dynamodb", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))


def make_table(url: str, name: str, sort_key: str = "") -> None:
    """A table with the default layout, or with a sort key."""
    keys = [("id", "HASH")] + ([(sort_key, "RANGE")] if sort_key else [])
    client = boto_client(url)
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    client.close()


class CountingClient:
    """Passes requests on and counts them; `fault` may raise before a request or after its effect."""

    def __init__(self, inner: Any, fault: Callable[[str, str], None] | None = None) -> None:
        self.inner = inner
        self.actions: list[str] = []
        self.fault = fault

    def call(self, action: str, parameters: dict[str, Any], /) -> dict[str, Any]:
        self.actions.append(action)
        if self.fault is not None:
            self.fault("before", action)
        answer: dict[str, Any] = self.inner.call(action, parameters)
        if self.fault is not None:
            self.fault("after", action)
        return answer


class OldEngine:
    """A compatible engine that has no transactions and does not return the old item."""

    def __init__(self, inner: Any, *, refuses_parameter: bool = False) -> None:
        self.inner = inner
        self.refuses_parameter = refuses_parameter

    def call(self, action: str, parameters: dict[str, Any], /) -> dict[str, Any]:
        if action == "TransactWriteItems":
            raise ServiceError("UnknownOperationException", "", {})
        if "ReturnValuesOnConditionCheckFailure" in parameters:
            if self.refuses_parameter:
                raise ServiceError("ValidationException", "Unknown: ReturnValuesOnConditionCheckFailure", {})
            parameters = {**parameters}
            del parameters["ReturnValuesOnConditionCheckFailure"]
        try:
            answer: dict[str, Any] = self.inner.call(action, parameters)
        except ServiceError as error:
            error.detail.pop("Item", None)
            raise
        return answer


def lean_client(url: str) -> LeanClient:
    """Our own client for a server here."""
    return LeanClient(endpoint_url=url, environ=ENVIRON, timeout_s=60)  # no repeated requests on a busy machine


@contextmanager
def store_of(kind: str, clock: Clock, tmp_path: Path, servers: "Servers") -> Iterator[Store]:
    """An empty store of a kind."""
    if kind == "memory":
        yield MemoryStore(clock_ms=clock)
    elif kind == "sqlite":
        sqlite = SQLiteStore(tmp_path / "idempotency.db", clock_ms=clock)
        yield sqlite
        sqlite.close()
    elif kind == "redis":
        with redis_store(servers.redis(), clock) as store:
            yield store
    else:
        yield from _dynamodb(kind, clock, servers)


def _dynamodb(kind: str, clock: Clock, servers: "Servers") -> Iterator[Store]:
    url, table = servers.dynamodb(), servers.table()
    lean = lean_client(url)
    boto = boto_client(url) if kind == "dynamodb-boto3" else None
    client = {
        "dynamodb": lean,
        "dynamodb-boto3": BotoClient(boto) if boto else None,
        "dynamodb-old-engine": OldEngine(lean),
        "dynamodb-older-engine": OldEngine(lean, refuses_parameter=True),
    }[kind]
    yield DynamoDBStore(table, client=client, clock_ms=clock)
    lean.close()
    if boto is not None:
        boto.close()


@contextmanager
def redis_store(address: str, clock: Callable[[], int] | None = None) -> Iterator[Store]:
    """An empty Redis store."""
    import redis

    from handlerkit.idempotency import RedisStore

    client = redis.Redis(unix_socket_path=address)
    client.flushall()
    yield RedisStore(client, clock_ms=clock)
    client.close()


STORES = ["memory", "sqlite", "dynamodb", "dynamodb-boto3", "dynamodb-old-engine", "dynamodb-older-engine", "redis"]


class Servers:
    """moto and Redis, started when first asked for."""

    def __init__(self) -> None:
        self._moto: Any = None
        self._redis: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._tables = 0

    def dynamodb(self) -> str:
        """The address of moto's server."""
        if self._moto is None:
            self._moto = _moto_server()
        return f"http://127.0.0.1:{self._moto.port}"

    def table(self, sort_key: str = "") -> str:
        """A new table's name."""
        self._tables += 1
        name = f"idempotency-{self._tables}"
        make_table(self.dynamodb(), name, sort_key)
        return name

    def redis(self) -> str:
        """The path of a Redis server's socket; the test is skipped where there is none to start."""
        import pytest

        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            pytest.skip("no redis-server: scripts/debian_packages.py could not install it")
        if self._redis is None:
            self._folder = tempfile.mkdtemp()
            path = f"{self._folder}/redis.sock"
            options = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", self._folder]
            self._redis = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
            _await_socket(path)
        return f"{self._folder}/redis.sock"

    def stop(self) -> None:
        """Stop what was started."""
        if self._moto is not None:
            self._moto.shutdown()
            self._moto.server_close()
        if self._redis is not None:
            self._redis.terminate()
            self._redis.wait()
            shutil.rmtree(self._folder)


def _moto_server() -> Any:
    """moto, one request after the other: it undoes a cancelled transaction by putting back the whole table as it was,
    with what others have written meanwhile lost. DynamoDB does not."""
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    inner, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

    class Handler(MotoRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        with lock:
            return list(inner(environ, start))

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


def _await_socket(path: str) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(path)
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)

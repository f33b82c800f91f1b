"""A moto server as DynamoDB, in a process of its own, that counts what comes and goes: `python -m bench.dynamodb`.

It prints its port, and ends with its standard input. `GET /counts` gives the requests since the last time, and the
bytes of their bodies in both directions.
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self

from bench import parts

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
}


class DynamoDB:
    """The server while the context lasts. `environment` is what a function needs to find it."""

    def __init__(self) -> None:
        """Nothing runs yet. Raises `parts.MissingError` without moto and boto3."""
        missing = [name for name in ("moto", "flask", "boto3") if find_spec(name) is None]
        if missing:
            raise parts.MissingError(f"no {missing[0]} beside this bench: moto plays DynamoDB")

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.dynamodb"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=parts.ROOT
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        import boto3  # late: the server itself does without

        self._client = boto3.client(
            "dynamodb", endpoint_url=self.url, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="s"
        )
        self.environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.url}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self._process.communicate()

    def begin_anew(self, *tables: str) -> None:
        """Nothing but these tables, empty, in the layout that both sides know: moto copies all there is, each time."""
        urllib.request.urlopen(f"{self.url}/moto-api/reset", data=b"").close()
        for name in tables:
            self._client.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        self.counts()

    def counts(self) -> dict[str, int]:
        """`requests`, `received` and `sent` bytes since the last time."""
        with urllib.request.urlopen(f"{self.url}/counts") as answer:
            counts: dict[str, int] = json.load(answer)
        return counts


class Counting:
    """A WSGI application around another."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        """Nothing has been counted."""
        self._inner = inner
        self._counts = {"requests": 0, "received": 0, "sent": 0}

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Count and pass on."""
        if environ["PATH_INFO"] == "/counts":
            body = json.dumps(self._counts).encode()
            self._counts = dict.fromkeys(self._counts, 0)
            start("200 OK", [("content-type", "application/json"), ("content-length", str(len(body)))])
            return [body]
        answer = b"".join(self._inner(environ, start))
        self._counts["requests"] += 1
        self._counts["received"] += int(environ.get("CONTENT_LENGTH") or 0)
        self._counts["sent"] += len(answer)
        return [answer]


def serve() -> None:
    """Serve until standard input ends."""
    import logging
    from threading import Thread

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as DynamoDB keeps them

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Counting(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve()

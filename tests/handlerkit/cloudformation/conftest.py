"""A bucket that takes presigned PUTs: a real HTTP server that keeps what it was sent and answers as it is told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from handlerkit.testing import custom_resource_event


class Bucket:
    """`url` takes PUTs. `replies` are the statuses of the next ones (None: hang up), then always 200."""

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        self.taken: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.replies: list[int | None] = []
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bucket.requests.append({name.lower(): value for name, value in self.headers.items()})
                bucket.bodies.append(body)
                status = bucket.replies.pop(0) if bucket.replies else 200
                if status is None:
                    self.close_connection = True
                    return
                if status == 200:
                    bucket.taken.append(json.loads(body))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", bucket.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/answer?Signature=secret"

    def event(self, properties: Any = None, **given: Any) -> dict[str, Any]:
        """A request that is to be answered here."""
        return custom_resource_event(properties, **given) | {"ResponseURL": self.url}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    made = Bucket()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_bucket() -> Iterator[Bucket]:
    made = Bucket()
    yield made
    made.close()

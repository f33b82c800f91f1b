"""An AWS inside this process: moto behind HTTP on a free port of 127.0.0.1, for functions, pollers and tests alike.

    with EmbeddedAws() as aws, LocalLambda(function, clock=aws.clock, aws=aws.clients) as service:
        queue = aws.client("sqs").create_queue(QueueName="orders")

Its time is the clock that it follows. All state belongs to the process, so there is one at a time; `reset` empties it.
"""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Self

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.clock import Clock, RealClock
from lambda_emulator.direct_sources.hub import DirectSources, UndeliveredEvent
from lambda_emulator.errors import LocalLambdaError
from lambda_emulator.moto_gaps import MotoGaps
from lambda_emulator.moto_sources import MotoSources

__all__ = ["EmbeddedAws", "EmbeddedClients", "MotoMissing"]

_REGION: Final = "us-east-1"


class MotoMissing(LocalLambdaError, ImportError):  # noqa: N818 (it is what is wrong, said in two words)
    """moto, or what its server needs, is not installed."""


class EmbeddedClients(AwsClients):
    """Clients of an embedded AWS, whose events reach the functions of a `LocalLambda` that is made with them."""

    def __init__(self, *, endpoint_url: str, direct_sources: DirectSources) -> None:
        super().__init__(endpoint_url=endpoint_url)
        self.direct_sources = direct_sources

    keeps_fifo_order = True
    """`moto_gaps` sees to it; of a moto server elsewhere it is not true."""


class EmbeddedAws:
    """Runs from its making until `close`."""

    def __init__(self, *, clock: Clock | None = None, port: int = 0) -> None:
        """Follow this clock (None: the machine's); port 0 takes a free one.

        Raises `MotoMissing`, RuntimeError if there is one already, and `OSError` if the port is taken.
        """
        self.clock: Clock = clock or RealClock()
        self._gaps = MotoGaps(self._now_s)
        direct_sources = DirectSources()
        self._sources = MotoSources(direct_sources, self._now_s)
        self._server, self._connections = _make_server(port)
        try:
            self._gaps.mend()
            self._sources.mend()
        except BaseException:
            self._sources.restore()
            self._gaps.restore()
            self._server.server_close()
            raise
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="embedded-aws", daemon=True
        )
        self._thread.start()
        self.endpoint_url: str = f"http://127.0.0.1:{self._server.port}"
        self.clients: AwsClients = EmbeddedClients(endpoint_url=self.endpoint_url, direct_sources=direct_sources)
        """For `LocalLambda(aws=...)`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with which a function finds this AWS; credentials it has from the local Lambda."""
        return {"AWS_ENDPOINT_URL": self.endpoint_url}

    def client(self, service: str, region: str = _REGION) -> Any:
        """A boto3 client, made once."""
        return self.clients.client(service, region)

    def follow(self, clock: Clock) -> None:
        """Go by this clock from now on, as when each test has one of its own."""
        self.clock = clock

    def _now_s(self) -> float:
        return self.clock.time()

    def reset(self) -> None:
        """Delete everything: queues, streams, tables, buckets."""
        from moto.moto_api._internal.models import moto_api_backend  # late: as all of moto

        moto_api_backend.reset()
        self._sources.reset()

    @property
    def undelivered(self) -> list[UndeliveredEvent]:
        """Events of S3, SNS, EventBridge and schedules that their targets did not take, the last 1,000."""
        return self._sources.undelivered()

    def close(self) -> None:
        """Stop listening, delete everything, and leave moto as it was."""
        self.clients.close()
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._connections):
            _cut(connection)
        self._server.server_close()
        self.reset()
        self._sources.restore()
        self._gaps.restore()


def _make_server(port: int) -> "tuple[Any, set[socket.socket]]":
    try:
        # late: half a second, and only for whoever wants an AWS of his own
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
        from werkzeug.serving import ThreadedWSGIServer
    except ImportError as error:
        name = (error.name or "moto").partition(".")[0]
        raise MotoMissing(f"{name} is not installed: install handlerkit[emulator] to embed AWS") from error
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it has no other switch for its line about development
    connections: set[socket.socket] = set()

    class Quiet(MotoRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept: without, each call makes one
        disable_nagle_algorithm = True

        def setup(self) -> None:
            connections.add(self.request)
            super().setup()

        def finish(self) -> None:
            super().finish()
            connections.discard(self.request)

        def log(self, *_arguments: Any) -> None: ...

    application = _OneTableAtATime(DomainDispatcherApplication(create_backend_app))
    # Listening already: where a port is taken werkzeug would print advice and end the process.
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        server = ThreadedWSGIServer("127.0.0.1", port, application, handler=Quiet, fd=listener.fileno())
    return server, connections


class _OneTableAtATime:
    """A WSGI application that answers one request to DynamoDB after the other.

    moto checks a condition and writes in two steps, and undoes a cancelled transaction by putting back the table as it
    was before, with everybody else's writes lost: idempotency, locks and counters would break here and not on AWS.
    """

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self._inner = inner
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_"):
            return self._inner(environ, start)
        with self._lock:
            return list(self._inner(environ, start))


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # gone already
        connection.shutdown(socket.SHUT_RDWR)

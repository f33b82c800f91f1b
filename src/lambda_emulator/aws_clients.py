"""boto3 clients for what the local Lambda sends to and reads from: queues, topics, buses, streams. The one place.

Three kinds of AWS, and no fourth by accident:

- `AwsClients(endpoint_url="http://127.0.0.1:5000")`: a moto server or another emulator, with made-up credentials;
- `AwsClients()`: whatever boto3 finds by itself: inside moto's `mock_aws` that, else AWS with the caller's credentials;
- `AwsClients(session=boto3.Session(profile_name="dev"))`: that session's AWS.

boto3 blocks, so `call` runs it in a thread of its own; a call that waits (a long poll) holds one of `threads`.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from lambda_emulator.errors import LocalLambdaError

if TYPE_CHECKING:
    from lambda_emulator.direct_sources.hub import DirectSources

__all__ = ["AwsClients", "BotoMissing"]


class BotoMissing(LocalLambdaError, ImportError):  # noqa: N818 (it is what is wrong, said in two words)
    """boto3 is not installed."""


class AwsClients:
    """Clients by service and region, made when they are first asked for. May be used from any thread."""

    direct_sources: "DirectSources | None" = None
    """What brings events of this AWS to functions, where that is possible: an embedded one's."""

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        session: Any = None,
        make_client: Callable[..., Any] | None = None,
        threads: int = 32,
    ) -> None:
        """`make_client(service, region_name=..., config=...)` replaces boto3's own."""
        self._endpoint_url = endpoint_url
        self._session = session
        self._make_client = make_client
        self._threads = threads
        self._lock = threading.Lock()  # making clients of one session is not safe in threads
        self._clients: dict[tuple[str, str], Any] = {}
        self._executor: ThreadPoolExecutor | None = None

    def client(self, service: str, region: str) -> Any:
        """The client of, say, `sqs` in `us-east-1`. Raises `BotoMissing`."""
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._new(service, region)
            return self._clients[service, region]

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Any:
        """Call `operation` (`send_message`) in a thread. Raises what boto3 raises."""
        return await self.run(partial(self._call, service, region, operation, parameters))

    async def run(self, blocking: Callable[[], Any]) -> Any:
        """Run anything that blocks in one of the threads."""
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="local-lambda-aws")
        return await asyncio.get_running_loop().run_in_executor(self._executor, blocking)

    def close(self) -> None:
        """Close connections and threads; waits for calls that are running. May be used again afterwards."""
        with self._lock:
            executor, self._executor = self._executor, None
            clients, self._clients = list(self._clients.values()), {}
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)
        for client in clients:
            client.close()

    def _call(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> Any:
        return getattr(self.client(service, region), operation)(**parameters)

    def _new(self, service: str, region: str) -> Any:
        try:
            import boto3  # late: 200 ms, and only for functions that send somewhere
            from botocore.config import Config
        except ImportError as error:
            raise BotoMissing(
                "boto3 is not installed: install handlerkit[emulator] to use queues, topics, streams and buses"
            ) from error
        config = Config(
            max_pool_connections=self._threads,
            retries={"mode": "standard", "max_attempts": 2},
            # An account's own endpoint for DynamoDB streams is none that moto's mock_aws knows.
            account_id_endpoint_mode="disabled",
        )
        if self._make_client is not None:
            return self._make_client(service, region_name=region, config=config)
        if self._endpoint_url is None:
            session = self._session or boto3.Session()
            return session.client(service, region_name=region, config=config)
        session = self._session or boto3.Session(aws_access_key_id="local", aws_secret_access_key="local")  # noqa: S106
        return session.client(service, region_name=region, endpoint_url=self._endpoint_url, config=config)

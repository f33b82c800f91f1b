"""Brings events to one subscriber: POSTs of JSON arrays, or lines of JSON over one TCP connection, on loopback.

One batch is under way at a time, for as long as the subscriber takes: it may be frozen. A batch that is refused is
tried a few times and then counted as dropped, of which the subscriber is told.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

import h11

from lambda_emulator import platform_events
from lambda_emulator.telemetry_batch import Batches
from lambda_emulator.telemetry_subscription import Destination, Subscription

__all__ = ["Delivery"]

_ATTEMPTS = 5
_RETRY_S = 0.1
_READ_BYTES = 64 * 1024


class Delivery:
    """Runs from its making until `close`."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self._batches = Batches(subscription)
        self._came = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._hurry = False
        self._writer: asyncio.StreamWriter | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    def add(self, event: Mapping[str, Any]) -> None:
        """The next event."""
        self._batches.add(json.dumps(event, separators=(",", ":")).encode(), time.monotonic())
        self._empty.clear()
        self._came.set()

    async def flush(self, timeout_s: float) -> None:
        """Deliver what is there without waiting for more, as far as the time goes."""
        self._hurry = True
        self._came.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()

    async def close(self) -> None:
        """Stop; what is not delivered is lost."""
        self._task.cancel()
        await asyncio.wait([self._task])
        if self._writer is not None:
            self._writer.transport.abort()

    async def _run(self) -> None:
        while True:
            await self._until_due()
            batch = self._batches.take()
            if not await self._deliver(batch):
                self._batches.drop(batch)
            dropped = self._batches.take_dropped()
            if dropped.records:
                reason = "the subscriber did not take its events"
                self.add(platform_events.logs_dropped(reason, dropped.records, dropped.size_bytes).envelope())
            elif not self._batches:
                self._empty.set()

    async def _until_due(self) -> None:
        while True:
            self._came.clear()
            wait_s = self._batches.due_in_s(time.monotonic())
            if wait_s is not None and (wait_s <= 0 or self._hurry):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._came.wait()

    async def _deliver(self, batch: list[bytes]) -> bool:
        destination = self.subscription.destination
        for attempt in range(_ATTEMPTS):
            with contextlib.suppress(OSError, h11.RemoteProtocolError):
                if destination.path is None:
                    await self._send_lines(destination.port, batch)
                    return True
                if 200 <= await _post(destination, b"[%b]" % b",".join(batch)) < 300:
                    return True
            await asyncio.sleep(_RETRY_S * (attempt + 1))
        return False

    async def _send_lines(self, port: int, batch: list[bytes]) -> None:
        if self._writer is None or self._writer.is_closing():
            _, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._writer.write(b"".join(event + b"\n" for event in batch))
        await self._writer.drain()


async def _post(destination: Destination, body: bytes) -> int:
    """The status. Raises OSError, or h11's error for an answer that is no HTTP."""
    reader, writer = await asyncio.open_connection("127.0.0.1", destination.port)
    try:
        connection = h11.Connection(h11.CLIENT)
        headers = [
            ("host", f"sandbox.localdomain:{destination.port}"),
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        head = h11.Request(method="POST", target=destination.path or "/", headers=headers)
        writer.write((connection.send(head) or b"") + (connection.send(h11.Data(data=body)) or b""))
        await writer.drain()
        connection.send(h11.EndOfMessage())
        while not isinstance(event := connection.next_event(), h11.Response):
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(_READ_BYTES))
            elif not isinstance(event, h11.InformationalResponse):
                raise ConnectionError("no answer")
        return event.status_code
    finally:
        writer.transport.abort()

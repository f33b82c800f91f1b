"""Worker threads: one connection and one loop each, one handler for all. Loaded only for that.

What belongs to an invocation is found through its context variable: its logs, its printed lines, and its trace id,
which `os.environ` shows to each thread and task as its own.
"""

import threading
import time

from . import attributed_output, protocol
from .errors import PlatformError, Terminated
from .extension import register_for_sigterm
from .initialisation import load_or_report
from .invocation import current
from .workers import STOP_S, WorkerClient, poll_persistently, shut_down

__all__ = ["serve"]


def serve(name: str, settings: "Settings", output: "Output", client: "RuntimeClient", count: int) -> int:
    """Serve with `count` threads until SIGTERM (0), or until none is left (1)."""
    output.belongs_to_context = True
    attributed_output.install(output)
    _show_trace_ids_by_context()
    function = load_or_report(name, settings, output, client)
    if function is None:
        return 1
    client.close()
    waiting = register_for_sigterm(client)
    if settings.concurrency == "asyncio":
        from .one_loop import serve_on_one_loop  # late: 29 ms for asyncio

        return serve_on_one_loop(function, client, count)
    function.waiter = _SharedLoop()
    clients = [WorkerClient(client) for _ in range(count)]
    workers = [
        threading.Thread(target=_work, args=(client, function, index), name=f"runtime-{index}", daemon=True)
        for index, client in enumerate(clients)
    ]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            # A join without a limit cannot be interrupted by a signal on every platform.
            while worker.is_alive():
                worker.join(0.1)
    except Terminated:
        for one in clients:
            one.stop()
        ends_at = time.monotonic() + STOP_S / 2
        for worker in workers:
            worker.join(max(0.0, ends_at - time.monotonic()))
        shut_down(function)
        output.flush()
        return 0
    finally:
        if waiting is not None:
            waiting.close()
    return 1


def _work(client: WorkerClient, function: "Function", index: int) -> None:
    try:
        poll_persistently(client, function, _nothing)
    except PlatformError as error:
        client.warn(f"worker {index}: {error}")
    except Terminated:
        pass


def _nothing(_trace_id: "str | None") -> None:
    """The trace id is shown by context; there is nothing to set."""


class _SharedLoop:
    """One event loop for the awaitables of all threads, made when the first one comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: LoopElsewhere | None = None

    def wait_for(self, awaitable: "Awaitable[Any]") -> "Any":
        """The awaitable's result, or its exception."""
        with self._lock:
            if self._loop is None:
                from .waiting import LoopElsewhere  # late: 29 ms for asyncio

                self._loop = LoopElsewhere.in_a_thread()
        return self._loop.wait_for(awaitable)

    def close(self) -> None:
        """Stop the loop, if there is one."""
        if self._loop is not None:
            self._loop.close()


class _Variables(dict[bytes, bytes]):
    """The environment, with the trace id of whatever invocation asks."""

    __lambda_by_context__ = True
    """For a framework that would not believe the variable in any thread but the main one."""
    _TRACE_ID = protocol.ENV_TRACE_ID.encode()

    def __getitem__(self, name: bytes) -> bytes:
        if name != self._TRACE_ID:
            return super().__getitem__(name)
        invocation = current.get(None)
        if invocation is None or invocation.trace_id is None:
            raise KeyError(name)
        return invocation.trace_id.encode("latin-1", "replace")  # as it came in its header


def _show_trace_ids_by_context() -> None:
    import os

    views: list[Any] = [os.environ, os.environb]
    variables = _Variables(views[0]._data)  # a private name, as in `environ`, which says why
    for view in views:
        view._data = variables


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from .client import RuntimeClient
    from .environ import Settings
    from .function import Function
    from .output import Output
    from .waiting import LoopElsewhere

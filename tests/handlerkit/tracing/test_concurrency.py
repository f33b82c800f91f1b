"""No span in another invocation's trace: threads, tasks and processes, interleaved in any order."""

import asyncio
import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context as Variables
from contextvars import copy_context
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlerkit.scope import in_scope
from handlerkit.tracing import span, traced
from lambda_emulator import Trace, XRayDaemon

from .conftest import Context, Invocation, header

STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["open", "close", "fail", "traced"])), min_size=1, max_size=30
)


def check(trace: Trace, mark: int) -> None:
    """Every span says of which invocation it is; it must be this one, and all must hang together."""
    (root,) = trace.roots
    assert root.name == "## handler"
    for node in root.walk():
        if node is not root:
            assert node.annotations == {"mark": mark}


class Interleaved:
    """An invocation that goes one step at a time, in a context of its own, as a task or a thread would."""

    def __init__(self, mark: int) -> None:
        self.mark = mark
        self.header = header(sampled="0" if mark == 3 else "1")
        self.variables = Variables()
        self.open: list[Any] = []
        self.go, self.done = threading.Semaphore(0), threading.Semaphore(0)
        self.action = ""
        self.thread = threading.Thread(target=self.variables.run, args=(self.run,))

    def run(self) -> None:
        def handler(*_: Any) -> None:
            while True:
                self.go.acquire()
                if self.action == "end":
                    return
                self.step(self.action)
                self.done.release()

        handler.__qualname__ = "handler"
        in_scope(handler, handler, {}, Context(self.header))
        self.done.release()

    def step(self, action: str) -> None:
        if action == "open":
            self.open.append(span("work", mark=self.mark).__enter__())
        elif action == "traced":
            traced(name="traced", mark=self.mark)(lambda: None)()
        elif self.open and action == "close":
            self.open.pop().__exit__(None, None, None)
        elif self.open:
            error = ValueError(str(self.mark))
            self.open.pop().__exit__(type(error), error, None)

    def do(self, action: str) -> None:
        self.action = action
        self.go.release()
        assert self.done.acquire(timeout=20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_interleaved_invocations_in_threads_never_mix(invocation: Invocation, steps: list[tuple[int, str]]) -> None:
    invocations = [Interleaved(mark) for mark in range(4)]
    for one in invocations:
        one.thread.start()
    for who, action in steps:
        invocations[who].do(action)
    for one in invocations:
        one.do("end")
        one.thread.join()
    for one in invocations[:3]:
        check(invocation.trace(one.header), one.mark)
    assert invocation.trace(invocations[3].header).documents == ()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(naps=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=2, max_size=6))
def test_interleaved_invocations_in_tasks_never_mix(invocation: Invocation, naps: list[list[int]]) -> None:
    headers = [header() for _ in naps]

    @traced(name="step")
    async def step(mark: int, nap: int) -> None:
        from handlerkit.tracing import annotate

        annotate(mark=mark)
        for _ in range(nap):
            await asyncio.sleep(0)

    async def invoked(mark: int) -> None:
        # The scope of an asynchronous handler is around its task; here the task is the invocation.
        from handlerkit.scope import Opened

        def handler() -> None: ...

        handler.__qualname__ = "handler"
        with Opened(handler, {}, Context(headers[mark])):
            for nap in naps[mark]:
                async with span("outer", mark=mark):
                    await asyncio.gather(step(mark, nap), step(mark, 3 - nap))

    async def all_of_them() -> None:
        await asyncio.gather(*(invoked(mark) for mark in range(len(naps))))

    asyncio.run(all_of_them())
    for mark, given_header in enumerate(headers):
        trace = invocation.trace(given_header)
        check(trace, mark)
        assert len(trace.documents) == 1 + 3 * len(naps[mark])


def test_many_threads_at_full_speed_never_mix(invocation: Invocation) -> None:
    def invoked(mark: int) -> str:
        given_header = header()

        def body() -> None:
            for _ in range(5):
                with span("outer", mark=mark), ThreadPoolExecutor(2) as pool:
                    for _ in range(3):
                        pool.submit(copy_context().run, lambda: span("inner", mark=mark).end())

        Variables().run(invocation.run, body, given_header)
        return given_header

    with ThreadPoolExecutor(8) as pool:
        headers = list(pool.map(invoked, range(24)))
    for mark, given_header in enumerate(headers):
        trace = invocation.trace(given_header)
        check(trace, mark)
        assert len(trace.documents) == 21


def _in_a_process(mark: int, given_header: str) -> None:
    def handler(*_: Any) -> None:
        for _number in range(10):
            with span("work", mark=mark):
                pass

    handler.__qualname__ = "handler"
    in_scope(handler, handler, {}, Context(given_header))
    os._exit(0)


def test_forked_processes_share_the_socket_and_never_mix_or_repeat_ids(daemon: XRayDaemon) -> None:
    invocation = Invocation(daemon)
    invocation(lambda: None)  # the socket is open before the fork
    headers = [header() for _ in range(4)]
    processes = [
        multiprocessing.get_context("fork").Process(target=_in_a_process, args=(mark, given_header))
        for mark, given_header in enumerate(headers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    ids = set()
    for mark, given_header in enumerate(headers):
        trace = invocation.trace(given_header)
        check(trace, mark)
        assert len(trace.documents) == 11
        ids |= {document["id"] for document in trace.documents}
    assert len(ids) == 44

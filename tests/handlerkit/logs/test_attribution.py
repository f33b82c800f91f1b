"""No line is attributed to another invocation, however threads, tasks and invocations are interleaved."""

from __future__ import annotations

import asyncio
import contextvars
import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from handlerkit import event_handler
from handlerkit.logs import bind, bound, clear, set_correlation_id, unbind
from handlerkit.testing import FakeContext

from .conftest import Log

# What a piece of an invocation's code does; each line says in `owner` whose it is.
STEP = st.sampled_from(
    ["info", "debug", "error", "bind", "block", "thread", "task", "unbind", "clear", "correlate", "yield", "exception"]
)
PROGRAM = st.lists(STEP, min_size=1, max_size=8)
FAILS = st.booleans()


class Invocation:
    """One invocation's program, in whatever thread or loop."""

    def __init__(self, log: Log, number: int, program: list[str], fails: bool) -> None:
        self.log = log
        self.owner = f"r-{number}"
        self.program = program
        self.fails = fails

    async def steps(self, depth: int = 0) -> None:  # noqa: C901  # a list of what code may do
        logger = self.log.logger
        for step in self.program:
            logger.info("step", owner=self.owner)
            if step in ("info", "debug", "error"):
                getattr(logger, step)(step, owner=self.owner, nested={"a": 1})
            elif step == "exception":
                logger.error(step, owner=self.owner, exc_info=ValueError(self.owner))
            elif step == "bind":
                bind(whose=self.owner)
            elif step == "correlate":
                set_correlation_id(self.owner)
            elif step == "block":
                with bound(whose=self.owner):
                    await asyncio.sleep(0)
                    logger.warning(step, owner=self.owner)
            elif step == "thread":
                thread = threading.Thread(
                    target=contextvars.copy_context().run, args=(self.line, "thread"), daemon=True
                )
                thread.start()
                thread.join()
            elif step == "task" and depth == 0:
                await asyncio.gather(self.steps(1), self.steps(1))
            elif step == "unbind":
                unbind("whose")
            elif step == "clear":
                clear()
            elif step == "yield":
                await asyncio.sleep(0)
        if self.fails and depth == 0:
            raise ValueError(self.owner)

    def line(self, event: str) -> None:
        self.log.logger.info(event, owner=self.owner)
        self.log.logger.debug(event, owner=self.owner)


def handler_of(invocation: Invocation) -> Any:
    """A handler that runs it."""

    @event_handler
    async def handler(event: dict[str, Any], context: Any) -> None:
        await invocation.steps()

    return handler


def checked(log: Log) -> None:
    for line in log.lines:
        owner = line["owner"]
        assert line["request_id"] == owner
        assert line.get("whose", owner) == owner
        assert line["correlation_id"] in (owner, f"event-{owner}")


@hypothesis.given(st.lists(st.tuples(PROGRAM, FAILS), min_size=2, max_size=5), st.booleans(), st.randoms())
@hypothesis.settings(max_examples=25, deadline=None)
def test_interleaved_invocations_keep_their_lines(
    programs: list[tuple[list[str], bool]], keeps_debug: bool, order: random.Random
) -> None:
    log = Log({}, debug_buffer_bytes=100_000 if keeps_debug else 0)
    invocations = [Invocation(log, number, program, fails) for number, (program, fails) in enumerate(programs)]

    def serve(invocation: Invocation) -> None:
        context = FakeContext(aws_request_id=invocation.owner)
        with pytest.raises(ValueError, match=invocation.owner) if invocation.fails else nullcontext():
            handler_of(invocation)({"correlation_id": f"event-{invocation.owner}"}, context)

    order.shuffle(invocations)
    for one in invocations:  # one after the other, in one context, as an ordinary environment serves them
        serve(one)
    with ThreadPoolExecutor(3) as pool:  # and in few threads, so that one serves several
        list(pool.map(serve, invocations * 2))
    checked(log)
    written = len(log.lines)
    assert written >= 3 * sum(len(one.program) for one in invocations)


def test_lines_of_many_threads_are_whole(tmp_path: Any) -> None:
    with open(tmp_path / "log", "w") as stream:
        log = Log({}, stream=stream)

        def work(number: int) -> None:
            for length in (10, 5_000, 100_000, 20):
                log.logger.info("x" * length, number=number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert sorted(line["number"] for line in lines) == sorted(list(range(8)) * 4)

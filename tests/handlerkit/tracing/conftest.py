"""A daemon that listens, and invocations with a trace header of their own."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handlerkit.scope import current, current_span, in_scope
from handlerkit.testing import FakeContext
from lambda_emulator import Trace, XRayDaemon


def header(*, root: str = "", parent: str = "", sampled: str = "1", rest: str = "") -> str:
    """A trace header as Lambda's."""
    root = root or f"1-{os.urandom(4).hex()}-{os.urandom(12).hex()}"
    return f"Root={root};Parent={parent or os.urandom(8).hex()};Sampled={sampled}{rest}"


class Context(FakeContext):
    """A context of our own runtime: it carries its header."""

    def __init__(self, trace_header: str | None) -> None:
        super().__init__()
        self.xray_trace_id = trace_header


class Invocation:
    """Runs functions as handlers of traced invocations, and reads what was sent."""

    def __init__(self, daemon: XRayDaemon) -> None:
        self.daemon = daemon

    def __call__(self, body: Callable[[], Any], trace_header: str = "") -> Trace:
        """Run `body` inside of a handler; its trace. What it raises is swallowed, as Lambda's caller sees it."""
        trace_header = trace_header or header()
        with contextlib.suppress(Exception):
            self.run(body, trace_header)
        return self.trace(trace_header)

    def run(self, body: Callable[[], Any], trace_header: str) -> Any:
        """The same, with the result."""

        def handler(*_: Any) -> Any:
            return body()

        handler.__qualname__ = "handler"
        return in_scope(handler, handler, {}, Context(trace_header))

    def trace(self, trace_header: str) -> Trace:
        """What was sent for that header."""
        return self.daemon.trace(trace_header.partition(";")[0].removeprefix("Root="))


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[XRayDaemon]:
    """Listens; everything that it gets has to keep X-Ray's rules."""
    threads = threading.active_count()
    for name in ("HANDLERKIT_TRACING", "HANDLERKIT_SERVICE", "POWERTOOLS_SERVICE_NAME", "AWS_XRAY_CONTEXT_MISSING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    with XRayDaemon() as listening:
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", listening.address)
        yield listening
        assert listening.rejected == []
    assert threading.active_count() <= threads
    assert current.get() is None
    assert current_span.get() is None


@pytest.fixture
def invocation(daemon: XRayDaemon) -> Invocation:
    """Invocations whose spans go to the daemon."""
    return Invocation(daemon)


def shape(trace: Trace) -> list[Any]:
    """The trees as nested lists: a name, then what is inside of it."""

    def of(node: Any) -> list[Any]:
        return [node.name, *(of(child) for child in node.children)]

    return [of(root) for root in trace.roots]

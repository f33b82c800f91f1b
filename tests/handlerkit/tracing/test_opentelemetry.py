"""The same calls as OpenTelemetry's spans, where its SDK is set up. A provider is for good: each test is a process."""

import json
import subprocess
import sys
import textwrap
from typing import Any

from lambda_emulator import XRayDaemon

PRELUDE = """
import asyncio, json, os, sys
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from handlerkit.tracing import span, traced, outgoing_headers
from handlerkit.scope import in_scope
from handlerkit.testing import FakeContext

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
otel.set_tracer_provider(provider)
tracer = otel.get_tracer("test")

def invoke(body, header):
    class Context(FakeContext):
        xray_trace_id = header
    def handler(event, context, scope): return body()
    handler.__qualname__ = "handler"
    try:
        return in_scope(handler, handler, {}, Context())
    except ValueError:
        pass

def finish():
    by_id = {each.context.span_id: each.name for each in exporter.get_finished_spans()}
    print(json.dumps([
        {
            "name": each.name,
            "parent": by_id.get(each.parent.span_id, hex(each.parent.span_id)) if each.parent else None,
            "trace": f"{each.context.trace_id:032x}",
            "attributes": dict(each.attributes),
            "kind": each.kind.name,
            "status": each.status.status_code.name,
            "events": [event.name for event in each.events],
            "links": [f"{link.context.span_id:016x}" for link in each.links],
        }
        for each in exporter.get_finished_spans()
    ]))
"""
HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def run(program: str, **environ: str) -> list[dict[str, Any]]:
    """The spans that the program exports."""
    code = f"{PRELUDE}\nHEADER = {HEADER!r}\n" + textwrap.dedent(program) + "\nfinish()\n"
    environment = {"PATH": "/usr/bin:/bin", **environ}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def parents(spans: list[dict[str, Any]]) -> dict[str, str]:
    """Each span's parent, by name."""
    return {each["name"]: each["parent"] for each in spans}


def test_spans_become_opentelemetrys_under_lambdas_parent_as_the_propagator_reads_it(daemon: XRayDaemon) -> None:
    spans = run(
        """
        from opentelemetry.propagators.aws import AwsXRayPropagator
        theirs = otel.get_current_span(AwsXRayPropagator().extract({"X-Amzn-Trace-Id": HEADER})).get_span_context()
        assert f"{theirs.trace_id:032x}" == "5759e988bd862e3fe1be46a994272793"

        def body():
            with span("work", order="A-17") as work:
                work.add_metadata("basket", {"books": 2})
                work.add_event("retried", attempt=2)
                work.add_link("1-5759e988-bd862e3fe1be46a994272793", "00f067aa0ba902b7")
                sent = outgoing_headers()["X-Amzn-Trace-Id"]
                assert sent.startswith("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=" + work.span_id), sent
                raise ValueError("no")
        invoke(body, HEADER)
        """,
        AWS_XRAY_DAEMON_ADDRESS=daemon.address,
    )
    work, handler = spans
    assert work["trace"] == "5759e988bd862e3fe1be46a994272793"
    assert (work["parent"], handler["parent"]) == ("## handler", hex(0x53995C3F42CD8AD8))
    assert work["attributes"]["order"] == "A-17"
    assert list(work["attributes"]["aws.xray.annotations"]) == ["order"]
    assert json.loads(work["attributes"]["metadata.default.basket"]) == {"books": 2}
    assert work["events"] == ["retried", "exception"]
    assert work["links"] == ["00f067aa0ba902b7"]
    assert (work["status"], handler["kind"]) == ("ERROR", "SERVER")
    assert daemon.documents == []


def test_their_spans_nest_under_ours_and_ours_under_theirs() -> None:
    spans = run("""
        @traced(name="numbers")
        def numbers():
            with tracer.start_as_current_span("in numbers"):
                pass
            yield 1
        @traced(name="coroutine")
        async def coroutine():
            with tracer.start_as_current_span("in coroutine"):
                await asyncio.sleep(0)
        def body():
            with span("ours"):
                with tracer.start_as_current_span("theirs"):
                    with span("inner"):
                        pass
            for _ in numbers():
                with tracer.start_as_current_span("reader"):
                    pass
            asyncio.run(coroutine())
            with tracer.start_as_current_span("last"):
                pass
        invoke(body, HEADER)
        assert not otel.get_current_span().get_span_context().is_valid
    """)
    assert parents(spans) == {
        "ours": "## handler",
        "theirs": "ours",
        "inner": "theirs",
        "numbers": "## handler",
        "in numbers": "numbers",
        "reader": "## handler",
        "coroutine": "## handler",
        "in coroutine": "coroutine",
        "last": "## handler",
        "## handler": hex(0x53995C3F42CD8AD8),
    }


def test_opentelemetry_decides_about_sampling_and_without_a_header_begins_a_trace_of_its_own() -> None:
    assert run('invoke(lambda: span("work").end(), HEADER.replace("Sampled=1", "Sampled=0"))') == []
    work, handler = run('invoke(lambda: span("work").end(), None)')
    assert (work["parent"], handler["parent"]) == ("## handler", None)


def test_the_kill_switch_is_for_opentelemetry_as_well() -> None:
    assert run('invoke(lambda: span("work").end(), HEADER)', HANDLERKIT_TRACING="off") == []

"""Calls that aws-xray-sdk records, inside of our spans. Its patches stay for good, so each test is a process."""

import subprocess
import sys
import textwrap

from lambda_emulator import Trace, XRayDaemon

from .conftest import shape

PRELUDE = """
import os, sys, threading, asyncio, contextlib
from handlerkit.tracing import patch, span, outgoing_headers, current_span
from handlerkit.scope import in_scope
from handlerkit.testing import FakeContext
import botocore.session  # the SDK wants it

class Context(FakeContext):
    xray_trace_id = os.environ["HEADER"]

def invoke(body, context=None):
    def handler(event, context, scope): return body()
    handler.__qualname__ = "handler"
    with contextlib.suppress(ValueError):
        return in_scope(handler, handler, {}, context or Context())
"""
ROOT = "1-5759e988-bd862e3fe1be46a994272793"
SERVER = """
from moto.server import ThreadedMotoServer
import boto3
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
endpoint = "http://%s:%d" % server.get_host_and_port()
def client(name):
    return boto3.client(name, endpoint_url=endpoint, region_name="eu-central-1",
                        aws_access_key_id="x", aws_secret_access_key="x")
"""


def run(daemon: XRayDaemon, program: str, sampled: str = "1", **environ: str) -> tuple[Trace, str]:
    """What the program sends, and what it prints."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
        "HEADER": f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled={sampled};Lineage=1:a:b",
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_EC2_METADATA_DISABLED": "true",
        **environ,
    }
    code = PRELUDE + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "ResourceWarning" not in done.stderr
    return daemon.trace(ROOT), done.stdout


def test_patched_boto3_calls_appear_under_our_span(daemon: XRayDaemon) -> None:
    program = (
        SERVER
        + """
patch("boto3")
seen = []
def remember(request, **_):
    seen.append(request.headers["X-Amzn-Trace-Id"].decode())
def body():
    with span("store"):
        s3 = client("s3")
        s3.meta.events.register("before-send.s3", remember)
        s3.create_bucket(Bucket="orders", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        with span("missing"):
            with contextlib.suppress(s3.exceptions.ClientError):
                s3.get_object(Bucket="nothing-here", Key="a")
invoke(body)
print(seen[0])
server.stop()
"""
    )
    trace, printed = run(daemon, program)
    assert shape(trace) == [["## handler", ["store", ["s3"], ["missing", ["s3"]]]]]
    first, second = (node.document for root in trace.roots for node in root.walk() if node.name == "s3")
    assert first["namespace"] == "aws"
    assert first["aws"]["operation"] == "CreateBucket"
    assert first["http"]["response"]["status"] == 200
    assert second["error"] is True
    assert second["cause"]["exceptions"][0]["remote"] is True
    assert printed.strip() == f"Root={ROOT};Parent={first['id']};Sampled=1;Lineage=1:a:b"


def test_calls_of_threads_tasks_and_later_invocations_are_where_they_belong(daemon: XRayDaemon) -> None:
    trace, _ = run(
        daemon,
        """
        patch("sqlite3")
        import sqlite3, contextvars
        def query():
            sqlite3.connect(":memory:").execute("select 1")
        async def task(name):
            async with span(name):
                await asyncio.sleep(0)
                query()
        async def both():
            await asyncio.gather(task("first"), task("second"))
        def body():
            with span("threads"):
                threads = [threading.Thread(target=contextvars.copy_context().run, args=(query,)) for _ in range(2)]
                [thread.start() for thread in threads], [thread.join() for thread in threads]
            asyncio.run(both())
        invoke(body)
        class Later(Context):
            xray_trace_id = Context.xray_trace_id.replace("53995c3f42cd8ad8", "b" * 16)
        invoke(query, Later())
        class Unsampled(Context):
            xray_trace_id = Context.xray_trace_id.replace("Sampled=1", "Sampled=0")
        invoke(query, Unsampled())
        """,
    )
    first, later = sorted(shape(trace), key=len, reverse=True)
    names = {name: [inner[0] for inner in rest] for name, *rest in first[1:]}
    assert [len(names[name]) for name in ("threads", "first", "second")] == [
        len(names["first"]) * 2,
        *[len(names["first"])] * 2,
    ]
    assert len(names["first"]) >= 1
    assert later[0] == "## handler"
    assert len(later) > 1


def test_no_socket_is_left_to_the_end_of_the_process_neither_ours_nor_the_sdks(daemon: XRayDaemon) -> None:
    program = """
        patch("sqlite3")
        import sqlite3
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            invoke(lambda: database.execute("select 1").close())
    """
    trace, _ = run(daemon, program, PYTHONWARNINGS="default::ResourceWarning")
    assert shape(trace)


def test_what_uses_the_sdks_recorder_itself_nests_both_ways(daemon: XRayDaemon) -> None:
    trace, _ = run(
        daemon,
        """
        patch("sqlite3")
        from aws_xray_sdk.core import xray_recorder
        def body():
            with span("ours"):
                xray_recorder.put_annotation("from_sdk", 1)
                with xray_recorder.in_subsegment("theirs") as theirs:
                    theirs.put_annotation("order", "A-17")
                    with span("inside"):
                        pass
                    with xray_recorder.capture("nested"):
                        pass
                xray_recorder.begin_subsegment("by hand")
                with span("in by hand"):
                    pass
                xray_recorder.end_subsegment()
                xray_recorder.end_subsegment()
                xray_recorder.begin_subsegment_without_sampling("not wanted")
                xray_recorder.end_subsegment()
                with xray_recorder.in_subsegment("failing"):
                    raise ValueError("in the sdk's block")
        invoke(body)
        """,
    )
    assert shape(trace) == [
        ["## handler", ["ours", ["theirs", ["inside"], ["nested"]], ["by hand", ["in by hand"]], ["failing"]]]
    ]
    assert trace.find("ours").annotations == {"from_sdk": 1}
    assert trace.find("theirs").annotations == {"order": "A-17"}
    told = trace.find("failing").document["cause"]["exceptions"][0]
    assert told["message"] == "in the sdk's block"
    assert trace.find("ours").document["cause"] == trace.find("## handler").document["cause"] == told["id"]


def test_an_invocation_that_is_not_sampled_sends_nothing_and_passes_the_header_on(daemon: XRayDaemon) -> None:
    program = (
        SERVER
        + """
patch("requests")
import requests
def body():
    with span("call"):
        sent = requests.get(endpoint + "/moto-api/data.json").request
        print(sent.headers["X-Amzn-Trace-Id"])
invoke(body)
server.stop()
"""
    )
    trace, printed = run(daemon, program, sampled="0")
    assert trace.documents == ()
    assert printed == f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:a:b\n"


def test_outside_of_an_invocation_the_variable_decides(daemon: XRayDaemon) -> None:
    program = """
        patch("sqlite3")
        import sqlite3
        try:
            sqlite3.connect(":memory:").execute("select 1")
        except Exception as error:
            print(type(error).__name__)
    """
    assert run(daemon, program, AWS_XRAY_CONTEXT_MISSING="RUNTIME_ERROR")[1] == "SegmentNotFoundException\n"
    assert run(daemon, program, AWS_XRAY_CONTEXT_MISSING="IGNORE_ERROR")[1] == ""


def test_switched_off_nothing_is_patched_and_the_sdk_not_loaded(daemon: XRayDaemon) -> None:
    program = """
        patch("boto3", "requests")
        print("aws_xray_sdk" in sys.modules)
    """
    assert run(daemon, program, HANDLERKIT_TRACING="off")[1] == "False\n"


def test_an_unknown_library_is_refused_and_a_missing_sdk_is_named(daemon: XRayDaemon) -> None:
    program = """
        try:
            patch("bobo3")
        except ValueError as error:
            print(error)
    """
    assert "aws-xray-sdk cannot patch 'bobo3': it knows " in run(daemon, program)[1]
    program = """
        sys.modules["aws_xray_sdk.core"] = None
        try:
            patch("boto3")
        except ModuleNotFoundError as error:
            print(error)
    """
    assert run(daemon, program)[1] == "tracing.patch() needs aws-xray-sdk: pip install 'handlerkit[tracing]'\n"

"""The Telemetry API: what may be subscribed to, when batches leave, and what a real extension gets."""

import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator import FunctionConfiguration, LocalLambda
from lambda_emulator.refusals import Refusal
from lambda_emulator.telemetry_batch import Batches, Dropped
from lambda_emulator.telemetry_delivery import Delivery
from lambda_emulator.telemetry_subscription import Destination, Subscription
from tests.emulator.api_under_test import ApiUnderTest
from tests.emulator.conftest import MakeFunction
from tests.emulator.raw_client import RawAnswer, RawClient
from tests.emulator.test_extensions_api import identified

Start = Callable[..., LocalLambda]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "extensions"


def request(**fields: Any) -> dict[str, Any]:
    """What an extension sends; `None` leaves a field out."""
    document = {
        "schemaVersion": "2022-12-13",
        "types": ["platform", "function"],
        "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/path?q=1"},
    }
    return {name: value for name, value in (document | fields).items() if value is not None}


def subscription(port: int = 1, path: str | None = "/", **fields: Any) -> Subscription:
    values: dict[str, Any] = {
        "name": "me",
        "types": ("platform", "function", "extension"),
        "destination": Destination(port=port, path=path),
        "max_items": 1_000,
        "max_bytes": 262_144,
        "timeout_ms": 25,
    }
    return Subscription(**(values | fields))


# --- subscribing ----------------------------------------------------------------------------------------------------


def test_a_subscription_has_the_documented_defaults() -> None:
    assert Subscription.parse("me", json.dumps(request()).encode()) == Subscription(
        name="me",
        types=("platform", "function"),
        destination=Destination(port=4243, path="/path?q=1"),
        max_items=10_000,
        max_bytes=262_144,
        timeout_ms=1_000,
    )


def test_tcp_needs_a_port_alone() -> None:
    body = json.dumps(request(destination={"protocol": "TCP", "port": 99})).encode()
    assert Subscription.parse("me", body).destination == Destination(port=99, path=None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"schemaVersion": "2020-01-01"}, "schemaVersion '2020-01-01' is none of"),
        ({"schemaVersion": None}, "schemaVersion None is none of"),
        ({"types": []}, "types should not be empty"),
        ({"types": None}, "types should not be empty"),
        ({"types": ["logs"]}, "type 'logs' is none of"),
        ({"destination": None}, "destination is neither"),
        ({"destination": {"protocol": "UDP", "port": 1}}, "destination is neither"),
        ({"destination": {"protocol": "TCP", "port": 0}}, "destination is neither"),
        ({"destination": {"protocol": "HTTP", "URI": "http://example.com:80"}}, "does not begin with"),
        ({"destination": {"protocol": "HTTP", "URI": "https://sandbox.localdomain:80"}}, "does not begin with"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain"}}, "URI port is not provided"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox:99999"}}, "is no URL"),
        ({"buffering": {"maxItems": 999}}, "maxItems is 999"),
        ({"buffering": {"maxBytes": 1_048_577}}, "maxBytes is 1048577"),
        ({"buffering": {"timeoutMs": 24}}, "timeoutMs is 24"),
        ({"buffering": {"timeoutMs": "100"}}, "timeoutMs is '100'"),
        ({"buffering": []}, None),
        ({"buffering": [1]}, "buffering is no JSON object"),
    ],
)
def test_what_cannot_be_subscribed_to_is_a_validation_error(fields: dict[str, Any], reason: str | None) -> None:
    body = json.dumps(request(**fields)).encode()
    if reason is None:
        Subscription.parse("me", body)
        return
    with pytest.raises(Refusal) as refused:
        Subscription.parse("me", body)
    assert (refused.value.status, refused.value.error_type) == (400, "ValidationError")
    assert reason in refused.value.message


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 10_000])
def test_a_request_that_is_none_is_a_validation_error(body: bytes) -> None:
    with pytest.raises(Refusal, match="ValidationError"):
        Subscription.parse("me", body)


def put(client: RawClient, headers: dict[str, str], document: dict[str, Any]) -> RawAnswer:
    body = json.dumps(document).encode()
    lines = [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
    client.send("\r\n".join(["PUT /2022-07-01/telemetry HTTP/1.1", "Host: t", *lines, "", ""]).encode() + body)
    return client.answer()


def test_subscribing_is_possible_until_the_environment_is_initialised() -> None:
    with ApiUnderTest() as api:
        client = api.client()
        me = identified(client, "inner")
        assert put(client, {}, request()).json()["errorType"] == "Extension.MissingExtensionIdentifier"
        for _ in range(2):  # the second replaces the first
            answer = put(client, me, request())
            assert (answer.status, answer.body) == (200, b'"OK"')
        api.on_loop(api.hub.close_subscriptions)
        late = put(client, me, request())
        assert (late.status, late.json()) == (
            403,
            {
                "errorMessage": "Telemetry API subscription is closed already",
                "errorType": "Telemetry.SubscriptionClosed",
            },
        )


# --- batches --------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 300_000), max_size=40))
def test_batches_keep_order_and_bounds_and_lose_nothing_silently(sizes: list[int]) -> None:
    batches = Batches(subscription())
    events = [bytes([index % 256]) * size for index, size in enumerate(sizes)]
    for event in events:
        batches.add(event, now_s=0)
    taken = []
    while batches:
        batch = batches.take()
        assert batch
        assert len(batch) == 1 or sum(map(len, batch)) <= 262_144
        taken += batch
    lost = batches.take_dropped()
    assert taken == events[lost.records :]
    assert lost.size_bytes == sum(map(len, events[: lost.records]))


def test_a_batch_is_due_when_it_is_full_or_old() -> None:
    batches = Batches(subscription())
    assert batches.due_in_s(0) is None
    batches.add(b"x", now_s=10.0)
    assert batches.due_in_s(10.0) == pytest.approx(0.025)
    assert batches.due_in_s(11.0) == 0
    for _ in range(999):
        batches.add(b"x", now_s=10.0)
    assert batches.due_in_s(10.0) == 0
    batches.take()
    batches.add(b"x" * 262_144, now_s=20.0)
    assert batches.due_in_s(20.0) == 0


def test_too_many_events_push_out_the_oldest() -> None:
    batches = Batches(subscription())
    for number in range(10_003):
        batches.add(b"%05d" % number, now_s=0)
    assert batches.take()[0] == b"00003"
    assert (batches.take_dropped(), batches.take_dropped()) == (Dropped(3, 15), Dropped())


# --- delivery -------------------------------------------------------------------------------------------------------


class Subscriber:
    """An HTTP listener that answers as it is told; what it has taken is in `events`."""

    def __init__(self, *statuses: int) -> None:
        self.events: Queue[Any] = Queue()
        answers = list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:
                status = answers.pop(0) if answers else 200
                batch = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
                if status == 200:
                    for event in batch:
                        self.events.put(event)
                handler.send_response(status)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(handler, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def subscriber() -> Iterator[Callable[..., Subscriber]]:
    made: list[Subscriber] = []

    def make(*statuses: int) -> Subscriber:
        made.append(Subscriber(*statuses))
        return made[-1]

    yield make
    for each in made:
        each.close()


def deliver(subscribed: Subscription, *events: dict[str, Any]) -> None:
    """All of it, or what ten seconds allow."""

    async def main() -> None:
        delivery = Delivery(subscribed)
        for event in events:
            delivery.add(event)
        await delivery.flush(10)
        await delivery.close()

    asyncio.run(main())


def test_events_are_posted_in_order(subscriber: Callable[..., Subscriber]) -> None:
    listener = subscriber()
    deliver(subscription(listener.port), *({"n": number} for number in range(2_500)))
    assert [listener.events.get(timeout=30)["n"] for _ in range(2_500)] == list(range(2_500))


def test_a_listener_that_refuses_is_asked_again(subscriber: Callable[..., Subscriber]) -> None:
    listener = subscriber(500, 503)
    deliver(subscription(listener.port), {"n": 1})
    assert listener.events.get(timeout=30) == {"n": 1}


def test_what_is_refused_again_and_again_is_dropped_and_said_so(subscriber: Callable[..., Subscriber]) -> None:
    listener = subscriber(500, 500, 500, 500, 500)
    deliver(subscription(listener.port), {"n": 1})
    event = listener.events.get(timeout=30)
    assert event["type"] == "platform.logsDropped"
    assert (event["record"]["droppedRecords"], event["record"]["droppedBytes"]) == (1, 7)


def test_tcp_gets_a_line_for_each_event() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    received: list[bytes] = []

    def accept() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            received.extend(line for line, _ in zip(lines, range(2), strict=False))

    thread = threading.Thread(target=accept)
    thread.start()
    deliver(subscription(listener.getsockname()[1], None), {"n": 1}, {"n": 2})
    thread.join()
    listener.close()
    assert [json.loads(line) for line in received] == [{"n": 1}, {"n": 2}]


def test_a_listener_that_is_not_there_or_speaks_no_http_only_loses_its_events() -> None:
    mute = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        for _ in range(2):
            connection, _ = mute.accept()
            connection.sendall(b"nonsense\r\n\r\n")
            connection.close()

    thread = threading.Thread(target=hang_up)
    thread.start()

    async def main() -> None:
        delivery = Delivery(subscription(mute.getsockname()[1]))
        delivery.add({"n": 1})
        await delivery.flush(0.3)
        await delivery.close()

    asyncio.run(main())
    while thread.is_alive():
        with socket.create_connection(mute.getsockname()):
            pass
        thread.join(0.05)
    mute.close()


# --- an extension written against the documents -----------------------------------------------------------------------


def events_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_example_extension_writes_what_happened(start_lambda: Start, task_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "telemetry.jsonl"
    (task_root / "app.py").write_text(
        "print('loading')\n"
        "def handler(event, context):\n"
        "    print('working on', event)\n"
        "    if event == 'fail':\n"
        "        raise ValueError('no')\n"
        "    return [event]\n"
    )
    configuration = FunctionConfiguration(
        handler="app.handler",
        task_root=task_root,
        extensions=EXAMPLES,
        environment={"TELEMETRY_FILE": str(file)},
        memory_mb=256,
    )
    service = start_lambda(configuration)
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    good = service.invoke("function", '"one"', trace_header=trace, tenant_id="blue")
    bad = service.invoke("function", '"fail"')
    good.report, bad.report
    service.close()
    events = events_of(file)
    assert [event["type"] for event in events if event["type"] != "function"] == [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ]
    records: dict[str, list[Any]] = {}
    for event in events:
        assert event["time"].endswith("Z")
        records.setdefault(event["type"].removeprefix("platform."), []).append(event["record"])
    assert records["function"][:2] == ["loading", "working on one"]
    assert "ValueError" in "".join(records["function"][2:])
    start = records["initStart"][0]
    assert (start["initializationType"], start["phase"], start["functionName"]) == ("on-demand", "init", "function")
    assert start["instanceMaxMemory"] == 256 << 20
    assert records["initRuntimeDone"] == [{"initializationType": "on-demand", "phase": "init", "status": "success"}]
    name = "telemetry_to_file.py"
    assert records["extension"] == [{"name": name, "state": "Ready", "events": ["SHUTDOWN"]}]
    assert records["telemetrySubscription"] == [
        {"name": name, "state": "Subscribed", "types": ["platform", "function"]}
    ]
    assert records["initReport"][0]["metrics"]["durationMs"] > 0
    began = records["start"][0]
    assert began.pop("tracing").keys() == {"spanId", "type", "value"}
    assert began == {"requestId": good.request_id, "version": "$LATEST", "tenantId": "blue"}
    done, failed = records["runtimeDone"]
    assert (done["status"], done["metrics"]["producedBytes"], done["tracing"]["value"]) == ("success", 7, trace)
    assert [span["name"] for span in done["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
    assert sum(span["durationMs"] for span in done["spans"]) == pytest.approx(done["metrics"]["durationMs"], abs=0.1)
    assert (failed["status"], failed["errorType"]) == ("error", "Function.ValueError")
    reports = records["report"]
    assert [(report["requestId"], report["status"]) for report in reports] == [
        (good.request_id, "success"),
        (bad.request_id, "error"),
    ]
    metrics = reports[0]["metrics"]
    assert metrics["initDurationMs"] == good.report.init_ms
    assert (metrics["durationMs"], metrics["memorySizeMB"]) == (good.report.duration_ms, 256)
    assert f"TELEMETRY\tName: {name}\tState: Subscribed\tTypes: [Platform, Function]\n" in good.init_log


@pytest.mark.parametrize(
    ("event", "status", "error_type"),
    [("die", "failure", "Runtime.ExitError"), ("hang", "timeout", "Sandbox.Timedout")],
)
def test_subscribers_hear_of_a_death_before_the_end(
    make_function: MakeFunction, start_lambda: Start, tmp_path: Path, event: str, status: str, error_type: str
) -> None:
    file = tmp_path / "telemetry.jsonl"
    program = """
        import os, time
        def handler(body):
            print("last words", end="", flush=True)
            if b"die" in body:
                os._exit(3)
            time.sleep(600)
        serve(handler)
    """
    configuration = make_function(program, extensions=EXAMPLES, environment={"TELEMETRY_FILE": str(file)}, timeout_s=1)
    result = start_lambda(configuration).invoke("function", [event])
    assert result.report.error_type == error_type
    start, words, done, report = events_of(file)[-4:]
    assert (start["type"], words["record"]) == ("platform.start", "last words")
    assert (done["type"], done["record"]["status"]) == ("platform.runtimeDone", status)
    assert (report["type"], report["record"]["status"]) == ("platform.report", status)
    assert done["record"]["errorType"] == report["record"]["errorType"] == error_type


def test_json_logs_have_the_platforms_events(make_function: MakeFunction, start_lambda: Start) -> None:
    program = """
        def handler(body):
            print("plain")
            if b"0" in body:
                raise SystemExit(1)
            return body
        serve(handler)
    """
    service = start_lambda(make_function(program, log_format="JSON"))
    good, bad = service.invoke("function", 1), service.invoke("function", 0)
    start, plain, report = good.log.splitlines()
    assert plain == "plain"
    assert json.loads(start)["type"] == "platform.start"
    assert json.loads(report)["record"]["metrics"]["durationMs"] == good.report.duration_ms
    assert [json.loads(line)["type"] for line in good.init_log.splitlines()] == ["platform.initStart"]
    assert [json.loads(line)["type"] for line in bad.log.splitlines() if line != "plain"] == [
        "platform.start",
        "platform.runtimeDone",  # what fails is told, what succeeds is for subscribers alone
        "platform.report",
    ]
    assert json.loads(bad.log.splitlines()[2])["record"]["status"] == "failure"


@pytest.mark.skipif(sys.platform != "linux", reason="finds the process by /proc")
def test_a_frozen_subscriber_costs_nothing(start_lambda: Start, make_function: MakeFunction, tmp_path: Path) -> None:
    file = tmp_path / "telemetry.jsonl"
    configuration = make_function(
        "serve(lambda body: body)", extensions=EXAMPLES, environment={"TELEMETRY_FILE": str(file)}
    )
    service = start_lambda(configuration)
    for number in range(5):
        result = service.invoke("function", number)
        assert (result.json(), result.report.status) == (number, "success")
    service.close()
    assert [event["type"] for event in events_of(file)].count("platform.report") == 5
    assert os.path.getsize(file)

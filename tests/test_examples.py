"""The examples do what they say, by the command a newcomer types."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_emulator import FunctionConfiguration, LocalLambda

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """The command, in the checkout."""
    return subprocess.run(
        [sys.executable, "-m", "lambda_emulator.cli", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def invoke(handler: str, event: object) -> str:
    """The response's text."""
    done = run("invoke", f"examples/{handler}", "-e", "-", stdin=event if isinstance(event, str) else json.dumps(event))
    assert done.returncode == 0, done.stderr
    return done.stdout


def made(*arguments: str) -> str:
    """An event from `handlerkit event`."""
    done = run("event", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


CASES = [
    ("hello.handler", {"name": "Zoë"}, {"message": "Hello, Zoë!"}),
    ("lookups.handler", {"names": ["a", "b"]}, {"a": 1, "b": 2}),
    ("snapshot.handler", {}, {"open": True, "restored": 0}),
    ("afterwards.handler", {"order": "A-18"}, {"accepted": True}),
]


@pytest.mark.parametrize(("handler", "event", "expected"), CASES)
def test_a_plain_example_answers(handler: str, event: object, expected: dict[str, object]) -> None:
    assert expected.items() <= json.loads(invoke(handler, event)).items()


def test_the_http_example_answers_every_front_and_says_what_is_wrong() -> None:
    for kind in ("http_api", "rest", "alb"):
        event = made("http", "--method", "POST", "--json", '{"article": "book"}', "--kind", kind)
        answer = json.loads(invoke("http_orders.handler", event))
        assert (answer["statusCode"], json.loads(answer["body"])["accepted"]) == (201, "book")
    event = made("http", "--method", "POST", "--json", '{"article": "unicorn"}')
    assert json.loads(json.loads(invoke("http_orders.handler", event))["body"])["detail"] == "Unicorns are sold out."


def test_the_live_example_shows_events_as_they_arrive() -> None:
    done = subprocess.run(
        [sys.executable, "examples/live_events.py"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    head, *events = done.stdout.splitlines()
    assert head == "200 text/event-stream; charset=utf-8"
    assert [line.partition("data: ")[2] for line in events] == ["3", "2", "1", "0"]


def test_the_streaming_example_streams_lines() -> None:
    assert invoke("report.handler", {"rows": 3}) == "number,square\n0,0\n1,1\n2,4\n\n"


def test_the_page_example_begins_with_status_and_headers() -> None:
    text = invoke("page.handler", {"rawPath": "/orders"})
    assert '"statusCode":200' in text
    assert "<title>/orders</title>" in text


TYPED = [
    (
        "typed_uploads.handler",
        ["s3", "--bucket", "b", "--key", "Zoë plan.pdf"],
        {"uploaded": ["b/Zoë plan.pdf at 00:00"]},
    ),
    (
        "typed_orders.handler",
        ["sqs", "--body", '{"article": "book", "quantity": 2}', "--body", '{"article": "book", "quantity": 1}'],
        {"book": 3},
    ),
    (
        "typed_table.handler",
        ["dynamodb", "--old", '{"id": "a", "price": 1.10}', "--new", '{"id": "a", "price": 1.25}'],
        ["a: 1.1 → 1.25"],
    ),
    (
        "typed_bus.handler",
        ["eventbridge", "--detail", '{"order_id": "A-17", "total": 12.5}'],
        "Order Placed: A-17 for 12.50",
    ),
]


@pytest.mark.parametrize(("handler", "arguments", "expected"), TYPED)
def test_a_typed_example_takes_an_event_of_its_source(handler: str, arguments: list[str], expected: object) -> None:
    assert json.loads(invoke(handler, made(*arguments))) == expected


BATCHES = [
    ("orders", "sqs", ["00000001", "00000002"]),  # too many, and no order at all
    ("orders", "sqs_fifo", ["00000001", "00000003"]),  # too many, and what follows in its group
    ("readings", "kinesis", ["49590338271490256608559692538361571095921575989136588900"]),
    ("customers", "dynamodb", ["111000000000000000002"]),
    ("payments", "kafka", ["payments-0/16", "payments-0/17"]),
]


@pytest.mark.parametrize(("handler", "event", "failed"), BATCHES)
def test_a_batch_example_names_what_comes_again(handler: str, event: str, failed: list[str]) -> None:
    done = run("invoke", f"examples/batches.{handler}", "--event", f"examples/events/batch_{event}.json")
    named = [one["itemIdentifier"] for one in json.loads(done.stdout)["batchItemFailures"]]
    if event == "kafka":
        named = [f"{one['partition']}/{one['offset']}" for one in named]
    assert [one.partition("-0000-")[0] for one in named] == failed, done.stderr


def test_the_firehose_and_s3_examples_answer_for_every_record() -> None:
    done = run("invoke", "examples/batches.lines", "--event", "examples/events/batch_firehose.json")
    results = [record["result"] for record in json.loads(done.stdout)["records"]]
    assert results == ["Ok", "Dropped", "ProcessingFailed"], done.stderr
    done = run("invoke", "examples/batches.objects", "--event", "examples/events/batch_s3_batch.json")
    (task,) = json.loads(done.stdout)["results"]
    assert task["resultCode"] == "Succeeded", done.stderr


def test_the_demo_shows_every_scene() -> None:
    done = subprocess.run([sys.executable, "examples/demo.py"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = done.stdout
    assert "'orders of today.jsonl' had 4 lines, each is a message now" in shown
    assert shown.count("charged A-1") == shown.count("charged A-2") == 1
    assert re.findall(r"after (\d+) s: (\d) messages?, of which (\d) failed", shown) == [
        ("0", "4", "1"),
        ("30", "1", "1"),
        ("60", "1", "1"),
    ]
    assert "paid         A-1 12.50, A-2 8.00\n" in shown
    assert "dead letter  two books, please\n" in shown
    assert "time         90 s on the functions' clock" in shown
    assert shown.count("$ handlerkit invoke") == 2
    assert "invocations: 500" in shown + done.stderr


def test_the_traced_example_shows_its_trace() -> None:
    done = run("invoke", "examples/traced_checkout.handler", "-e", "examples/events/checkout.json", "--trace")
    assert json.loads(done.stdout) == {"charged": 12.5}
    assert "## handler" in done.stderr
    assert "payments.example.com" in done.stderr


def test_the_order_queue_charges_once_and_buries_what_is_no_order() -> None:
    done = subprocess.run([sys.executable, "examples/order_queue.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(
        "passed:  0:01:30 of the queue's time, none of yours\n\n"
        "charged: A-1 12.50, A-2 8.00, A-3 99.90, A-4 1.00\n"
        "dead:    two books, please, after 3 attempts\n"
    )


def test_the_snapshot_example_lets_go_and_takes_up_under_snap_start() -> None:
    function = FunctionConfiguration(handler="examples/snapshot.handler", task_root=ROOT, snap_start=True)
    with LocalLambda(function) as service:
        assert service.invoke("function", {}).json() == {"open": True, "restored": 1}


def test_the_observed_example_logs_and_counts_as_its_page_says() -> None:
    event = {"order_id": "A-17", "articles": ["pen", "lamp"], "api_key": "s3cr3t"}
    done = run("invoke", "examples/observed.handler", "-e", "-", stdin=json.dumps(event))
    assert json.loads(done.stdout) == {"order_id": "A-17", "reserved": 1}
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    received, reserved, missing, counted = lines
    assert (received["event"], received["articles"], received["api_key"]) == ("order.received", 2, "[redacted]")
    assert (reserved["event"], reserved["article"]) == ("article.reserved", "pen")
    assert missing["exception"]["message"] == "lamp"
    assert {line["order_id"] for line in lines[:3]} == {"A-17"}
    assert (counted["articles"], len(counted["reserve"]), counted["service"]) == (1, 2, "orders")
    assert "s3cr3t" not in done.stderr

"""`handlerkit event`: realistic events on stdout, to edit or to pipe into `handlerkit invoke`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from handlerkit.events import detect
from lambda_emulator.command_input import WrongInput
from lambda_emulator.event_command import NAMES_ELSEWHERE, event_text, kinds
from tests.command.test_invoke_command import command

# Some factories stand for several kinds of event; this is how the kinds they make begin.
BEGINNINGS = {
    "activemq": "mq.activemq",
    "authorizer": "apigw_authorizer",
    "custom-resource": "cfn_custom_resource",
    "http": "apigw_http",
    "rabbitmq": "mq.rabbitmq",
    "scheduled": "eventbridge",
    "websocket": "apigw_websocket",
}


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_an_example_that_is_recognised(kind: str) -> None:
    arguments = ["--new", '{"id": 1}'] if kind == "dynamodb" else []
    assert detect(event_text(kind, arguments)).startswith(BEGINNINGS.get(kind, kind.replace("-", "_")))


def test_without_a_kind_all_kinds_are_listed() -> None:
    text = command("event").stdout.decode()
    assert all(f"\n{kind} " in text for kind in kinds())


def test_payloads_are_taken_as_given_from_the_option_a_file_or_standard_input(tmp_path: Path) -> None:
    (tmp_path / "body.txt").write_text("from a file")
    done = command(
        "event", "sqs", "--body", '{"a":  1}', "--body", "@body.txt", "--body", "-", cwd=tmp_path, stdin=b"from stdin"
    )
    bodies = [record["body"] for record in json.loads(done.stdout)["Records"]]
    assert bodies == ['{"a":  1}', "from a file", "from stdin"]


def test_options_are_the_factorys_parameters() -> None:
    done = command(
        "event", "sqs", "--body", "x", "--queue", "orders.fifo", "--message-group-id", "g", "--attribute", "a=b"
    )
    (record,) = json.loads(done.stdout)["Records"]
    assert record["eventSourceARN"].endswith(":orders.fifo")
    assert record["attributes"]["MessageGroupId"] == "g"
    assert record["messageAttributes"]["a"]["stringValue"] == "b"
    (record,) = json.loads(command("event", "s3", "--key", "a b", "--size", "5").stdout)["Records"]
    assert (record["s3"]["object"]["key"], record["s3"]["object"]["size"]) == ("a+b", 5)


def made(*arguments: str) -> Any:
    """The event that the command prints, parsed; in this process."""
    return json.loads(event_text(arguments[0], list(arguments[1:])))


def test_a_value_of_any_shape_is_given_as_json() -> None:
    assert made("custom-resource", "--properties", '{"Size": 3}')["ResourceProperties"]["Size"] == "3"
    assert made("appsync", "--field", "getOrder", "--arguments", '{"id": 7}')["arguments"] == {"id": 7}
    documents = made("documentdb", "--document", '{"a": 1}', "--document", '{"a": 2}')["events"]
    assert [each["event"]["fullDocument"]["a"] for each in documents] == [1, 2]


def test_what_a_factory_takes_several_of_may_be_repeated() -> None:
    assert [task["s3Key"] for task in made("s3-batch", "--key", "a b", "--key", "c")["tasks"]] == ["a+b", "c"]
    assert len(made("s3-batch")["tasks"]) == 1


def test_headers_of_kafka_are_bytes() -> None:
    (records,) = made("kafka", "--header", "trace=ab")["records"].values()
    assert records[0]["headers"] == [{"trace": [97, 98]}]


def test_the_possible_values_of_an_option_are_in_the_help_and_others_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        event_text("http", ["--help"])
    text = capsys.readouterr().out
    assert "--kind {http_api,rest,function_url,alb,alb_multi,lattice,lattice_v1}" in text
    assert "ValueError" not in text
    with pytest.raises(SystemExit):
        event_text("custom-resource", ["--request-type", "create"])
    assert "invalid choice: 'create'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "instead"),
    [("sqss", "did you mean sqs?"), ("apigateway", "write http --kind rest"), ("ALB", "write http --kind alb")],
)
def test_an_unknown_kind_is_refused_with_what_to_write_instead(kind: str, instead: str) -> None:
    with pytest.raises(WrongInput, match=re.escape(f"no event kind {kind!r}: {instead}")):
        event_text(kind, [])


@pytest.mark.parametrize("known", NAMES_ELSEWHERE.values())
def test_what_is_to_be_written_instead_makes_an_event(known: str) -> None:
    assert made(*known.split())


def test_headers_parameters_and_cookies_of_a_request_are_pairs_that_may_be_repeated() -> None:
    done = command(
        "event", "http", "--header", "x-id=a=b", "--query", "tag=a", "--query", "tag=b", "--cookie", "session=s",
        "--kind", "rest",
    )  # fmt: skip
    event = json.loads(done.stdout)
    assert event["headers"]["x-id"] == "a=b"
    assert event["multiValueQueryStringParameters"] == {"tag": ["a", "b"]}
    assert "session=s" in json.dumps(event["headers"])


@pytest.mark.parametrize("kind", kinds())
def test_the_options_of_every_kind_are_words_with_defaults_that_can_be_read(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        event_text(kind, ["--help"])
    text = capsys.readouterr().out
    assert "object at 0x" not in text
    assert "cooky" not in text


def test_an_event_can_be_piped_into_invoke() -> None:
    printed = command("event", "sqs", "--body", '{"article": "book", "quantity": 1}')
    done = command("invoke", "examples/orders.handler", "-e", "-", stdin=printed.stdout)
    assert json.loads(done.stdout) == {"batchItemFailures": []}
    assert done.stderr.startswith(b"event: sqs.standard\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nope"], "no event kind 'nope': use one of "),
        (["eventbridge", "--detail", "{x"], "--detail is not JSON: "),
        (["sqs", "--body", "@nowhere"], "cannot read nowhere: "),
        (["sqs", "--attribute", "novalue"], "--attribute takes NAME=VALUE"),
        (["dynamodb"], "no dynamodb event can be made of that: "),
    ],
)
def test_wrong_input_is_one_clear_line_and_exit_status_2(arguments: list[str], text: str) -> None:
    done = command("event", *arguments)
    error = done.stderr.decode()
    assert error.startswith(f"handlerkit: {text}")
    assert error.count("\n") == 1
    assert done.returncode == 2


def test_an_unknown_option_is_refused_with_the_usage() -> None:
    done = command("event", "s3", "--colour", "red")
    assert done.returncode == 2
    assert b"unrecognized arguments: --colour red" in done.stderr


def test_invoke_names_the_kind_of_event_in_json_too() -> None:
    printed = command("event", "s3")
    done = command("invoke", "examples/uploads.handler", "-e", "-", "--json", stdin=printed.stdout)
    assert json.loads(done.stdout)["eventKind"] == "s3"

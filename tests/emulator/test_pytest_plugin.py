"""The pytest plugin, as a project uses it: test files of its own, run by a pytest of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

FUNCTION = """
import json, os
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event.get("Records", []):
        order = json.loads(record["body"])
        print(json.dumps({"level": "INFO", "order": order["id"]}))
        if order["id"] == "poison":
            raise ValueError("a poisoned order")
    if "to" in event:
        sqs.send_message(QueueUrl=event["to"], MessageBody="done")
    if "metric" in event:
        directive = {"Namespace": "n", "Dimensions": [[]], "Metrics": [{"Name": "m"}]}
        print(json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, "m": event["metric"]}))
    if "raise" in event:
        raise ValueError(event["raise"])
    return {"stage": os.environ.get("STAGE"), "root": os.getcwd()}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a function in `src`."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "orders.py").write_text(FUNCTION)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nhandlerkit_task_root = src\nfilterwarnings = error\naddopts = -p no:cacheprovider -p no:randomly\n"
    )
    return tmp_path


def run(project: Path, text: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Its tests."""
    (project / "test_orders.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=100)


def test_functions_queues_time_and_assertions_are_there_without_any_import(project: Path) -> None:
    done = run(
        project,
        """
def test_a_function_answers(local_lambda):
    orders = local_lambda.function("orders.handler", environment={"STAGE": "test"})
    answer = orders({"metric": [1, 2]})
    assert answer["stage"] == "test" and answer["root"].endswith("src")
    assert orders.emitted_metrics == {"m": [1, 2]}
    assert orders.metric("Invocations") == 1
    assert orders.invocations[0].report.init_ms > 0

def test_a_worker_is_retried_and_its_poison_set_aside(local_lambda, aws):
    sqs = aws.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = sqs.create_queue(QueueName="orders", Attributes={
        "VisibilityTimeout": "60",
        "RedrivePolicy": '{"deadLetterTargetArn": "%s", "maxReceiveCount": 2}' % dead_arn,
    })["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    orders = local_lambda.function("orders.handler", timeout_s=10)
    orders.polls(arn, batch_size=1)
    sqs.send_message(QueueUrl=url, MessageBody='{"id": "7"}')
    sqs.send_message(QueueUrl=url, MessageBody='{"id": "poison"}')
    local_lambda.run_until_quiet()
    seen = sorted(record["order"] for record in orders.log_records if "order" in record)
    assert seen == ["7", "poison", "poison"]
    assert orders.metric("Errors") == 2
    [message] = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert message["Body"] == '{"id": "poison"}'

def test_each_test_has_an_empty_aws_that_functions_find(local_lambda, aws):
    sqs = aws.client("sqs")
    assert "QueueUrls" not in sqs.list_queues()
    url = sqs.create_queue(QueueName="results")["QueueUrl"]
    local_lambda.function("orders.handler")({"to": url})
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "done"

def test_an_asynchronous_failure_is_retried_when_its_time_has_come(local_lambda):
    orders = local_lambda.function("orders.handler", name="later")
    orders.invoke({"raise": "no"}, invocation_type="Event")
    local_lambda.advance(0)
    assert orders.metric("Errors") == 1
    local_lambda.run_until_quiet()
    assert orders.metric("Errors") == 3
    assert orders.events == [{"raise": "no"}] * 3

def test_a_handler_is_called_directly(lambda_context):
    assert lambda_context.get_remaining_time_in_millis() > 29_000
""",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_a_failing_test_shows_what_the_function_has_logged(project: Path) -> None:
    done = run(
        project,
        """
def test_it(local_lambda):
    orders = local_lambda.function("orders.handler")
    result = orders.invoke({"raise": "the reason of it all"})
    assert result.function_error is None

def test_it_by_calling(local_lambda):
    local_lambda.function("orders.handler")({"raise": "another reason"})
""",
    )
    assert done.returncode == 1
    assert "Lambda function orders" in done.stdout
    assert "ValueError: the reason of it all" in done.stdout
    assert "orders failed: " in done.stdout


def test_a_wrong_setting_is_the_test_s_error(project: Path) -> None:
    done = run(project, "def test_it(local_lambda):\n    local_lambda.function('orders.handler', timeout_s=1000)\n")
    assert done.returncode == 1
    assert "InvalidConfiguration" in done.stdout


def test_the_plugin_costs_nothing_where_it_is_not_used(project: Path) -> None:
    text = """
import sys
def test_it():
    loaded = [name for name in sys.modules if name.startswith(("lambda_emulator.", "handlerkit.", "moto", "boto3"))]
    assert loaded == ["lambda_emulator.pytest_plugin"]
"""
    assert run(project, text).returncode == 0


def test_the_fixtures_are_listed_with_what_they_give(project: Path) -> None:
    done = run(project, "", "--fixtures")
    for name in ("local_lambda", "aws", "local_clock", "lambda_context"):
        assert f"\n{name}" in done.stdout


def test_a_fixture_names_the_extra_where_it_is_not_installed(project: Path) -> None:
    (project / "conftest.py").write_text("import sys\nsys.modules['h11'] = None\n")
    done = run(project, "def test_a_function_answers(local_lambda):\n    local_lambda.function('orders.handler')\n")
    assert done.returncode == 1
    assert (
        "ModuleNotFoundError: the fixture local_lambda needs h11, which is not installed: "
        "pip install 'handlerkit[emulator]'"
    ) in done.stdout


def test_boto3_in_the_tests_own_process_finds_the_empty_aws_and_no_account(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "mine")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1")
    (project / "direct.py").write_text(
        "import boto3\n\ndef handler(event, context):\n    return boto3.client('sqs').list_queues()['QueueUrls']\n"
    )
    done = run(
        project,
        """
import os

def test_it_is_found(aws, aws_environment, lambda_context):
    url = aws.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    from direct import handler
    assert handler({}, lambda_context) == [url]
    assert "AWS_PROFILE" not in os.environ
    assert aws_environment["AWS_ENDPOINT_URL"] == aws.endpoint_url

def test_the_variables_are_what_they_were():
    assert os.environ["AWS_PROFILE"] == "mine"
    assert "AWS_ENDPOINT_URL" not in os.environ
""",
    )
    assert done.returncode == 0, done.stdout + done.stderr

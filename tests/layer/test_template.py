"""The deployment template: what cfn-lint says of it, what must be in it, and its functions in the layers."""

import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from handlerkit.idempotency.dynamodb_items import Layout
from handlerkit.testing import eventbridge_event, sqs_event
from lambda_emulator import LocalLambda
from lambda_emulator.layer.verify import Sandboxed
from tests.layer.conftest import ROOT

LAYER = ROOT / "layer"


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, each as a dict of its name."""


Loader.add_multi_constructor("!", lambda loader, name, node: {name: node.value})


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """The template's resources."""
    document = yaml.load((LAYER / "template.yaml").read_text(), Loader)  # ours, and still a safe loader
    found: dict[str, Any] = document["Resources"]
    return found


def test_cfn_lint_has_nothing_to_say() -> None:
    command = [str(Path(sys.executable).with_name("cfn-lint")), "layer/template.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_failed_record_counts_and_a_poisoned_one_ends_in_the_dead_letter_queue(resources: dict[str, Any]) -> None:
    mapping = resources["OrdersFunction"]["Properties"]["Events"]["Orders"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    queue = resources["OrdersQueue"]["Properties"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
    assert queue["VisibilityTimeout"] >= 6 * 30


def test_the_table_forgets_what_the_store_says_it_may(resources: dict[str, Any]) -> None:
    table = resources["OrdersSeen"]["Properties"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": Layout("t").expiry, "Enabled": True}
    assert table["KeySchema"] == [{"AttributeName": Layout("t").key, "KeyType": "HASH"}]


def test_policies_name_actions_and_resources_except_where_aws_has_none(resources: dict[str, Any]) -> None:
    roles = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 2
    for role in roles:
        assert "ManagedPolicyArns" not in role
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                assert not [action for action in actions if "*" in action]
                assert statement["Resource"] != "*" or {action.partition(":")[0] for action in actions} == {"xray"}


def test_every_function_has_its_layer_a_role_a_log_and_an_architecture_that_fits(resources: dict[str, Any]) -> None:
    functions = {name: one["Properties"] for name, one in resources.items() if one["Type"].endswith("::Function")}
    assert set(functions) == {"OrdersFunction", "ConfirmationsFunction"}
    for function in functions.values():
        layer = resources[function["Layers"][0]["Ref"]]["Properties"]
        assert function["Runtime"] in layer["CompatibleRuntimes"]
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert (LAYER / function["CodeUri"] / "app.py").is_file()


def test_the_dockerfile_copies_what_is_there_and_enters_by_the_bootstrap() -> None:
    text = (LAYER / "Dockerfile").read_text()
    assert (ROOT / "layer" / "layer.lock").is_file()
    assert re.search(r'^ENTRYPOINT \["/usr/local/bin/bootstrap"\]$', text, re.MULTILINE)
    argument = re.search(r"^ARG FUNCTION=(\S+)$", text, re.MULTILINE)
    assert argument is not None
    assert (ROOT / argument[1] / "app.py").is_file()


def test_the_queues_function_charges_every_order_once_in_the_layer(box: Sandboxed) -> None:
    if box.confinement.kind == "plain":
        pytest.skip("no sandbox works here")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        client = boto3.client(
            "dynamodb", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_table(
            TableName="orders-seen",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        client.close()
        variables = {"ORDERS_SEEN": "orders-seen", "AWS_ENDPOINT_URL_DYNAMODB": url}
        event = sqs_event([{"order_id": f"A-{number}", "total": 12.5} for number in range(3)])
        function = box.function(LAYER / "functions" / "orders", "app.handler", environment=variables, memory_mb=256)
        with LocalLambda(function) as service:
            results = [service.invoke("function", event) for _ in range(2)]
            logs = [(result.report, result.log)[1] for result in results]
        assert [result.json() for result in results] == [{"batchItemFailures": []}] * 2, logs
        assert [log.count("charged A-") for log in logs] == [3, 0]
    finally:
        server.stop()


def test_the_buss_function_confirms_in_the_layer(box: Sandboxed) -> None:
    event = eventbridge_event({"order_id": "A-17", "total": 12.5}, detail_type="Order Placed", source="shop.orders")
    with LocalLambda(box.function(LAYER / "functions" / "confirmations", "app.handler")) as service:
        assert service.invoke("function", event).json() == "A-17: 12.50, thank you"


def test_what_the_commands_need_is_in_the_wheel() -> None:
    configuration = (ROOT / "pyproject.toml").read_text()
    for name in ("layer.lock", "template.yaml", "cpython.sh", "Dockerfile"):
        assert f'"layer/{name}" = "lambda_emulator/layer/data/{name}"' in configuration
        assert Path(LAYER / name).stat().st_size > 500

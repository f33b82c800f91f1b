"""`handlerkit idempotency template`: valid CloudFormation, of a table that the store works with and no more."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from handlerkit.idempotency import Claim, Completion, DynamoDBStore, Layout, Release
from handlerkit.idempotency.dynamodb_client import ServiceError
from lambda_emulator.command_input import WrongInput
from lambda_emulator.idempotency_command import template_text
from tests.command.test_invoke_command import command

VARIANTS: list[dict[str, Any]] = [
    {"table": "idempotency"},
    {"table": "orders-seen.v2", "key": "pk", "sort_key": "sk", "partition": "orders", "ttl": "ttl"},
    {"table": "123", "key": "yes", "ttl": "On"},
    {"table": "a" * 255, "key": "_id"},
]


def resources(text: str) -> list[dict[str, Any]]:
    """The properties of the table and of the policy, with CloudFormation's short forms as text."""

    class Loader(yaml.SafeLoader):
        """Reads the tags that CloudFormation adds to YAML."""

    Loader.add_multi_constructor("!", lambda loader, tag, node: f"{tag} {loader.construct_scalar(node)}")
    table, policy = yaml.load(text, Loader)["Resources"].values()  # a safe loader with two tags
    assert [table["Type"], policy["Type"]] == ["AWS::DynamoDB::Table", "AWS::IAM::ManagedPolicy"]
    return [table["Properties"], policy["Properties"]]


def test_the_templates_are_valid_cloudformation(tmp_path: Path) -> None:
    for number, variant in enumerate(VARIANTS):
        (tmp_path / f"{number}.yaml").write_text(template_text(**variant))
    names = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", "from cfnlint.runner import main; main()", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@pytest.mark.parametrize("variant", VARIANTS)
def test_names_stay_texts_and_the_policy_is_for_this_table_alone(variant: dict[str, Any]) -> None:
    table, policy = resources(template_text(**variant))
    key, sort_key = variant.get("key", "id"), variant.get("sort_key")
    assert table["TableName"] == variant["table"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": variant.get("ttl", "expiration"), "Enabled": True}
    names = [key] if sort_key is None else [key, sort_key]
    assert [one["AttributeName"] for one in table["KeySchema"]] == names
    assert [one["AttributeName"] for one in table["AttributeDefinitions"]] == names
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert re.fullmatch(r"GetAtt \w+Table\.Arn", statement["Resource"])
    if sort_key is not None:
        condition = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [variant["partition"]]}}
        assert statement["Condition"] == condition


class Recording:
    """A client that writes down what is asked for, and refuses every condition without saying why."""

    def __init__(self) -> None:
        self.actions: set[str] = set()

    def call(self, action: str, parameters: dict[str, Any], /) -> dict[str, Any]:
        parts = parameters.get("TransactItems", [{action: parameters}])
        self.actions |= {kind if kind.endswith("Item") else f"{kind}Item" for part in parts for kind in part}
        if action != "GetItem":
            raise ServiceError("ConditionalCheckFailedException", "", {})
        return {"Item": {"id": {"S": "k"}, "status": {"S": "INPROGRESS"}, "expiration": {"N": "1"}}}


def test_the_policy_allows_exactly_what_the_store_asks_for() -> None:
    client = Recording()
    store = DynamoDBStore("idempotency", client=client)
    store.claim(Claim(key="k", owner="a", lease_ms=1, ttl_s=1))
    store.complete(Completion(key="k", owner="a", result="1", ttl_s=1))
    store.release(Release(key="k", owner="a"))
    _, policy = resources(template_text("idempotency"))
    allowed = policy["PolicyDocument"]["Statement"][0]["Action"]
    assert sorted(allowed) == sorted(f"dynamodb:{action}" for action in client.actions)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_store_works_with_such_a_table() -> None:
    variant = VARIANTS[1]
    table, _ = resources(template_text(**variant))
    del table["TimeToLiveSpecification"]
    layout = Layout(variant["table"], key="pk", sort_key="sk", partition="orders", expiry="ttl")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        client.create_table(**table)
        store = DynamoDBStore(layout, client=client)
        assert store.claim(Claim(key="k", owner="a", lease_ms=1000, ttl_s=60)).owner == "a"
        assert store.claim(Claim(key="k", owner="b", lease_ms=1000, ttl_s=60)).owner == "a"
        assert store.complete_many([Completion(key="k", owner="a", result="1", ttl_s=60)])[0] is not None
        client.close()


def test_the_attributes_are_those_of_the_stores_layout() -> None:
    layout = Layout("idempotency")
    table, _ = resources(template_text(layout.table))
    assert table["TimeToLiveSpecification"]["AttributeName"] == layout.expiry
    assert [one["AttributeName"] for one in table["KeySchema"]] == [layout.key]
    text = template_text("t-1", key="pk", sort_key="sk", partition="p", ttl="ttl")
    assert 'DynamoDBStore(Layout("t-1", key="pk", sort_key="sk", partition="p", expiry="ttl"))' in text


def test_the_command_prints_it_and_refuses_what_dynamodb_would() -> None:
    done = command("idempotency", "template", "--table", "orders-seen", "--sort-key", "sk")
    assert done.stdout.decode() == template_text("orders-seen", sort_key="sk")
    assert done.returncode == 0
    done = command("idempotency", "template", "--table", "a b")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"handlerkit: --table 'a b': 3 to 255 letters, digits, and _ . -\n"
    for options in ({"key": "a:b"}, {"ttl": "id"}, {"sort_key": "id"}, {"partition": "p"}, {"sort_key": ""}):
        with pytest.raises(WrongInput, match=r"--\w"):
            template_text("idempotency", **options)

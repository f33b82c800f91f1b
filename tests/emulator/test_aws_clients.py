"""The clients that the local Lambda sends with: one of each, made late, safe in threads."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto import mock_aws

from lambda_emulator.aws_clients import AwsClients, BotoMissing


def test_inside_motos_mock_a_call_goes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")):
        monkeypatch.setenv(name, value)

    async def create_and_list() -> Any:
        await aws.call("sqs", "eu-west-1", "create_queue", QueueName="orders")
        return await aws.call("sqs", "eu-west-1", "list_queues")

    with mock_aws():
        aws = AwsClients()
        assert asyncio.run(create_and_list())["QueueUrls"] == [
            "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
        ]
        aws.close()


def test_an_endpoint_needs_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    aws = AwsClients(endpoint_url="http://127.0.0.1:9")
    client = aws.client("sns", "us-east-1")
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert client._request_signer._credentials.access_key == "local"
    aws.close()


def test_one_client_of_a_kind_however_many_threads_ask() -> None:
    made = []

    def make(service: str, **_options: Any) -> Any:
        made.append(service)
        return _Closable(made)

    aws = AwsClients(make_client=make)
    barrier = threading.Barrier(8)

    def ask(_index: int) -> Any:
        barrier.wait(10)
        return aws.client("sqs", "us-east-1")

    with ThreadPoolExecutor(8) as executor:
        assert len(set(executor.map(ask, range(8)))) == 1
    aws.close()
    assert made == ["sqs", "closed"]


class _Closable:
    def __init__(self, log: list[str]) -> None:
        self._log = log

    def close(self) -> None:
        self._log.append("closed")


def test_without_boto3_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(BotoMissing, match=r"install handlerkit\[emulator\]"):
        AwsClients().client("sqs", "us-east-1")

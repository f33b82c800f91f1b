"""What a pattern sees of each source's records: the reference's sections 2.6 and 7."""

import base64
import json
from typing import Any

import pytest

from lambda_emulator import InvalidParameterValue, InvokeError
from lambda_emulator.pollers.filter_criteria import FilterCriteria
from lambda_emulator.pollers.source_arn import Kind


def message(body: str, **more: Any) -> dict[str, Any]:
    return {"messageId": "m", "body": body, "attributes": {}, "messageAttributes": {}} | more


def kinesis(data: bytes, key: str = "k") -> dict[str, Any]:
    return {"kinesis": {"data": base64.b64encode(data).decode(), "partitionKey": key, "sequenceNumber": "7"}}


def passes(kind: Kind, record: dict[str, Any], *patterns: Any) -> bool:
    return FilterCriteria([json.dumps(pattern) for pattern in patterns], kind).passes(record)


@pytest.mark.parametrize(
    ("body", "pattern", "holds"),
    [
        ('{"a":1}', {"body": {"a": [1]}}, True),
        ('{"a":2}', {"body": {"a": [1]}}, False),
        ("plain", {"body": ["plain"]}, True),
        ("plain", {"body": [{"prefix": "pl"}]}, True),
        ("plain", {"body": {"a": [1]}}, False),
        ("plain", {"body": {"a": [{"exists": False}]}}, True),
        ('{"a":1}', {"body": ['{"a":1}']}, False),
        ('{"a":1}', {"body.a": [1]}, True),
        ('{"a":1}', {"$or": [{"body": {"a": [1]}}, {"body": {"a": [2]}}]}, True),
        ("[1]", {"body": ["[1]"]}, True),
        ("anything", {"messageId": ["m"]}, True),
        ("anything", {"messageId": ["n"]}, False),
        ("", {"body": [""]}, True),
    ],
)
def test_the_body_of_a_message(body: str, pattern: Any, holds: bool) -> None:
    assert passes("sqs", message(body), pattern) is holds


def test_metadata_of_a_message() -> None:
    record = message("x", messageAttributes={"kind": {"stringValue": "order", "dataType": "String"}})
    assert passes("sqs-fifo", record, {"messageAttributes": {"kind": {"stringValue": ["order"]}}})


@pytest.mark.parametrize(
    ("data", "pattern", "holds"),
    [
        (b'{"a":1}', {"data": {"a": [1]}}, True),
        (b"plain", {"data": ["plain"]}, True),
        (b"plain", {"data": {"a": [1]}}, False),
        (b'{"a":1}', {"data": [{"prefix": "{"}]}, False),
        (b"\xff\xfe", {"data": [{"exists": True}]}, False),
        (b"\xff\xfe", {"partitionKey": ["k"]}, True),
        (b"x", {"sequenceNumber": ["7"]}, True),
        (b"x", {"kinesis": {"partitionKey": ["k"]}}, True),
    ],
)
def test_the_data_of_a_kinesis_record(data: bytes, pattern: Any, holds: bool) -> None:
    record = kinesis(data)
    assert passes("kinesis", record, pattern) is holds
    assert base64.b64decode(record["kinesis"]["data"]) == data  # the function's record is not touched


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        ({"dynamodb": {"NewImage": {"n": {"N": ["101"]}}}}, True),
        ({"dynamodb": {"NewImage": {"n": {"N": [{"numeric": [">", 100]}]}}}}, False),
        ({"dynamodb": {"NewImage": {"n": {"N": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"NewImage": {"n": [{"exists": False}]}}}, True),
        ({"dynamodb": {"ApproximateCreationDateTime": [{"numeric": [">", 5]}]}}, True),
        ({"eventName": ["INSERT"]}, True),
    ],
)
def test_a_dynamodb_record_is_seen_as_it_is(pattern: Any, holds: bool) -> None:
    record = {"eventName": "INSERT", "dynamodb": {"NewImage": {"n": {"N": "101"}}, "ApproximateCreationDateTime": 6}}
    assert passes("dynamodb", record, pattern) is holds


def test_one_of_several_patterns_is_enough_and_none_lets_all_pass() -> None:
    assert passes("sqs", message("a"), {"body": ["b"]}, {"body": ["a"]})
    assert passes("sqs", message("a"))


@pytest.mark.parametrize("text", ["null", '"x"', "{", '{"a":1}', '{"a":[]}', '{"a":[{"nothing":1}]}', ""])
def test_what_does_not_parse_is_refused_in_one_sentence_with_the_reason_behind_it(text: str) -> None:
    with pytest.raises(InvalidParameterValue) as refused:
        FilterCriteria([text], "sqs")
    assert refused.value.message == "Invalid filter pattern definition."
    assert str(refused.value.__cause__)


def test_there_are_limits_for_number_and_length() -> None:
    pattern = json.dumps({"a": ["x" * 4096]})
    with pytest.raises(InvokeError, match="less than or equal to 4096"):
        FilterCriteria([pattern], "sqs")
    with pytest.raises(InvokeError, match="less than or equal to 10"):
        FilterCriteria(['{"a":[1]}'] * 11, "sqs")

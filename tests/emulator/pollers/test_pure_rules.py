"""The small pure parts: scaling, groups, windows, requests, records."""

import datetime
import json

import pytest

from lambda_emulator import InvalidParameterValue
from lambda_emulator.pollers.message_groups import MessageGroups
from lambda_emulator.pollers.request import api_request
from lambda_emulator.pollers.scaling import Scaling
from lambda_emulator.pollers.source_arn import SourceArn
from lambda_emulator.pollers.stream_record import dynamodb_record
from lambda_emulator.pollers.tumbling_window import BadWindowResponse, OpenWindow


def test_concurrency_begins_at_five_and_grows_by_three_hundred_a_minute_to_a_thousand() -> None:
    scaling = Scaling(None, 0.0)
    seen = [scaling.limit]
    for now_s in range(0, 300, 20):
        scaling.saturated(float(now_s))
        seen.append(scaling.limit)
    assert list(dict.fromkeys(seen)) == [5, 305, 605, 905, 1000]
    scaling.idle(301.0)
    assert scaling.limit == 5


def test_the_maximum_concurrency_bounds_it() -> None:
    scaling = Scaling(2, 0.0)
    scaling.saturated(60.0)
    assert scaling.limit == 2


def test_errors_lower_it_and_successes_bring_it_back() -> None:
    scaling = Scaling(None, 0.0)
    for expected in (2, 1, 1):
        scaling.failed()
        assert scaling.limit == expected
    for expected in (2, 3, 4, 5, 5):
        scaling.succeeded()
        assert scaling.limit == expected


def test_a_group_is_taken_once_and_a_claim_is_all_or_nothing() -> None:
    groups = MessageGroups()
    assert groups.claim(["a", "a", "b"])
    assert not groups.claim(["b", "c"])
    assert groups.claim(["c", None])
    groups.release(["a", "a", "b"])
    assert groups.claim(["b"])
    assert groups.claim([None])


def window() -> OpenWindow:
    return OpenWindow(120, 60, "shardId-0", "arn:stream")


def test_the_state_of_a_window_goes_on_and_is_kept_over_a_bad_response() -> None:
    open_window = window()
    open_window.take_state(b'{"state":{"n":1}}')
    for payload in (b"", b"null", b"[]", b"{}", b"no", b'"x"'):
        with pytest.raises(BadWindowResponse):
            open_window.take_state(payload)
    assert json.loads("{" + open_window.event_fields(final=True) + "}") == {
        "window": {"start": "1970-01-01T00:02:00Z", "end": "1970-01-01T00:03:00Z"},
        "state": {"n": 1},
        "shardId": "shardId-0",
        "eventSourceARN": "arn:stream",
        "isFinalInvokeForWindow": True,
        "isWindowTerminatedEarly": False,
    }


def test_a_state_over_a_megabyte_ends_its_window_early() -> None:
    open_window = window()
    seen = []
    for size in (1024 * 1024 - 2, 1024 * 1024):
        open_window.take_state(b'{"state":"' + b"x" * size + b'"}')
        seen.append(open_window.too_large)
    assert seen == [False, True]
    assert '"isWindowTerminatedEarly":true' in open_window.event_fields(final=True)


@pytest.mark.parametrize(
    ("arn", "kind", "name"),
    [
        ("arn:aws:sqs:us-east-1:123456789012:q", "sqs", "q"),
        ("arn:aws-cn:sqs:cn-north-1:123456789012:q.fifo", "sqs-fifo", "q.fifo"),
        ("arn:aws:kinesis:eu-west-1:123456789012:stream/s.t", "kinesis", "s.t"),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000", "dynamodb", "orders"),
    ],
)
def test_an_arn_names_its_kind(arn: str, kind: str, name: str) -> None:
    source = SourceArn.parse(arn)
    assert (source.kind, source.name, source.text) == (kind, name, arn)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "q",
        "arn:aws:sqs:us-east-1:123456789012:",
        "arn:aws:s3:::bucket",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
        "arn:aws:kafka:eu-west-1:123456789012:cluster/x",
    ],
)
def test_what_is_no_source_is_refused(arn: str) -> None:
    with pytest.raises(InvalidParameterValue, match=r"Unrecognized event source\."):
        SourceArn.parse(arn)


def test_a_misspelt_setting_is_named_with_its_neighbour() -> None:
    with pytest.raises(InvalidParameterValue, match="no setting batchsize: did you mean batch_size"):
        api_request({"batchsize": 1})
    with pytest.raises(InvalidParameterValue, match="use some of function_name"):
        api_request({"xyzzy": 1})


def test_a_deletion_by_time_to_live_names_its_author() -> None:
    raw = {
        "eventID": "1",
        "eventName": "REMOVE",
        "userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
        "dynamodb": {
            "Keys": {"id": {"S": "a"}},
            "SequenceNumber": "5",
            "ApproximateCreationDateTime": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        },
    }
    source = SourceArn.parse("arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/x")
    record = dynamodb_record(raw, source)
    assert record.record["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert record.record["awsRegion"] == "eu-west-1"

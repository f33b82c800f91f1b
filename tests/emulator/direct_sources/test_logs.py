"""Subscription filters of CloudWatch Logs."""

import json

import pytest
from botocore.exceptions import ClientError

from handlerkit.events import CloudWatchLogsEvent
from tests.emulator.direct_sources.conftest import START_S, Scene


def test_log_lines_reach_a_function_that_has_subscribed_to_them(scene: Scene) -> None:
    logs = scene.client("logs")
    logs.create_log_group(logGroupName="/app")
    logs.create_log_stream(logGroupName="/app", logStreamName="one")
    wanted = {"logGroupName": "/app", "filterName": "all", "filterPattern": ""}
    with pytest.raises(ClientError, match="Could not execute the lambda function"):
        logs.put_subscription_filter(**wanted, destinationArn=scene.arn + "-unknown")
    logs.put_subscription_filter(**wanted, destinationArn=scene.arn)
    lines = [{"timestamp": int(START_S * 1000), "message": json.dumps({"level": "ERROR"})}]
    logs.put_log_events(logGroupName="/app", logStreamName="one", logEvents=lines)
    [event] = scene.events()
    data = CloudWatchLogsEvent(event).data
    assert (data.log_group, data.log_stream, list(data.subscription_filters)) == ("/app", "one", ["all"])
    assert [json.loads(each.message) for each in data.log_events] == [{"level": "ERROR"}]

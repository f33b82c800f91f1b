"""What CloudWatch says of an alarm, the same in a direct action and in the detail of an EventBridge event."""

from __future__ import annotations

from .fields import boolean, instant, integer, maybe_integer, maybe_text, text, text_map
from .lenient_json import json_or_text
from .nested import maybe_view, view, views
from .view import View

__all__ = [
    "CloudWatchAlarmConfiguration",
    "CloudWatchAlarmData",
    "CloudWatchAlarmMetric",
    "CloudWatchAlarmState",
    "CloudWatchMetric",
    "CloudWatchMetricStat",
]


class CloudWatchAlarmState(View):
    """A state; `value` is OK, ALARM or INSUFFICIENT_DATA, `reason_data` the JSON behind the reason."""

    reason = text("reason")
    reason_data = json_or_text("reasonData")
    timestamp = instant("timestamp")
    actions_suppressed_by = maybe_text("actionsSuppressedBy")
    actions_suppressed_reason = maybe_text("actionsSuppressedReason")
    value = text("value")


class CloudWatchMetric(View):
    """A metric by name."""

    namespace = text("namespace")
    name = text("name")
    dimensions = text_map("dimensions")


class CloudWatchMetricStat(View):
    """A statistic of a metric; `period` in seconds."""

    metric = view("metric", CloudWatchMetric)
    period = integer("period")
    stat = text("stat")
    unit = maybe_text("unit")


class CloudWatchAlarmMetric(View):
    """One of the metrics an alarm watches: a statistic, or an expression over others."""

    id = text("id")
    metric_stat = maybe_view("metricStat", CloudWatchMetricStat)
    expression = maybe_text("expression")
    label = maybe_text("label")
    period = maybe_integer("period")
    account_id = maybe_text("accountId")
    return_data = boolean("returnData")


class CloudWatchAlarmConfiguration(View):
    """The alarm's definition: metrics, or for a composite alarm a rule and perhaps a suppressor; periods in seconds."""

    description = maybe_text("description")
    metrics = views("metrics", CloudWatchAlarmMetric)
    alarm_rule = maybe_text("alarmRule")
    actions_suppressor = maybe_text("actionsSuppressor")
    actions_suppressor_wait_period = maybe_integer("actionsSuppressorWaitPeriod")
    actions_suppressor_extension_period = maybe_integer("actionsSuppressorExtensionPeriod")


class CloudWatchAlarmData(View):
    """An alarm that changed its state. As a detail: `EventBridgeEvent[CloudWatchAlarmData]`."""

    alarm_name = text("alarmName")
    state = view("state", CloudWatchAlarmState)
    previous_state = view("previousState", CloudWatchAlarmState)
    configuration = view("configuration", CloudWatchAlarmConfiguration)

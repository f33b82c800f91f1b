"""CloudWatch alarms that invoke a function directly, asynchronous.

Wire names are those of the event. An alarm by way of EventBridge has the same data in its detail:
`EventBridgeEvent[CloudWatchAlarmData]`. (Documentation also shows that envelope around a direct alarm; it is read.)
"""

from __future__ import annotations

from .alarm_state import CloudWatchAlarmData
from .fields import instant, text
from .nested import view
from .view import View

__all__ = ["CloudWatchAlarmEvent"]


class CloudWatchAlarmEvent(View, kinds=("cloudwatch_alarm",)):
    """An alarm that changed its state."""

    alarm_data = view("alarmData", CloudWatchAlarmData)
    alarm_arn = text("alarmArn")
    account_id = text("accountId", "account")
    time = instant("time")
    region = text("region")
    source = text("source")

    @property
    def is_alarm(self) -> bool:
        """Whether the alarm went off, rather than back to normal or to having no data."""
        return self.alarm_data.state.value == "ALARM"

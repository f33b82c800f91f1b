"""AWS Config rules, asynchronous. Generic in the rule's parameters.

Wire names are those of the event. `invokingEvent` is JSON in text, parsed when it is first read; `ruleParameters` is
too, and a dict unless a type is named. The return value is ignored: answer with `PutEvaluations` and `result_token`,
NOT_APPLICABLE where the resource left the rule's scope or is gone.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import boolean, instant, items, mapping, maybe_text, text, value
from .generics import Any, Generic, TypeVar
from .json_text import load
from .nested import ViewField, maybe_view
from .payload import Payload, text_payload
from .view import View

__all__ = ["ConfigDiff", "ConfigInvokingEvent", "ConfigItem", "ConfigRuleEvent"]

V = TypeVar("V", bound=View)
ParametersT = TypeVar("ParametersT", default=dict[str, Any])


class ConfigItem(View):
    """A resource as it was recorded; of an oversized one only a summary, without configuration."""

    resource_type = text("resourceType")
    resource_id = text("resourceId")
    resource_name = maybe_text("resourceName")
    arn = maybe_text("ARN", "arn")
    aws_account_id = text("awsAccountId")
    aws_region = text("awsRegion")
    availability_zone = maybe_text("availabilityZone")
    configuration_item_status = text("configurationItemStatus")
    configuration_item_capture_time = instant("configurationItemCaptureTime")
    configuration_item_version = maybe_text("configurationItemVersion")
    configuration_item_md5_hash = maybe_text("configurationItemMD5Hash")
    configuration_state_id = maybe_text("configurationStateId")
    configuration_state_md5_hash = maybe_text("configurationStateMd5Hash")
    configuration = value("configuration")
    supplementary_configuration = mapping("supplementaryConfiguration")
    relationships = items("relationships")
    related_events = items("relatedEvents")
    tags = value("tags")
    resource_creation_time = instant("resourceCreationTime")
    change_type = maybe_text("changeType")

    @property
    def is_deleted(self) -> bool:
        """Whether the resource is gone, or not recorded any more: the rule does not apply to it."""
        return self.configuration_item_status in _GONE


_GONE = ("ResourceDeleted", "ResourceDeletedNotRecorded", "ResourceNotRecorded")


class ConfigDiff(View):
    """What changed since the last item; `change_type` is CREATE, UPDATE or DELETE."""

    change_type = text("changeType")
    changed_properties = mapping("changedProperties")


class ConfigInvokingEvent(View):
    """What made AWS Config call; which fields there are depends on `message_type`."""

    message_type = text("messageType")
    notification_creation_time = instant("notificationCreationTime")
    record_version = text("recordVersion")
    configuration_item = maybe_view("configurationItem", ConfigItem)
    configuration_item_summary = maybe_view("configurationItemSummary", ConfigItem)
    configuration_item_diff = maybe_view("configurationItemDiff", ConfigDiff)
    aws_account_id = maybe_text("awsAccountId")
    s3_bucket = maybe_text("s3Bucket")
    s3_object_key = maybe_text("s3ObjectKey")
    config_snapshot_id = maybe_text("configSnapshotId")

    @property
    def item(self) -> ConfigItem | None:
        """The resource in question, or the summary of an oversized one; None for a schedule or a snapshot."""
        return self.configuration_item or self.configuration_item_summary

    @property
    def is_oversized(self) -> bool:
        """Whether the resource is only summarised: ask for it with `GetResourceConfigHistory`."""
        return self.configuration_item is None and self.configuration_item_summary is not None

    @property
    def is_scheduled(self) -> bool:
        """Whether a period has passed, rather than something changed."""
        return self.message_type == "ScheduledNotification"


class _TextViewField(ViewField[V]):
    __slots__ = ()

    def make(self, value: Any) -> V:
        return self.one(load(value) if isinstance(value, str) else value)


class ConfigRuleEvent(View, Generic[ParametersT], kinds=("config_rule",), payloads=(dict,)):
    """An evaluation to be made: `ConfigRuleEvent[Parameters]` types the rule's parameters."""

    invoking_event: Field[ConfigInvokingEvent] = _TextViewField("invokingEvent", ConfigInvokingEvent)
    rule_parameters: Payload[ParametersT] = text_payload("ruleParameters")
    result_token = text("resultToken", secret=True)
    event_left_scope = boolean("eventLeftScope")
    execution_role_arn = text("executionRoleArn")
    config_rule_arn = text("configRuleArn")
    config_rule_name = text("configRuleName")
    config_rule_id = text("configRuleId")
    account_id = text("accountId")
    evaluation_mode = maybe_text("evaluationMode")
    version = text("version")

    @property
    def is_applicable(self) -> bool:
        """Whether there may be something to evaluate: neither out of scope nor gone."""
        item = self.invoking_event.item
        return not self.event_left_scope and (item is None or not item.is_deleted)

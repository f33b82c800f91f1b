"""Details of EventBridge events about an account: API calls, findings, compliance, executions.

`EventBridgeEvent[CloudTrailApiCall]`. Wire names are those of the detail: `userIdentity` is `user_identity`.
"""

from __future__ import annotations

from .fields import instant, items, mapping, maybe_boolean, maybe_integer, maybe_text, number, text, value
from .lenient_json import json_or_text
from .nested import maybe_view, view
from .view import View

__all__ = [
    "CloudTrailApiCall",
    "CloudTrailIdentity",
    "ConfigComplianceChange",
    "ConfigEvaluationResult",
    "GuardDutyFinding",
    "HealthEvent",
    "StepFunctionsStatusChange",
    "TrustedAdvisorCheckItem",
]


class CloudTrailIdentity(View):
    """Who called; users, services and federated users each have other fields."""

    type = text("type")
    principal_id = maybe_text("principalId")
    arn = maybe_text("arn")
    account_id = maybe_text("accountId")
    user_name = maybe_text("userName")
    invoked_by = maybe_text("invokedBy")
    session_context = mapping("sessionContext")


class CloudTrailApiCall(View):
    """AWS API Call via CloudTrail, of any service; `error_code` where the call failed."""

    event_name = text("eventName")
    event_source = text("eventSource")
    event_time = instant("eventTime")
    event_id = text("eventID")
    event_type = maybe_text("eventType")
    event_version = text("eventVersion")
    user_identity = view("userIdentity", CloudTrailIdentity)
    request_parameters = value("requestParameters")
    response_elements = value("responseElements")
    error_code = maybe_text("errorCode")
    error_message = maybe_text("errorMessage")
    request_id = maybe_text("requestID")
    source_ip_address = maybe_text("sourceIPAddress")
    user_agent = maybe_text("userAgent")
    aws_region = text("awsRegion")
    read_only = maybe_boolean("readOnly")


class GuardDutyFinding(View):
    """GuardDuty Finding; what resource and service say depends on the finding's type."""

    id = text("id")
    arn = text("arn")
    type = text("type")
    severity = number("severity")
    title = text("title")
    description = text("description")
    account_id = text("accountId")
    region = text("region")
    resource = mapping("resource")
    service = mapping("service")
    created_at = instant("createdAt")
    updated_at = instant("updatedAt")


class HealthEvent(View):
    """AWS Health Event."""

    event_arn = text("eventArn")
    service = text("service")
    event_type_code = text("eventTypeCode")
    event_type_category = text("eventTypeCategory")
    event_scope_code = maybe_text("eventScopeCode")
    status_code = maybe_text("statusCode")
    communication_id = maybe_text("communicationId")
    start_time = instant("startTime")
    end_time = instant("endTime")
    last_updated_time = instant("lastUpdatedTime")
    event_description = items("eventDescription")
    affected_entities = items("affectedEntities")
    affected_account = maybe_text("affectedAccount")


class ConfigEvaluationResult(View):
    """What a rule found."""

    compliance_type = text("complianceType")
    annotation = maybe_text("annotation")
    result_recorded_time = instant("resultRecordedTime")
    config_rule_invoked_time = instant("configRuleInvokedTime")


class ConfigComplianceChange(View):
    """Config Rules Compliance Change; the first evaluation of a resource has no old result."""

    config_rule_name = text("configRuleName")
    config_rule_arn = text("configRuleARN", "configRuleArn")
    resource_type = text("resourceType")
    resource_id = text("resourceId")
    aws_account_id = text("awsAccountId")
    aws_region = text("awsRegion")
    message_type = text("messageType")
    new_evaluation_result = view("newEvaluationResult", ConfigEvaluationResult)
    old_evaluation_result = maybe_view("oldEvaluationResult", ConfigEvaluationResult)


class StepFunctionsStatusChange(View):
    """Step Functions Execution Status Change; `input` and `output` parsed from JSON text, None where too large."""

    execution_arn = text("executionArn")
    state_machine_arn = text("stateMachineArn")
    name = text("name")
    status = text("status")
    start_date = instant("startDate")
    stop_date = instant("stopDate")
    input = json_or_text("input")
    output = json_or_text("output")
    error = maybe_text("error")
    cause = maybe_text("cause")
    redrive_count = maybe_integer("redriveCount")
    redrive_date = instant("redriveDate")
    redrive_status = maybe_text("redriveStatus")
    state_machine_version_arn = maybe_text("stateMachineVersionArn")
    state_machine_alias_arn = maybe_text("stateMachineAliasArn")
    is_input_included = maybe_boolean("included", inside="inputDetails")
    is_output_included = maybe_boolean("included", inside="outputDetails")


class TrustedAdvisorCheckItem(View):
    """Trusted Advisor Check Item Refresh Notification."""

    check_name = text("check-name")
    check_item_detail = mapping("check-item-detail")
    status = text("status")
    resource_id = text("resource_id")
    uuid = text("uuid")

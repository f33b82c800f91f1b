"""The shapes in which Lambda's API tells of functions, aliases and settings. Pure."""

from datetime import UTC, datetime
from typing import Any

from lambda_emulator.alias import Alias
from lambda_emulator.event_invoke_config import EventInvokeConfig
from lambda_emulator.functions import Function, FunctionVersion
from lambda_emulator.provisioned import ProvisionedState

__all__ = ["alias_document", "event_document", "function_document", "provisioned_document", "version_document"]


def version_document(version: FunctionVersion) -> dict[str, Any]:
    """`FunctionConfiguration` as the API gives it. A published version's ARN has its number."""
    configuration = version.configuration
    published = configuration.version != "$LATEST"
    document = {
        "FunctionName": configuration.name,
        "FunctionArn": f"{configuration.arn}:{configuration.version}" if published else configuration.arn,
        "Runtime": "provided.al2023",
        "Handler": configuration.handler,
        "Description": "",
        "Timeout": configuration.timeout_s,
        "MemorySize": configuration.memory_mb,
        "Version": configuration.version,
        "Environment": {"Variables": dict(configuration.environment)},
        "TracingConfig": {"Mode": configuration.tracing},
        "PackageType": "Zip",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        **version.details,
    }
    document.pop("Tags", None)
    if version.code_sha256 is not None:
        document["CodeSha256"] = version.code_sha256
    if version.description:
        document["Description"] = version.description
    if configuration.dead_letter_arn is not None:
        document["DeadLetterConfig"] = {"TargetArn": configuration.dead_letter_arn}
    return document


def function_document(function: Function) -> dict[str, Any]:
    """Of what has just been changed."""
    return version_document(function.latest)


def alias_document(function: Function, alias: Alias) -> dict[str, Any]:
    """`AliasConfiguration`; a routing that is empty is left out."""
    document: dict[str, Any] = {
        "AliasArn": f"{function.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.function_version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    }
    if alias.additional_version_weights:
        document["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.additional_version_weights)}
    return document


def event_document(qualified_arn: str, config: EventInvokeConfig) -> dict[str, Any]:
    """`FunctionEventInvokeConfig`; numbers that are not set are left out."""
    document: dict[str, Any] = {
        "FunctionArn": qualified_arn,
        "LastModified": config.last_modified_s,
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.on_success} if config.on_success else {},
            "OnFailure": {"Destination": config.on_failure} if config.on_failure else {},
        },
    }
    if config.maximum_retry_attempts is not None:
        document["MaximumRetryAttempts"] = config.maximum_retry_attempts
    if config.maximum_event_age_s is not None:
        document["MaximumEventAgeInSeconds"] = config.maximum_event_age_s
    return document


def provisioned_document(state: ProvisionedState) -> dict[str, Any]:
    """What the provisioned concurrency operations answer."""
    at = datetime.fromtimestamp(state.last_modified_s, UTC)
    document: dict[str, Any] = {
        "RequestedProvisionedConcurrentExecutions": state.requested,
        "AvailableProvisionedConcurrentExecutions": state.available,
        "AllocatedProvisionedConcurrentExecutions": state.available,
        "Status": state.status,
        "LastModified": at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }
    if state.status_reason is not None:
        document["StatusReason"] = state.status_reason
    return document

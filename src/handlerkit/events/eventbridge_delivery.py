"""Details of EventBridge events about code on its way: `EventBridgeEvent[CodePipelineChange]`.

Wire names are those of the detail: `execution-id` is `execution_id`. Integers come as numbers, floats or text.
Rarer fields are in `raw`.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import FreshField, boolean, instant, items, mapping, maybe_integer, maybe_number, maybe_text, text, texts
from .nested import maybe_view, view, views
from .view import View

__all__ = [
    "CodeBuildChange",
    "CodeBuildInformation",
    "CodeBuildPhase",
    "CodeCommitChange",
    "CodeDeployChange",
    "CodePipelineActionType",
    "CodePipelineChange",
    "EcrImageAction",
    "EcrImageScan",
    "EcrScanChange",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class CodePipelineActionType(View):
    """What kind of action it is."""

    owner = text("owner")
    category = text("category")
    provider = text("provider")
    version = text("version")


class CodePipelineChange(View):
    """CodePipeline Pipeline, Stage and Action Execution State Change; `stage` and `action` where it is about one."""

    pipeline = text("pipeline")
    execution_id = text("execution-id")
    state = text("state")
    stage = maybe_text("stage")
    action = maybe_text("action")
    action_execution_id = maybe_text("action-execution-id")
    type = maybe_view("type", CodePipelineActionType)
    region = maybe_text("region")
    version = maybe_integer("version")
    start_time = instant("start-time")
    pipeline_execution_attempt = maybe_integer("pipeline-execution-attempt")
    execution_trigger = mapping("execution-trigger")
    execution_result = mapping("execution-result")
    input_artifacts = items("input-artifacts")
    output_artifacts = items("output-artifacts")


class CodeBuildPhase(View):
    """A phase of a build; the last one has neither status nor end."""

    phase_type = text("phase-type")
    phase_status = maybe_text("phase-status")
    start_time = instant("start-time")
    end_time = instant("end-time")
    duration_in_seconds = maybe_number("duration-in-seconds")
    phase_context = texts("phase-context")


class CodeBuildInformation(View):
    """The build."""

    build_number = maybe_integer("build-number")
    build_complete = boolean("build-complete")
    build_start_time = instant("build-start-time")
    initiator = maybe_text("initiator")
    timeout_in_minutes = maybe_integer("timeout-in-minutes")
    source = mapping("source")
    source_version = maybe_text("source-version")
    artifact = mapping("artifact")
    cache = mapping("cache")
    environment = mapping("environment")
    logs = mapping("logs")
    phases = views("phases", CodeBuildPhase)


class CodeBuildChange(View):
    """CodeBuild Build State Change and Build Phase Change; the latter has the completed phase."""

    project_name = text("project-name")
    build_id = text("build-id")
    build_status = maybe_text("build-status")
    current_phase = maybe_text("current-phase")
    current_phase_context = maybe_text("current-phase-context")
    completed_phase = maybe_text("completed-phase")
    completed_phase_status = maybe_text("completed-phase-status")
    completed_phase_context = maybe_text("completed-phase-context")
    completed_phase_start = instant("completed-phase-start")
    completed_phase_end = instant("completed-phase-end")
    completed_phase_duration_seconds = maybe_number("completed-phase-duration-seconds")
    additional_information = view("additional-information", CodeBuildInformation)
    version = text("version")


class CodeDeployChange(View):
    """CodeDeploy Deployment and Instance State-change Notification; `instance_id` where it is about one."""

    application = text("application")
    deployment_id = text("deploymentId")
    deployment_group = text("deploymentGroup")
    state = text("state")
    instance_id = maybe_text("instanceId")
    instance_group_id = maybe_text("instanceGroupId")
    region = text("region")


class CodeCommitChange(View):
    """Every event of CodeCommit: repositories, pull requests, comments, reactions, approval rules, as `event` says."""

    event = text("event")
    repository_name = maybe_text("repositoryName")
    repository_names = texts("repositoryNames")
    repository_id = maybe_text("repositoryId")
    caller_user_arn = maybe_text("callerUserArn")
    notification_body = maybe_text("notificationBody")
    # A branch or tag.
    reference_type = maybe_text("referenceType")
    reference_name = maybe_text("referenceName")
    reference_full_name = maybe_text("referenceFullName")
    commit_id = maybe_text("commitId")
    old_commit_id = maybe_text("oldCommitId")
    base_commit_id = maybe_text("baseCommitId")
    merge_option = maybe_text("mergeOption")
    # A pull request.
    pull_request_id = maybe_text("pullRequestId")
    pull_request_status = maybe_text("pullRequestStatus")
    title = maybe_text("title")
    description = maybe_text("description")
    author = maybe_text("author")
    is_merged = maybe_text("isMerged")  # "True" or "False", and on some events absent
    source_reference = maybe_text("sourceReference")
    source_commit = maybe_text("sourceCommit", "sourceCommitId")
    destination_reference = maybe_text("destinationReference")
    destination_commit = maybe_text("destinationCommit", "destinationCommitId")
    revision_id = maybe_text("revisionId")
    approval_status = maybe_text("approvalStatus")
    creation_date = instant("creationDate")
    last_modified_date = instant("lastModifiedDate")
    # A comment.
    comment_id = maybe_text("commentId")
    in_reply_to = maybe_text("inReplyTo")
    before_commit_id = maybe_text("beforeCommitId")
    after_commit_id = maybe_text("afterCommitId")


class EcrImageAction(View):
    """ECR Image Action; a deleted image may have no tag."""

    repository_name = text("repository-name")
    image_tag = maybe_text("image-tag")
    image_digest = text("image-digest")
    action_type = text("action-type")
    result = text("result")


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    counts = {}
    for severity, count in value.items():
        if isinstance(count, bool) or not isinstance(count, (int, float, str)):
            raise TypeError("not a map of numbers")
        try:
            counts[severity] = count if isinstance(count, int) else int(float(count))
        except OverflowError:
            raise ValueError("a number too large") from None
    return counts


class EcrImageScan(View):
    """ECR Image Scan; only severities that occurred have a count."""

    repository_name = text("repository-name")
    image_tags = texts("image-tags")
    image_digest = text("image-digest")
    scan_status = text("scan-status")
    finding_severity_counts: Field[dict[str, int]] = FreshField("finding-severity-counts", _counts, {})


class EcrScanChange(View):
    """ECR Scan Resource Change: how often repositories are scanned."""

    action_type = text("action-type")
    repositories = items("repositories")
    resource_type = text("resource-type")
    scan_type = text("scan-type")

"""Details of EventBridge events about machines, containers and jobs: `EventBridgeEvent[EcsTaskChange]`.

Wire names are those of the detail: `EC2InstanceId` is `ec2_instance_id`, `instance-id` is `instance_id`. Numbers come
as integers or as floats. Rarer fields are in `raw`.
"""

from __future__ import annotations

from .fields import boolean, instant, items, mapping, maybe_integer, maybe_text, text, text_map, texts, value
from .nested import maybe_view, views
from .view import View

__all__ = [
    "AutoScalingInstanceChange",
    "AutoScalingLifecycleAction",
    "BatchJobChange",
    "Ec2InstanceStateChange",
    "EcsContainer",
    "EcsContainerInstanceChange",
    "EcsDeploymentChange",
    "EcsServiceAction",
    "EcsTaskChange",
]


class Ec2InstanceStateChange(View):
    """EC2 Instance State-change Notification; `state` is pending, running, stopping, stopped, …"""

    instance_id = text("instance-id", "instance_id")
    state = text("state")


class AutoScalingLifecycleAction(View):
    """EC2 Instance-launch and -terminate Lifecycle Action; answer with `CompleteLifecycleAction`."""

    lifecycle_action_token = text("LifecycleActionToken")
    auto_scaling_group_name = text("AutoScalingGroupName")
    lifecycle_hook_name = text("LifecycleHookName")
    ec2_instance_id = text("EC2InstanceId")
    lifecycle_transition = text("LifecycleTransition")
    notification_metadata = value("NotificationMetadata")
    origin = maybe_text("Origin")
    destination = maybe_text("Destination")

    @property
    def is_launch(self) -> bool:
        """Whether an instance starts, rather than ends."""
        return self.lifecycle_transition == "autoscaling:EC2_INSTANCE_LAUNCHING"


class AutoScalingInstanceChange(View):
    """EC2 Instance Launch and Terminate, Successful and Unsuccessful."""

    auto_scaling_group_name = text("AutoScalingGroupName")
    ec2_instance_id = text("EC2InstanceId")
    activity_id = text("ActivityId")
    request_id = text("RequestId")
    status_code = text("StatusCode")
    status_message = text("StatusMessage")
    description = maybe_text("Description")
    cause = text("Cause")
    start_time = instant("StartTime")
    end_time = instant("EndTime")
    details = mapping("Details")
    availability_zone = maybe_text("Availability Zone", inside="Details")
    subnet_id = maybe_text("Subnet ID", inside="Details")
    origin = maybe_text("Origin")
    destination = maybe_text("Destination")


class EcsContainer(View):
    """A container of a task; `exit_code` once it has ended."""

    name = text("name")
    container_arn = text("containerArn")
    task_arn = text("taskArn")
    last_status = text("lastStatus")
    exit_code = maybe_integer("exitCode")
    reason = maybe_text("reason")
    image = maybe_text("image")
    image_digest = maybe_text("imageDigest")
    runtime_id = maybe_text("runtimeId")
    network_interfaces = items("networkInterfaces")


class EcsTaskChange(View):
    """ECS Task State Change."""

    task_arn = text("taskArn")
    task_definition_arn = text("taskDefinitionArn")
    cluster_arn = text("clusterArn")
    container_instance_arn = maybe_text("containerInstanceArn")
    last_status = text("lastStatus")
    desired_status = text("desiredStatus")
    containers = views("containers", EcsContainer)
    group = maybe_text("group")
    launch_type = maybe_text("launchType")
    platform_version = maybe_text("platformVersion")
    availability_zone = maybe_text("availabilityZone")
    cpu = maybe_text("cpu")
    memory = maybe_text("memory")
    started_by = maybe_text("startedBy")
    stop_code = maybe_text("stopCode")
    stopped_reason = maybe_text("stoppedReason")
    created_at = instant("createdAt")
    started_at = instant("startedAt")
    stopping_at = instant("stoppingAt")
    stopped_at = instant("stoppedAt")
    updated_at = instant("updatedAt")
    attachments = items("attachments")
    attributes = items("attributes")
    overrides = mapping("overrides")
    version = maybe_integer("version")


class EcsContainerInstanceChange(View):
    """ECS Container Instance State Change."""

    container_instance_arn = text("containerInstanceArn")
    cluster_arn = text("clusterArn")
    ec2_instance_id = maybe_text("ec2InstanceId")
    status = text("status")
    status_reason = maybe_text("statusReason")
    agent_connected = boolean("agentConnected")
    attributes = items("attributes")
    registered_resources = items("registeredResources")
    remaining_resources = items("remainingResources")
    pending_tasks_count = maybe_integer("pendingTasksCount")
    running_tasks_count = maybe_integer("runningTasksCount")
    version_info = mapping("versionInfo")
    registered_at = instant("registeredAt")
    updated_at = instant("updatedAt")
    version = maybe_integer("version")


class EcsServiceAction(View):
    """ECS Service Action; the service is among the event's `resources`."""

    event_name = text("eventName")
    event_type = text("eventType")
    cluster_arn = text("clusterArn")
    reason = maybe_text("reason")
    desired_count = maybe_integer("desiredCount")
    container_port = maybe_integer("containerPort")
    container_instance_arns = texts("containerInstanceArns")
    task_arns = texts("taskArns")
    target_group_arns = texts("targetGroupArns")
    task_set_arns = texts("taskSetArns")
    capacity_provider_arns = texts("capacityProviderArns")
    created_at = instant("createdAt")


class EcsDeploymentChange(View):
    """ECS Deployment State Change."""

    event_name = text("eventName")
    event_type = text("eventType")
    deployment_id = text("deploymentId")
    reason = maybe_text("reason")
    updated_at = instant("updatedAt")


class BatchJobContainer(View):
    """The container of a job."""

    image = text("image")
    command = texts("command")
    exit_code = maybe_integer("exitCode")
    reason = maybe_text("reason")
    log_stream_name = maybe_text("logStreamName")
    task_arn = maybe_text("taskArn")
    environment = items("environment")


class BatchJobChange(View):
    """Batch Job State Change; `status` is SUBMITTED, PENDING, RUNNABLE, STARTING, RUNNING, SUCCEEDED or FAILED."""

    job_id = text("jobId")
    job_name = text("jobName")
    job_queue = text("jobQueue")
    job_definition = text("jobDefinition")
    status = text("status")
    status_reason = maybe_text("statusReason")
    attempts = items("attempts")
    retry_strategy = mapping("retryStrategy")
    created_at = instant("createdAt")
    started_at = instant("startedAt")
    stopped_at = instant("stoppedAt")
    parameters = text_map("parameters")
    depends_on = items("dependsOn")
    tags = text_map("tags")
    array_properties = mapping("arrayProperties")
    container = maybe_view("container", BatchJobContainer)

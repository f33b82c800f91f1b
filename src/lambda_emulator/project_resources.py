"""Makes a project's queues, topics, streams, tables and buckets in AWS, and fills the holes that stand for them.

Each is made once: what is there already (after a reload, or at an endpoint that others use) is taken as it is. Blocks,
as boto3 does; raises `WrongProject` with what AWS said and where the resource is described.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.cloudformation_values import ACCOUNT_ID, REGION
from lambda_emulator.project import Project, Resource, WrongProject, fill, holes

__all__ = ["ProjectResources"]

_THERE_ALREADY: Final = (
    "AWS.SimpleQueueService.QueueNameExists", "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "ConflictException",
    "QueueAlreadyExists", "QueueNameExists", "ResourceAlreadyExistsException", "ResourceInUseException",
)  # fmt: skip


class ProjectResources:
    """Of one session of `serve`. Without `aws` nothing is made, and holes are filled with what they would be called."""

    def __init__(self, aws: AwsClients | None) -> None:
        self._aws = aws
        self._made: dict[str, tuple[Resource, dict[str, str]]] = {}
        self._linked: dict[str, Mapping[str, Any]] = {}
        self._functions: dict[tuple[str, str], str] = {}
        self._constants: Mapping[tuple[str, str], str] = {}
        self._report: Callable[[str], object] = lambda _line: None

    def queue_urls(self, project: Project) -> dict[str, str]:
        """By name, of the queues that take what has failed: dead letters of queues, failed batches of streams."""
        failing = [resource.request.get("Attributes", {}).get("RedrivePolicy") for resource in project.resources]
        failing += [source.settings.get("on_failure") for source in project.polled]
        return {
            self._made[logical][1]["Name"]: self._made[logical][1]["Ref"]
            for logical, _attribute in sorted(holes(failing))
            if logical in self._made and self._made[logical][0].kind == "queue"
        }

    def prepare(self, project: Project, report: Callable[[str], object]) -> None:
        """Make what there is not yet, those first that others name. `report` is told what stays as it was."""
        self._report = report
        self._constants = project.constants
        self._functions = {}
        for function in project.functions:
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{function.name}"
            names = {"Ref": function.name, "Name": function.name, "Arn": arn}
            if function.alias:
                names["Alias"] = f"{arn}:{function.alias}"
                self._functions[f"{function.logical}Alias{function.alias}", "Ref"] = f"{arn}:{function.alias}"
            self._functions.update({(function.logical, name): value for name, value in names.items()})
        left = list(project.resources)
        while left:
            waiting = {resource.logical for resource in left}
            ready = [
                each for each in left
                if not any(logical in waiting - {each.logical} for logical, _ in holes([each.name, each.request]))
            ]  # fmt: skip
            if not ready:
                raise WrongProject(f"these resources refer to each other: {', '.join(sorted(waiting))}")
            for resource in ready:
                self._make(resource)
                left.remove(resource)
        wanted = {resource.logical for resource in project.resources}
        for logical in [each for each in self._made if each not in wanted]:
            resource, attributes = self._made.pop(logical)
            report(f"{resource.kind} {attributes['Name']} is in the project no more; what it holds stays")

    def address_of(self, arn: str) -> str:
        """The URL of a queue, the ARN of anything else."""
        for resource, attributes in self._made.values():
            if resource.kind == "queue" and attributes["Arn"] == arn:
                return attributes["Ref"]
        return arn

    def fill(self, value: Any) -> Any:
        """The value without holes."""
        return fill(value, self._lookup)

    def link(self, links: Iterable[Resource]) -> None:
        """Subscribe, notify, put rules and schedules; take back those of before that are no longer wanted."""
        wanted = {}
        for link in links:
            request = self.fill(dict(link.request))
            name = self.fill(link.name)
            wanted[json.dumps([link.kind, name, request], sort_keys=True, default=str)] = (link, name, request)
        for key in [each for each in self._linked if each not in wanted]:
            self._unlink(self._linked.pop(key))
        for key, (link, name, request) in wanted.items():
            if key not in self._linked and self._aws is not None:
                self._linked[key] = self._calling(link, partial(self._link, link, name, request))

    def _lookup(self, logical: str, attribute: str) -> str:
        if logical in self._made and attribute in (attributes := self._made[logical][1]):
            return attributes[attribute]
        for known in (self._functions, self._constants):
            if (logical, attribute) in known:
                return known[logical, attribute]
        if logical in self._made:
            resource, attributes = self._made[logical]
            raise WrongProject(
                f"{resource.where} has no attribute {attribute} here: there are {', '.join(sorted(attributes))}"
                + (" (a table has a StreamArn with a StreamSpecification)" if attribute == "StreamArn" else "")
            )
        # Of something that is not made here, such as a role: readable, and good for nothing else.
        return f"arn:aws:local:{REGION}:{ACCOUNT_ID}:{logical}" if attribute.endswith("Arn") else logical

    def _make(self, resource: Resource) -> None:
        filled = self.fill(dict(resource.request))
        name = self.fill(resource.name)
        before = self._made.get(resource.logical)
        if before is not None and before[1]["Name"] == name and before[0].kind == resource.kind:
            if before[0].request != resource.request:
                self._change(before[0], resource, filled, before[1])
                self._made[resource.logical] = (resource, before[1])
            return
        if self._aws is None:
            attributes = _invented(resource.kind, name)
        else:
            make: Callable[[str, dict[str, Any]], dict[str, str]] = getattr(self, f"_make_{resource.kind}")
            attributes = self._calling(resource, partial(make, name, filled))
        self._made[resource.logical] = (resource, {"Name": name, **attributes})

    def _change(self, before: Resource, now: Resource, filled: dict[str, Any], attributes: dict[str, str]) -> None:
        if self._aws is None:
            return
        if now.kind == "queue":
            changes = {
                key: _text(value)
                for key, value in filled.get("Attributes", {}).items()
                if before.request.get("Attributes", {}).get(key) != now.request["Attributes"].get(key)
            }
            if changes:
                self._calling(now, lambda: self._client("sqs").set_queue_attributes(
                    QueueUrl=attributes["Ref"], Attributes=changes
                ))  # fmt: skip
            return
        self._report(
            f"{now.where}: {now.kind} {attributes['Name']} stays as it was made: start serve again to change it"
        )

    def _calling(self, resource: Resource, call: Callable[[], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # late: 60 ms, and only where there is an AWS

        try:
            return call()
        except ClientError as error:
            said = error.response.get("Error", {})
            raise WrongProject(f"{resource.where}: {said.get('Message') or said.get('Code') or error}") from error
        except BotoCoreError as error:
            raise WrongProject(f"{resource.where}: {error}") from error

    def _once(self, make: Callable[[], Any], there: Callable[[], Any]) -> Any:
        """Make it; where it is already, look at it."""
        from botocore.exceptions import ClientError  # late: as above

        try:
            return make()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _THERE_ALREADY:
                raise
            return there()

    def _client(self, service: str) -> Any:
        assert self._aws is not None  # nothing is made without
        return self._aws.client(service, REGION)

    def _make_queue(self, name: str, request: dict[str, Any]) -> dict[str, str]:
        sqs = self._client("sqs")
        attributes = {key: _text(value) for key, value in request["Attributes"].items()}
        url = self._once(
            lambda: sqs.create_queue(QueueName=name, Attributes=attributes), lambda: sqs.get_queue_url(QueueName=name)
        )["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return {"Ref": url, "QueueUrl": url, "Arn": arn, "QueueName": name}

    def _make_topic(self, name: str, request: dict[str, Any]) -> dict[str, str]:
        arn = self._client("sns").create_topic(Name=name, Attributes=request["Attributes"])["TopicArn"]
        return {"Ref": arn, "TopicArn": arn, "Arn": arn, "TopicName": name}

    def _make_stream(self, name: str, request: dict[str, Any]) -> dict[str, str]:
        kinesis = self._client("kinesis")
        self._once(lambda: kinesis.create_stream(StreamName=name, **request), lambda: None)
        kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
        return {"Ref": name, "Arn": arn}

    def _make_table(self, name: str, request: dict[str, Any]) -> dict[str, str]:
        tables = self._client("dynamodb")
        time_to_live = request.pop("TimeToLiveSpecification", None)
        self._once(lambda: tables.create_table(TableName=name, **request), lambda: None)
        tables.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        if time_to_live and time_to_live.get("Enabled"):
            specification = {"Enabled": True, "AttributeName": str(time_to_live.get("AttributeName"))}
            tables.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
        described = tables.describe_table(TableName=name)["Table"]
        attributes = {"Ref": name, "Arn": described["TableArn"]}
        if described.get("LatestStreamArn"):
            attributes["StreamArn"] = described["LatestStreamArn"]
        return attributes

    def _make_bucket(self, name: str, request: dict[str, Any]) -> dict[str, str]:
        s3 = self._client("s3")
        self._once(lambda: s3.create_bucket(Bucket=name), lambda: None)
        if "VersioningConfiguration" in request:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=request["VersioningConfiguration"])
        return {"Ref": name, "Arn": f"arn:aws:s3:::{name}", "DomainName": f"{name}.s3.amazonaws.com"}

    def _make_bus(self, name: str, _request: dict[str, Any]) -> dict[str, str]:
        events = self._client("events")
        made = self._once(lambda: events.create_event_bus(Name=name), lambda: None)
        arn = made["EventBusArn"] if made else events.describe_event_bus(Name=name)["Arn"]
        return {"Ref": name, "Arn": arn}

    def _link(self, link: Resource, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """Make it; what takes it back."""
        match link.kind:
            case "subscription":
                attributes = {key: _text(value) for key, value in request["Attributes"].items()}
                made = self._client("sns").subscribe(
                    **{**request, "Attributes": attributes}, ReturnSubscriptionArn=True
                )
                return {"sns": ("unsubscribe", {"SubscriptionArn": made["SubscriptionArn"]})}
            case "notification":
                s3 = self._client("s3")
                s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=request)
                empty = {"Bucket": name, "NotificationConfiguration": {}}
                return {"s3": ("put_bucket_notification_configuration", empty)}
            case "rule":
                events, rule = self._client("events"), dict(request["rule"])
                if "EventPattern" in rule:
                    rule["EventPattern"] = _text(rule["EventPattern"])
                events.put_rule(**rule)
                bus = {"EventBusName": rule["EventBusName"]} if "EventBusName" in rule else {}
                targets = [
                    {key: _text(value) if key == "Input" else value for key, value in target.items()}
                    for target in request["targets"]
                ]
                if targets:
                    events.put_targets(Rule=rule["Name"], Targets=targets, **bus)
                return {"events": ("delete_rule", {"Name": rule["Name"], "Force": True, **bus}), "targets": targets}
            case _:
                scheduler = self._client("scheduler")
                target = {key: _text(value) if key == "Input" else value for key, value in request["Target"].items()}
                asked = {**request, "Target": target}
                self._once(lambda: scheduler.create_schedule(**asked), lambda: scheduler.update_schedule(**asked))
                return {"scheduler": ("delete_schedule", {"Name": request["Name"]})}

    def _unlink(self, undo: Mapping[str, Any]) -> None:
        targets = undo.get("targets")
        for service in ("sns", "s3", "events", "scheduler"):
            if service in undo:
                operation, arguments = undo[service]
                if targets:
                    ids = [target["Id"] for target in targets]
                    bus = {key: value for key, value in arguments.items() if key == "EventBusName"}
                    self._client(service).remove_targets(Rule=arguments["Name"], Ids=ids, **bus)
                getattr(self._client(service), operation)(**arguments)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _invented(kind: str, name: str) -> dict[str, str]:
    """What it would be called, where there is no AWS."""
    service, resource = {
        "queue": ("sqs", name),
        "topic": ("sns", name),
        "stream": ("kinesis", f"stream/{name}"),
        "table": ("dynamodb", f"table/{name}"),
        "bucket": ("s3", name),
        "bus": ("events", f"event-bus/{name}"),
    }[kind]
    arn = f"arn:aws:s3:::{name}" if kind == "bucket" else f"arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}"
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{name}"
    reference = {"queue": url, "topic": arn}.get(kind, name)
    return {"Ref": reference, "Arn": arn, "QueueUrl": url, "QueueName": name, "TopicName": name, "TopicArn": arn,
            "StreamArn": f"{arn}/stream/local"}  # fmt: skip

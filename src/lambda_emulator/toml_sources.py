"""What invokes a function of a TOML project: `url`, `http`, `schedule`, and the tables `sqs`, `kinesis` and so on."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from lambda_emulator.cloudformation_values import ACCOUNT_ID, REGION
from lambda_emulator.errors import InvalidConfiguration, InvalidParameterValue
from lambda_emulator.http_route import HttpRoute
from lambda_emulator.pollers.request import api_request
from lambda_emulator.project import PolledSource, Resource, WrongProject, hole
from lambda_emulator.sam_events import Found
from lambda_emulator.sam_properties import Properties
from lambda_emulator.toml_resources import TomlResources
from runtime import protocol

__all__ = ["SOURCES", "read_sources"]

_ROUTE: Final = re.compile(r"(?:([A-Za-z]+)\s+)?(/\S*)")
_KINDS_OF_HTTP: Final = {"http": "http_api", "rest": "rest", "alb": "alb"}


def read_sources(name: str, given: Properties, resources: TomlResources, found: Found) -> None:
    """Raises `WrongProject`."""
    for source, read in SOURCES.items():
        if source in given:
            read(name, given, source, resources, found)


def _url(name: str, given: Properties, source: str, _resources: TomlResources, found: Found) -> None:
    value = given.raw(source)
    if value not in (True, False, "stream"):
        raise WrongProject(f'{given.where}: url is {value!r}: write true, or "stream" for streamed responses')
    if value:
        route = HttpRoute(function_name=name, kind="function_url", streamed=value == "stream")
        found.fronts[f"URL of {name}"] = [route]


def _http(name: str, given: Properties, source: str, _resources: TomlResources, found: Found) -> None:
    kind = _KINDS_OF_HTTP[source]
    for route in given.list(source):
        if route is True:
            method, path = "ANY", None
        else:
            match = _ROUTE.fullmatch(route) if isinstance(route, str) else None
            if match is None:
                raise WrongProject(f'{given.where}: {source} {route!r} is no route: write such as "GET /orders/{{id}}"')
            method, path = (match[1] or "ANY").upper(), match[2]
        try:
            made = HttpRoute(function_name=name, kind=kind, method=method, path=path)  # type: ignore[arg-type]
        except InvalidConfiguration as error:
            raise WrongProject(f"{given.where}: {source}: {error}") from None
        found.fronts.setdefault(f"{source} API" if source != "alb" else "load balancer", []).append(made)


def _polled(name: str, given: Properties, source: str, resources: TomlResources, found: Found) -> None:
    what = {"sqs": "queue", "kinesis": "stream", "dynamodb": "table"}[source]
    for table in _tables(given, source):
        at = table.needed(what)
        settings = {each: table.raw(each) for each in table.names() if each != what}
        if source == "sqs":
            timeout_s = given.number("timeout_s") or protocol.DEFAULT_TIMEOUT_S
            arn = hole(resources.queue(at, timeout_s), "Arn")
        elif source == "kinesis":
            arn = hole(resources.of("streams", at), "Arn")
        else:
            arn = hole(resources.table(at, streamed=True), "StreamArn")
        if source != "sqs":
            settings.setdefault("starting_position", "TRIM_HORIZON")
        if settings.pop("report_batch_item_failures", False):
            settings["function_response_types"] = ["ReportBatchItemFailures"]
        if "on_failure" in settings:
            settings["on_failure"] = resources.destination(table, "on_failure")
        try:
            api_request(settings)
        except InvalidParameterValue as error:
            raise WrongProject(f"{table.where}: {error}") from None
        found.polled.append(PolledSource(function=name, qualifier=None, arn=arn, settings=settings, where=table.where))


def _schedule(name: str, given: Properties, source: str, _resources: TomlResources, found: Found) -> None:
    for number, each in enumerate(given.list(source), start=1):
        table = Properties({"expression": each} if isinstance(each, str) else each, f"{given.where}: schedule")
        table.only(("expression", "input", "timezone"))
        rule = {"Name": f"{name}-schedule-{number}"[:64], "ScheduleExpression": table.needed("expression")}
        target: dict[str, Any] = {"Id": "1", "Arn": _arn(name)}
        if "input" in table:
            value = table.raw("input")
            target["Input"] = value
        if "timezone" in table:
            request = {
                **rule,
                "ScheduleExpressionTimezone": table.needed("timezone"),
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "RoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/local",
                    **{key: value for key, value in target.items() if key != "Id"},
                },
            }
            _link(found, "schedule", rule["Name"], request, table)
        else:
            _link(found, "rule", rule["Name"], {"rule": {**rule, "State": "ENABLED"}, "targets": [target]}, table)


def _s3(name: str, given: Properties, source: str, resources: TomlResources, found: Found) -> None:
    for number, table in enumerate(_tables(given, source), start=1):
        table.only(("bucket", "events", "prefix", "suffix"))
        configuration: dict[str, Any] = {
            "Id": f"{name}-{number}",
            "LambdaFunctionArn": _arn(name),
            "Events": [str(each) for each in table.list("events")] or ["s3:ObjectCreated:*"],
        }
        rules = [{"Name": each, "Value": table.needed(each)} for each in ("prefix", "suffix") if each in table]
        if rules:
            configuration["Filter"] = {"Key": {"FilterRules": rules}}
        bucket = hole(resources.of("buckets", table.needed("bucket")), "Name")
        found.notify(bucket, "LambdaFunctionConfigurations", configuration)


def _sns(name: str, given: Properties, source: str, resources: TomlResources, found: Found) -> None:
    for table in _tables(given, source):
        table.only(("topic", "filter", "filter_scope"))
        attributes: dict[str, Any] = {}
        if "filter" in table:
            attributes["FilterPolicy"] = table.mapping("filter")
            attributes["FilterPolicyScope"] = table.text("filter_scope") or "MessageAttributes"
        request = {
            "TopicArn": hole(resources.of("topics", table.needed("topic")), "Arn"),
            "Protocol": "lambda",
            "Endpoint": _arn(name),
            "Attributes": attributes,
        }
        _link(found, "subscription", name, request, table)


def _eventbridge(name: str, given: Properties, source: str, resources: TomlResources, found: Found) -> None:
    for number, table in enumerate(_tables(given, source), start=1):
        table.only(("pattern", "bus", "input", "input_path"))
        if not table.mapping("pattern"):
            raise WrongProject(f'{table.where} needs a pattern, such as {{ source = ["shop.orders"] }}')
        rule: dict[str, Any] = {
            "Name": f"{name}-{number}"[:64], "EventPattern": table.mapping("pattern"), "State": "ENABLED"
        }  # fmt: skip
        if bus := table.text("bus"):
            rule["EventBusName"] = bus if bus == "default" else hole(resources.of("buses", bus), "Name")
        target: dict[str, Any] = {"Id": "1", "Arn": _arn(name)}
        if "input" in table:
            target["Input"] = table.raw("input")
        if "input_path" in table:
            target["InputPath"] = table.needed("input_path")
        _link(found, "rule", rule["Name"], {"rule": rule, "targets": [target]}, table)


def _tables(given: Properties, source: str) -> list[Properties]:
    """One table, or an array of them."""
    tables = []
    for each in given.list(source):
        if not isinstance(each, Mapping):
            raise WrongProject(f"{given.where}: {source} has to be a table, such as [functions.NAME.{source}]")
        tables.append(Properties(each, f"{given.where}: {source}"))
    return tables


def _link(found: Found, kind: Any, name: str, request: Mapping[str, Any], given: Properties) -> None:
    found.links.append(Resource(kind=kind, logical="", name=name, request=request, where=given.where))


def _arn(function: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{function}"


SOURCES: Final[dict[str, Callable[[str, Properties, str, TomlResources, Found], None]]] = {
    "url": _url,
    "http": _http,
    "rest": _http,
    "alb": _http,
    "sqs": _polled,
    "kinesis": _polled,
    "dynamodb": _polled,
    "schedule": _schedule,
    "s3": _s3,
    "sns": _sns,
    "eventbridge": _eventbridge,
}
"""By key of a function's table."""

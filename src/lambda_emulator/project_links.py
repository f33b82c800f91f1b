"""Subscriptions, notifications, rules and schedules of a project: shown, or reduced to what needs no function. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lambda_emulator.project import Resource

__all__ = ["link_lines", "links_without_functions"]

_FUNCTION = ":function:"
_TO_FUNCTIONS = "LambdaFunctionConfigurations"


def links_without_functions(links: Iterable[Resource]) -> list[Resource]:
    """What an AWS elsewhere can do by itself: hand on to queues and topics. It knows no function of this process."""
    kept = []
    for link in links:
        request = link.request
        match link.kind:
            case "subscription":
                if request["Protocol"] != "lambda":
                    kept.append(link)
            case "notification":
                if others := {name: value for name, value in request.items() if name != _TO_FUNCTIONS}:
                    kept.append(replace(link, request=others))
            case "rule":
                if targets := [each for each in request["targets"] if _FUNCTION not in str(each.get("Arn"))]:
                    kept.append(replace(link, request={**request, "targets": targets}))
    return kept


def link_lines(link: Resource, request: Mapping[str, Any], name: str) -> Iterator[str]:
    """What leads where, a line each. `request` and `name` are the link's, without holes."""
    match link.kind:
        case "subscription":
            yield f"{request['TopicArn']} → {_named(request['Endpoint'])}"
        case "schedule":
            yield f"{request['ScheduleExpression']} → {_named(request['Target']['Arn'])}"
        case "rule":
            what = request["rule"].get("ScheduleExpression") or f"rule {name}"
            yield from (f"{what} → {_named(target['Arn'])}" for target in request["targets"])
        case _:
            for configurations in request.values():
                for each in configurations:
                    arn = next(value for key, value in each.items() if key.endswith("Arn"))
                    yield f"s3://{name} {', '.join(each['Events'])} → {_named(arn)}"


def _named(arn: str) -> str:
    return arn.partition(_FUNCTION)[2] or arn

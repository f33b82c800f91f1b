"""A SAM template read as a `Project`: which resources are served, which have no meaning here, which are left out.

Functions are `sam_function`'s, their events `sam_events`', everything that AWS makes `sam_resources`'.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lambda_emulator.cloudformation_values import Values
from lambda_emulator.cloudformation_yaml import read_template
from lambda_emulator.project import Project, ProjectFront, WrongProject, nearest
from lambda_emulator.sam_events import Found
from lambda_emulator.sam_function import NOT_LOOKED_AT, function_of
from lambda_emulator.sam_properties import Part, TemplateReading
from lambda_emulator.sam_resources import MAKERS

__all__ = ["read_sam_template"]

_FUNCTION: Final = "AWS::Serverless::Function"
_APIS: Final = ("AWS::Serverless::HttpApi", "AWS::Serverless::Api")
# Of no meaning on one machine: told together, in one line.
_NOT_NEEDED: Final = (
    "AWS::IAM::", "AWS::Logs::", "AWS::CloudWatch::", "AWS::KMS::", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy",
    "AWS::S3::BucketPolicy", "AWS::Lambda::Permission", "AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion",
    "AWS::ApplicationInsights::", "AWS::ResourceGroups::", "AWS::CodeDeploy::", "AWS::XRay::", "AWS::Route53::",
    "AWS::CertificateManager::", "AWS::CloudFormation::WaitConditionHandle", "AWS::Budgets::", "AWS::EC2::",
)  # fmt: skip
_SECTIONS: Final = frozenset(
    {"AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata", "Outputs",
     "Parameters", "Resources", "Rules", "Transform"}
)  # fmt: skip
_GLOBALS: Final = frozenset(
    {"Api", "CapacityProvider", "Function", "HttpApi", "LayerVersion", "SimpleTable", "StateMachine", "WebSocketApi"}
)


def read_sam_template(file: Path, parameters: Mapping[str, str]) -> Project:
    """Raises `WrongProject` for what is wrong with it; what is only not served is in the project's notes."""
    template = read_template(file)
    for section in template:
        if section not in _SECTIONS and not str(section).startswith("x-"):
            raise WrongProject(f"{file.name} has a section {section}{nearest(section, _SECTIONS)}")
    stack = _stack_name(file)
    values = Values(template, parameters, file=file.name, stack=stack)
    reading = TemplateReading(file=file, values=values, stack=stack, globals=_globals(template, values, file))
    parts = list(_parts(template, reading))
    reading.apis.update({part.logical: part for part in parts if part.type in _APIS})
    found = Found()
    not_needed: Counter[str] = Counter()
    for part in parts:
        if part.type == _FUNCTION:
            if (made := function_of(part, reading, found)) is not None:
                found.functions.append(made)
        elif part.type in _APIS:
            _note_api(part, reading)
        elif (make := MAKERS.get(part.type)) is not None:
            make(part, reading, found)
        elif part.type.startswith(_NOT_NEEDED):
            not_needed[part.type] += 1
        else:
            reading.note(f"{part.where}: {part.type} is left out, as there is none of it here")
    if not_needed:
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(not_needed.items()))
        reading.note(f"left out, as nothing here asks for them: {listed}")
    values.refuse_unused()
    if not found.functions:
        raise WrongProject(f"{file.name} has no {_FUNCTION} that can be served" + _reasons(reading))
    return Project(
        file=file,
        functions=tuple(found.functions),
        resources=tuple(found.resources),
        links=tuple(found.all_links()),
        polled=tuple(found.polled),
        fronts=tuple(ProjectFront(title=title, routes=tuple(routes)) for title, routes in found.fronts.items()),
        notes=tuple(reading.notes),
        stack=stack,
        constants=_constants(parts, found),
    )


def _parts(template: Mapping[str, Any], reading: TemplateReading) -> "list[Part]":
    parts = []
    for logical, resource in template["Resources"].items():
        where = f"Resources.{logical} of {reading.file.name}"
        if str(logical).startswith("Fn::"):
            reading.note(f"{where} is left out: write its resources one by one")
            continue
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise WrongProject(f"{where} has no Type")
        if "Condition" in resource and not reading.values.condition(resource["Condition"], where):
            continue
        kind = resource["Type"]
        raw = resource.get("Properties") or {}
        if not isinstance(raw, dict):
            raise WrongProject(f"{where}: Properties have to be names with values")
        served = kind == _FUNCTION or kind in _APIS or kind in MAKERS
        if kind == _FUNCTION:
            raw = _without_the_unneeded(raw)
        properties = reading.values.resolve(raw, where) if served else {}
        ignored = resource.get("IgnoreGlobals") or []
        parts.append(
            Part(
                logical=str(logical),
                type=kind,
                properties=properties,
                where=where,
                ignored_globals=tuple(map(str, ignored if isinstance(ignored, list) else [ignored])),
            )
        )
    return parts


def _without_the_unneeded(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A subnet that another stack exports must not keep a function from being served."""
    return {name: None if name in NOT_LOOKED_AT else value for name, value in properties.items()}


def _globals(template: Mapping[str, Any], values: Values, file: Path) -> Mapping[str, Any]:
    raw = template.get("Globals") or {}
    where = f"Globals of {file.name}"
    if not isinstance(raw, dict):
        raise WrongProject(f"{where} have to be names with values")
    for name, section in raw.items():
        if name not in _GLOBALS or not isinstance(section, dict):
            raise WrongProject(f"{where} has {name}{nearest(name, _GLOBALS)}")
    needed = {name: raw[name] for name in ("Function", "Api") if name in raw}
    if "Function" in needed:
        needed["Function"] = _without_the_unneeded(needed["Function"])
    return dict(values.resolve(needed, where))


def _note_api(part: Part, reading: TemplateReading) -> None:
    for name, told in (
        ("DefinitionBody", "routes are read from the functions' Events only, not from a definition"),
        ("DefinitionUri", "routes are read from the functions' Events only, not from a definition"),
        ("Auth", "nobody is refused here: authorizers do not run"),
        ("CorsConfiguration", "no CORS headers are added"),
        ("Cors", "no CORS headers are added"),
    ):
        if name in part.properties:
            reading.note(f"{part.where}: {name} is left out: {told}")


def _constants(parts: "list[Part]", found: Found) -> dict[tuple[str, str], str]:
    """What a reference to something that is not made here gives: readable, and good for nothing else."""
    constants = {(part.logical, "Ref"): part.logical for part in parts}
    for name in ("ServerlessHttpApi", "ServerlessRestApi"):
        constants[name, "Ref"] = name
    for function in found.functions:
        constants[function.logical, "Ref"] = function.name
    return constants


def _stack_name(file: Path) -> str:
    name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in file.absolute().parent.name)
    return name.strip("-") or "local"


def _reasons(reading: TemplateReading) -> str:
    return "".join(f"\n  {note}" for note in reading.notes)

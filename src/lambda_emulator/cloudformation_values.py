"""CloudFormation's functions, parameters, conditions and mappings worked out; what only AWS knows becomes a hole.

`Values.resolve` turns a part of a template into plain values. The names of a resource that is not in the template, of
a parameter without a value, of a mapping's missing key are refused with the place where they stand.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from lambda_emulator.project import WrongProject, hole, nearest

__all__ = ["ACCOUNT_ID", "REGION", "Values"]

REGION: Final = "us-east-1"
ACCOUNT_ID: Final = "123456789012"

_SUB = re.compile(r"\$\{(!?)([^}]*)\}")
# Far more than a template has; anchors that refer to anchors could make a small file endless.
_MAX_VALUES = 500_000
_ABSENT: Final = object()
"""`AWS::NoValue`: the property is not there."""
# What SAM adds to a function, and what a template may refer to.
_GENERATED = re.compile(r"(Role|Url|UrlPublicPermissions|Alias\w+|Version\w*)")
_IMPLICIT = ("ServerlessHttpApi", "ServerlessRestApi")


class Values:
    """Of one template."""

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, str], *, file: str, stack: str) -> None:
        """`given` are parameters. Raises `WrongProject`."""
        self._file = file
        self._resources: Mapping[str, Any] = template["Resources"]
        self._mappings = _section(template, "Mappings", file)
        self._conditions = _section(template, "Conditions", file)
        self._deciding: list[str] = []
        self._left = _MAX_VALUES
        self._pseudo: dict[str, Any] = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/{stack}/local",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": _ABSENT,
        }
        declared = _section(template, "Parameters", file)
        self._given = given
        self._used = set(declared)
        self._parameters = _parameters(declared, given, file)
        self._functions: dict[str, Callable[[Any, str], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::And": lambda arms, where: all(self._truth(each, where) for each in _list(arms, where)),
            "Fn::Base64": lambda text, where: base64.b64encode(str(self.resolve(text, where)).encode()).decode(),
            "Fn::Equals": self._equals,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": lambda _region, _where: [f"{REGION}{zone}" for zone in "abc"],
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import,
            "Fn::Join": self._join,
            "Fn::Length": lambda values, where: len(_list(self.resolve(values, where), where)),
            "Fn::Not": lambda arms, where: not self._truth(_list(arms, where, 1)[0], where),
            "Fn::Or": lambda arms, where: any(self._truth(each, where) for each in _list(arms, where)),
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": lambda value, where: json.dumps(self.resolve(value, where), ensure_ascii=False),
        }

    def resolve(self, value: Any, where: str) -> Any:
        """Plain values; `None` for a property that is taken away. Raises `WrongProject`."""
        resolved = self._resolve(value, where)
        return None if resolved is _ABSENT else resolved

    def refuse_unused(self) -> None:
        """When all has been worked out: a given value that nothing has asked for has a wrong name."""
        for name in self._given:
            if name not in self._used:
                hint = nearest(name, self._used)
                raise WrongProject(f"--parameter {name}: {self._file} has no such parameter or import{hint}")

    def condition(self, name: Any, where: str) -> bool:
        """Whether a named condition holds."""
        if not isinstance(name, str) or name not in self._conditions:
            raise WrongProject(f"{where}: there is no condition {name}{nearest(name, self._conditions)}")
        if name in self._deciding:
            raise WrongProject(f"Conditions.{name} of {self._file} depends on itself")
        self._deciding.append(name)
        try:
            return self._truth(self._conditions[name], f"Conditions.{name} of {self._file}")
        finally:
            self._deciding.pop()

    def _resolve(self, value: Any, where: str) -> Any:
        self._left -= 1
        if self._left < 0:
            raise WrongProject(f"{self._file} has more than {_MAX_VALUES:,} values: do anchors refer to one another?")
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in self._functions and (name != "Condition" or isinstance(argument, str)):
                    return self._functions[name](argument, where)
                if isinstance(name, str) and name.startswith("Fn::"):
                    raise WrongProject(f"{where}: {name} cannot be worked out here: write the value, or a parameter")
            made = {name: self._resolve(each, where) for name, each in value.items()}
            return {name: each for name, each in made.items() if each is not _ABSENT}
        if isinstance(value, list):
            return [each for each in (self._resolve(one, where) for one in value) if each is not _ABSENT]
        return value

    def _ref(self, name: Any, where: str) -> Any:
        if isinstance(name, str):
            if name in self._parameters:
                return self._parameters[name]
            if name in self._pseudo:
                return self._pseudo[name]
            if self._is_resource(name):
                return hole(*name.split(".", 1)) if "." in name else hole(name)
        known = [*self._parameters, *self._resources]
        raise WrongProject(f"{where}: !Ref {name} leads nowhere{nearest(name, known)}")

    def _get_att(self, argument: Any, where: str) -> str:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not isinstance(parts, list) or len(parts) != 2:
            raise WrongProject(f"{where}: !GetAtt takes a resource and an attribute, such as Orders.Arn")
        logical, attribute = parts[0], self.resolve(parts[1], where)
        if not isinstance(logical, str) or not self._is_resource(logical):
            raise WrongProject(
                f"{where}: !GetAtt {logical}.{attribute} leads nowhere{nearest(logical, self._resources)}"
            )
        return hole(logical, str(attribute))

    def _is_resource(self, name: str) -> bool:
        plain = name.partition(".")[0]
        return (
            plain in self._resources
            or plain in _IMPLICIT
            or any(plain.startswith(each) and _GENERATED.fullmatch(plain[len(each) :]) for each in self._resources)
        )

    def _import(self, argument: Any, where: str) -> str:
        """What another stack exports is given like a parameter, by the export's name."""
        name = _text(self.resolve(argument, where), where)
        self._used.add(name)
        if name not in self._given:
            raise WrongProject(f"{where}: {name} is imported from another stack: add --parameter {name}=...")
        return self._given[name]

    def _sub(self, argument: Any, where: str) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else _list(argument, where, 2)
        if not isinstance(text, str) or not isinstance(local, dict):
            raise WrongProject(f"{where}: !Sub takes a text, or a text and names with their values")
        names = {name: self.resolve(each, where) for name, each in local.items()}

        def replaced(found: re.Match[str]) -> str:
            literal, name = found[1], found[2].strip()
            if literal:
                return f"${{{name}}}"
            if name in names:
                return _text(names[name], where)
            if "." in name and name not in self._parameters:
                return self._get_att(name, where)
            return _text(self._ref(name, where), where)

        return _SUB.sub(replaced, text)

    def _join(self, argument: Any, where: str) -> str:
        between, values = _list(argument, where, 2)
        parts = _list(self.resolve(values, where), where)
        return str(between).join(_text(each, where) for each in parts)

    def _split(self, argument: Any, where: str) -> list[str]:
        between, text = _list(argument, where, 2)
        return _text(self.resolve(text, where), where).split(str(between))

    def _select(self, argument: Any, where: str) -> Any:
        index, values = _list(argument, where, 2)
        among = _list(self.resolve(values, where), where)
        try:
            return among[int(self.resolve(index, where))]
        except (ValueError, TypeError, IndexError):
            raise WrongProject(f"{where}: !Select {index} of {len(among)} values is not possible") from None

    def _find_in_map(self, argument: Any, where: str) -> Any:
        keys = _list(argument, where)[:3]
        found: Any = self._mappings
        for key in (self.resolve(each, where) for each in keys):
            if not isinstance(found, dict) or key not in found:
                known = map(str, found) if isinstance(found, dict) else ()
                raise WrongProject(f"{where}: !FindInMap finds no {key}{nearest(key, known)}")
            found = found[key]
        return found

    def _if(self, argument: Any, where: str) -> Any:
        name, then, otherwise = _list(argument, where, 3)
        return self._resolve(then if self.condition(name, where) else otherwise, where)

    def _equals(self, argument: Any, where: str) -> bool:
        one, other = (self.resolve(each, where) for each in _list(argument, where, 2))
        return _text(one, where) == _text(other, where) if not isinstance(one, list | dict) else bool(one == other)

    def _truth(self, value: Any, where: str) -> bool:
        truth = self.resolve(value, where)
        if isinstance(truth, str) and truth in ("true", "false"):
            return truth == "true"
        if not isinstance(truth, bool):
            raise WrongProject(f"{where}: {truth!r} is no condition")
        return truth


def _section(template: Mapping[str, Any], name: str, file: str) -> Mapping[str, Any]:
    section = template.get(name) or {}
    if not isinstance(section, dict):
        raise WrongProject(f"{name} of {file} has to be names with values")
    return section


def _parameters(declared: Mapping[str, Any], given: Mapping[str, str], file: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, declaration in declared.items():
        described = declaration if isinstance(declaration, dict) else {}
        value = given.get(name, described.get("Default"))
        kind = str(described.get("Type", "String"))
        if value is None or (name not in given and kind.startswith("AWS::SSM::")):
            raise WrongProject(f"Parameters.{name} of {file} has no value here: add --parameter {name}=...")
        allowed = described.get("AllowedValues")
        if isinstance(allowed, list) and str(value) not in map(str, allowed):
            raise WrongProject(f"--parameter {name}={value}: it has to be one of {', '.join(map(str, allowed))}")
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            value = [each.strip() for each in str(value).split(",")]
        values[name] = value
    return values


def _list(value: Any, where: str, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise WrongProject(f"{where}: a list{f' of {length}' if length else ''} is needed, not {value!r:.60}")
    return value


def _text(value: Any, where: str) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case _:
            raise WrongProject(f"{where}: a text is needed, not {value!r:.60}")

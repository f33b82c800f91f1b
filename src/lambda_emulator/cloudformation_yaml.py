"""A CloudFormation template's text as plain values, with short tags in their long form: `!Ref A` is `{"Ref": "A"}`.

YAML 1.1 as CloudFormation reads it (no dates), and JSON, which is nearly the same. Refuses what is no template.
"""

from pathlib import Path
from typing import Any

from lambda_emulator.project import WrongProject, nearest

__all__ = ["read_template"]

# CloudFormation takes no larger one, documented.
_MAX_BYTES = 1_000_000
_FUNCTIONS = frozenset(
    {"And", "Base64", "Cidr", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Length", "Not",
     "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"}
)  # fmt: skip
_PLAIN = frozenset({"Ref", "Condition"})


def read_template(path: Path) -> dict[str, Any]:
    """The template. Raises `WrongProject` with line and column where there are any."""
    import yaml  # late: 20 ms, and only for templates

    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongProject(f"{path.name} is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise WrongProject(f"cannot read {path}: {error.strerror or error}") from None
    if len(data) > _MAX_BYTES:
        raise WrongProject(f"{path.name} is larger than a template may be ({_MAX_BYTES:,} bytes)")
    try:
        loader = _loader(yaml)(text)
        try:
            document = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise WrongProject(f"{path.name} is no YAML: {_told(error)}") from None
    except RecursionError:
        raise WrongProject(f"{path.name} is nested too deeply") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise WrongProject(f"{path.name} is no template: it has no section Resources")
    return document


def _loader(yaml: Any) -> Any:
    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    # Dates stay text, as AWSTemplateFormatVersion and policy versions want it.
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def tagged(loader: Any, suffix: str, node: Any) -> Any:
        match node:
            case yaml.ScalarNode():
                value = loader.construct_scalar(node)
            case yaml.SequenceNode():
                value = loader.construct_sequence(node, deep=True)
            case _:
                value = loader.construct_mapping(node, deep=True)
        if suffix in _PLAIN:
            return {suffix: value}
        if suffix not in _FUNCTIONS:
            raise yaml.constructor.ConstructorError(
                None, None, f"there is no function !{suffix}{nearest(suffix, _FUNCTIONS | _PLAIN)}", node.start_mark
            )
        if suffix == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {f"Fn::{suffix}": value}

    def mapping(loader: Any, node: Any) -> Any:
        seen: set[object] = set()
        for key, _value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            name = loader.construct_object(key, deep=True)
            if isinstance(name, dict | list):
                raise yaml.constructor.ConstructorError(None, None, "a key has to be text", key.start_mark)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name} is there twice", key.start_mark)
            seen.add(name)
        loader.flatten_mapping(node)
        return loader.construct_mapping(node, deep=True)

    Loader.add_multi_constructor("!", tagged)
    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    return Loader


def _told(error: Any) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"{problem} (line {mark.line + 1}, column {mark.column + 1})" if mark else problem

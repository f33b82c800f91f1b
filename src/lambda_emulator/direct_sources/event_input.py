"""What a target of an EventBridge rule gets: the event, a constant, a part, or a text made of parts. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["at_path", "target_input", "target_problem"]

_PLACEHOLDER: Final = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_STEP: Final = re.compile(r"\.([A-Za-z0-9_\-]+)|\[(\d+|\*)\]|\['([^']+)'\]|\[\"([^\"]+)\"\]")
_ARN: Final = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[a-z0-9-]*:.+")
_WAYS: Final = ("Input", "InputPath", "InputTransformer")


def target_problem(target: Mapping[str, Any]) -> str | None:
    """What EventBridge has against a target's ARN, or the way in which it wants its input; None for nothing."""
    if not _ARN.fullmatch(target["Arn"]):
        return f"Parameter {target['Arn']} is not valid. Reason: Provided Arn is not in correct format."
    ways = [way for way in _WAYS if target.get(way) is not None]
    if len(ways) > 1:
        return f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
    if "Input" in ways and not _is_json(target["Input"]):
        return f"JSON syntax error in input for target {target['Id']} : {target['Input']}"
    paths = [target["InputPath"]] if "InputPath" in ways else []
    paths += (target.get("InputTransformer") or {}).get("InputPathsMap", {}).values()
    for path in paths:
        if _steps(path) is None:
            return f"Invalid JSONPath {path} for target {target['Id']}."
    return None


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], surroundings: Mapping[str, str]) -> str:
    """JSON text. `surroundings` are the values of `aws.events.rule-arn`, `rule-name`, `event.ingestion-time`.

    Raises ValueError for a template that does not become JSON.

    >>> event = {"id": "1", "detail": {"to": "Ada", "lines": [1, 2]}}
    >>> way = {"InputPathsMap": {"to": "$.detail.to", "all": "$.detail.lines"}}
    >>> way["InputTemplate"] = '{"text": "For <to>", "name": <to>, "lines": <all>}'
    >>> target_input({"InputTransformer": way}, event, {})
    '{"text": "For Ada", "name": "Ada", "lines": [1, 2]}'
    """
    if (constant := target.get("Input")) is not None:
        return str(constant)
    if (path := target.get("InputPath")) is not None:
        return json.dumps(at_path(event, path), ensure_ascii=False)
    if (transformer := target.get("InputTransformer")) is not None:
        return _transformed(transformer, event, surroundings)
    return json.dumps(event, ensure_ascii=False)


def at_path(event: Any, path: str) -> Any:
    """The value at a JSONPath such as `$.detail.items[0].name`; None where there is none."""
    found = event
    for key in _steps(path) or ():
        if key == "*":
            continue  # the list itself
        if isinstance(key, int):
            found = found[key] if isinstance(found, list) and key < len(found) else None
        elif isinstance(found, list):
            found = [each[key] for each in found if isinstance(each, dict) and key in each]
        else:
            found = found.get(key) if isinstance(found, dict) else None
    return found


def _steps(path: str) -> list[str | int] | None:
    """None for what is no path that is understood here."""
    if not path.startswith("$"):
        return None
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return None
        name, index, single, double = match.groups()
        steps.append((index if index == "*" else int(index)) if index is not None else name or single or double)
        position = match.end()
    return steps


def _transformed(transformer: Mapping[str, Any], event: Mapping[str, Any], surroundings: Mapping[str, str]) -> str:
    values: dict[str, Any] = {name: at_path(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= surroundings
    values["aws.events.event.json"] = event
    values["aws.events.event"] = {name: value for name, value in event.items() if name != "detail"}
    template: str = transformer["InputTemplate"]
    pieces: list[str] = []
    position, quoted = 0, False
    for match in _PLACEHOLDER.finditer(template):
        between = template[position : match.start()]
        quoted ^= len(re.findall(r'(?<!\\)"', between)) % 2 == 1
        pieces += [between, _inside_text(values.get(match[1])) if quoted else _json(values.get(match[1], ""))]
        position = match.end()
    text = "".join(pieces) + template[position:]
    if not _is_json(text):
        raise ValueError(f"the input template makes no JSON: {text}")
    return text


def _inside_text(value: Any) -> str:
    """Inside quotes of the template: a text as it is, anything else as JSON without its quotes, nothing for None."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else _json(value).replace('"', "")
    return _json(text)[1:-1]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

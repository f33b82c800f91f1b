"""The embedded metric format as a JSON schema, written from its specification, and the rules no schema can say."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]

UNITS = [
    "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits",
    "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second",
    "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second",
    "Gigabits/Second", "Terabits/Second", "Count/Second", "None",
]  # fmt: skip

SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 0},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": {
                                "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^(?!AWS/)[^:]",
                            },
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "maxItems": 30,
                                    "uniqueItems": True,
                                    "items": {
                                        "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^:\\s]",
                                    },
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
                                        "Unit": {"enum": UNITS},
                                        "StorageResolution": {"enum": [1, 60]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}  # fmt: skip

_VALUE = {"oneOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 100}]}
_DIMENSION = {
    "type": "string",
    "minLength": 1,
    "maxLength": 1024,
    "pattern": "^(?!:)[\\x20-\\x7e]*[\\x21-\\x7e][\\x20-\\x7e]*$",
}


def checked(line: str) -> dict[str, Any]:
    """The document of a line that is one. Raises what is wrong with any other."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs), "a name stands twice"
        return dict(pairs)

    assert len(line.encode("utf-8", "backslashreplace")) <= 262_144
    document: dict[str, Any] = json.loads(line, parse_constant=refuse, object_pairs_hook=once)
    jsonschema.validate(document, SCHEMA)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        names = [metric["Name"] for metric in directive["Metrics"]]
        assert len(set(names)) == len(names)
        for name in names:
            jsonschema.validate(document[name], _VALUE)
        for dimension in {name for one in directive["Dimensions"] for name in one}:
            assert dimension not in names
            jsonschema.validate(document[dimension], _DIMENSION)
    return document

"""A function's log as data: its lines of JSON, and the metrics among them."""

import json
from typing import Any

__all__ = ["emitted_metrics", "json_records"]


def json_records(log: str) -> list[dict[str, Any]]:
    """The lines that are JSON objects.

    >>> json_records('START\\n{"level": "INFO"}\\n[1]\\n')
    [{'level': 'INFO'}]
    """
    found = []
    for line in log.splitlines():
        if line.startswith("{"):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            found.append(record)
    return found


def emitted_metrics(log: str) -> dict[str, list[float]]:
    """Values by name of what was written in the embedded metric format, of all namespaces and dimensions.

    >>> emitted_metrics('{"_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": "a"}]}]}, "a": [1, 2]}')
    {'a': [1, 2]}
    """
    values: dict[str, list[float]] = {}
    for record in json_records(log):
        described = record.get("_aws")
        directives = described.get("CloudWatchMetrics", ()) if isinstance(described, dict) else ()
        # A metric in two directives of one record has been measured once.
        names = {metric.get("Name"): None for directive in directives for metric in directive.get("Metrics", ())}
        for name in names:
            value: Any = record.get(name)
            values.setdefault(str(name), []).extend(value if isinstance(value, list) else [value])
    return values

"""Lines of a log as CloudWatch Logs gives them to a function: base64 of gzip of JSON. Pure."""

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any

__all__ = ["log_batch"]


def log_batch(
    account_id: str, filter_name: str, group: str, stream: str, events: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The function's event. `events`: each with `id`, `timestamp` in ms and `message`."""
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": account_id,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [filter_name],
        "logEvents": [
            {"id": str(event["id"]), "timestamp": event["timestamp"], "message": event["message"]} for event in events
        ],
    }
    packed = gzip.compress(json.dumps(data, ensure_ascii=False).encode(), mtime=0)
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}

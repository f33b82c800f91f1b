"""S3 uploads, typed: the event's type is the annotation, keys are decoded, times are times."""

from handlerkit import event_handler
from handlerkit.events import S3Event


@event_handler
def handler(event: S3Event) -> dict[str, list[str]]:
    """Name what was uploaded, and when."""
    return {
        "uploaded": [
            f"{record.bucket}/{record.key} at {record.event_time:%H:%M}"
            for record in event
            if record.event_name.startswith("ObjectCreated:") and record.event_time is not None
        ]
    }

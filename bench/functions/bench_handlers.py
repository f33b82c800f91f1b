"""The functions that are measured: they do as little as a function can, so the runtime is what shows.

For the same reason this module imports nothing: `typing` alone would be half of a start.
"""


def small(_event: object, _context: object) -> dict[str, object]:
    """Answer every event with the same small response."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"accepted": true}'}


def echo(event: object, _context: object) -> object:
    """Answer with the event: as much to write as there was to read."""
    return event


def mixed(event: dict[str, object], _context: object) -> dict[str, object]:
    """Fail when the event says so, otherwise answer like `small`: what a soak wants."""
    if event.get("fail"):
        raise ValueError(f"order {event['fail']} refused")
    return small(event, _context)

"""A streamed response: lines leave as they are made, however many there are."""

import time


def handler(event, context):
    """Yield a CSV file of `rows` lines; memory stays flat."""
    yield "number,square\n"
    for number in range(event.get("rows", 5)):
        yield f"{number},{number * number}\n"


def slow(event, context):
    """The same with a pause between the lines, to watch it arrive."""
    for line in handler(event, context):
        yield line
        time.sleep(event.get("pause_s", 0.2))

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


def stream(event: dict[str, int], _context: object) -> object:
    """Yield `pieces` pieces of `bytes` bytes, each as soon as it is made."""
    for _ in range(event["pieces"]):
        yield _piece(event)


def buffered(event: dict[str, int], _context: object) -> bytes:
    """The same bytes as one answer."""
    return b"".join([_piece(event) for _ in range(event["pieces"])])


def _piece(event: dict[str, int]) -> bytes:
    if pause_ms := event["pause_ms"]:
        from time import sleep  # late: nothing else here needs it

        sleep(pause_ms / 1000)
    return b"x" * event["bytes"]


async def asynchronous(event: object, context: object) -> object:
    """What `small` does, as a coroutine."""
    return small(event, context)


def asynchronous_by_run(event: object, context: object) -> object:
    """The same coroutine where the runtime knows nothing of coroutines: the usual way round."""
    from asyncio import run  # late: half of a start, for this one alone

    return run(asynchronous(event, context))


def pausing(_event: object, _context: object) -> dict[str, object]:
    """Wait 5 ms, as for a database, then answer like `small`."""
    from time import sleep  # as above

    sleep(0.005)
    return small(_event, _context)


async def pausing_asynchronously(_event: object, _context: object) -> dict[str, object]:
    """The same, and let others run meanwhile."""
    from asyncio import sleep  # as above

    await sleep(0.005)
    return small(_event, _context)

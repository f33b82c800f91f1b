"""An `async def` handler: several things awaited at once, on one event loop for the life of the environment."""

import asyncio

connections: dict[str, int] = {}


async def connection(name):
    """A connection that is opened once and stays usable in later invocations (here, only its number)."""
    if name not in connections:
        await asyncio.sleep(0.05)
        connections[name] = len(connections) + 1
    return connections[name]


async def handler(event, context):
    """Look everything up at the same time."""
    names = event.get("names", ["orders", "customers"])
    found = await asyncio.gather(*(connection(name) for name in names))
    return dict(zip(names, found, strict=True))

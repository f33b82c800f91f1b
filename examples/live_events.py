"""Server-sent events from FastAPI, live: `python examples/live_events.py` shows each as it arrives through a local
function URL. On AWS: a function URL with invoke mode RESPONSE_STREAM in front of `live_events.handler`."""

import asyncio

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from handlerkit import asgi_handler

app = FastAPI()


@app.get("/countdown")
async def countdown(start: int = 3) -> StreamingResponse:
    """One event per number, each when its time has come."""

    async def events():
        for number in range(start, -1, -1):
            yield f"event: count\ndata: {number}\n\n"
            await asyncio.sleep(0.1)

    return StreamingResponse(events(), media_type="text/event-stream")


handler = asgi_handler(app, stream=True)


def main() -> None:
    """Serve it on this machine and print what comes, when it comes."""
    import time
    from pathlib import Path

    import httpx

    from lambda_emulator import FunctionConfiguration, HttpFront, HttpRoute, LocalLambda

    function = FunctionConfiguration(
        name="live", handler="live_events.handler", task_root=Path(__file__).parent, timeout_s=30, memory_mb=256
    )
    with (
        LocalLambda(function) as service,
        HttpFront(service, [HttpRoute(function_name="live", streamed=True)]) as front,
        httpx.stream("GET", f"{front.url}/countdown", params={"start": 3}, timeout=30) as response,
    ):
        print(response.status_code, response.headers["content-type"])
        began = time.monotonic()
        for line in response.iter_lines():
            if line.startswith("data:"):
                print(f"{time.monotonic() - began:.1f} s: {line}")


if __name__ == "__main__":
    main()

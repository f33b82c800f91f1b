"""Work after the response, and a last word at shutdown."""

import time

from runtime import after_response, on_shutdown

written: list[str] = []


def write(order):
    """Something slow that the caller need not wait for."""
    time.sleep(0.2)
    written.append(order)
    print(f"written {order}")


@on_shutdown
def say_how_many():
    """Runs when Lambda ends the environment."""
    print(f"{len(written)} orders written")


def handler(event, context):
    """Answer at once, write later."""
    after_response(write, event.get("order", "A-17"))
    return {"accepted": True}

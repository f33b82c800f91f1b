"""Handlers in a process that has forked: what the parent keeps open is neither used nor closed by the child."""

import subprocess
import sys

CODE = """
import asyncio, os, sys
from handlerkit import event_handler

loops = []

@event_handler
async def handler(event: dict) -> dict:
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    loops.append(loop)
    # Woken by another thread, through the descriptors that a loop keeps open.
    return {"n": await loop.run_in_executor(None, lambda: event["n"] + 1)}

assert handler({"n": 1}, None) == {"n": 2}  # as code does that is called while its module is imported
child = os.fork()
if child == 0:
    assert handler({"n": 2}, None) == {"n": 3}
    assert loops[0] is not loops[1]
    assert not loops[0].is_closed()
    sys.exit(7)  # with everything that an interpreter does at its end
assert os.waitpid(child, 0)[1] == 7 << 8
assert handler({"n": 3}, None) == {"n": 4}
assert loops[0] is loops[1]
print("fine")
"""


def test_a_loop_is_not_shared_with_a_forked_child() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr

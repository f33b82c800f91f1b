"""The main job on real input, for someone who sees this project for the first time (`make demo`).

Three events through our bootstrap and the local Lambda, with the same command a user types.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SCENES = [
    (
        "An upload to S3 arrives. The function notes what it accepts and what is too large.",
        ["examples/uploads.handler", "--event", "examples/events/s3_upload.json"],
        0,
    ),
    (
        "A batch of three SQS messages, one of which fails: only that one is reported, so only that one comes back.",
        ["examples/orders.handler", "--event", "examples/events/sqs_batch.json"],
        0,
    ),
    (
        "A message that is no order, and a handler that does not catch it: the caller gets the error and its cause.",
        ["examples/orders.strict", "--event", "examples/events/sqs_poison.json"],
        1,
    ),
    (
        "One cold start, then 500 invocations of the same environment, frozen in between as on Lambda.",
        ["examples/hello.handler", "--repeat", "500"],
        0,
    ),
]


def main() -> int:
    """Show every scene; return 1 if one did not end as it should."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    bold, plain = ("\x1b[1m", "\x1b[0m") if colour else ("", "")
    for number, (text, arguments, expected) in enumerate(SCENES, start=1):
        print(f"\n{bold}{number}. {text}{plain}\n\n   $ handlerkit invoke {' '.join(arguments)}\n", flush=True)
        status = subprocess.run(
            [sys.executable, "-m", "lambda_emulator.cli", "invoke", *arguments], cwd=ROOT, check=False
        ).returncode
        if status != expected:
            print(f"this should have ended with status {expected}, not {status}")
            return 1
    print(f"\n{bold}That was{plain} a real bootstrap in a process of its own, polling a real Runtime API over HTTP.")
    print("Next: README.md for a function of your own, docs/ for the details.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The most that one invocation allocates at once, with its event: `python bench_peak.py MODULE.FUNCTION EVENT`.

By Python's own counting, so that no machine's mood is in it; what the parsers allocate outside of Python's allocators,
a table of short texts on either side, is not. Prints a number: times the event's size.
"""

import gc
import importlib
import json
import sys
import tracemalloc
from pathlib import Path


class Context:
    """As much of a context as the two libraries look at."""

    aws_request_id = "8f14e45f-ceea-467f-a0e5-d1b6a1c7c3a9"
    function_name, function_version, memory_limit_in_mb = "orders", "$LATEST", "512"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:orders"

    def get_remaining_time_in_millis(self) -> int:
        """A minute."""
        return 60_000


module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
raw = getattr(handler, "__lambda_raw__", None)
body = Path(sys.argv[2]).read_bytes()


def invoke() -> None:
    """What the runtime does with the event of either kind of handler."""
    if raw is not None:
        raw(body, Context())
    else:
        json.dumps(handler(json.loads(body), Context()))


invoke()  # what is loaded and cached with the first event
gc.collect()
tracemalloc.start()
invoke()
peak_bytes = tracemalloc.get_traced_memory()[1]
print((len(body) + peak_bytes) / len(body))

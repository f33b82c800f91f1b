"""Calls a handler with a trace of its own each time: `MODULE HANDLER SAMPLED COUNT`; prints CPU µs per call.

By itself, without a runtime around it: what is compared is the tracing alone. A socket takes the datagrams, as the
daemon's would.
"""

import importlib
import os
import socket
import sys
import time


class Context:
    """What tracers look at."""

    aws_request_id = "1"
    function_name = "orders"


def main() -> None:
    """Measure, after a tenth as many calls as warm-up."""
    module, name, sampled, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    daemon.bind(("127.0.0.1", 0))
    os.environ["AWS_XRAY_DAEMON_ADDRESS"] = f"127.0.0.1:{daemon.getsockname()[1]}"
    handler = getattr(importlib.import_module(module), name)
    context = Context()
    headers = [f"Root=1-5759e988-{number:024x};Parent=53995c3f42cd8ad8;Sampled={sampled}" for number in range(count)]
    for header in headers[: count // 10]:
        os.environ["_X_AMZN_TRACE_ID"] = header
        handler({}, context)
    began = time.process_time()
    for header in headers:
        os.environ["_X_AMZN_TRACE_ID"] = header
        handler({}, context)
    print((time.process_time() - began) / count * 1e6)
    daemon.close()


main()

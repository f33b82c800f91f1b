#!/usr/bin/env python3
"""An external extension: writes the telemetry of its environment to a file, one JSON event a line.

On Lambda it goes to /opt/extensions by a layer; here, name its folder: `FunctionConfiguration(extensions=...)`.
The standard library is all that it needs. The file is TELEMETRY_FILE, else telemetry.jsonl in the temporary folder.
"""

import http.client
import json
import os
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAME = Path(__file__).name  # Lambda knows an external extension by its file's name
FILE = Path(os.environ.get("TELEMETRY_FILE") or Path(tempfile.gettempdir()) / "telemetry.jsonl")


class Listener(BaseHTTPRequestHandler):
    """Where Lambda posts arrays of events."""

    def do_POST(self):
        """Append the events before answering: what is answered is not sent again."""
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with FILE.open("a") as file:
            file.writelines(json.dumps(event) + "\n" for event in events)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args):
        """Stay silent: what an extension prints goes to the function's log."""


def call(method, path, headers, document=None):
    """One call of the Extensions or Telemetry API: status, headers, parsed body."""
    # No time limit: an event may be hours away, and the environment frozen until then.
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    body = None if document is None else json.dumps(document)
    api.request(method, path, body, {"Content-Type": "application/json", **headers})
    response = api.getresponse()
    text = response.read()
    api.close()
    if response.status != 200:
        raise SystemExit(f"{method} {path}: {response.status} {text.decode()}")
    return response.headers, json.loads(text)


def main():
    """Register, subscribe, and wait for the end; listening goes on in its own thread."""
    server = ThreadingHTTPServer(("0.0.0.0", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    headers, function = call(
        "POST", "/2020-01-01/extension/register", {"Lambda-Extension-Name": NAME}, {"events": ["SHUTDOWN"]}
    )
    me = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
    subscription = {
        "schemaVersion": "2022-12-13",
        "types": ["platform", "function"],
        "buffering": {"maxItems": 1000, "maxBytes": 256 * 1024, "timeoutMs": 100},
        "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{server.server_port}/events"},
    }
    call("PUT", "/2022-07-01/telemetry", me, subscription)
    print(f"{NAME}: telemetry of {function['functionName']} goes to {FILE}", flush=True)
    while True:
        _, event = call("GET", "/2020-01-01/extension/event/next", me)
        if event["eventType"] == "SHUTDOWN":
            print(f"{NAME}: {event['shutdownReason']}", flush=True)
            return


if __name__ == "__main__":
    main()

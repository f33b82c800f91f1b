"""`handlerkit serve` as a process: its lines as they come, real signals, and what it leaves behind."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

_PATIENCE_S = 45


class Served:
    """Runs from the `with` to its end. `wait_for` waits for a line; nothing here sleeps on hope."""

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "lambda_emulator.cli"),
    ) -> None:
        self.temporary = folder / "private-tmp"
        self.temporary.mkdir(exist_ok=True)
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            [sys.executable, *program, "serve", "--port", "0", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(self.temporary), **(environment or {})},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        try:
            self.wait_for(r"^ready")
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, kind: object, *_exception: object) -> None:
        if self.process.poll() is None and kind is None:
            assert self.stop() == 0, self.text
        self._kill()
        if kind is None:
            assert list(self.temporary.iterdir()) == []
            assert processes_that_know(self.temporary) == []

    @property
    def text(self) -> str:
        """All lines so far."""
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, *, after: int = 0) -> "re.Match[str]":
        """The first line, from that one on, in which the pattern is found."""
        deadline_s = time.monotonic() + _PATIENCE_S
        with self._changed:
            while True:
                for line in self.lines[after:]:
                    if found := re.search(pattern, line):
                        return found
                left_s = deadline_s - time.monotonic()
                if self._ended or left_s <= 0:
                    raise AssertionError(f"no line with {pattern!r} in:\n{self.text}")
                self._changed.wait(left_s)

    @property
    def now(self) -> int:
        """For `wait_for(after=...)`: what comes from here on."""
        return len(self.lines)

    def url(self, title: str) -> str:
        """Where something listens."""
        return self.wait_for(rf"^{re.escape(title)}: (http://\S+)")[1]

    @property
    def invoke_url(self) -> str:
        """For a Lambda client."""
        return self.url("Invoke endpoint")

    @property
    def aws_url(self) -> str:
        """For any other client."""
        return self.wait_for(r"^AWS endpoint \([a-z ]+\): (http://\S+)")[1]

    def client(self, service: str) -> Any:
        """boto3's, of the served Lambda or AWS; close it."""
        import boto3

        return boto3.client(
            service,
            "us-east-1",
            endpoint_url=self.invoke_url if service == "lambda" else self.aws_url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def invoke(self, function: str, payload: Any = None, **options: Any) -> Any:
        """The parsed answer."""
        client = self.client("lambda")
        try:
            answer = client.invoke(FunctionName=function, Payload=json.dumps(payload or {}), **options)
            text = answer["Payload"].read()
            return json.loads(text) if text else None
        finally:
            client.close()

    def send(self, number: int = signal.SIGINT) -> None:
        """As Ctrl-C or a process manager sends it."""
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Signal, and wait for the end."""
        self.send(number)
        return self.end()

    def end(self) -> int:
        """Wait for the end; the exit status."""
        status = self.process.wait(_PATIENCE_S)
        self._reader.join(_PATIENCE_S)
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(_PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


def processes_that_know(folder: Path) -> list[int]:
    """Processes with this folder in their environment, where the system shows it: functions have their TMPDIR in it."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (each / "environ").read_bytes():
                found.append(int(each.name))
        except OSError:
            continue
    return found

"""Active tracing: what Lambda itself adds to a trace around a function's own spans.

For each attempt the service's segment (`AWS::Lambda`) and in it the function's (`AWS::Lambda::Function`), whose id is
the `Parent` that the function is given; inside of that `Initialization`, `Invocation` and `Overhead`. The decision to
sample is the caller's, where its header has one; else everything is sampled.
"""

import asyncio
import json
import os
import time
from dataclasses import replace
from typing import Any

from lambda_emulator.answer import Answer
from lambda_emulator.environment import Environment
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.invocation import Invocation
from lambda_emulator.result import Completion
from lambda_emulator.xray_daemon import XRayDaemon

__all__ = ["Tracing"]


class Tracing:
    """The daemon of a local Lambda, started with the first function that has active tracing."""

    def __init__(self) -> None:
        self._daemon: XRayDaemon | None = None

    @property
    def daemon(self) -> XRayDaemon:
        """Listens from the first use on."""
        if self._daemon is None:
            self._daemon = XRayDaemon()
        return self._daemon

    def configured(self, configuration: FunctionConfiguration) -> FunctionConfiguration:
        """The same with the address of the daemon, unless it names one of its own or is not traced."""
        if configuration.tracing != "Active" or configuration.xray_daemon_address is not None:
            return configuration
        return replace(configuration, xray_daemon_address=self.daemon.address)

    def around(self, environment: Environment, configuration: FunctionConfiguration) -> Environment:
        """The environment, with segments for what runs in it if the function is traced."""
        if configuration.tracing != "Active":
            return environment
        return _TracedEnvironment(environment, configuration, self.daemon)

    def close(self) -> None:
        """Stop the daemon."""
        if self._daemon is not None:
            self._daemon.close()


class _TracedEnvironment:
    def __init__(self, environment: Environment, configuration: FunctionConfiguration, daemon: XRayDaemon) -> None:
        self._environment = environment
        self._configuration = configuration
        self._daemon = daemon

    @property
    def capacity(self) -> int:
        return self._environment.capacity

    @property
    def finishing(self) -> bool:
        return self._environment.finishing

    async def run(self, invocation: Invocation, answered: "asyncio.Future[Answer]") -> Completion:
        attempt = _Attempt(invocation, self._configuration)
        answered.add_done_callback(attempt.answered)
        completion = await self._environment.run(replace(invocation, trace_header=attempt.header), answered)
        if attempt.is_sampled:
            for segment in attempt.segments(completion, answered.result()):
                self._daemon.put(segment)
        return replace(completion, trace=lambda: self._daemon.trace(attempt.root))

    async def prepare(self) -> str | None:
        return await self._environment.prepare()

    async def close(self) -> None:
        await self._environment.close()


class _Attempt:
    """One run of a function: ids, times, and the segments that come of them."""

    def __init__(self, invocation: Invocation, configuration: FunctionConfiguration) -> None:
        self._invocation = invocation
        self._configuration = configuration
        self._began_s = time.time()
        self._answered_s: float | None = None
        self._service_id, self._function_id = _new_id(), _new_id()
        given = _fields(invocation.trace_header)
        self.root: str = given.pop("Root", "") or _new_root(self._began_s)
        self._caller_id = given.pop("Parent", "")
        self.is_sampled = given.pop("Sampled", "") != "0"
        given.pop("Self", "")
        rest = "".join(f";{name}={value}" for name, value in given.items())
        self.header = f"Root={self.root};Parent={self._function_id};Sampled={int(self.is_sampled)}{rest}"

    def answered(self, _future: "asyncio.Future[Answer]") -> None:
        """May come after the end, where the runtime asks for its next event together with its answer."""
        self._answered_s = time.time()

    def segments(self, completion: Completion, answer: Answer) -> list[dict[str, Any]]:
        report, invoked_s = completion.report, completion.began_s
        ended_s = invoked_s + report.duration_ms / 1000
        configuration, failed = self._configuration, report.error_type is not None or report.status != "success"
        answered_s = min(max(self._answered_s or ended_s, invoked_s), ended_s)
        parts = [("Invocation", invoked_s, answered_s), ("Overhead", answered_s, ended_s)]
        if report.init_ms is not None:
            initialised_s = min(self._began_s + report.init_ms / 1000, invoked_s)
            parts.insert(0, ("Initialization", self._began_s, initialised_s))
        shared: dict[str, Any] = {
            "name": configuration.name,
            "trace_id": self.root,
            "start_time": self._began_s,
            "end_time": ended_s,
            **({"fault": True} if failed else {}),
        }
        service: dict[str, Any] = {
            **shared,
            "id": self._service_id,
            "origin": "AWS::Lambda",
            "http": {"response": {"status": 200}},
            "aws": {"request_id": self._invocation.request_id, "function_arn": self._invocation.function_arn},
            **({"parent_id": self._caller_id} if self._caller_id else {}),
        }
        function: dict[str, Any] = {
            **shared,
            "id": self._function_id,
            "parent_id": self._service_id,
            "origin": "AWS::Lambda::Function",
            "aws": {"account_id": configuration.account_id, "function_arn": configuration.arn},
            "subsegments": [
                {"id": _new_id(), "name": name, "start_time": start_s, "end_time": end_s}
                for name, start_s, end_s in parts
            ],
        }
        if answer.xray_cause:
            function["cause"] = _with_ids(json.loads(answer.xray_cause))
        return [service, function]


def _with_ids(cause: dict[str, Any]) -> dict[str, Any]:
    """Runtimes send exceptions without ids; X-Ray wants them."""
    exceptions = [{"id": _new_id(), **each} for each in cause.get("exceptions") or [] if isinstance(each, dict)]
    return {**cause, "exceptions": exceptions}


def _fields(header: str | None) -> dict[str, str]:
    pairs = (field.strip().partition("=") for field in (header or "").split(";"))
    return {name: value for name, _, value in pairs if value}


def _new_id() -> str:
    return os.urandom(8).hex()


def _new_root(now_s: float) -> str:
    return f"1-{int(now_s):08x}-{os.urandom(12).hex()}"

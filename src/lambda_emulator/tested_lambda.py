"""A local Lambda for one test: functions in one call each, time that the test moves, and what became of everything."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from lambda_emulator.aws_clients import AwsClients
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.history import PastInvocation
from lambda_emulator.http_front import HttpFront
from lambda_emulator.http_route import HttpRoute
from lambda_emulator.manual_clock import ManualClock
from lambda_emulator.pollers.event_source_mapping import EventSourceMapping
from lambda_emulator.result import InvocationResult
from lambda_emulator.service import LocalLambda

__all__ = ["TestedFunction", "TestedLambda"]


class TestedLambda(LocalLambda):
    """What the fixture `local_lambda` gives. Its clock stands still: `run_until_quiet` and `advance` move it.

    `task_root` and `environment` are those of functions that name none.
    """

    __test__ = False  # no test class, whatever its name begins with

    def __init__(
        self,
        *,
        clock: ManualClock,
        task_root: Path,
        aws: AwsClients | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(clock=clock, aws=aws)
        self._manual_clock = clock
        self._task_root = task_root
        self._environment = dict(environment or {})

    def function(
        self,
        handler: str,
        *,
        name: str | None = None,
        task_root: Path | str | None = None,
        environment: Mapping[str, str] | None = None,
        **configuration: Any,
    ) -> "TestedFunction":
        """Add a function: `local_lambda.function("orders.handler", timeout_s=10)`.

        Its name is the handler's module unless you give one. Further settings are those of `FunctionConfiguration`.
        Raises `InvalidConfiguration`.
        """
        made = FunctionConfiguration(
            handler=handler,
            name=name or handler.rpartition(".")[0].replace("/", "-").replace(".", "-") or "function",
            task_root=Path(self._task_root if task_root is None else task_root),
            environment={**self._environment, **(environment or {})},
            **configuration,
        )
        self.create_function(made)
        return TestedFunction(self, made)

    def run_until_quiet(self) -> None:
        """Let time pass until nothing is due any more: retries, windows, delays. Raises `NotQuiet`."""
        self._manual_clock.run_until_quiet()

    def advance(self, duration: timedelta | float) -> None:
        """Let that much time pass, in seconds or as a timedelta, and all happen that is due meanwhile."""
        self._manual_clock.advance(duration)


class TestedFunction:
    """One function of a `TestedLambda`."""

    __test__ = False

    def __init__(self, service: TestedLambda, configuration: FunctionConfiguration) -> None:
        self._service = service
        self.configuration = configuration

    def __repr__(self) -> str:
        return f"<function {self.name}>"

    @property
    def name(self) -> str:
        """Its name."""
        return self.configuration.name

    @property
    def arn(self) -> str:
        """Its ARN, without a qualifier."""
        return self.configuration.arn

    def invoke(self, event: Any = None, **options: Any) -> InvocationResult:
        """Invoke it; options are those of `LocalLambda.invoke`. A failure is a result with `function_error`."""
        return self._service.invoke(self.name, event, **options)

    def __call__(self, event: Any = None, **options: Any) -> Any:
        """Invoke it and parse the answer. Raises AssertionError with error and log if it fails."""
        result = self.invoke(event, **options)
        if result.function_error is not None:
            raise AssertionError(f"{self.name} failed: {result.payload.decode('utf-8', 'replace')}\n{result.log}")
        return result.json()

    def polls(self, event_source_arn: str, **settings: Any) -> EventSourceMapping:
        """Have it poll a queue or a stream; settings are those of `LocalLambda.create_event_source_mapping`."""
        return self._service.create_event_source_mapping(self.name, event_source_arn, **settings)

    def serve(self, kind: Any = "function_url", **route: Any) -> HttpFront:
        """Put it behind an HTTP front, closed with the test; settings are those of `HttpRoute`."""
        front = HttpFront(self._service, [HttpRoute(function_name=self.name, kind=kind, **route)])
        front.start()
        return front

    @property
    def invocations(self) -> list[PastInvocation]:
        """What has run, whoever asked for it, in the order in which it ended."""
        return self._service.history.of(self.name)

    @property
    def events(self) -> list[Any]:
        """The events of these invocations, parsed."""
        return [json.loads(one.event) for one in self.invocations]

    @property
    def log(self) -> str:
        """All that it has logged."""
        return "".join(one.log for one in self.invocations)

    @property
    def log_records(self) -> list[dict[str, Any]]:
        """The lines of its log that are JSON objects, parsed."""
        return [record for one in self.invocations for record in one.log_records]

    @property
    def emitted_metrics(self) -> dict[str, list[float]]:
        """What it has written in the embedded metric format: values by name."""
        return _merged(one.emitted_metrics for one in self.invocations)

    def metric(self, name: str) -> float:
        """The sum of one of Lambda's own metrics: `Invocations`, `Errors`, `Throttles`, `DeadLetterErrors`."""
        return self._service.metrics.statistics(name, function=self.name).sum


def _merged(many: Iterable[dict[str, list[float]]]) -> dict[str, list[float]]:
    merged: dict[str, list[float]] = {}
    for one in many:
        for name, values in one.items():
            merged.setdefault(name, []).extend(values)
    return merged

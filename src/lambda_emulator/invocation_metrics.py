"""What CloudWatch counts of invocations, recorded for the function, and for the qualifier and version that ran."""

import asyncio

from lambda_emulator.answer import Answer
from lambda_emulator.clock import Clock
from lambda_emulator.concurrency_limits import Admission, ConcurrencyLimits
from lambda_emulator.functions import Target
from lambda_emulator.metrics import Metrics

__all__ = ["InvocationMetrics"]


class InvocationMetrics:
    """Of all functions, at the clock's time."""

    def __init__(self, metrics: Metrics, limits: ConcurrencyLimits, clock: Clock) -> None:
        self._metrics = metrics
        self._limits = limits
        self._clock = clock

    def admitted(self, target: Target, admission: Admission) -> None:
        """It has a place, and begins."""
        limits, function = self._limits, target.function.name
        self.record("Invocations", 1, target)
        now_s = self._clock.time()
        self._metrics.record("ConcurrentExecutions", limits.used_by(function), now_s, function=function)
        if admission.share == "unreserved":
            self._metrics.record("UnreservedConcurrentExecutions", limits.unreserved_in_use, now_s)
        if admission.spilled_over:
            self.record("ProvisionedConcurrencySpilloverInvocations", 1, target)
        if admission.share == "provisioned":
            busy, there = limits.provisioned_use(function, target.version.number)
            self.record("ProvisionedConcurrencyInvocations", 1, target)
            self.record("ProvisionedConcurrentExecutions", busy, target)
            self.record("ProvisionedConcurrencyUtilization", busy / there, target)

    def answered(self, answered: "asyncio.Future[Answer]", target: Target) -> None:
        """Before the caller hears of it, as the first callback of its future."""
        if not answered.cancelled() and answered.exception() is None:
            self.record("Errors", 1 if answered.result().failed else 0, target)

    def record(self, metric: str, value: float, target: Target) -> None:
        """One value."""
        self._metrics.record(
            metric,
            value,
            self._clock.time(),
            function=target.function.name,
            qualifier=target.qualifier,
            version=target.version.number,
        )

"""How often a function may be invoked, and how fast it may grow: Lambda's limits per second, beside those of
`concurrency_limits` at once. Counting only, on a time that it is given.

- Synchronous requests: ten per second for each unit of the function's concurrency limit, which is what it has reserved,
  or else what the account has unreserved. Ten per second for each provisioned environment; what is beyond spills over.
- New environments: 1,000 of a function in ten seconds; what was not used is not saved up.

Asynchronous events have no limit of the first kind (documented); batches of event source mappings are not counted
either, for which there is no document. Whether Lambda counts by seconds of the clock or by a sliding second is not
known: here it slides, and what was refused is not counted.
"""

from collections import defaultdict, deque
from collections.abc import Callable

from lambda_emulator.concurrency_limits import Admission, ConcurrencyLimits
from lambda_emulator.errors import TooManyRequests

__all__ = ["RateExceeded", "RateLimits", "SlidingWindow"]

_REQUESTS_PER_S = 10
_NEW_ENVIRONMENTS = 1000
_NEW_ENVIRONMENTS_S = 10.0


class SlidingWindow:
    """Counts what happened in the last `span_s` seconds.

    >>> window = SlidingWindow(1.0)
    >>> [window.take(2, now_s) for now_s in (0.0, 0.5, 0.9, 1.0)]
    [True, True, False, True]
    """

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self._taken_s: deque[float] = deque()

    def has_room(self, limit: int, now_s: float) -> bool:
        """Whether one more is within the limit."""
        while self._taken_s and now_s - self._taken_s[0] >= self._span_s:
            self._taken_s.popleft()
        return len(self._taken_s) < limit

    def take(self, limit: int, now_s: float) -> bool:
        """One more, if it is within the limit."""
        if not self.has_room(limit, now_s):
            return False
        self._taken_s.append(now_s)
        return True


class RateLimits:
    """Of one account in one region. To be used inside one event loop."""

    def __init__(self, limits: ConcurrencyLimits, now: Callable[[], float], *, strict: bool) -> None:
        """`strict`: reserved and provisioned concurrency limit the rate, too; else only the account's does."""
        self._limits = limits
        self._now = now
        self._strict = strict
        self._requests: defaultdict[str, SlidingWindow] = defaultdict(lambda: SlidingWindow(1.0))
        self._provisioned: defaultdict[tuple[str, str], SlidingWindow] = defaultdict(lambda: SlidingWindow(1.0))
        self._new: defaultdict[str, SlidingWindow] = defaultdict(lambda: SlidingWindow(_NEW_ENVIRONMENTS_S))
        self._environments: defaultdict[str, int] = defaultdict(int)

    def admit(self, function: str, version: str, *, synchronous: bool) -> Admission:
        """A place for one invocation, within all limits. Raises `TooManyRequests`."""
        now_s = self._now()
        counted = synchronous and self._strict
        _, there = self._limits.provisioned_use(function, version)
        provisioned = self._provisioned[function, version] if counted and there else None
        spills = provisioned is not None and not provisioned.has_room(_REQUESTS_PER_S * there, now_s)
        admission = self._limits.admit(function, version, without_provisioned=spills)
        try:
            if admission.share == "provisioned":
                if provisioned is not None:
                    provisioned.take(_REQUESTS_PER_S * there, now_s)
            else:
                grows = self._check_growth(function, now_s)
                if synchronous:
                    self._take_request(function, now_s)
                if grows:
                    self._new[function].take(_NEW_ENVIRONMENTS, now_s)
                    self._environments[function] += 1
        except TooManyRequests:
            self._limits.release(admission)
            raise
        return admission

    def forget(self, function: str) -> None:
        """The function is deleted, or its environments are ended by new code."""
        self._environments.pop(function, None)

    def _check_growth(self, function: str, now_s: float) -> bool:
        """Whether it needs another environment; raises if it may have none now."""
        if self._limits.on_demand(function) <= self._environments[function]:
            return False
        if not self._new[function].has_room(_NEW_ENVIRONMENTS, now_s):
            raise RateExceeded(reason="ConcurrentInvocationLimitExceeded")
        return True

    def _take_request(self, function: str, now_s: float) -> None:
        reserved = self._limits.reserved(function)
        if reserved is not None and not self._strict:
            return
        concurrency = self._limits.unreserved if reserved is None else reserved
        if not self._requests[function].take(_REQUESTS_PER_S * concurrency, now_s):
            reason = "FunctionInvocationRateLimitExceeded"
            raise RateExceeded(reason=reason if reserved is None else f"Reserved{reason}")


class RateExceeded(TooManyRequests):
    """Refused though there was room: no waiting for an invocation that is about to end would help."""

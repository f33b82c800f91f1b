"""How many invocations may run at once: the account's limit, reserved and provisioned concurrency. Counting only.

An invocation is admitted by the first that has room: provisioned concurrency of its version; the function's reserved
concurrency, of which its provisioned concurrency is a part; else what the account has left unreserved. If none has,
it is refused with the reason that Lambda gives. To be used inside one event loop.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lambda_emulator.errors import InvalidParameterValue, TooManyRequests

__all__ = ["ACCOUNT_LIMIT", "Admission", "ConcurrencyLimits"]

# Of an account and region, documented; new accounts have less.
ACCOUNT_LIMIT = 1000
# What has to stay unreserved, documented.
_UNRESERVED_MINIMUM = 100

Share: TypeAlias = Literal["provisioned", "reserved", "unreserved"]


@dataclass(frozen=True, slots=True)
class Admission:
    """The place that an invocation holds until it is released."""

    function: str
    version: str
    share: Share
    spilled_over: bool = False
    """Its version has provisioned concurrency, and all of it was busy."""


class ConcurrencyLimits:
    """One account in one region.

    >>> limits = ConcurrencyLimits(account=1000)
    >>> limits.reserve("orders", 1)
    >>> limits.admit("orders", "$LATEST").share
    'reserved'
    >>> limits.admit("orders", "$LATEST")
    Traceback (most recent call last):
    lambda_emulator.errors.TooManyRequests: Rate Exceeded.
    """

    def __init__(self, *, account: int = ACCOUNT_LIMIT) -> None:
        if account < 1:
            raise ValueError(f"an account's concurrency of {account} is not possible: use a number from 1")
        self.account = account
        self._reserved: dict[str, int] = {}
        self._provisioned: dict[tuple[str, str], int] = {}
        self._on_demand: Counter[str] = Counter()
        self._in_provisioned: Counter[tuple[str, str]] = Counter()

    def reserved(self, function: str) -> int | None:
        """What is reserved for a function; None if nothing is."""
        return self._reserved.get(function)

    def reserve(self, function: str, amount: int | None) -> None:
        """Reserve, or with None give back. Raises `InvalidParameterValue` as the service does."""
        if amount is None:
            self._reserved.pop(function, None)
            return
        if amount > 0:
            left = self.unreserved - amount + self._reserved.get(function, 0)
            if function not in self._reserved:
                left += self._provisioned_of(function)
            if left < _UNRESERVED_MINIMUM:
                raise InvalidParameterValue(
                    "Specified ReservedConcurrentExecutions for function decreases account's "
                    f"UnreservedConcurrentExecution below its minimum value of [{_UNRESERVED_MINIMUM}]."
                )
        self._reserved[function] = amount

    def check_provisioned(self, function: str, version: str, amount: int) -> None:
        """Whether that much may be provisioned. Raises `InvalidParameterValue` as the service does."""
        others = self._provisioned_of(function) - self._provisioned.get((function, version), 0)
        reserved = self._reserved.get(function)
        if reserved is not None:
            if others + amount > reserved:
                raise InvalidParameterValue(
                    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                    "function"
                )
        elif self.unreserved + self._provisioned.get((function, version), 0) - amount < _UNRESERVED_MINIMUM:
            raise InvalidParameterValue(
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
                f"its minimum value of [{_UNRESERVED_MINIMUM}]."
            )

    def provision(self, function: str, version: str, amount: int) -> None:
        """That many environments of the version are ready; 0 takes them away."""
        if amount:
            self._provisioned[function, version] = amount
        else:
            self._provisioned.pop((function, version), None)

    def forget(self, function: str) -> None:
        """The function is deleted."""
        self._reserved.pop(function, None)
        for key in [key for key in self._provisioned if key[0] == function]:
            del self._provisioned[key]

    @property
    def unreserved(self) -> int:
        """What the account has besides reserved and provisioned concurrency."""
        apart = sum(amount for (function, _), amount in self._provisioned.items() if function not in self._reserved)
        return self.account - sum(self._reserved.values()) - apart

    @property
    def in_use(self) -> int:
        """Invocations of the whole account that run now."""
        return self._on_demand.total() + self._in_provisioned.total()

    @property
    def unreserved_in_use(self) -> int:
        """Those of functions without reserved concurrency, on demand."""
        return sum(count for function, count in self._on_demand.items() if function not in self._reserved)

    def used_by(self, function: str) -> int:
        """Invocations of a function that run now."""
        provisioned = sum(count for (name, _), count in self._in_provisioned.items() if name == function)
        return self._on_demand[function] + provisioned

    def provisioned_use(self, function: str, version: str) -> tuple[int, int]:
        """How many of a version's provisioned environments are busy, and how many there are."""
        return self._in_provisioned[function, version], self._provisioned.get((function, version), 0)

    def on_demand(self, function: str) -> int:
        """Invocations of a function that run now, without those in provisioned environments."""
        return self._on_demand[function]

    def admit(self, function: str, version: str, *, without_provisioned: bool = False) -> Admission:
        """A place for one invocation. Raises `TooManyRequests`."""
        busy, there = self.provisioned_use(function, version)
        if busy < there and not without_provisioned:
            self._in_provisioned[function, version] += 1
            return Admission(function, version, "provisioned")
        reserved = self._reserved.get(function)
        if reserved is not None:
            if self._on_demand[function] >= reserved - self._provisioned_of(function):
                raise TooManyRequests(reason="ReservedFunctionConcurrentInvocationLimitExceeded")
        elif self.unreserved_in_use >= self.unreserved:
            raise TooManyRequests(reason="ConcurrentInvocationLimitExceeded")
        self._on_demand[function] += 1
        return Admission(function, version, "unreserved" if reserved is None else "reserved", spilled_over=there > 0)

    def release(self, admission: Admission) -> None:
        """The invocation is over."""
        if admission.share == "provisioned":
            self._in_provisioned[admission.function, admission.version] -= 1
        else:
            self._on_demand[admission.function] -= 1

    def _provisioned_of(self, function: str) -> int:
        return sum(amount for (name, _), amount in self._provisioned.items() if name == function)

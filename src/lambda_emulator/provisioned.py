"""Provisioned concurrency: environments of a version that are initialised before anybody asks for them.

A setting belongs to a version or to an alias; an alias's moves along when the alias does. While environments are
prepared, and when that has failed, invocations are served on demand. Lives in one event loop.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Literal

from lambda_emulator.dispatcher import Dispatcher
from lambda_emulator.errors import (
    InvalidParameterValue,
    ProvisionedConcurrencyConfigNotFound,
    ResourceConflict,
    ResourceNotFound,
    ValidationFailed,
)
from lambda_emulator.functions import Function, FunctionVersion

__all__ = ["ProvisionedConcurrency", "ProvisionedState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedState:
    """Of one qualifier."""

    requested: int
    available: int
    """All of them once it is ready."""
    status: Literal["IN_PROGRESS", "READY", "FAILED"]
    version: str
    """That they are of."""
    last_modified_s: float
    status_reason: str | None = None
    log: str = ""
    """Of the initialisation that failed."""


class ProvisionedConcurrency:
    """All settings of a local Lambda."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._states: dict[tuple[str, str], ProvisionedState] = {}
        self._preparing: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """Those, and what is cancelled and still has environments to end."""

    def put(self, function: Function, qualifier: str, amount: int) -> ProvisionedState:
        """Begin to prepare. Raises `InvalidParameterValue`, `ResourceConflict` and what the names' checks raise."""
        if type(amount) is not int or amount < 1:
            raise ValidationFailed(
                f"1 validation error detected: Value '{amount}' at 'provisionedConcurrentExecutions' failed to satisfy "
                "constraint: Member must have value greater than or equal to 1"
            )
        number = self._version_of(function, qualifier)
        self._check_conflicts(function, qualifier, number)
        self._dispatcher.limits.check_provisioned(function.name, number, amount)
        self._end(function, qualifier)
        return self._begin(function, qualifier, number, amount)

    def get(self, function: Function, qualifier: str) -> ProvisionedState:
        """How it stands. Raises `ProvisionedConcurrencyConfigNotFound`."""
        try:
            return self._states[function.name, qualifier]
        except KeyError:
            raise ProvisionedConcurrencyConfigNotFound(
                "No Provisioned Concurrency Config found for this function"
            ) from None

    def all_of(self, function: Function) -> dict[str, ProvisionedState]:
        """By qualifier."""
        return {qualifier: state for (name, qualifier), state in self._states.items() if name == function.name}

    def delete(self, function: Function, qualifier: str) -> None:
        """Let the environments end when they are idle. Raises `ProvisionedConcurrencyConfigNotFound`."""
        self.get(function, qualifier)
        self._end(function, qualifier)

    def forget(self, function: Function) -> None:
        """The function is deleted."""
        for qualifier in self.all_of(function):
            self._end(function, qualifier)

    def alias_moved(self, function: Function, alias: str) -> None:
        """Prepare environments of the alias's version of now, if it has a setting."""
        state = self._states.get((function.name, alias))
        if state is None:
            return
        number = self._version_of(function, alias)
        if number != state.version:
            self._end(function, alias)
            self._begin(function, alias, number, state.requested)

    async def until_settled(self) -> None:
        """Wait until nothing is being prepared any more."""
        while self._preparing:
            await asyncio.wait(list(self._preparing.values()))

    async def close(self) -> None:
        """Stop preparing; the pools are their versions'."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, function: Function, qualifier: str, number: str, amount: int) -> ProvisionedState:
        key = (function.name, qualifier)
        clock = self._dispatcher.settings.clock
        state = ProvisionedState(
            requested=amount, available=0, status="IN_PROGRESS", version=number, last_modified_s=clock.time()
        )
        self._states[key] = state
        version = function.version(number)
        assert version is not None
        task = clock.create_task(
            self._prepare(key, version, state), what=f"provisioned concurrency of {function.name}:{qualifier}"
        )
        self._preparing[key] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._prepared(key, done))
        return state

    async def _prepare(self, key: tuple[str, str], version: FunctionVersion, state: ProvisionedState) -> None:
        configuration = replace(version.configuration, provisioned=True)
        pool = self._dispatcher.make_pool(configuration, state.requested)
        try:
            log = await pool.prepare()
        except asyncio.CancelledError:
            await pool.close()
            raise
        if log is not None:
            self._states[key] = replace(state, status="FAILED", status_reason="FUNCTION_ERROR_INIT_FAILURE", log=log)
            return
        version.provisioned = pool
        self._dispatcher.limits.provision(key[0], version.number, state.requested)
        self._states[key] = replace(state, status="READY", available=state.requested)

    def _prepared(self, key: tuple[str, str], task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if self._preparing.get(key) is task:
            del self._preparing[key]

    def _end(self, function: Function, qualifier: str) -> None:
        key = (function.name, qualifier)
        state = self._states.pop(key, None)
        if state is None:
            return
        if (task := self._preparing.pop(key, None)) is not None:
            task.cancel()
        self._dispatcher.limits.provision(function.name, state.version, 0)
        version = function.version(state.version)
        if version is not None and version.provisioned is not None:
            self._dispatcher.functions.retire(version.provisioned)
            version.provisioned = None

    def _version_of(self, function: Function, qualifier: str) -> str:
        alias = function.aliases.get(qualifier)
        number = alias.function_version if alias else qualifier
        if number == "$LATEST":
            raise InvalidParameterValue(
                "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            )
        if number not in function.versions:
            raise ResourceNotFound(f"Function not found: {function.arn}:{qualifier}")
        return number

    def _check_conflicts(self, function: Function, qualifier: str, number: str) -> None:
        others = {name: state for name, state in self.all_of(function).items() if name != qualifier}
        if qualifier in function.aliases:
            if any(state.version == number for state in others.values()):
                raise ResourceConflict(
                    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
                )
        elif any(state.version == number for state in others.values()):
            raise ResourceConflict("Version is pointed by a Provisioned Concurrency alias")

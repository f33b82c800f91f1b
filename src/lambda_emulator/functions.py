"""All functions of a local Lambda with their versions and aliases, found by the names that callers use.

A published version is a configuration whose code is a copy; `$LATEST` is what its folder holds now. Environments
belong to a version. What is replaced or deleted ends its environments once they are idle. Lives in one event loop.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lambda_emulator.alias import Alias
from lambda_emulator.errors import InvalidConfiguration, ResourceNotFound
from lambda_emulator.event_invoke_config import EventInvokeConfig
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.function_name import FunctionName
from lambda_emulator.pool import EnvironmentPool
from lambda_emulator.uploaded_code import CodeFolder

__all__ = ["Function", "FunctionVersion", "Functions", "Target"]

MakePool = Callable[[FunctionConfiguration], EnvironmentPool]


class FunctionVersion:
    """One version and its environments."""

    def __init__(
        self,
        configuration: FunctionConfiguration,
        pool: EnvironmentPool,
        *,
        code_sha256: str | None = None,
        description: str = "",
        code: CodeFolder | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """`code`: the folder, if it is ours to remove. `details`: what the API shows besides the configuration."""
        self.configuration = configuration
        self.on_demand = pool
        self.provisioned: EnvironmentPool | None = None
        self.code_sha256 = code_sha256
        self.description = description
        self.code = code
        self.details = dict(details or {})

    @property
    def number(self) -> str:
        """`$LATEST` or a number."""
        return self.configuration.version

    async def close(self) -> None:
        """End its environments, and give its code back. What runs has to be cancelled first."""
        await asyncio.gather(*(pool.close() for pool in self._pools()))
        self._release_code()

    async def close_when_idle(self) -> None:
        """The same, when what runs has ended."""
        await asyncio.gather(*(pool.close_when_idle() for pool in self._pools()))
        self._release_code()

    def _pools(self) -> list[EnvironmentPool]:
        return [pool for pool in (self.on_demand, self.provisioned) if pool is not None]

    def _release_code(self) -> None:
        code, self.code = self.code, None
        if code is not None:
            code.release()


class Function:
    """What is known under one name."""

    def __init__(self, latest: FunctionVersion) -> None:
        self.latest = latest
        self.versions: dict[str, FunctionVersion] = {}
        """The published ones by number, in order."""
        self.aliases: dict[str, Alias] = {}
        self.event_invoke_configs: dict[str, EventInvokeConfig] = {}
        """By qualifier, `$LATEST` where the caller used none."""
        self.last_number = 0

    @property
    def name(self) -> str:
        """Without a qualifier."""
        return self.latest.configuration.name

    @property
    def arn(self) -> str:
        """Without a qualifier."""
        return self.latest.configuration.arn

    def version(self, number: str) -> FunctionVersion | None:
        """The version of that number or `$LATEST`; None where there is none."""
        if number in ("$LATEST", self.latest.number):
            return self.latest
        return self.versions.get(number)

    def knows(self, qualifier: str) -> bool:
        """There is a version or an alias of that name."""
        return qualifier in self.aliases or self.version(qualifier) is not None


@dataclass(frozen=True, slots=True)
class Target:
    """Where an invocation goes."""

    function: Function
    version: FunctionVersion
    qualifier: str | None
    """As the caller said it."""


class Functions:
    """By name."""

    def __init__(self, make_pool: MakePool, random: Callable[[], float]) -> None:
        self._make_pool = make_pool
        self._random = random
        self._functions: dict[str, Function] = {}
        self._retired: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Function]:
        return iter(list(self._functions.values()))

    def create(
        self,
        configuration: FunctionConfiguration,
        *,
        code: CodeFolder | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Make it known. Raises `InvalidConfiguration` if there is one of that name."""
        if configuration.name in self._functions:
            raise InvalidConfiguration(
                f"name {configuration.name!r} is taken: give each function of a LocalLambda a name of its own"
            )
        version = FunctionVersion(configuration, self._make_pool(configuration), code=code, details=details)
        self._functions[configuration.name] = Function(version)

    def replace(
        self,
        configuration: FunctionConfiguration,
        *,
        code: CodeFolder | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Another `$LATEST`: what begins from now on runs its code. Raises `ResourceNotFound`."""
        function = self.find(FunctionName.parse(configuration.name))
        before = function.latest
        function.latest = FunctionVersion(configuration, self._make_pool(configuration), code=code, details=details)
        self.retire(before)

    def add_version(self, function: Function, version: FunctionVersion) -> None:
        """Publish."""
        function.versions[version.number] = version
        function.last_number = int(version.number)

    def delete(self, function: Function) -> None:
        """Forget it with all versions and aliases; what runs runs to its end."""
        del self._functions[function.name]
        for version in (function.latest, *function.versions.values()):
            self.retire(version)

    def retire(self, what: FunctionVersion | EnvironmentPool) -> None:
        """End its environments once they are idle."""
        task = asyncio.get_running_loop().create_task(what.close_when_idle())
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    def find(self, name: FunctionName) -> Function:
        """The function, whatever the qualifier. Raises `ResourceNotFound`."""
        function = self._functions.get(name.name)
        if (
            function is not None
            and name.region in (None, function.latest.configuration.region)
            and name.account_id in (None, function.latest.configuration.account_id)
        ):
            return function
        raise self._not_found(name)

    def qualified(self, name: FunctionName) -> Function:
        """The function, if it has that version or alias. Raises `ResourceNotFound`."""
        function = self.find(name)
        if not function.knows(name.qualifier or "$LATEST"):
            raise self._not_found(name)
        return function

    def target(self, name: FunctionName) -> Target:
        """The version that an invocation by that name runs: an alias chooses anew each time.

        Raises `ResourceNotFound`.
        """
        function = self.find(name)
        number = name.qualifier or "$LATEST"
        if (alias := function.aliases.get(number)) is not None:
            number = alias.choose(self._random)
        version = function.version(number)
        if version is None:
            raise self._not_found(name)
        return Target(function, version, name.qualifier)

    async def close(self) -> None:
        """End everything at once. What runs has to be cancelled first."""
        await asyncio.gather(*self._retired, return_exceptions=True)
        left = [
            version
            for function in self._functions.values()
            for version in (function.latest, *function.versions.values())
        ]
        await asyncio.gather(*(version.close() for version in left))

    def _not_found(self, name: FunctionName) -> ResourceNotFound:
        some = self._functions.get(name.name) or next(iter(self._functions.values()), None)
        region = name.region or (some.latest.configuration.region if some else "us-east-1")
        account_id = name.account_id or (some.latest.configuration.account_id if some else "123456789012")
        arn = f"arn:aws:lambda:{region}:{account_id}:function:{name.name}:{name.qualifier or '$LATEST'}"
        return ResourceNotFound(f"Function not found: {arn}")

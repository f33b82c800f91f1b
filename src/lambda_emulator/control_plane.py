"""Everything about functions that is not invoking them: versions, aliases, concurrency, asynchronous settings.

The names are the Lambda API's. A function may be given by name or ARN; a qualifier is an argument of its own or part
of the ARN, as in the API. Raises `InvokeError` in the service's words. Lives in one event loop.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from lambda_emulator.alias import Alias
from lambda_emulator.dispatcher import Dispatcher
from lambda_emulator.errors import (
    InvalidConfiguration,
    InvalidParameterValue,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
    ValidationFailed,
)
from lambda_emulator.event_invoke_config import EventInvokeConfig
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.function_name import FunctionName
from lambda_emulator.functions import Function, FunctionVersion
from lambda_emulator.provisioned import ProvisionedConcurrency, ProvisionedState
from lambda_emulator.publishing import Publishing
from lambda_emulator.uploaded_code import CodeFolder

__all__ = ["ControlPlane"]


class ControlPlane:
    """Changes what the dispatcher works with."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._functions = dispatcher.functions
        self.provisioned = ProvisionedConcurrency(dispatcher)
        self._publishing = Publishing(dispatcher)

    def function(self, name: str) -> Function:
        """Raises `ResourceNotFound`."""
        return self._functions.find(FunctionName.parse(name))

    def create_function(
        self,
        configuration: FunctionConfiguration,
        *,
        code: CodeFolder | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Raises `InvalidConfiguration` for a name that is taken, or a dead letter that nobody can take."""
        with _released_on_failure(code):
            self._check_dead_letters(configuration)
            self._functions.create(configuration, code=code, details=details)

    def update_function(
        self,
        configuration: FunctionConfiguration,
        *,
        code: CodeFolder | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace `$LATEST`; its environments end when they are idle. Raises `ResourceNotFound`."""
        with _released_on_failure(code):
            self._check_dead_letters(configuration)
            self._functions.replace(configuration, code=code, details=details)
        self._dispatcher.rates.forget(configuration.name)

    def delete_function(self, name: str) -> None:
        """With everything that belongs to it; events that wait for it are dropped."""
        function = self.function(name)
        self.provisioned.forget(function)
        self._dispatcher.limits.forget(function.name)
        self._dispatcher.rates.forget(function.name)
        self._functions.delete(function)

    async def publish_version(
        self,
        name: str,
        *,
        description: str | None = None,
        expected_code_sha256: str | None = None,
    ) -> FunctionVersion:
        """Freeze code and configuration under the next number; the last one again if nothing has changed since."""
        return await self._publishing.publish(self.function(name), description, expected_code_sha256)

    async def close(self) -> None:
        """Wait for copies that are being made, stop preparing environments."""
        await self._publishing.close()
        await self.provisioned.close()

    def create_alias(
        self,
        name: str,
        alias: str,
        version: str,
        *,
        description: str = "",
        weights: Mapping[str, float] | None = None,
    ) -> Alias:
        """Name a version. `weights` is the other version and its share."""
        function = self.function(name)
        made = Alias(
            name=alias, function_version=version, description=description, additional_version_weights=weights or {}
        )
        if alias in function.aliases:
            raise ResourceConflict(f"Alias already exists: {function.arn}:{alias}")
        self._check_versions(function, made)
        function.aliases[alias] = made
        return made

    def update_alias(
        self,
        name: str,
        alias: str,
        *,
        version: str | None = None,
        description: str | None = None,
        weights: Mapping[str, float] | None = None,
        revision_id: str | None = None,
    ) -> Alias:
        """Change what is given; an empty `weights` ends the sharing."""
        function = self.function(name)
        before = self.get_alias(name, alias)
        if revision_id is not None and revision_id != before.revision_id:
            raise PreconditionFailed(
                "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
                "retrieve the latest Revision Id"
            )
        made = replace(
            before,
            function_version=before.function_version if version is None else version,
            description=before.description if description is None else description,
            additional_version_weights=before.additional_version_weights if weights is None else weights,
            revision_id=str(uuid.uuid4()),
        )
        self._check_versions(function, made)
        function.aliases[alias] = made
        self.provisioned.alias_moved(function, alias)
        return made

    def check_version(self, name: str, version: str) -> None:
        """Raises `ResourceNotFound` if there is no such version."""
        function = self.function(name)
        if function.version(version) is None:
            raise ResourceNotFound(f"Function not found: {function.arn}:{version}")

    def get_alias(self, name: str, alias: str) -> Alias:
        """Raises `ResourceNotFound`."""
        function = self.function(name)
        try:
            return function.aliases[alias]
        except KeyError:
            raise ResourceNotFound(f"Cannot find alias arn: {function.arn}:{alias}") from None

    def delete_alias(self, name: str, alias: str) -> None:
        """With its settings; one that is not there is no error."""
        function = self.function(name)
        if alias in self.provisioned.all_of(function):
            self.provisioned.delete(function, alias)
        function.aliases.pop(alias, None)
        function.event_invoke_configs.pop(alias, None)

    def put_function_concurrency(self, name: str, reserved: int) -> int:
        """Reserve; 0 switches the function off."""
        function = self._unqualified(name)
        if type(reserved) is not int or reserved < 0:
            raise ValidationFailed(
                f"1 validation error detected: Value '{reserved}' at 'reservedConcurrentExecutions' failed to satisfy "
                "constraint: Member must have value greater than or equal to 0"
            )
        requested = sum(state.requested for state in self.provisioned.all_of(function).values())
        if reserved < requested:
            raise InvalidParameterValue(
                "ReservedConcurrentExecutions cannot be lower than the function's provisioned concurrency of "
                f"{requested}: lower that first"
            )
        self._dispatcher.limits.reserve(function.name, reserved)
        return reserved

    def get_function_concurrency(self, name: str) -> int | None:
        """None if nothing is reserved."""
        return self._dispatcher.limits.reserved(self._unqualified(name).name)

    def delete_function_concurrency(self, name: str) -> None:
        """Back to the account's unreserved concurrency."""
        self._dispatcher.limits.reserve(self._unqualified(name).name, None)

    def put_event_invoke_config(
        self, name: str, config: EventInvokeConfig, *, qualifier: str | None = None, merge: bool = False
    ) -> EventInvokeConfig:
        """Replace the setting, or with `merge` change what is given."""
        function, key = self._event_key(name, qualifier)
        if config.is_empty:
            raise InvalidParameterValue("You must specify at least one of error handling or destination setting.")
        if merge:
            config = self.get_event_invoke_config(name, qualifier=qualifier).merged_with(config)
        for arn in (config.on_success, config.on_failure):
            if arn is not None:
                self._check_destination(function, arn)
        config = replace(config, last_modified_s=self._dispatcher.settings.clock.time())
        function.event_invoke_configs[key] = config
        return config

    def get_event_invoke_config(self, name: str, *, qualifier: str | None = None) -> EventInvokeConfig:
        """Raises `ResourceNotFound`."""
        function, key = self._event_key(name, qualifier)
        try:
            return function.event_invoke_configs[key]
        except KeyError:
            raise ResourceNotFound(f"The function {function.arn}:{key} doesn't have an EventInvokeConfig") from None

    def delete_event_invoke_config(self, name: str, *, qualifier: str | None = None) -> None:
        """Back to two retries and six hours. Raises `ResourceNotFound`."""
        self.get_event_invoke_config(name, qualifier=qualifier)
        function, key = self._event_key(name, qualifier)
        del function.event_invoke_configs[key]

    def put_provisioned_concurrency(self, name: str, qualifier: str, amount: int) -> ProvisionedState:
        """Begin to initialise environments in advance."""
        return self.provisioned.put(self.function(name), qualifier, amount)

    def get_provisioned_concurrency(self, name: str, qualifier: str) -> ProvisionedState:
        """How it stands."""
        return self.provisioned.get(self.function(name), qualifier)

    def delete_provisioned_concurrency(self, name: str, qualifier: str) -> None:
        """On demand again."""
        self.provisioned.delete(self.function(name), qualifier)

    def _unqualified(self, name: str) -> Function:
        if FunctionName.parse(name).qualifier is not None:
            raise InvalidParameterValue(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
                "operation. Please specify either a function name or an unqualified function ARN."
            )
        return self.function(name)

    def _event_key(self, name: str, qualifier: str | None) -> tuple[Function, str]:
        parsed = FunctionName.parse(name, qualifier)
        try:
            function = self._functions.find(parsed)
        except ResourceNotFound as error:
            raise ResourceNotFound("The function doesn't exist.") from error
        key = parsed.qualifier or "$LATEST"
        if not function.knows(key):
            raise ResourceNotFound("The function doesn't exist.")
        return function, key

    def _check_destination(self, function: Function, arn: str) -> None:
        service = arn.split(":")[2]
        if service != "lambda":
            self._check_aws(f"destination {arn!r}")
            return
        name = FunctionName.parse(arn)
        if name.name == function.name:
            raise InvalidParameterValue("You can't specify the function as a destination for itself.")
        try:
            self._functions.target(name)
        except ResourceNotFound as error:
            raise InvalidParameterValue(f"The destination ARN {arn} is invalid.") from error

    def _check_dead_letters(self, configuration: FunctionConfiguration) -> None:
        if configuration.dead_letter_arn is not None:
            self._check_aws(f"dead_letter_arn {configuration.dead_letter_arn!r} of {configuration.name!r}")

    def _check_aws(self, what: str) -> None:
        if self._dispatcher.settings.aws is None:
            raise InvalidConfiguration(
                f"{what} cannot be reached: make LocalLambda with aws=AwsClients(...), which says where AWS is"
            )

    def _check_versions(self, function: Function, alias: Alias) -> None:
        for number in (alias.function_version, *alias.additional_version_weights):
            self.check_version(function.name, number)
        letters = {
            version.configuration.dead_letter_arn
            for number in (alias.function_version, *alias.additional_version_weights)
            if (version := function.version(number)) is not None
        }
        if len(letters) > 1:
            raise InvalidParameterValue(
                "The versions of an alias have to have the same dead-letter queue: publish one that has"
            )


@contextmanager
def _released_on_failure(code: CodeFolder | None) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if code is not None:
            code.release()
        raise

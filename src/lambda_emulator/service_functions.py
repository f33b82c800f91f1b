"""The methods of a `LocalLambda` that make functions and change how they are run."""

from collections.abc import Mapping, Sequence

from lambda_emulator.alias import Alias
from lambda_emulator.control_plane import ControlPlane
from lambda_emulator.deployment import Alarm, Deployment, Deployments, Hook, Plan
from lambda_emulator.event_invoke_config import EventInvokeConfig
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.provisioned import ProvisionedState
from lambda_emulator.service_calls import ServiceCalls
from lambda_emulator.traffic_shift import TrafficShift

__all__ = ["ServiceFunctions"]


class ServiceFunctions(ServiceCalls):
    """Functions, versions, aliases, concurrency, settings of asynchronous invocation."""

    _control: ControlPlane
    _deployments: Deployments

    def create_function(self, configuration: FunctionConfiguration) -> None:
        """Add a function. Raises `InvalidConfiguration` if its name is taken."""
        self._do(lambda: self._control.create_function(configuration))

    def update_function(self, configuration: FunctionConfiguration) -> None:
        """Replace the code and configuration of the function of that name; what runs runs to its end."""
        self._do(lambda: self._control.update_function(configuration))

    def delete_function(self, function_name: str) -> None:
        """Remove it with its versions and aliases; events that wait for it are dropped."""
        self._do(lambda: self._control.delete_function(function_name))

    def publish_version(self, function_name: str, *, description: str | None = None) -> str:
        """Freeze code and configuration; the new version's number, or the last one's if nothing has changed."""
        return self._submit(_publish(self._control, function_name, description)).result()

    def create_alias(
        self, function_name: str, alias: str, version: str, *, weights: Mapping[str, float] | None = None
    ) -> Alias:
        """Name a version; `weights={"2": 0.1}` sends a tenth of the invocations to version 2."""
        return self._do(lambda: self._control.create_alias(function_name, alias, version, weights=weights))

    def update_alias(
        self,
        function_name: str,
        alias: str,
        *,
        version: str | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> Alias:
        """Point it elsewhere; `weights={}` sends everything to its version."""
        return self._do(lambda: self._control.update_alias(function_name, alias, version=version, weights=weights))

    def shift_traffic(
        self,
        function_name: str,
        alias: str,
        version: str,
        shift: TrafficShift | str = "AllAtOnce",
        *,
        before: Hook | None = None,
        after: Hook | None = None,
        alarms: Sequence[Alarm] = (),
    ) -> Deployment:
        """Move an alias to another version as CodeDeploy does, on the clock; returns when it has begun.

        `shift`: `Canary10Percent5Minutes`, `Linear10PercentEvery1Minute`, `AllAtOnce`, any numbers. `before` and
        `after` are functions' names or callables. An alarm gets the metrics; True takes everything back.
        """
        plan = Plan(
            function=function_name,
            alias=alias,
            version=version,
            shift=TrafficShift.named(shift) if isinstance(shift, str) else shift,
            before=before,
            after=after,
            alarms=tuple(alarms),
        )
        return self._do(lambda: self._deployments.start(plan))

    def put_function_concurrency(self, function_name: str, reserved: int | None) -> None:
        """Reserve concurrency, 0 switches the function off; None gives it back."""
        if reserved is None:
            self._do(lambda: self._control.delete_function_concurrency(function_name))
        else:
            self._do(lambda: self._control.put_function_concurrency(function_name, reserved))

    def put_event_invoke_config(
        self,
        function_name: str,
        *,
        qualifier: str | None = None,
        maximum_retry_attempts: int | None = None,
        maximum_event_age_s: int | None = None,
        on_success: str | None = None,
        on_failure: str | None = None,
    ) -> EventInvokeConfig:
        """Say how asynchronous invocations are retried, and to which ARNs their results go."""
        config = EventInvokeConfig(
            maximum_retry_attempts=maximum_retry_attempts,
            maximum_event_age_s=maximum_event_age_s,
            on_success=on_success,
            on_failure=on_failure,
        )
        return self._do(lambda: self._control.put_event_invoke_config(function_name, config, qualifier=qualifier))

    def put_provisioned_concurrency(self, function_name: str, qualifier: str, amount: int) -> ProvisionedState | None:
        """Initialise environments of a version or alias in advance; returns when they are ready, or one has failed.

        0 ends it, and returns None.
        """
        return self._submit(_provision(self._control, function_name, qualifier, amount)).result()


async def _publish(control: ControlPlane, function_name: str, description: str | None) -> str:
    return (await control.publish_version(function_name, description=description)).number


async def _provision(control: ControlPlane, function_name: str, qualifier: str, amount: int) -> ProvisionedState | None:
    if amount == 0:
        control.delete_provisioned_concurrency(function_name, qualifier)
        return None
    control.put_provisioned_concurrency(function_name, qualifier, amount)
    await control.provisioned.until_settled()
    return control.get_provisioned_concurrency(function_name, qualifier)

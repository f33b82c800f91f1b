"""A deployment as CodeDeploy does it on an alias: a hook, the traffic step by step, a hook; all back if something is
wrong.

Alarms are looked at every minute of the clock and after each step. A hook is a function of the local Lambda, invoked
with the deployment's id, whose error is the deployment's failure; or anything that can be called, which fails by
raising. Whoever changes the alias in between ends the deployment, and keeps the change. Lives in one event loop.
"""

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lambda_emulator.control_plane import ControlPlane
from lambda_emulator.dispatcher import Dispatcher
from lambda_emulator.errors import LocalLambdaError, ResourceConflict, ResourceNotFound
from lambda_emulator.invoke_request import InvokeRequest
from lambda_emulator.metrics import Metrics
from lambda_emulator.traffic_shift import TrafficShift

__all__ = ["Alarm", "Deployment", "Deployments", "Hook", "Plan"]

Alarm: TypeAlias = Callable[[Metrics], bool]
"""True if it is in alarm; quick, called in the event loop's thread."""
Hook: TypeAlias = str | Callable[[], object]
"""A function's name, or something to call (in a thread of its own, so it may invoke)."""

_ALARM_PERIOD_S = 60.0


class _Failed(LocalLambdaError):  # noqa: N818 (it says what happened)
    """Why it is taken back."""


class _Overtaken(LocalLambdaError):  # noqa: N818 (as above)
    """The alias is somebody else's now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done."""

    function: str
    alias: str
    version: str
    """That all traffic goes to in the end."""
    shift: TrafficShift
    before: Hook | None = None
    after: Hook | None = None
    alarms: Sequence[Alarm] = ()


@dataclass(slots=True, kw_only=True)
class Deployment:
    """How it stands; to be read from any thread."""

    id: str
    status: Literal["InProgress", "Succeeded", "Failed"] = "InProgress"
    reason: str | None = None
    """Of a failure."""
    events: list[tuple[float, str]] = field(default_factory=list)
    """What has happened, with the clock's time."""
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until it is over, in real time; False if the time is."""
        return self._over.wait(timeout_s)


class Deployments:
    """One at a time on each alias."""

    def __init__(self, dispatcher: Dispatcher, control: ControlPlane) -> None:
        self._dispatcher = dispatcher
        self._control = control
        self._clock = dispatcher.settings.clock
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    def start(self, plan: Plan) -> Deployment:
        """Begin. Raises `ResourceConflict`, and `ResourceNotFound` for what is not there."""
        key = (plan.function, plan.alias)
        if key in self._running:
            raise ResourceConflict(f"The alias {plan.alias} of {plan.function} has an active deployment already.")
        before = self._control.get_alias(plan.function, plan.alias)
        self._control.check_version(plan.function, plan.version)
        deployment = Deployment(id=f"d-{uuid.uuid4().hex[:9].upper()}")
        what = f"deployment of version {plan.version} to {plan.function}:{plan.alias}"
        task = self._clock.create_task(self._run(plan, deployment, before.function_version), what=what)
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key))
        return deployment

    async def close(self) -> None:
        """Stop where they are."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, plan: Plan, deployment: Deployment, old_version: str) -> None:
        revision = self._control.get_alias(plan.function, plan.alias).revision_id
        try:
            await self._hook("BeforeAllowTraffic", plan.before, deployment)
            for share, pause_s in plan.shift.steps():
                revision = self._route(plan, old_version, share, revision, deployment)
                await self._watch(plan, pause_s)
            await self._hook("AfterAllowTraffic", plan.after, deployment)
        except _Overtaken as overtaken:
            deployment.reason, deployment.status = str(overtaken), "Failed"
        except _Failed as failed:
            deployment.reason = str(failed)
            self._note(deployment, f"rolled back: {failed}")
            self._take_back(plan, old_version, revision)
            deployment.status = "Failed"
        except LocalLambdaError as error:  # the function or the alias is gone
            deployment.reason, deployment.status = str(error), "Failed"
        else:
            self._note(deployment, "succeeded")
            deployment.status = "Succeeded"
        finally:
            deployment._over.set()

    def _route(self, plan: Plan, old_version: str, share: float, revision: str, deployment: Deployment) -> str:
        """The alias's new revision."""
        if self._control.get_alias(plan.function, plan.alias).revision_id != revision:
            raise _Overtaken(f"the alias {plan.alias} was changed by somebody else")
        weights: Mapping[str, float] = {plan.version: share} if share < 1 and plan.version != old_version else {}
        version = old_version if share < 1 else plan.version
        self._note(deployment, f"{share:.0%} of the traffic to version {plan.version}")
        return self._control.update_alias(plan.function, plan.alias, version=version, weights=weights).revision_id

    def _take_back(self, plan: Plan, old_version: str, revision: str) -> None:
        with contextlib.suppress(ResourceNotFound):  # then there is nothing to take back
            if self._control.get_alias(plan.function, plan.alias).revision_id == revision:
                self._control.update_alias(plan.function, plan.alias, version=old_version, weights={})

    async def _watch(self, plan: Plan, pause_s: float) -> None:
        until_s = self._clock.time() + pause_s
        while True:
            for number, alarm in enumerate(plan.alarms):
                if alarm(self._dispatcher.metrics):
                    raise _Failed(f"alarm {getattr(alarm, '__name__', number)}")
            left_s = until_s - self._clock.time()
            if left_s <= 0:
                return
            await self._clock.sleep(min(left_s, _ALARM_PERIOD_S) if plan.alarms else left_s)

    async def _hook(self, name: str, hook: Hook | None, deployment: Deployment) -> None:
        if hook is None:
            return
        self._note(deployment, name)
        try:
            if isinstance(hook, str):
                await self._invoke(hook, deployment)
            else:
                await asyncio.to_thread(hook)
        except Exception as error:
            raise _Failed(f"{name}: {error}") from error

    async def _invoke(self, function: str, deployment: Deployment) -> None:
        execution = str(uuid.uuid4())
        payload = f'{{"DeploymentId":"{deployment.id}","LifecycleEventHookExecutionId":"{execution}"}}'.encode()
        dispatched = self._dispatcher.dispatch(InvokeRequest(function_name=function, payload=payload))
        assert dispatched.answered is not None
        answer = await dispatched.answered
        if answer.failed:
            raise _Failed(f"{function} failed: {answer.payload.decode('utf-8', 'replace')}")

    def _note(self, deployment: Deployment, text: str) -> None:
        deployment.events.append((self._clock.time(), text))

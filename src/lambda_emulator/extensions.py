"""The extensions of one life of an environment: who may register, who is waited for, who gets which event.

It knows no HTTP and no process. What happens is reported to a listener; what is not allowed is a `Refusal`, in the
platform's words.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lambda_emulator.extension import Extension, ExtensionMove, ExtensionState
from lambda_emulator.happenings import ExtensionFailed, ExtensionReady, ExtensionRegistered, Happening
from lambda_emulator.invocation import Delivery
from lambda_emulator.refusals import Refusal
from lambda_emulator.waiting import Signal
from runtime import protocol

__all__ = ["INVOKE", "SHUTDOWN", "Extensions"]

INVOKE, SHUTDOWN = "INVOKE", "SHUTDOWN"


class Extensions:
    """Made with the names of those that are started as processes; the others are internal."""

    def __init__(
        self, listener: Callable[[Happening], None], external: Iterable[str] = (), *, managed_instance: bool = False
    ) -> None:
        self._listener = listener
        self._managed_instance = managed_instance
        self._all = {name: Extension(name, internal=False) for name in external}
        self._registration_is_open = True

    # --- calls ------------------------------------------------------------------------------------------------

    def register(self, name: str, events: tuple[str, ...]) -> Extension:
        """Only before the runtime's first /next."""
        extension = self._all.get(name)
        internal = extension is None or extension.internal
        for event in events:
            if reason := self._objection(event, internal=internal):
                raise _refusal("Extension.InvalidEventType", f"{event}: {reason}")
        if extension is None or extension.internal:
            extension = self._new_internal(name)
        extension.move(ExtensionMove.REGISTER, name)
        extension.events = events
        self._listener(ExtensionRegistered(name=name))
        return extension

    def find(self, identifier: str | None) -> Extension:
        """By the header that every call but register has."""
        if not identifier:
            raise _refusal("Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        try:
            wanted = str(uuid.UUID(identifier))
        except ValueError:
            raise _refusal("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier") from None
        for extension in self._all.values():
            if extension.identifier == wanted and extension.state is not ExtensionState.STARTED:
                return extension
        raise _refusal("Extension.UnknownExtensionIdentifier", "Unknown Lambda-Extension-Identifier")

    async def next(self, extension: Extension, disconnected: Signal) -> Mapping[str, Any] | None:
        """Wait for an event; None when the extension has gone away."""
        extension.move(ExtensionMove.NEXT)
        self._listener(ExtensionReady(name=extension.name, at_s=time.monotonic()))
        return await extension.event(disconnected)

    def fail(self, extension: Extension, move: ExtensionMove, error_type: str) -> None:
        """/init/error or /exit/error."""
        extension.move(move)
        if extension.error_type is None:
            extension.error_type = error_type
            platform_type = f"Extension.{extension.state.value}"
            self._listener(ExtensionFailed(name=extension.name, error_type=platform_type))

    def close_registration(self) -> None:
        """The runtime is there; who has not registered now never will."""
        self._registration_is_open = False

    # --- what the environment asks and does ---------------------------------------------------------------------

    @property
    def registered(self) -> list[Extension]:
        """In the order of their names in the folder, internal ones behind them."""
        return [extension for extension in self._all.values() if extension.state is not ExtensionState.STARTED]

    @property
    def external_are_registered(self) -> bool:
        """The runtime may be started."""
        return all(each.state is not ExtensionState.STARTED for each in self._all.values() if not each.internal)

    @property
    def are_initialised(self) -> bool:
        """Each of those that have registered has asked for its first event."""
        return all(each.state in (ExtensionState.READY, ExtensionState.RUNNING) for each in self.registered)

    @property
    def are_back(self) -> bool:
        """Nobody handles an event any more."""
        return all(each.state is not ExtensionState.RUNNING for each in self.registered)

    def invoke(self, delivery: Delivery) -> None:
        """Tell the subscribers of an invocation."""
        invocation = delivery.invocation
        event: dict[str, Any] = {
            "eventType": INVOKE,
            "deadlineMs": delivery.deadline_ms,
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.function_arn,
        }
        if invocation.trace_header:
            event["tracing"] = {"type": "X-Amzn-Trace-Id", "value": invocation.trace_header}
        for extension in self.registered:
            if INVOKE in extension.events:
                extension.deliver(event)

    def shut_down(self, reason: str, deadline_ms: int) -> set[str]:
        """Tell the subscribers of the end; their names."""
        event = {"eventType": SHUTDOWN, "shutdownReason": reason, "deadlineMs": deadline_ms}
        told = [extension for extension in self.registered if SHUTDOWN in extension.events]
        for extension in told:
            extension.deliver(event)
        return {extension.name for extension in told}

    # --- rules ------------------------------------------------------------------------------------------------

    def _objection(self, event: str, *, internal: bool) -> str | None:
        if event == SHUTDOWN and internal:
            return "ShutdownEventNotSupportedForInternalExtension"
        allowed = (SHUTDOWN,) if self._managed_instance else (INVOKE, SHUTDOWN)
        return None if event in allowed else "ErrorInvalidEventType"

    def _new_internal(self, name: str) -> Extension:
        # Managed instances have none; the wording of their refusal is unconfirmed.
        if not self._registration_is_open or self._managed_instance:
            raise _refusal("Extension.RegistrationClosed", "Extension registration closed already")
        if name in self._all:
            raise _refusal("Extension.InvalidExtensionState", "Extension with this name already registered")
        if len(self._all) >= protocol.MAX_EXTENSIONS:
            raise _refusal("Extension.TooManyExtensions", f"Extension limit ({protocol.MAX_EXTENSIONS}) reached")
        extension = self._all[name] = Extension(name, internal=True)
        return extension


def _refusal(error_type: str, message: str) -> Refusal:
    return Refusal((protocol.FORBIDDEN, error_type, message))

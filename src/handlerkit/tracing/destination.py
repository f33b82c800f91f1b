"""Where the traces of this process go, found out once: the daemon's address with its emitter and the settings."""

from __future__ import annotations

import sys

from .emitter import Emitter
from .header import TraceHeader
from .settings import Settings, daemon_address
from .trace import XRayTrace

__all__ = ["Destination", "destination", "opentelemetry_is_set_up", "trace_of"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .trace import Trace


class Destination:
    """`emitter` is None where nothing is to be sent, or nothing can be."""

    __slots__ = ("emitter", "service")

    def __init__(self, address: str, settings: Settings) -> None:
        self.service = settings.service
        self.emitter: Emitter | None = None
        if settings.is_on and address:
            try:
                self.emitter = Emitter(address)
            except (OSError, ValueError) as error:
                print(f"handlerkit: no traces: AWS_XRAY_DAEMON_ADDRESS={address!r}: {error}", file=sys.stderr)


def destination() -> Destination:
    """The process's own."""
    address = daemon_address()
    try:
        return _kept[address]
    except KeyError:
        return _kept.setdefault(address, Destination(address, Settings.now()))


_kept: dict[str, Destination] = {}
"""By address, of which a process has one: what was looked up and opened, nothing of any invocation."""


def trace_of(text: str) -> Trace | None:
    """The trace that a header asks for; None if it is not recorded, or nobody takes it."""
    if "opentelemetry.sdk.trace" in sys.modules and opentelemetry_is_set_up():
        if not Settings.now().is_on:
            return None
        from .opentelemetry import OpenTelemetryTrace

        return OpenTelemetryTrace(TraceHeader.parse(text))
    if "Sampled=1" not in text:
        return None
    header = TraceHeader.parse(text)
    if not header.is_recorded:
        return None
    emitter = destination().emitter
    return None if emitter is None else XRayTrace(header, emitter)


def opentelemetry_is_set_up() -> bool:
    """Whether the function, or a layer, has given OpenTelemetry a tracer provider of its SDK."""
    sdk, api = sys.modules.get("opentelemetry.sdk.trace"), sys.modules.get("opentelemetry.trace")
    if sdk is None or api is None:
        return False
    return isinstance(api.get_tracer_provider(), sdk.TracerProvider)

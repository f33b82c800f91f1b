"""The process's metrics: settings, where lines go, and one store for each invocation, found by its scope."""

from __future__ import annotations

from _thread import allocate_lock

from handlerkit.log_output import LineOutput
from handlerkit.scope import at_every_start, current

from .checks import dimension_value
from .documents import Destination, property_text, series_of
from .settings import Settings
from .store import Store, say, watch_forks

__all__ = ["Process", "configure", "process_metrics"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from handlerkit.scope import Scope

# Metrics carry no level: whatever level of logs the function is set to, they are wanted.
NO_LEVEL = 0


class Process:
    """What the metrics of one process share. `version` is another object after every change of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._counts_cold_starts = False
        watch_forks()
        self.apply()

    def apply(self) -> None:
        """Take the settings from here on."""
        self.version = object()
        self.output = LineOutput(self.settings.stream)
        self.outside = Store(self.write, {}, False)
        if self.settings.cold_start and not self._counts_cold_starts:
            self._counts_cold_starts = True
            at_every_start(self.begin)
            scope = current.get()
            if scope is not None:
                self.begin(scope)  # metrics were first used in the middle of it

    def write(self, text: str) -> None:
        """Write a document, unless metrics are switched off."""
        if self.settings.enabled:
            self.output.write(text, NO_LEVEL)

    def flush(self) -> None:
        """Write what the present invocation has."""
        scope = current.get()
        store = None if scope is None else scope.values.get(self)
        if store is not None:
            store.flush()

    def begin(self, scope: Scope) -> None:
        """Count a cold start, in a document of its own."""
        if not scope.is_cold_start or not self.settings.cold_start:
            return
        function_name = getattr(scope.context, "function_name", None) or self.settings.function_name or "function"
        dimensions = {**self.settings.effective_dimensions, "function_name": dimension_value(function_name)}
        destination = Destination(self.settings.effective_namespace, [dimensions], {})
        store = scope.values.get(self) or self.opened(scope)
        store.add([destination], series_of("ColdStart", "Count", 60), 1)

    def opened(self, scope: Scope) -> Store:
        """The store of an invocation that adds its first metric."""
        request_id = getattr(scope.context, "aws_request_id", None)
        properties = {} if request_id is None else {"request_id": property_text(request_id)}
        holds = not scope.has_ended
        made = Store(self.write, properties, holds)
        store: Store = scope.values.setdefault(self, made)
        if holds and store is made:
            scope.at_end(made.close)
        return store


_process: Process | None = None
_making = allocate_lock()


def process_metrics() -> Process:
    """The one of this process."""
    global _process
    if _process is None:
        with _making:
            if _process is None:
                import os

                settings = Settings(os.environ)
                for complaint in settings.complaints:
                    say(complaint)
                _process = Process(settings)
    return _process


if TYPE_CHECKING:

    def configure(
        *,
        namespace: str = ...,
        service: str = ...,
        dimensions: Mapping[str, object] | None = ...,
        cold_start: bool = ...,
        enabled: bool = ...,
        stream: TextIO | None = ...,
    ) -> None: ...

else:

    def configure(**options):
        """Change what metrics have by default in this process, from here on; what is not given stays as it is.

        - `namespace`: (`HANDLERKIT_METRICS_NAMESPACE`, the service)
        - `service`: the value of the default dimension `service`. (`HANDLERKIT_SERVICE`, the function's name)
        - `dimensions`: the default dimension set, for the one of `service` alone.
        - `cold_start`: count cold starts as `ColdStart`. (`HANDLERKIT_METRICS_COLD_START`)
        - `enabled`: False writes nothing, and still checks. (`HANDLERKIT_METRICS_DISABLED`)
        - `stream`: where documents go, for what `sys.stdout` is at the time.

        Raises `TypeError` for an unknown option, `TypeError` and `ValueError` for values that CloudWatch does not take.
        """
        process = process_metrics()
        process.settings.change(options)
        process.apply()

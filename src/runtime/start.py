"""From a fresh interpreter to the loop: search path, settings, log, handler, and how the process ends.

Both entries, `bootstrap` and `python -m runtime`, come here. Exit statuses: 0 after SIGTERM or SIGINT, 1 when the
function could not be initialised or the platform failed.
"""

import sys

from . import protocol
from .environ import SettingError, Settings, read_environ
from .errors import PlatformError, Terminated

__all__ = ["main"]


def main(arguments: "list[str]", *, bare: bool) -> int:
    """Serve the handler named by the first argument, or by `_HANDLER`; return the exit status.

    `bare` says that the interpreter runs isolated and without `site`, so that the search path and what `site` adds to
    the builtins are ours to set.
    """
    try:
        settings = Settings(read_environ())
    except SettingError as error:
        return _refuse(str(error))
    name = arguments[0] if arguments else settings.handler
    if not name or len(arguments) > 1:
        return _refuse("give one handler, as in 'module.function' (or set _HANDLER)")
    if not settings.api:
        return _refuse(f"{protocol.ENV_API} is not set: this program is started by Lambda or an emulator of it")

    from . import search_path  # late: a wrong call above need not load the rest

    search_path.prepare(settings, bare=bare)
    try:
        return _serve(name, settings)
    except PlatformError as error:
        return _refuse(str(error))
    except Terminated:
        return 0


def _serve(name: str, settings: Settings) -> int:

    from .client import RuntimeClient
    from .initialisation import load_or_report
    from .late_logging import configure_when_imported
    from .output import Output

    output = Output(
        json=settings.log_format == "JSON",
        levelled=bool(settings.log_level),
        descriptor=settings.telemetry_fd,
    )

    def configure_logging() -> None:
        from . import logs  # late: needs logging, which a plain handler never loads

        logs.configure(output, settings.log_level)

    configure_when_imported(configure_logging)
    client = RuntimeClient(str(settings.api), _user_agent(), _warn)
    _watch_signals(client)
    if settings.max_concurrency is not None:
        from . import workers  # late: only with concurrency

        return workers.serve(name, settings, output, client)
    function = load_or_report(name, settings, output, client)
    if function is None:
        return 1
    try:
        return _live(client, function, settings)
    except Terminated:
        if (lifecycle := _lifecycle()) is not None:
            lifecycle.run_shutdown(function)
        function.close()
        return 0


def _live(client: "RuntimeClient", function: "Function", settings: Settings) -> int:
    """From the loaded handler to the end of the process."""
    from .loop import run

    if (lifecycle := _lifecycle()) is not None and lifecycle.has_shutdown_hooks():
        from . import extension  # late: only for on_shutdown

        waiting = client.another()
        extension.register_for_sigterm(waiting, _warn)
    if settings.initialization_type == "snap-start":
        from . import lifecycle as hooks  # late: only with SnapStart

        status = hooks.pass_snapshot(client, function)
        if status is not None:
            return status
    run(client, function)
    return 0


def _lifecycle() -> "ModuleType | None":
    """The module of hooks, if the function registered any (it is loaded by that)."""
    return sys.modules.get(f"{__package__}.lifecycle")


def _watch_signals(client: "RuntimeClient") -> None:
    """End at once on SIGTERM and SIGINT, also while waiting in `/next`. Handlers that user code sets replace these."""
    import _signal  # type: ignore[import-not-found]  # the C half; `signal` itself costs 4 ms for its enums

    def terminate(_number: int, _frame: object) -> None:
        client.stop()
        raise Terminated

    _signal.signal(_signal.SIGTERM, terminate)
    _signal.signal(_signal.SIGINT, terminate)


def _user_agent() -> str:
    from . import __version__

    version = sys.version_info
    return f"handlerkit/{__version__}-{sys.implementation.name}-{version.major}.{version.minor}.{version.micro}"


def _warn(line: str) -> None:
    """One line on stderr about something the platform did. It never raises: stderr may be gone."""
    try:
        sys.stderr.write(f"handlerkit: {line}\n")
        sys.stderr.flush()
    except Exception:  # noqa: BLE001, S110
        pass


def _refuse(line: str) -> int:
    _warn(line)
    return 1


TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost 4 ms of every cold start
    from types import ModuleType

    from .client import RuntimeClient
    from .function import Function

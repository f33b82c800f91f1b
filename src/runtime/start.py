"""From a fresh interpreter to the loop: search path, settings, log, handler, and how the process ends.

Both entries, `bootstrap` and `python -m runtime`, come here. Exit statuses: 0 after SIGTERM or SIGINT, 1 when the
function could not be initialised or the platform failed.
"""

import sys

from . import protocol
from .environ import SettingError, Settings, read_environ
from .errors import PlatformError, Terminated

__all__ = ["main"]

END_S = 0.3
"""For what is left to do after SIGTERM when the shutdown hooks are through; Lambda kills after 0.5 s in all."""


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
    if not settings.api.isascii():
        return _refuse(f"{protocol.ENV_API} must be host:port, not {settings.api!r}")
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
    from .signals import end_on_signals, end_soon

    output = Output(
        json=settings.log_format == "JSON",
        levelled=bool(settings.log_level),
        descriptor=settings.telemetry_fd,
    )

    def configure_logging(_logging: "ModuleType") -> None:
        try:
            from . import logs  # late: needs logging, which a plain handler never loads

            logs.configure(output, settings.log_level)
        except Exception as error:  # noqa: BLE001  # the import that led here must not fail for it
            _warn(f"logging could not be set up: {type(error).__name__}: {error}")

    configure_when_imported(configure_logging)
    client = RuntimeClient(str(settings.api), _user_agent(), _warn)
    end_on_signals(client)
    if settings.max_concurrency is not None:
        from . import workers  # late: only with concurrency

        return workers.serve(name, settings, output, client)
    function = load_or_report(name, settings, output, client)
    if function is None:
        return 1
    try:
        return _live(client, function, settings)
    except Terminated:
        if client.belongs_to_parent:
            return 0  # a child that the handler forked and that came back from it
        if (lifecycle := _lifecycle()) is not None:
            lifecycle.run_shutdown(function)
        end_soon(END_S)
        function.close()
        return 0
    except PlatformError:
        raise
    except Exception as error:
        if client.belongs_to_parent:
            raise
        # User code reaches here by a signal handler that raises while the loop waits.
        raise PlatformError(f"the loop was ended by {type(error).__name__}: {error}") from error


def _live(client: "RuntimeClient", function: "Function", settings: Settings) -> int:
    """From the loaded handler to the end of the process."""
    from .loop import run

    waiting = None
    if _lifecycle() is not None:
        from . import extension  # late: only for on_shutdown

        waiting = extension.register_for_sigterm(client)
    if settings.initialization_type == "snap-start":
        from . import lifecycle as hooks  # late: only with SnapStart

        status = hooks.pass_snapshot(client, function)
        if status is not None:
            return status
    run(client, function)
    del waiting  # it has kept its connection open until here
    return 0


def _lifecycle() -> "ModuleType | None":
    """The module of hooks, if the function registered any (it is loaded by that)."""
    return sys.modules.get(f"{__package__}.lifecycle")


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

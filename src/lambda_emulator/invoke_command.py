"""`handlerkit invoke`: run one handler, or any function folder, with one event."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lambda_emulator import presentation
from lambda_emulator.command_input import WrongInput, check_handler, parse_env_file, parse_variables, read_event
from lambda_emulator.errors import InvalidConfiguration, InvokeError
from lambda_emulator.function import FunctionConfiguration
from lambda_emulator.handler_hints import hint
from lambda_emulator.result import InvocationResult
from lambda_emulator.service import LocalLambda
from runtime import protocol

__all__ = ["invoke"]

OPTIONS = {
    "log_format": "--log-format",
    "log_level": "--log-level",
    "memory_mb": "--memory",
    "name": "--name",
    "task_root": "--root",
    "timeout_s": "--timeout",
}
"""The options that set something of a function's configuration, which has names of its own."""
NO_SUCH_HANDLER = (protocol.HANDLER_NOT_FOUND, protocol.MALFORMED_HANDLER_NAME, protocol.BUILTIN_MODULE_CONFLICT)


def invoke(
    handler: Annotated[str, typer.Argument(help="path/module.function, below the root folder")],
    event: Annotated[
        str | None, typer.Option("--event", "-e", help="file with the event's JSON; - is standard input")
    ] = None,
    root: Annotated[Path, typer.Option(help="the function's root folder (Lambda's /var/task)")] = Path(),
    timeout: Annotated[int, typer.Option(help="seconds, 1 to 900")] = protocol.DEFAULT_TIMEOUT_S,
    memory: Annotated[int, typer.Option(help="MB, 128 to 10240; exceeding it kills the function")] = (
        protocol.DEFAULT_MEMORY_MB
    ),
    env: Annotated[list[str] | None, typer.Option("--env", help="NAME=VALUE; may be repeated")] = None,
    env_file: Annotated[Path | None, typer.Option(help="file with a NAME=VALUE on each line")] = None,
    repeat: Annotated[int, typer.Option("--repeat", "-n", min=1, help="invoke this many times, one after another")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, for scripts")] = False,
    name: Annotated[str, typer.Option(help="the function's name")] = "function",
    log_format: Annotated[str | None, typer.Option(help="Text or JSON (AWS_LAMBDA_LOG_FORMAT)")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="trace it as X-Ray would, and show the trace")] = False,
    log_level: Annotated[str | None, typer.Option(help="TRACE, DEBUG, INFO, WARN, ERROR or FATAL")] = None,
) -> None:
    """Invoke a handler once (or --repeat times) with an event, as Lambda would.

    The response goes to stdout; the function's log and the REPORT line go to stderr. Exit status: 0, or 1 if the
    function failed, or 2 if something given here is wrong.
    """
    try:
        body = read_event(event)
        check_handler(handler, root.absolute())
        variables = {**(parse_env_file(env_file) if env_file else {}), **parse_variables(env or [])}
        configuration = FunctionConfiguration(
            name=name,
            handler=handler,
            task_root=root,
            timeout_s=timeout,
            memory_mb=memory,
            environment=variables,
            log_format={"text": "Text", "json": "JSON"}.get((log_format or "").lower(), log_format),  # type: ignore[arg-type]
            log_level=log_level,
            tracing="Active" if trace else "PassThrough",
        )
        with LocalLambda(configuration) as service:
            results = list(_invocations(service, name, body, repeat))
            _refuse_missing_handler(results[0], configuration)
            _print(body, results, as_json=as_json, trace=trace)
    except (WrongInput, InvalidConfiguration, InvokeError) as error:
        typer.echo(f"handlerkit: {_by_option(str(error))}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if any(result.function_error for result in results):
        raise typer.Exit(1)


def _invocations(service: LocalLambda, name: str, body: bytes, repeat: int) -> Iterator[InvocationResult]:
    with _progress(repeat) as advance:
        for _ in range(repeat):
            result = service.invoke(name, body)
            result.report  # noqa: B018  # wait for the end, so that invocations do not overlap
            advance()
            yield result


def _by_option(message: str) -> str:
    """A refusal that begins with a setting's name, by the option that sets it.

    >>> _by_option("timeout_s 901 is not possible: use 1 to 900 whole seconds")
    '--timeout 901 is not possible: use 1 to 900 whole seconds'
    """
    setting, blank, rest = message.partition(" ")
    return f"{OPTIONS.get(setting, setting)}{blank}{rest}"


@contextmanager
def _progress(total: int) -> "Iterator[Callable[[], None]]":
    """A progress bar on stderr where that is a terminal and there is something to wait for."""
    if total == 1 or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("invoking", total=total)
        yield lambda: progress.advance(task)


def _refuse_missing_handler(result: InvocationResult, configuration: FunctionConfiguration) -> None:
    """One line instead of a log for what is a typing error in the call."""
    error_type = result.report.error_type
    if result.function_error is None or not result.init_log + result.log:
        return
    document = _document(result)
    message = document.get("errorMessage", "")
    missing = error_type == protocol.IMPORT_MODULE_ERROR and not document.get("stackTrace")
    if document.get("errorType") in NO_SUCH_HANDLER or (missing and "No module named" in message):
        meant = hint(configuration.handler, configuration.task_root)
        raise WrongInput(f"no such handler: {message}" + (f"; {meant}" if meant else ""))


def _document(result: InvocationResult) -> dict[str, str]:
    try:
        document = result.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _print(body: bytes, results: list[InvocationResult], *, as_json: bool, trace: bool) -> None:
    last = results[-1]
    if as_json:
        values = {"eventKind": presentation.kind_of(body), **presentation.as_json(last)}
        if trace:
            values["trace"] = list(last.trace.documents)
        if len(results) > 1:
            values["summary"] = presentation.summary(results)
        typer.echo(json.dumps(values, ensure_ascii=False))
        return
    presentation.show_kind(body)
    shown = next((result for result in results if result.function_error), last)
    presentation.show(shown)
    if trace:
        presentation.show_trace(shown)
    if len(results) > 1:
        presentation.show_summary(presentation.summary(results))


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

"""`handlerkit serve`: a project's functions on this machine, until Ctrl-C.

Exit statuses: 0 after a clean end, 1 if it was forced, 2 if something given is wrong.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lambda_emulator.aws_clients import AwsClients, BotoMissing
from lambda_emulator.clock import RealClock
from lambda_emulator.command_input import WrongInput
from lambda_emulator.embedded_aws import EmbeddedAws, MotoMissing
from lambda_emulator.errors import ServiceClosed
from lambda_emulator.failure_queues import FailureQueues
from lambda_emulator.live_lines import lines_of_invocation, lines_of_news
from lambda_emulator.live_view import LiveView
from lambda_emulator.project import WrongProject
from lambda_emulator.serve_announcement import announcement, notes, places
from lambda_emulator.serve_options import DEFAULT_PORT, ServeOptions, find_project, parse_parameters, read_project
from lambda_emulator.serve_signals import Messages
from lambda_emulator.service import LocalLambda
from lambda_emulator.serving import Serving
from lambda_emulator.source_watch import SourceWatch, WatchfilesMissing

__all__ = ["serve"]

# For closing what is closed without anybody waiting for an answer.
_END_S = 10


def serve(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="a TOML file, or a pyproject.toml with [tool.handlerkit]")
    ] = None,
    template: Annotated[Path | None, typer.Option("--template", "-t", help="a SAM template")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", help="NAME=VALUE of the template; may be repeated")
    ] = None,
    port: Annotated[
        int, typer.Option(help="of the invoke endpoint; AWS is at the next one, HTTP at those after; 0 for free ones")
    ] = DEFAULT_PORT,
    endpoint_url: Annotated[
        str | None, typer.Option("--endpoint-url", help="use the AWS there instead of one of this process")
    ] = None,
    no_aws: Annotated[
        bool, typer.Option("--no-aws", help="functions and HTTP only: no queues, streams, topics")
    ] = False,
    speed: Annotated[
        float, typer.Option(help="how fast time passes for retries, delays, schedules: 60 is 60 times")
    ] = 1.0,
    no_reload: Annotated[bool, typer.Option("--no-reload", help="do not look for changes of the code")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="no colours, also on a terminal")] = False,
) -> None:
    """Serve a project's functions with their queues, streams, topics, buckets, schedules and HTTP, until Ctrl-C.

    Without --config or --template it serves template.yaml, handlerkit.toml or pyproject.toml's [tool.handlerkit] of
    this folder. The first Ctrl-C lets running invocations end, the second one cuts them.
    """
    try:
        with Messages() as messages:
            options = ServeOptions(
                file=find_project(config, template, Path.cwd()),
                parameters=parse_parameters(parameter or []),
                port=port,
                endpoint_url=endpoint_url,
                aws=not no_aws,
                speed=speed,
                reload=not no_reload,
                plain=plain,
            )
            _Session(options, messages).run()
    except (WrongInput, BotoMissing, MotoMissing, WatchfilesMissing) as error:
        typer.echo(f"handlerkit: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        sys.stdout.flush()
        os._exit(130)  # everything is closed; threads may still wait for an AWS that does not answer


class _Session:
    """From start to end."""

    def __init__(self, options: ServeOptions, messages: Messages) -> None:
        self._options = options
        self._messages = messages
        self._watch: SourceWatch | None = None
        self._deciding = threading.Lock()
        self._ended_by = ""

    def run(self) -> None:
        """Returns after a clean end; a forced one ends the process with status 1."""
        options = self._options
        project = read_project(options)
        with ExitStack() as stack:
            aws, embedded = stack.enter_context(self._aws())
            service = stack.enter_context(self._service(aws))
            invoke_url = self._listen(service)
            self._view = LiveView(plain=options.plain, reader_gone=lambda: self._messages.post(None))
            stack.callback(self._view.close)
            self._serving = Serving(
                service,
                aws,
                direct=options.embedded,
                environment=self._environment(embedded, invoke_url),
                first_port=options.port + 2 if options.port else 0,
                report=lambda line: self._view.say(line, "error"),
            )
            self._serving.apply(project)
            service.history.listen(lambda past: self._view.show(lines_of_invocation(past)))
            service.listen_to_events(lambda news: self._view.show(lines_of_news(news)))
            failures = None
            if aws is not None:
                failures = FailureQueues(aws, self._serving.failure_queues(), lambda line: self._view.say(line, "dead"))
                stack.callback(failures.close)
            self._failures = failures
            stack.callback(self._stop_watching)
            self._start_watching()
            self._view.align(function.name for function in project.functions)
            self._messages.started(lambda: self._cut(service))
            self._view.show(announcement(project, self._serving, options, invoke_url, embedded))
            while (message := self._messages.next()) is not None:
                message()
            with contextlib.suppress(ServiceClosed):  # cut meanwhile
                self._let_run_out(service)
            if not self._is_ended_by("main"):
                time.sleep(_END_S)  # the other thread ends the process
            self._view.say("stopped")

    def _cut(self, service: LocalLambda) -> None:
        """In a thread of its own: end everything without waiting for what runs, or for an AWS that does not answer."""
        if self._is_ended_by("cut"):
            self._view.say("forced to stop: what runs is cut", "note")
            service.close()
            self._view.close()
        else:
            time.sleep(_END_S)  # everything is being closed already, and this thread ends with the process
        os._exit(1)

    def _is_ended_by(self, thread: str) -> bool:
        """The first one to ask is the one that ends it."""
        with self._deciding:
            self._ended_by = self._ended_by or thread
            return self._ended_by == thread

    def _let_run_out(self, service: LocalLambda) -> None:
        if running := service.running:
            invocations = "1 invocation" if running == 1 else f"{running} invocations"
            self._view.say(f"stopping: waiting for {invocations}, Ctrl-C again cuts them", "note")
        threading.Thread(target=self._run_out, args=(service,), name="run-out", daemon=True).start()
        while self._messages.next() is not None:
            pass  # changes do not matter any more
        if waiting := service.pending_events:
            events = "1 asynchronous event" if waiting == 1 else f"{waiting} asynchronous events"
            self._view.say(f"dropped: {events} that waited for another attempt", "note")

    def _run_out(self, service: LocalLambda) -> None:
        with contextlib.suppress(ServiceClosed):  # cut meanwhile
            service.run_out()
        self._messages.post(None)

    @contextmanager
    def _aws(self) -> "Iterator[tuple[AwsClients | None, str | None]]":
        """Clients and the endpoint's URL."""
        options = self._options
        self._clock = RealClock(speed=options.speed)
        if not options.aws:
            yield None, None
        elif options.endpoint_url is not None:
            clients = AwsClients(endpoint_url=options.endpoint_url)
            try:
                yield clients, options.endpoint_url
            finally:
                clients.close()
        else:
            port = options.port + 1 if options.port else 0
            try:
                embedded = EmbeddedAws(clock=self._clock, port=port)
            except OSError as error:
                raise _taken(f"{port} for AWS", error) from None
            with embedded:
                yield embedded.clients, embedded.endpoint_url

    def _service(self, aws: AwsClients | None) -> LocalLambda:
        return LocalLambda(clock=self._clock, aws=aws)

    def _listen(self, service: LocalLambda) -> str:
        try:
            return service.listen(self._options.port)
        except OSError as error:
            raise _taken(f"{self._options.port} for the invoke endpoint", error) from None

    def _environment(self, endpoint_url: str | None, invoke_url: str) -> dict[str, str]:
        """By which functions find this AWS, and each other."""
        environment = {"AWS_ENDPOINT_URL_LAMBDA": invoke_url}
        if endpoint_url is not None:
            environment["AWS_ENDPOINT_URL"] = endpoint_url
        return environment

    # --- reload -------------------------------------------------------------------------------------------------------

    def _start_watching(self) -> None:
        if not self._options.reload:
            return
        self._stop_watching()
        self._watch = SourceWatch(
            self._serving.code_folders,
            self._options.file,
            lambda paths: self._messages.post(lambda: self._changed(paths)),
            lambda reason: self._view.say(f"no reload: {reason}", "error"),
        )

    def _stop_watching(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()

    def _changed(self, paths: set[Path]) -> None:
        """In the main thread."""
        if self._options.file in paths:
            self._reload_project()
            paths = paths - {self._options.file}
        if names := self._serving.code_changed(paths):
            shown = sorted(path.name for path in paths)
            what = ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
            self._view.say(f"{', '.join(sorted(names))} (changed: {what})", "reload")

    def _reload_project(self) -> None:
        name = self._options.file.name
        try:
            before = self._serving.code_folders
            project = read_project(self._options)
            self._serving.apply(project)
        except WrongInput as error:
            self._view.say(f"{name} is not applied, what ran before goes on: {error}", "error")
            return
        except Exception as error:  # noqa: BLE001 (an AWS that is gone, or a fault of ours: what runs goes on all the same)
            self._view.say(f"{name} is not applied: {type(error).__name__}: {error}", "error")
            return
        self._view.say(f"{name} is applied", "reload")
        self._view.align(function.name for function in project.functions)
        self._view.show([*notes(project, self._options), *places(self._serving)])
        if self._failures is not None:
            self._failures.watch(self._serving.failure_queues())
        if self._serving.code_folders != before:
            self._start_watching()


def _taken(port: str, error: OSError) -> WrongProject:
    reason = os.strerror(error.errno) if error.errno else error  # asyncio has a sentence of its own
    return WrongProject(f"port {port} cannot be used ({reason}): choose another one by --port")

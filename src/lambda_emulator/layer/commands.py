"""`handlerkit layer build | verify` and `handlerkit precompile`: options in, orders out. The work is elsewhere.

Exit statuses: 0 done, 1 the layer has mistakes (or the function in it failed), 2 the command was called with something
wrong, which one line on stderr says.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, cast

import typer

from lambda_emulator.command_input import WrongInput, parse_variables, read_event
from lambda_emulator.errors import InvalidConfiguration, InvokeError
from lambda_emulator.layer.errors import LayerError
from lambda_emulator.layer.extras import DEFAULT_SERVICES, EXTRAS
from runtime import protocol

__all__ = ["build_command", "layer_app", "precompile_command", "verify_command"]

_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
_EXTRAS = ", ".join(EXTRAS)


def layer_app() -> typer.Typer:
    """The subcommands of `handlerkit layer`, which are also those of `python -m layer`."""
    app = typer.Typer(
        help="Build and verify Lambda layers: Python and handlerkit for an OS-only base, handlerkit for a managed one.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.command("build")(build_command)
    app.command("verify")(verify_command)
    return app


def build_command(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="the zip (default: handlerkit-layer-ARCH-pythonX.Y.zip, or -managed-)"),
    ] = None,
    arch: Annotated[str, typer.Option("--arch", help="x86_64 or arm64")] = "x86_64",
    python: Annotated[str, typer.Option("--python", help="the function's Python, from 3.11")] = _HERE,
    interpreter: Annotated[
        str, typer.Option(help="the Python to bring: a folder, an archive, uv (one of its managed ones) or none")
    ] = "uv",
    managed: Annotated[
        bool, typer.Option("--managed", help="for a managed runtime: handlerkit and its packages, no bootstrap")
    ] = False,
    extras: Annotated[list[str] | None, typer.Option("--with", help=f"comma-separated, some of {_EXTRAS}")] = None,
    requirement: Annotated[
        list[Path] | None, typer.Option("--requirement", "-r", help="a requirements file or a lock; may be repeated")
    ] = None,
    services: Annotated[
        str, typer.Option(help="comma-separated: what botocore, where it is inside, can talk to")
    ] = ",".join(DEFAULT_SERVICES),
    cache: Annotated[Path | None, typer.Option(help="where downloaded wheels are kept")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, for scripts")] = False,
) -> None:
    """Build a layer, check it, and show what takes how much."""
    from lambda_emulator.layer import reporting  # late, as in the others: `handlerkit invoke` needs none of it
    from lambda_emulator.layer.build import Order, build
    from lambda_emulator.layer.target import Target

    with _one_line_for_mistakes():
        target = Target.of(arch, python)
        kind = "managed" if managed else "layer"
        path = output or Path(f"handlerkit-{kind}-{target.architecture}-{target.python_name}.zip")
        order = Order(
            target=target,
            output=path.absolute(),
            cache=(cache or _cache_folder()).absolute(),
            interpreter=interpreter,
            managed=managed,
            extras=tuple(_listed(extras or [])),
            requirements=tuple(file.absolute() for file in requirement or []),
            services=tuple(_listed([services])),
        )
        with reporting.progress() as progress:
            built = build(order, progress)
    if as_json:
        typer.echo(json.dumps(reporting.as_json(built), ensure_ascii=False))
    else:
        for line in (*reporting.built_lines(built), *reporting.finding_lines(built.findings)):
            typer.echo(line)
    if any(finding.severity == "mistake" for finding in built.findings):
        raise typer.Exit(1)


def verify_command(
    layer: Annotated[Path, typer.Argument(help="the layer's zip")],
    function: Annotated[Path | None, typer.Option(help="a function's folder (default: one that does nothing)")] = None,
    handler: Annotated[str, typer.Option(help="module.function in that folder")] = "app.handler",
    event: Annotated[
        str | None, typer.Option("--event", "-e", help="file with the event's JSON; - is standard input")
    ] = None,
    starts: Annotated[int, typer.Option(min=1, max=100, help="cold starts to time")] = 3,
    repeat: Annotated[int, typer.Option("--repeat", "-n", min=0, help="warm invocations to time")] = 20,
    memory: Annotated[int, typer.Option(help="MB, 128 to 10240; exceeding it kills the function")] = (
        protocol.DEFAULT_MEMORY_MB
    ),
    env: Annotated[list[str] | None, typer.Option("--env", help="NAME=VALUE; may be repeated")] = None,
    python: Annotated[
        Path | None, typer.Option("--python", help="an interpreter's folder, as the base image of a layer without one")
    ] = None,
    sandbox: Annotated[
        str, typer.Option(help="bubblewrap, unshare or plain (default: the best that works here)")
    ] = "best",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, for scripts")] = False,
) -> None:
    """Run a layer as Lambda would: read-only root, /opt from the zip, an unprivileged user, a memory limit.

    Prints cold and warm times, and the layout's mistakes.
    """
    from lambda_emulator.layer import reporting
    from lambda_emulator.layer.verify import verify

    with _one_line_for_mistakes():
        if sandbox not in ("best", "bubblewrap", "unshare", "plain"):
            raise LayerError(f"no sandbox {sandbox!r}: there are bubblewrap, unshare, plain, and best")
        with reporting.progress() as progress:
            verification = verify(
                layer,
                function=function,
                handler=handler,
                event=read_event(event),
                starts=starts,
                warm=repeat,
                memory_mb=memory,
                environment=parse_variables(env or []),
                kind=None if sandbox == "best" else cast("confinement.Kind", sandbox),
                base_python=python,
                progress=progress,
            )
    if as_json:
        typer.echo(json.dumps(reporting.as_json(verification.built, verification), ensure_ascii=False))
    else:
        for line in reporting.verification_lines(verification):
            typer.echo(line)
    _show_log_of_failure(verification)
    if verification.mistakes or verification.function_failed:
        raise typer.Exit(1)


def precompile_command(
    folder: Annotated[Path, typer.Argument(help="the function's folder, as it will be zipped")],
    python: Annotated[
        str | None, typer.Option("--python", help="a Python program of the function's version (default: this one)")
    ] = None,
    prefix: Annotated[str, typer.Option(help="where the folder will be; the bytecode says so")] = "/var/task",
) -> None:
    """Compile a function's own package, so that no cold start has to.

    Run it as the last step before zipping: bytecode made this way is not compared with its source again.
    """
    from lambda_emulator.layer import bytecode

    with _one_line_for_mistakes():
        program = Path(python or sys.executable)
        if not bytecode.version_of(program):
            raise LayerError(f"{program} is no Python that runs here: name a program with --python")
        compiled = bytecode.compile_folder(folder, python=program, prefix=prefix)
    typer.echo(f"{compiled.count} files compiled for Python {'.'.join(map(str, bytecode.version_of(program)[:2]))}")
    for name, reason in sorted(compiled.failed.items()):
        typer.echo(f"handlerkit: {name} is not for this Python: {reason}", err=True)
    if compiled.failed:
        raise typer.Exit(1)


@contextmanager
def _one_line_for_mistakes() -> Iterator[None]:
    try:
        yield
    except (LayerError, WrongInput, InvalidConfiguration, InvokeError) as error:
        typer.echo(f"handlerkit: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _show_log_of_failure(verification: "Verification") -> None:
    result = verification.result
    if result is not None and verification.function_failed:
        typer.echo(result.init_log + result.log, err=True, nl=False)


def _listed(values: list[str]) -> list[str]:
    """Words of comma-separated options, each once.

    >>> _listed(["tracing, redis", "redis"])
    ['tracing', 'redis']
    """
    return list(dict.fromkeys(word.strip() for value in values for word in value.split(",") if word.strip()))


def _cache_folder() -> Path:
    """As the XDG base directory specification has it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "handlerkit" / "wheels"


TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_emulator.layer import confinement
    from lambda_emulator.layer.verify import Verification

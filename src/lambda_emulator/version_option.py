"""`handlerkit --version`: what a report of a bug begins with. Prints, and ends the command."""

import platform
from typing import Annotated

import typer

__all__ = ["root"]


def _show_version(wanted: bool) -> None:
    if wanted:
        from handlerkit import __version__

        typer.echo(f"handlerkit {__version__}, Python {platform.python_version()}")
        raise typer.Exit


def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and Python's."),
    ] = False,
) -> None:
    """Nothing by itself: the options that stand before a subcommand."""

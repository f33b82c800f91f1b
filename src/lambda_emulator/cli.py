"""The `handlerkit` command: entry point and list of subcommands. Reads nothing, decides nothing.

Exit statuses of every subcommand: 0 done, 1 the function failed, 2 the command was called with something wrong
(one line on stderr says what, where, and what to do).
"""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command with the process's arguments; ends the process."""
    try:
        import rich  # noqa: F401
        import typer
    except ImportError as error:
        missing = f"the handlerkit command needs {error.name}, which is not installed"
        sys.exit(f"{missing}: pip install 'handlerkit[emulator]'")

    from lambda_emulator import event_command, idempotency_command, invoke_command, serve_command, version_option
    from lambda_emulator.layer import commands

    app = typer.Typer(
        help="Run AWS Lambda functions locally, in processes of their own, without containers.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",  # in rich's own markup `[tool.handlerkit]` is a style, and disappears
    )
    app.callback()(version_option.root)
    app.command("invoke")(invoke_command.invoke)
    app.command("serve")(serve_command.serve)
    app.command(
        "event",
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(event_command.event)
    idempotency = typer.Typer(no_args_is_help=True)
    idempotency.callback(help="What idempotent functions need where they are deployed.")(lambda: None)
    idempotency.command("template")(idempotency_command.template)
    app.add_typer(idempotency, name="idempotency")
    app.add_typer(commands.layer_app(), name="layer")
    app.command("precompile")(commands.precompile_command)
    app()


if __name__ == "__main__":
    main()

"""`absfin serve`: the server itself."""

import os
import sys

import typer

serve = typer.Typer(add_completion=False)


@serve.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def run_server(context: typer.Context) -> None:
    """Run the server; all options go to it: absfin serve --help"""
    # The server replaces this process, so that a signal to `absfin serve` reaches the server itself.
    os.execv(sys.executable, [sys.executable, "-m", "server", *context.args])  # noqa: S606  # the options of the user

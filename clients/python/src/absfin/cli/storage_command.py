"""`absfin storage`: copies of the server's stores, made on its machine."""

import os
import sys

import typer

storage = typer.Typer(add_completion=False)


@storage.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def copy_storage(context: typer.Context) -> None:
    """Back up, restore or copy a store; all options go to the server's command: absfin storage --help"""
    # As with `absfin serve`, a signal reaches the command itself.
    os.execv(  # noqa: S606  # the options of the user
        sys.executable, [sys.executable, "-m", "server", "storage", *context.args]
    )

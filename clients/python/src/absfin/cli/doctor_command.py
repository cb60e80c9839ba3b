"""`absfin doctor`: what is wrong with a server, found on its machine."""

import os
import sys

import typer

doctor = typer.Typer(add_completion=False)


@doctor.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def diagnose_server(context: typer.Context) -> None:
    """Say what is wrong with the server's settings and what they name: absfin doctor --help"""
    # As with `absfin serve`, a signal reaches the command itself.
    os.execv(  # noqa: S606  # the options of the user
        sys.executable, [sys.executable, "-m", "server", "doctor", *context.args]
    )

"""The `absfin` command as a script runs it, against a real server.

`absfin` runs it in this process, with an environment and streams of its own: to start Python and to load what a command
needs takes many times as long as what most commands do. `started` runs it in a process, as everybody does: for what
depends on the terminal or on how it was started, and once for each command.
"""

import json
import os
import subprocess
import sys
from contextvars import copy_context
from pathlib import Path
from typing import Any

from absfin.cli.app import app
from typer.testing import CliRunner

from tests.conftest import RunningServer

ABSFIN = str(Path(sys.executable).with_name("absfin"))


def absfin(
    server: RunningServer, *arguments: str, status: int = 0, sent: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs a command that must end with a status; `sent` is its standard input, `variables` are of its environment."""
    done = run_command(arguments, _environment(server) | variables, sent)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def started(
    server: RunningServer, *arguments: str, status: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    environment = _environment(server) | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")} | variables
    done = subprocess.run([ABSFIN, *arguments], capture_output=True, text=True, timeout=60, env=environment, input="")
    assert done.returncode == status, done.stdout + done.stderr
    return done


def _environment(server: RunningServer) -> dict[str, str]:
    return {"ABSFIN_SERVER": server.address, "COLUMNS": "200", "PATH": "/usr/bin:/bin", "TERM": "dumb"}


def run_command(
    arguments: tuple[str, ...], environment: dict[str, str], sent: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs a command in this process, with this environment and no more, and says what a process would."""
    # A profile sets the server, which must not outlive the command either.
    whole: dict[str, str | None] = {**dict.fromkeys(os.environ), "ABSFIN_SERVER": None, **environment}

    def run() -> subprocess.CompletedProcess[str]:
        command = CliRunner()
        done = command.invoke(app, arguments, input=sent, env=whole, catch_exceptions=False, prog_name="absfin")
        return subprocess.CompletedProcess(["absfin", *arguments], done.exit_code, done.stdout, done.stderr)

    return copy_context().run(run)  # what a command keeps for itself, as its server, ends with it


def as_json(server: RunningServer, *arguments: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(absfin(server, *arguments, "--json").stdout)
    return parsed


def told(server: RunningServer, *arguments: str, sent: str = "") -> str:
    """The error of usage of a command, on one line."""
    return " ".join(absfin(server, *arguments, status=2, sent=sent).stderr.replace("│", " ").split())


def lines_of(server: RunningServer, *arguments: str) -> list[dict[str, Any]]:
    """The objects of a command that prints one on each line."""
    return [json.loads(line) for line in absfin(server, *arguments, "--json").stdout.splitlines()]

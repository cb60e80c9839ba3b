"""The `absfin` command as a script runs it: a process of its own, against a real server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import RunningServer

ABSFIN = str(Path(sys.executable).with_name("absfin"))


def absfin(
    server: RunningServer, *arguments: str, status: int = 0, sent: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs a command that must end with a status; `sent` is its standard input, `variables` are of its environment."""
    environment = {"ABSFIN_SERVER": server.address, "COLUMNS": "200", "PATH": "/usr/bin:/bin", "TERM": "dumb"}
    environment["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
    environment |= variables
    done = subprocess.run([ABSFIN, *arguments], capture_output=True, text=True, timeout=60, env=environment, input=sent)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def as_json(server: RunningServer, *arguments: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(absfin(server, *arguments, "--json").stdout)
    return parsed


def told(server: RunningServer, *arguments: str, sent: str = "") -> str:
    """The error of usage of a command, on one line."""
    return " ".join(absfin(server, *arguments, status=2, sent=sent).stderr.replace("│", " ").split())


def lines_of(server: RunningServer, *arguments: str) -> list[dict[str, Any]]:
    """The objects of a command that prints one on each line."""
    return [json.loads(line) for line in absfin(server, *arguments, "--json").stdout.splitlines()]

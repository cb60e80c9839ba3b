"""Loads compose files with the library that docker compose loads them with."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.kept_builds import kept_build
from tests.conftest import ROOT

SOURCES = ROOT / "tests/deploy/compose_config"

Compose = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def compose() -> Compose:
    """Loads a compose file of the root with variables, which are all that is in the environment."""
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    program = kept_build("compose-config", [SOURCES], _build) / "compose_config"

    def load(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, name], cwd=ROOT, capture_output=True, text=True, timeout=30, env=variables)

    return load


def _build(folder: Path) -> None:
    command = ["go", "build", "-mod=readonly", "-trimpath", "-o", str(folder), "."]
    done = subprocess.run(
        command, cwd=SOURCES, capture_output=True, text=True, timeout=100, env={**os.environ, "GOWORK": "off"}
    )
    assert done.returncode == 0, done.stderr


def services(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """Of a compose file that could be loaded."""
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return found

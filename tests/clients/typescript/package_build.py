"""Copies and builds the TypeScript client; nothing is built in the tree."""

import shutil
import subprocess
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = ROOT / "clients/typescript"
LEFT_BY_BUILDS = shutil.ignore_patterns("node_modules", "dist", "build", "gen")
BUILD_SECONDS = 240


def run(*command: str, cwd: Path, seconds: float = BUILD_SECONDS) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def copy_of_the_clone(folder: Path) -> Path:
    """The parts of a clone that the client is built from, where nothing is built yet."""
    shutil.copytree(PACKAGE, folder / "clients/typescript", ignore=LEFT_BY_BUILDS)
    shutil.copytree(ROOT / "protos", folder / "protos", ignore=LEFT_BY_BUILDS)
    return folder

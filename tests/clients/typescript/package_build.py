"""Copies and builds the TypeScript client; nothing is built in the tree."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.kept_builds import kept_build
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


def kept_package() -> Path:
    """The client's folder in a copy of the clone, with its libraries installed and built, as its runner builds it.

    Who names the folder of the copy in ABSFIN_BUILD_DIR runs the conformance cases with this build.
    """

    def build(folder: Path) -> None:
        cases = folder / "no-cases.json"
        cases.write_text("{}")
        command = [str(PACKAGE / "conformance/run"), "--address", "127.0.0.1:1", "--cases", str(cases)]
        variables = {**os.environ, "ABSFIN_BUILD_DIR": str(folder)}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=BUILD_SECONDS)
        if done.returncode and not (folder / "clients/typescript/node_modules").exists():
            pytest.skip(f"npm cannot install the libraries of the client: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr[-3000:]

    return kept_build("typescript", (PACKAGE, ROOT / "protos"), build) / "clients/typescript"

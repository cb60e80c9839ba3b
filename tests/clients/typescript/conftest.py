"""The TypeScript client, built once in a folder of the tests, and a server with a backtest that can be followed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "clients/typescript"
LEFT_BY_BUILDS = shutil.ignore_patterns("node_modules", "dist", "build", "gen")
INSTALL_SECONDS = 240
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


@pytest.fixture(scope="session")
def npm() -> str:
    """The program that builds the client."""
    found = shutil.which("npm")
    if not found or not shutil.which("node"):
        pytest.skip("node and npm are not installed")
    return found


@pytest.fixture(scope="session")
def built(npm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's folder in a copy of the clone, with its libraries installed and built."""
    package = copy_of_the_clone(tmp_path_factory.mktemp("typescript")) / "clients/typescript"
    install = [npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(install, cwd=package, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if done.returncode:
        pytest.skip(f"npm cannot install the libraries of the client: {done.stderr[-300:]}")
    run(npm, "run", "--silent", "build", cwd=package)
    return package


@pytest.fixture
def environment() -> dict[str, str]:
    """Variables of a program that must not use the proxies of the user."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

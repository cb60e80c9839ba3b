"""The TypeScript client, built once in a folder of the tests."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.typescript.package_build import BUILD_SECONDS, copy_of_the_clone, run


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
    done = subprocess.run(install, cwd=package, capture_output=True, text=True, timeout=BUILD_SECONDS)
    if done.returncode:
        pytest.skip(f"npm cannot install the libraries of the client: {done.stderr[-300:]}")
    run(npm, "run", "--silent", "build", cwd=package)
    return package

"""The TypeScript client, built once in a folder of the tests."""

import shutil
from pathlib import Path

import pytest

from tests.clients.typescript.package_build import kept_package


@pytest.fixture(scope="session")
def npm() -> str:
    """The program that builds the client."""
    found = shutil.which("npm")
    if not found or not shutil.which("node"):
        pytest.skip("node and npm are not installed")
    return found


@pytest.fixture(scope="session")
def built(npm: str) -> Path:
    """The client's folder in a copy of the clone, with its libraries installed and built."""
    return kept_package()

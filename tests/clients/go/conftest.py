"""Builds the client of Go once, in a copy, for the tests of this folder."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BUILD_SECONDS = 500.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the build, which takes half a minute of a processor without a cache."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(600))


@dataclass(frozen=True)
class GoClient:
    """A copy of clients/go, and the programs built from it."""

    module: Path
    programs: Path

    def run(self, *command: str, seconds: float = 60.0, environment: Mapping[str, str] | None = None) -> str:
        """What a command prints that runs in the module, and must succeed."""
        done = self.outcome(*command, seconds=seconds, environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def outcome(
        self, *command: str, seconds: float = 60.0, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, **(environment or {})}
        return subprocess.run(command, cwd=self.module, capture_output=True, text=True, timeout=seconds, env=variables)


@pytest.fixture(scope="session")
def go_client(tmp_path_factory: pytest.TempPathFactory) -> GoClient:
    """Builds every program; skips where Go is not installed."""
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    folder = tmp_path_factory.mktemp("go")
    shutil.copytree(ROOT / "clients/go", folder / "module")
    client = GoClient(folder / "module", folder / "programs")
    client.programs.mkdir()
    # Without the path of the copy, what an earlier session compiled is taken from Go's cache.
    command = ("go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(client.programs), "./...")
    client.run(*command, seconds=BUILD_SECONDS)
    return client


@pytest.fixture
def run_example(go_client: GoClient) -> Callable[..., str]:
    """Runs an example against a server and returns its output."""

    def run(name: str, address: str) -> str:
        return go_client.run(str(go_client.programs / name), address)

    return run

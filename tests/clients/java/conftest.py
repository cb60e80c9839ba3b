"""The Java client, built once for all tests in a copy of the tree."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

CLIENT = ROOT / "clients/java"
BUILD_SECONDS = 600.0
RUN_SECONDS = 120.0


@dataclass(frozen=True)
class JavaClient:
    """A built client with its examples and its conformance runner."""

    clone: Path
    """The copy of the repository that it was built in."""

    @property
    def folder(self) -> Path:
        return self.clone / "clients/java"

    def example(self, name: str, *arguments: str) -> str:
        """What an example prints."""
        jar = self.folder / "examples/target/examples.jar"
        main = f"com.example.absfinance.examples.{name}"
        return output_of(["java", "-cp", str(jar), main, *arguments], self.folder)


def output_of(command: list[str], folder: Path, seconds: float = RUN_SECONDS) -> str:
    """What a command prints. It must succeed within the time."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the client is built from, so that the build leaves nothing in the tree."""
    missing = [command for command in ("javac", "mvn") if shutil.which(command) is None]
    if missing:
        pytest.skip(f"the Java client cannot be built: {' and '.join(missing)} not found")
    folder = tmp_path_factory.mktemp("java") / "abs-finance"
    shutil.copytree(ROOT / "protos", folder / "protos", ignore=shutil.ignore_patterns("gen"))
    shutil.copytree(CLIENT, folder / "clients/java", ignore=shutil.ignore_patterns("target"))
    return folder


@pytest.fixture(scope="session")
def java_client(clone: Path) -> JavaClient:
    """The client, its unit tests passed."""
    built = JavaClient(clone)
    output_of(["mvn", "--batch-mode", "--quiet", "package"], built.folder, BUILD_SECONDS)
    return built


@pytest.fixture(scope="session")
def runner_environment(java_client: JavaClient) -> dict[str, str]:
    """What the conformance runner needs so as not to build again."""
    build = java_client.folder.parent
    assert (build / "java/conformance/target/conformance.jar").exists()
    return {**os.environ, "ABSFIN_BUILD_DIR": str(build)}

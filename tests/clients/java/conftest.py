"""The Java client, built once for all tests, in a copy of the tree that is kept."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.kept_builds import kept_build
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


def kept_client() -> JavaClient:
    """The client, its examples and its conformance runner, built in a copy, so that nothing is left in the tree."""

    def build(folder: Path) -> None:
        clone = folder / "abs-finance"
        shutil.copytree(ROOT / "protos", clone / "protos", ignore=shutil.ignore_patterns("gen"))
        shutil.copytree(CLIENT, clone / "clients/java", ignore=shutil.ignore_patterns("target"))
        package = ["mvn", "--batch-mode", "--quiet", "-DskipTests", "package"]
        output_of(package, JavaClient(clone).folder, BUILD_SECONDS)

    return JavaClient(kept_build("java", (CLIENT, ROOT / "protos"), build) / "abs-finance")


@pytest.fixture(scope="session")
def java_client() -> JavaClient:
    """The client; its unit tests are a test of their own."""
    missing = [command for command in ("javac", "mvn") if shutil.which(command) is None]
    if missing:
        pytest.skip(f"the Java client cannot be built: {' and '.join(missing)} not found")
    return kept_client()


@pytest.fixture(scope="session")
def runner_environment(java_client: JavaClient) -> dict[str, str]:
    """What the conformance runner needs so as not to build again."""
    build = java_client.folder.parent
    assert (build / "java/conformance/target/conformance.jar").exists()
    return {**os.environ, "ABSFIN_BUILD_DIR": str(build)}

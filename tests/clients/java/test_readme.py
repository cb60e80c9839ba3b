"""The README of the Java client, followed from an empty folder beside a clone."""

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.java.conftest import BUILD_SECONDS, CLIENT, JavaClient, output_of
from tests.clients.kept_builds import locked
from tests.conftest import RunningServer

README = (CLIENT / "README.md").read_text()
USUAL_ADDRESS = "127.0.0.1:50051"

pytestmark = pytest.mark.timeout(900)  # the build takes minutes on a busy machine


def blocks(language: str) -> list[str]:
    """The code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


END_OF_COLOURS = "\x1b[0m"
"""A line that Maven ends with, even where nothing is coloured."""


def test_from_an_empty_folder_to_a_backtest_watched_live(java_client: JavaClient, server: RunningServer) -> None:
    """The clone is the one that was built already, so that Maven compiles nothing twice."""
    folder = java_client.clone.parent / "empty"
    shutil.rmtree(folder, ignore_errors=True)
    sources = folder / "src/main/java"
    sources.mkdir(parents=True)
    install, start, examples = blocks("sh")
    (project,) = blocks("xml")
    (program,) = blocks("java")
    assert USUAL_ADDRESS in program
    (folder / "pom.xml").write_text(project)
    (sources / "Watch.java").write_text(program.replace(USUAL_ADDRESS, server.address))
    with locked(java_client.clone / "maven.lock"):
        output_of(["bash", "-euc", install], folder, BUILD_SECONDS)
        printed = [line for line in output_of(["bash", "-euc", start], folder).splitlines() if line != END_OF_COLOURS]
    assert printed[-1] == "finished: BACKTEST_STATE_SUCCEEDED"
    assert "simulating equal" in printed
    assert USUAL_ADDRESS in examples
    with locked(java_client.clone / "maven.lock"):
        shown = output_of(["bash", "-euc", examples.replace(USUAL_ADDRESS, server.address)], folder, BUILD_SECONDS)
    assert "volatility" in shown


@pytest.mark.parametrize("path", sorted(CLIENT.glob("examples/src/main/java/**/*.java")), ids=lambda path: path.stem)
def test_every_example_is_named(path: Path) -> None:
    assert path.stem == "SampleMarket" or f"`{path.stem}`" in README

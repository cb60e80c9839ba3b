"""The README of the TypeScript client, followed from an empty folder beside a clone."""

import re
from pathlib import Path

import pytest

from tests.clients.typescript.package_build import PACKAGE, copy_of_the_clone, run
from tests.conftest import RunningServer

pytestmark = pytest.mark.timeout(400)  # installing and building take minutes where the machine is busy
README = (PACKAGE / "README.md").read_text()
USUAL_ADDRESS = "127.0.0.1:50051"


def blocks(language: str) -> list[str]:
    """The code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_from_an_empty_folder_to_a_backtest_watched_live(npm: str, server: RunningServer, tmp_path: Path) -> None:
    copy_of_the_clone(tmp_path / "abs-finance")
    folder = tmp_path / "empty"
    folder.mkdir()
    install, start = blocks("sh")
    (program,) = blocks("js")
    assert USUAL_ADDRESS in program
    (folder / "watch.mjs").write_text(program.replace(USUAL_ADDRESS, server.address))
    run("bash", "-euc", install, cwd=folder)
    printed = run("bash", "-euc", start, cwd=folder, seconds=60).splitlines()
    assert printed[-1] == "finished"
    assert "simulating equal" in printed
    assert any(line.startswith("100 %: ") for line in printed)


def test_what_is_packed_has_no_sources_and_no_tests(built: Path, npm: str) -> None:
    printed = run(npm, "pack", "--dry-run", "--json", "--ignore-scripts", cwd=built)
    paths = set(re.findall(r'"path": "([^"]+)"', printed))
    assert {"package.json", "README.md", "dist/node.js", "dist/web.d.ts", "dist/gen/absfinance/v1/panel_pb.js"} <= paths
    assert all(path.startswith("dist/") or "/" not in path for path in paths)


@pytest.mark.parametrize("name", sorted(path.name for path in (PACKAGE / "examples").iterdir()))
def test_every_example_is_named(name: str) -> None:
    assert name in README

"""The notebooks show what the server answers, and are stored as scripts/notebooks.py stores them."""

from pathlib import Path

import nbformat
import pytest

from scripts.notebooks import FOLDER, run
from tests.conftest import RunningServer

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["backtest", "optimise", "reallocate"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_the_server_answers(
    path: Path, sample_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABSFIN_SERVER", sample_server.address)
    assert run(path) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stored_and_small(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert sum(bool(cell.get("outputs")) for cell in cells) >= 3
    assert not any("execution" in cell.metadata for cell in cells)
    assert path.stat().st_size < 50_000

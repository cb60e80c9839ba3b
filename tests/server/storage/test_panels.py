"""A panel on disk is used only while it is what was written, by the server and by a worker that maps it."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.errors import MissingMarketData
from server.ports.panels import StoredPanel, open_values
from server.storage import panels
from server.storage.panels import PanelFiles

DAYS = np.arange(100, dtype=np.int32)
VALUES = np.random.default_rng(0).uniform(1, 2, (100, 2))


@pytest.fixture
def files(tmp_path: Path) -> PanelFiles:
    return PanelFiles(tmp_path)


@pytest.fixture
def stored(files: PanelFiles) -> StoredPanel:
    return files.keep("f", ("A", "B"), DAYS, VALUES)


def flip(path: Path) -> None:
    """Changes one byte near the end, where nothing but a hash can tell."""
    with path.open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("name", ["f.npy", "f.days.npy", "f.seal.json"])
@pytest.mark.parametrize("damage", [flip, Path.unlink, lambda path: path.write_bytes(b"")])
def test_what_was_changed_is_not_opened(
    files: PanelFiles, stored: StoredPanel, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    assert files.open("f", ("A", "B")) is not None
    damage(tmp_path / name)
    if name == "f.seal.json":
        files = PanelFiles(tmp_path)  # nobody has verified it yet
    assert files.open("f", ("A", "B")) is None
    again = files.keep("f", ("A", "B"), DAYS, VALUES)
    assert again.panel.values.tolist() == VALUES.tolist()
    assert PanelFiles(tmp_path).open("f", ("A", "B")) is not None


def test_symbols_belong_to_a_panel_in_their_order(files: PanelFiles, stored: StoredPanel) -> None:
    assert files.open("f", ("B", "A")) is None


def test_it_is_hashed_once(files: PanelFiles, stored: StoredPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []
    real = panels._hash_of_file

    def noted(path: Path) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(panels, "_hash_of_file", noted)
    for _ in range(5):
        assert files.open("f", ("A", "B")) is not None
    assert hashed == []
    os.utime(stored.path)  # as if somebody had written to it
    for _ in range(5):
        assert files.open("f", ("A", "B")) is not None
    assert len(hashed) == 2


def test_a_worker_maps_what_was_verified(files: PanelFiles, stored: StoredPanel) -> None:
    assert (open_values(stored.path, stored.seal) == VALUES).all()
    files.keep("f", ("A", "B"), DAYS, VALUES)
    assert (open_values(stored.path, stored.seal) == VALUES).all(), "another file of the same content"
    flip(stored.path)
    os.utime(stored.path, ns=(1, 1))  # the clock of a file system may be coarser than what the test takes
    with pytest.raises(MissingMarketData, match="was changed"):
        open_values(stored.path, stored.seal)
    stored.path.unlink()
    with pytest.raises(MissingMarketData, match="was removed"):
        open_values(stored.path, stored.seal)


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    files = PanelFiles(tmp_path, max_bytes=3 * 2000)
    for i, name in enumerate("abc"):
        kept = files.keep(name, ("A", "B"), DAYS, VALUES)
        os.utime(kept.path, ns=(i, kept.path.stat().st_mtime_ns))
    assert files.open("a", ("A", "B")) is not None
    files.keep("d", ("A", "B"), DAYS, VALUES)
    assert [name for name in "abcd" if files.open(name, ("A", "B"))] == ["a", "c", "d"]


def test_a_copy_on_another_machine_is_hashed_once_by_each_process(
    stored: StoredPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task of a sweep opens it anew."""
    hashed: list[str] = []
    file_digest = hashlib.file_digest

    def counted(file: Any, name: str) -> Any:
        hashed.append(file.name)
        return file_digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    copy = tmp_path / "copy.npy"
    shutil.copyfile(stored.path, copy)
    for _ in range(3):
        assert (open_values(copy, stored.seal) == VALUES).all()
    assert len(hashed) == 1
    copy.write_bytes(copy.read_bytes()[:-1] + b"\7")
    os.utime(copy, ns=(0, 1))
    for _ in range(2):
        with pytest.raises(MissingMarketData, match="changed while it was in use"):
            open_values(copy, stored.seal)
    assert len(hashed) == 2

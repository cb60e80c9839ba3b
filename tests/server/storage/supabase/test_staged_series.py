"""Parts of an import in a file without a name."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.errors import InvalidInput
from server.ports.errors import StorageFull
from server.storage.chunks import DailyValues
from server.storage.supabase.staged_series import StagedSeries


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[StagedSeries]:
    opened = StagedSeries(tmp_path / "staging")
    yield opened
    opened.close()


def series(*days: int, value: float = 1.0) -> DailyValues:
    return DailyValues(np.array(days, np.int32), np.full(len(days), value))


def test_parts_of_many_symbols_come_back_whole(staged: StagedSeries) -> None:
    for start in range(0, 100, 10):
        for symbol in ("ü", "A", "B"):
            staged.add(symbol, series(*range(start, start + 10), value=start + len(symbol)))
    assert list(staged.sizes) == ["A", "B", "ü"]
    assert staged.sizes["A"] == 1200
    for symbol in staged.sizes:
        found = staged.read(symbol)
        assert found.days.tolist() == list(range(100))
        assert found.values.tolist() == [start + 1.0 for start in range(0, 100, 10) for _ in range(10)]


def test_one_day_with_two_values_is_refused_by_name(staged: StagedSeries) -> None:
    staged.add("A", series(1, 2))
    staged.add("A", series(2, 3))
    assert staged.read("A").days.tolist() == [1, 2, 3]
    staged.add("A", series(3, value=2.0))
    with pytest.raises(InvalidInput, match="A has two values on 1970-01-04"):
        staged.read("A")


def test_nothing_is_left_in_the_folder(staged: StagedSeries, tmp_path: Path) -> None:
    staged.add("A", series(1))
    folder = tmp_path / "staging"
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_full_disk_is_a_typed_error(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        return  # only root can make a small disk
    try:
        staged = StagedSeries(folder)
        with pytest.raises(StorageFull, match="the disk"):
            _fill(staged)
        staged.close()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(staged: StagedSeries) -> None:
    for start in range(0, 400_000, 1000):
        staged.add("A", series(*range(start, start + 1000)))

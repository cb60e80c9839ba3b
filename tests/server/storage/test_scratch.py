"""Values that tasks of one call share through a file."""

import stat
from pathlib import Path

import numpy as np
import pytest

from server.ports.errors import StorageUnavailable
from server.storage.scratch import ALIGNMENT, Scratch, read_value, write_value
from server.storage.workers import WorkerLocks


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "scratch", WorkerLocks(tmp_path / "workers"))


async def test_a_value_arrives_whole_and_its_arrays_stay_in_the_file(scratch: Scratch) -> None:
    values = {"matrix": np.arange(12.0).reshape(3, 4), "days": np.arange(5, dtype=np.int32), "name": "x", "no": None}
    values["columns"] = np.asfortranarray(values["matrix"])
    async with scratch.file() as path:
        write_value(path, {"an earlier": "value that is longer than the next one"})
        write_value(path, values)
        found = read_value(path)
        assert found.keys() == values.keys()
        for name in ("matrix", "days", "columns"):
            assert np.array_equal(found[name], values[name])
            assert not found[name].flags.writeable
            assert not found[name].flags.owndata
            assert found[name].ctypes.data % ALIGNMENT == 0
        assert (found["name"], found["no"]) == ("x", None)


async def test_a_file_is_of_its_owner_alone_and_goes_with_its_call(scratch: Scratch) -> None:
    async with scratch.file() as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    with pytest.raises(StorageUnavailable):  # a task that is late leaves nothing behind
        write_value(path, 1)
    assert not path.exists()
    with pytest.raises(StorageUnavailable):
        read_value(path)


async def test_files_of_servers_that_are_gone_are_swept(tmp_path: Path) -> None:
    one, other = WorkerLocks(tmp_path / "workers"), WorkerLocks(tmp_path / "workers")
    scratch = Scratch(tmp_path / "scratch", one)
    async with scratch.file() as own, Scratch(tmp_path / "scratch", other).file() as left:
        assert scratch.sweep() == 0
        other.close()
        assert scratch.sweep() == 1
        assert own.exists()
        assert not left.exists()

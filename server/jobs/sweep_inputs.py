"""What all tasks of a sweep need, in one file: its request and its sets of data. Each task is sent the file's name.

The places of panels travel beside it, since a cluster has them elsewhere.
"""

import io
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain.records import dataclass
from server.jobs.backtest_run import Job

Paths = tuple[Path, ...]
"""Files of one set of data, in the order in which they are met in it."""


@dataclass(frozen=True, slots=True)
class SweepInputs:
    """The request of a sweep, and what its trials run on."""

    request: bytes
    set_of: Sequence[int]  # which set each trial has; empty where there is one
    sets: tuple[bytes, ...]  # each by itself, for a task needs few of them

    def job(self, number: int, paths: Paths) -> Job:
        """A set of data, whose files are here."""
        job: Job = _Unpickler(self.sets[number], paths).load()
        return job


def sweep_inputs(request: bytes, set_of: Sequence[int], jobs: Sequence[Job]) -> tuple[SweepInputs, tuple[Paths, ...]]:
    """What the file holds, and the files of each set."""
    written = [_without_paths(job) for job in jobs]
    return SweepInputs(request, set_of, tuple(data for data, _ in written)), tuple(paths for _, paths in written)


def _without_paths(job: Job) -> tuple[bytes, Paths]:
    data = io.BytesIO()
    pickler = _Pickler(data)
    pickler.dump(job)
    return data.getvalue(), tuple(pickler.places)


class _Pickler(pickle.Pickler):
    """Writes a number for each file."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.places: dict[Path, int] = {}

    def persistent_id(self, obj: Any) -> int | None:
        """The place of a file; None for everything else."""
        return self.places.setdefault(obj, len(self.places)) if isinstance(obj, Path) else None


class _Unpickler(pickle.Unpickler):
    """Reads what `_Pickler` wrote."""

    def __init__(self, data: bytes, paths: Paths) -> None:
        super().__init__(io.BytesIO(data))
        self._paths = paths

    def persistent_load(self, pid: Any) -> Path:
        """A file by its place."""
        path: Path = self._paths[pid]
        return path

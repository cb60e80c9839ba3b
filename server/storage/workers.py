"""Proof that a process is gone: each holds a lock on a file for as long as it lives, however it ends.

A lease must run out before a job is taken from a worker that may live; with this proof it can be taken at once.
"""

import fcntl
import os
import secrets
from pathlib import Path

from server.storage.files import FILE_MODE, private_folder


class WorkerLocks:
    """The lock of this process, and those of others in the same folder."""

    def __init__(self, folder: Path) -> None:
        private_folder(folder)
        self._folder = folder
        self.own = secrets.token_hex(8)
        self._gone: set[str] = set()  # whose locks were found to be free, until somebody takes that up
        self._handle: int | None = self._locked()

    def _locked(self) -> int:
        """The file of this worker, which has its name once it is locked: others take a free one for one that ended."""
        path = self._path(self.own)
        aside = path.with_suffix(".new")
        handle = os.open(aside, os.O_CREAT | os.O_RDWR, FILE_MODE)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        aside.rename(path)
        return handle

    def is_gone(self, worker: str) -> bool:
        """Whether the process of a worker has ended. Its file is removed with the proof, so no file is proof too."""
        if worker == self.own:
            return False
        path = self._path(worker)
        try:
            handle = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            self._gone.add(worker)
            path.unlink(missing_ok=True)
            return True
        finally:
            os.close(handle)

    def sweep(self) -> int:
        """Removes the files of workers that are gone; how many."""
        workers = [path.stem for path in self._folder.glob("*.lock")]
        return sum(self.is_gone(worker) for worker in workers)

    def take_gone(self) -> set[str]:
        """Workers that are gone, each told once by the process that found it."""
        self.sweep()
        found, self._gone = self._gone, set()
        return found

    def close(self) -> None:
        """Ends this worker; once it has ended, nothing."""
        if self._handle is not None:
            self._path(self.own).unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def _path(self, worker: str) -> Path:
        return self._folder / f"{worker}.lock"

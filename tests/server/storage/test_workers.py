"""Proof that a process is gone: only of those that are."""

import threading
from pathlib import Path

from server.storage.workers import WorkerLocks


def test_a_worker_that_begins_is_not_taken_for_one_that_ended(tmp_path: Path) -> None:
    """While another server on the same folder looks all the time."""
    other = WorkerLocks(tmp_path)
    ended = threading.Event()
    gone: set[str] = set()

    def look() -> None:
        while not ended.is_set():
            gone.update(other.take_gone())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        begun = [WorkerLocks(tmp_path) for _ in range(300)]
    finally:
        ended.set()
        looking.join()
    assert gone == set()
    assert [one.own for one in begun if other.is_gone(one.own)] == []
    for one in begun:
        one.close()
    assert other.is_gone(begun[0].own)
    other.close()

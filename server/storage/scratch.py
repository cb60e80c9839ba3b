"""Values that several tasks of one call need: written once by a task, mapped by the others.

A value of many megabytes that travels to each task would be copied on the event loop every time.
"""

import asyncio
import mmap
import pickle
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from server.storage.files import private_file, private_folder, storage_error
from server.storage.workers import WorkerLocks

ALIGNMENT = 64
"""Bytes; arrays start at multiples of it, as numpy aligns those in memory."""

LENGTH_BYTES = 8
"""The file: number of arrays, length of the pickle, length of each array; then the pickle, then the arrays, aligned."""


class Scratch:
    """A folder of files that live as long as the call that they belong to.

    Those of servers that were killed are removed by `sweep`.
    """

    def __init__(self, folder: Path, workers: WorkerLocks) -> None:
        private_folder(folder)
        self._folder = folder
        self._workers = workers

    @asynccontextmanager
    async def file(self) -> AsyncIterator[Path]:
        """An empty file, removed at the end. Raises StorageFull, StorageUnavailable."""
        path = self._folder / f"{self._workers.own}-{secrets.token_hex(8)}"
        try:
            private_file(path, create=True)
        except OSError as error:
            raise storage_error(error, self._folder) from error
        try:
            yield path
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)  # freeing many megabytes takes a while

    def sweep(self) -> int:
        """Removes the files of servers that are gone; how many."""
        left = [path for path in self._folder.iterdir() if self._workers.is_gone(path.name.partition("-")[0])]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)


def write_value(path: Path, value: object) -> None:
    """Writes a value to a file that exists, as it does until its call ends. Raises StorageFull, StorageUnavailable."""
    arrays: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, 5, buffer_callback=arrays.append)
    pieces = [memoryview(head), *(array.raw() for array in arrays)]
    try:
        with path.open("r+b") as file:
            file.truncate()
            for number in (len(arrays), *map(len, pieces)):
                file.write(number.to_bytes(LENGTH_BYTES, "big"))
            for piece in pieces:
                file.write(bytes(-file.tell() % ALIGNMENT))
                file.write(piece)
    except OSError as error:
        raise storage_error(error, path.parent) from error


def read_value(path: Path) -> Any:
    """The value of a file; its arrays stay in the file and cannot be written to. Raises StorageUnavailable."""
    try:
        with path.open("rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise storage_error(error, path.parent) from error
    count, *lengths = _numbers(mapped, 1 + 1 + int.from_bytes(mapped[:LENGTH_BYTES], "big"))
    pieces, start = [], LENGTH_BYTES * (1 + 1 + count)
    for length in lengths:
        start += -start % ALIGNMENT
        pieces.append(mapped[start : start + length])
        start += length
    head, *arrays = pieces
    return pickle.loads(head, buffers=arrays)  # noqa: S301  # from `write_value`


def _numbers(mapped: memoryview, count: int) -> list[int]:
    return [int.from_bytes(mapped[i * LENGTH_BYTES : (i + 1) * LENGTH_BYTES], "big") for i in range(count)]


class ItemWriter:
    """Writes items to a file that exists, one after the other; what they have in common is written once."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        try:
            self._file = path.open("r+b")
            self._file.truncate()
        except OSError as error:
            raise storage_error(error, path.parent) from error
        self._pickler = pickle.Pickler(self._file, 5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, item: object) -> None:
        """Adds an item; it is in the file when this returns. Raises StorageFull, StorageUnavailable."""
        try:
            self._pickler.dump(item)
            self._file.flush()
        except OSError as error:
            raise storage_error(error, self._folder) from error


def read_items(path: Path, count: int) -> Iterator[Any]:
    """The first items of a file of `ItemWriter`. Raises StorageUnavailable."""
    try:
        with path.open("rb") as file:
            reader = pickle.Unpickler(file)  # noqa: S301  # from `ItemWriter`
            for _ in range(count):
                yield reader.load()
    except OSError as error:
        raise storage_error(error, path.parent) from error

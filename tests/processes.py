"""Processes that tests start: what they print first, and workers of pools."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

START_SECONDS = 100.0

LOOK_SECONDS = 0.02


def first_line(process: subprocess.Popen[str], seconds: float = START_SECONDS) -> str:
    """What a process prints first. One that prints nothing for so long is killed: the line is then empty."""
    assert process.stdout is not None
    late = threading.Timer(seconds, process.kill)
    late.start()
    try:
        return process.stdout.readline()
    finally:
        late.cancel()


@contextmanager
def standing_still(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Stops processes meanwhile: what they work on is not over, however fast the machine is."""
    assert processes, (
        "there is nothing to stop; workers are known by their lower priority, so run tests with a usual one"
    )
    for one in processes:
        one.suspend()
    try:
        yield
    finally:
        for one in processes:
            with suppress(psutil.NoSuchProcess):  # its server was killed meanwhile
                one.resume()


def templates_of_this_process() -> list[psutil.Process]:
    """What workers of pools of this process are forked from."""
    found: list[psutil.Process] = []
    for one in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if "server.execution.template" in " ".join(one.cmdline()):
                found.append(one)
    return found


def workers_of_this_process() -> list[psutil.Process]:
    """Workers of pools of this process; servers and databases of other tests are its children too, with their own."""
    workers: list[psutil.Process] = []
    for one in templates_of_this_process():
        with suppress(psutil.NoSuchProcess):
            workers += one.children()
    return workers


@dataclass
class ProcessorWait:
    """How long processes were ready to go on and had no processor: others of the machine had them all.

    Their first threads count: that of an event loop, and that of a worker. Elsewhere than on Linux it is zero.
    """

    _before: dict[int, float] = field(default_factory=dict)
    _after: dict[int, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Of all of them, one after the other."""
        return sum(self._after[pid] - self._before[pid] for pid in self._after)

    def look(self, pids: Iterable[int]) -> None:
        """Reads what the system counts; a process that ends keeps what was read last."""
        for pid in pids:
            with suppress(OSError):
                waited = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
                self._before.setdefault(pid, waited)
                self._after[pid] = waited


@contextmanager
def waiting_for_processor(pids: Callable[[], Iterable[int]]) -> Iterator[ProcessorWait]:
    """How long processes, and this one, wait for a processor meanwhile: what a limit of time leaves out."""
    wait, over = ProcessorWait(), threading.Event()

    def look() -> None:
        wait.look([os.getpid(), *pids()])

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            look()

    look()
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield wait
    finally:
        over.set()
        watching.join()
        look()

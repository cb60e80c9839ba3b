"""Processes that tests start: what they print first, and workers of pools."""

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

START_SECONDS = 100.0


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

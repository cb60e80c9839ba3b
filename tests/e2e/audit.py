"""What tests see of a server from outside: long callbacks of its event loop, CPU of its processes, waits for health."""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.conftest import ROOT, RunningServer
from tests.processes import first_line

MAX_CALLBACK_SECONDS = 0.05
MAX_HEALTH_SECONDS = 0.25

STOPPED_SECONDS = 0.5
"""So long after a deadline, nothing works for the call any more."""

SETTLED_SHARE = 0.1
"""A server that does nothing uses less than this share of one processor."""

TEMPLATE_SECONDS = 60.0


@dataclass(frozen=True)
class Audit:
    """A server whose event loop is recorded."""

    server: RunningServer
    file: Path
    ready: float = field(default_factory=time.monotonic)

    def long_callbacks(self, since: float = 0.0, seconds: float = MAX_CALLBACK_SECONDS) -> list[str]:
        """The callbacks of the event loop that began since a moment and used more than so much CPU."""
        lines = [json.loads(line) for line in self.file.read_text().splitlines()]
        since = max(since, self.ready)
        return [
            f"{line['seconds'] * 1e3:.0f} ms: {line['what']}"
            for line in lines
            if line["at"] >= since and line["seconds"] > seconds
        ]

    def cpu_share(self, seconds: float = 0.3, worked_before: float = math.inf) -> float:
        """CPU seconds a second, of all processes of the server, or of those that may have worked before a time."""
        before, start = self.cpu_seconds(worked_before), time.monotonic()
        time.sleep(seconds)
        after, end = self.cpu_seconds(worked_before), time.monotonic()
        used = sum(after[pid] - before.get(pid, 0.0) for pid in after)
        return used / (end - start)

    def cpu_seconds(self, worked_before: float = math.inf) -> dict[int, float]:
        """CPU time by process id; with a time (of time.time), of the server and of workers that are older."""
        parent = psutil.Process(self.server.process.pid)
        templates = {process.pid for process in parent.children()}
        found = {}
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                if worked_before < math.inf and (process.pid in templates or process.create_time() > worked_before):
                    continue
                times = process.cpu_times()
                found[process.pid] = times.user + times.system
        return found

    def stops_by(self, deadline: float) -> bool:
        """Whether nothing works for calls STOPPED_SECONDS after their deadline (of time.monotonic), and soon all rests.

        A library that a task has needed is loaded for later ones, and workers that have it take the place of others:
        that is no work for the call, and goes on for longer.
        """
        time.sleep(max(0.0, deadline + STOPPED_SECONDS - time.monotonic()))
        stopped = self.cpu_share(worked_before=time.time() - (time.monotonic() - deadline)) < SETTLED_SHARE
        self.settle()
        return stopped

    def settle(self) -> None:
        """Waits until the server does nothing: its workers then have all libraries."""
        limit = time.monotonic() + TEMPLATE_SECONDS
        while self.cpu_share(0.5) >= SETTLED_SHARE:
            assert time.monotonic() < limit, "the server never comes to rest"


def start_audit(start_server: Callable[..., RunningServer], folder: Path, *flags: str) -> Audit:
    """Starts a recorded server, and waits until it does nothing."""
    file = folder / "callbacks.jsonl"
    file.touch()
    server = start_server(*flags, program=("tests.e2e.audited_server", str(file)))
    audit = Audit(server, file)
    audit.settle()
    return audit


@dataclass
class Probe:
    """What a health probe has seen."""

    longest: float = 0.0  # seconds, once the probe has ended


@contextmanager
def health_probe(address: str) -> Iterator[Probe]:
    """Asks for health from another process while the block runs."""
    command = [sys.executable, "-m", "tests.e2e.health_probe", address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        assert first_line(process) == "ready\n"
        probe = Probe()
        try:
            yield probe
        finally:
            process.stdin.close()
            answer = first_line(process)  # the rest of its output
        probe.longest = float(answer)

"""A server under a run: a process with a folder of its own, watched from outside."""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.fuzzing.requests import ROOT
from tests.processes import first_line

READY = "abs-finance is ready on "
PING_SECONDS = 0.1
END_SECONDS = 20.0
OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1))
ARGUMENTS = ("--log-level", "info", "--max-job-seconds", "5", "--drain-seconds", "2", "--workers", "2")

LOADING_SECONDS = 30.0
"""Longest time that loading ahead may take."""

STEADY_SECONDS = 1.5
"""Loading is over when the memory has not changed for so long."""

IDLE_SECONDS = 60.0
"""Longest time until a server is at rest that is asked nothing but its health."""

IDLE_SHARE = 0.1
"""Of a processor: what the server uses at most where it is only asked for its health."""


def channel_to(address: str) -> grpc.Channel:
    """A connection of its own to a server."""
    return grpc.insecure_channel(address, options=[*OPTIONS, ("grpc.use_local_subchannel_pool", 1)])


@dataclass
class Watched:
    """A running server."""

    address: str
    process: subprocess.Popen[str]
    log: Path
    family: dict[int, psutil.Process] = field(default_factory=dict)

    def channel(self) -> grpc.Channel:
        """A channel to it."""
        return channel_to(self.address)

    def memory(self) -> dict[str, int]:
        """Resident bytes of the server and of the templates that its workers come from."""
        own = psutil.Process(self.process.pid)
        templates = own.children()
        self.family.update({one.pid: one for one in own.children(recursive=True)})
        return {"server": own.memory_info().rss, "templates": sum(one.memory_info().rss for one in templates)}

    def wait_until_loaded(self) -> None:
        """Waits until the templates have loaded the libraries that workers may need: that is no growth by requests."""
        end = time.monotonic() + LOADING_SECONDS
        known, since = self.memory()["templates"], time.monotonic()
        while time.monotonic() < min(end, since + STEADY_SECONDS):
            time.sleep(0.1)
            now = self.memory()["templates"]
            if now != known:
                known, since = now, time.monotonic()

    def wait_until_idle(self) -> None:
        """Waits until the server process hardly uses the processor: it has followed every change, and no job runs."""
        process = psutil.Process(self.process.pid)
        end = time.monotonic() + IDLE_SECONDS
        while time.monotonic() < end:
            before = sum(process.cpu_times()[:2])
            time.sleep(STEADY_SECONDS)
            if sum(process.cpu_times()[:2]) - before < IDLE_SHARE * STEADY_SECONDS:
                return

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """What it has logged."""
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                yield {"level": "warning", "message": line}  # what a library printed

    def left_behind(self) -> list[psutil.Process]:
        """Ends the server; the processes that are still there afterwards."""
        self.memory()
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            left = [psutil.Process(self.process.pid)]
            self.process.kill()
            self.process.wait(END_SECONDS)
            return left
        _, alive = psutil.wait_procs(list(self.family.values()), timeout=30)
        return list(alive)


@contextmanager
def running(folder: Path) -> Iterator[Watched]:
    """A fresh server with the sample prices; whatever it started is ended with it."""
    folder.chmod(0o700)
    log = folder.with_suffix(".log")
    command = [sys.executable, "-m", "server", "--listen", "127.0.0.1:0", "--data-dir", str(folder), *ARGUMENTS]
    with log.open("w") as sink:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=sink, text=True)
    assert process.stdout is not None
    line = first_line(process)
    watched = Watched(line.removeprefix(READY).split(",")[0].strip(), process, log)
    try:
        if not line.startswith(READY):
            raise RuntimeError(f"the server did not start: {line!r} {log.read_text()}")
        load = [sys.executable, str(ROOT / "scripts/sample_data.py"), watched.address]
        subprocess.run(load, cwd=ROOT, check=True, capture_output=True, timeout=120)
        yield watched
    finally:
        if process.poll() is None:
            for one in watched.left_behind():
                if one.is_running():
                    one.kill()
        process.stdout.close()


class HealthWatch:
    """Asks for the server's health again and again, and keeps how long each answer took."""

    def __init__(self, watched: Watched) -> None:
        self.seconds: list[float] = []
        self._channel = watched.channel()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "HealthWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(END_SECONDS)
        assert not self._thread.is_alive(), "a health check never ended"
        self._channel.close()

    @property
    def median(self) -> float:
        """The median answer in seconds."""
        return statistics.median(self.seconds) if self.seconds else 0.0

    @property
    def slowest(self) -> float:
        """The slowest answer in seconds; infinity where one did not come."""
        return max(self.seconds, default=0.0)

    def _watch(self) -> None:
        stub = health_pb2_grpc.HealthStub(self._channel)
        while not self._ended.wait(PING_SECONDS):
            start = time.monotonic()
            try:
                stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
                self.seconds.append(time.monotonic() - start)
            except grpc.RpcError:
                self.seconds.append(float("inf"))

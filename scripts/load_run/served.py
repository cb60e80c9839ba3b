"""The server under load: a process with its workers, and what they cost."""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil

from tests.processes import first_line

ROOT = Path(__file__).parents[2]
READY = "abs-finance is ready on "
STREAMS = 1000
START_SECONDS = 180.0
"""On a machine that does much else."""

OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", -1),
)


@dataclass(frozen=True)
class Served:
    """A running server; `start_seconds` until it said that it is ready."""

    address: str
    process: psutil.Process
    start_seconds: float

    def channel(self) -> grpc.Channel:
        """A connection of its own."""
        return grpc.insecure_channel(self.address, options=OPTIONS)

    def cpu_seconds(self) -> float:
        """Processor time of the server and all that it started, workers that ended included."""
        total = 0.0
        for one in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                used = one.cpu_times()
                total += used.user + used.system + used.children_user + used.children_system
        return total

    def memory(self) -> int:
        """Resident bytes of the server process alone."""
        return int(self.process.memory_info().rss)

    def memory_of_all(self) -> int:
        """Bytes that the server and its processes have for themselves; what they share counts once, in parts."""
        total = 0
        for one in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_full_info().pss
        return total

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def served(workers: int, *, samples: bool = False) -> Iterator[Served]:
    """A fresh server, with the sample prices if they are wanted. Raises RuntimeError where it does not start."""
    with tempfile.TemporaryDirectory(prefix="absfin-load-") as folder:
        flags = ["--listen", "127.0.0.1:0", "--data-dir", folder, "--workers", str(workers), "--log-level", "warning"]
        flags += ["--max-concurrent-requests", str(STREAMS + 100)]
        began = time.monotonic()
        process = subprocess.Popen(  # noqa: S603  # our own command
            [sys.executable, "-m", "server", *flags], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        try:
            line = first_line(process, START_SECONDS)
            if not line.startswith(READY):
                raise RuntimeError("the server did not start")
            address = line.removeprefix(READY).split(",")[0].strip()
            found = Served(address, psutil.Process(process.pid), time.monotonic() - began)
            if samples:
                load = [sys.executable, str(ROOT / "scripts/sample_data.py"), address]
                subprocess.run(load, cwd=ROOT, check=True, capture_output=True, timeout=120)  # noqa: S603  # likewise
            yield found
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)
            if process.stdout:
                process.stdout.close()

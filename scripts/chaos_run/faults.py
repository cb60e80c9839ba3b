"""Faults, each made on real processes, held for a while, and mended."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from scripts.chaos_run.proxy import Relay
from scripts.free_port import free_port
from tests.processes import first_line
from tests.supabase_stack import RunningStack

ROOT = Path(__file__).parents[2]
DISK_BYTES = 400 << 20
START_SECONDS = 180.0
"""On a machine that does much else."""

READY = "abs-finance is ready on "


@dataclass
class Server:
    """A server on one folder and one port, started again after each kill."""

    folder: Path
    port: int
    environment: Mapping[str, str]
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it. Raises RuntimeError where it does not say that it is ready."""
        flags = ["--listen", f"127.0.0.1:{self.port}", "--data-dir", str(self.folder), "--workers", "2"]
        command = [sys.executable, "-m", "server", *flags, "--log-level", "warning", "--drain-seconds", "3"]
        log = self.folder.with_suffix(".log")
        with log.open("a") as sink:
            self.process = subprocess.Popen(  # noqa: S603  # our own command
                command,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                env={**os.environ, **self.environment},
            )
        if not first_line(self.process, START_SECONDS).startswith(READY):
            raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends it, and waits for that."""
        assert self.process is not None  # noqa: S101  # it was started
        self.process.send_signal(number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        if self.process.stdout:
            self.process.stdout.close()

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        assert self.process is not None  # noqa: S101  # it was started
        return [one for each in psutil.Process(self.process.pid).children() for one in each.children()]

    def errors(self) -> list[str]:
        """What it has logged as its own faults."""
        lines = self.folder.with_suffix(".log").read_text(errors="replace").splitlines()
        return [line for line in lines if '"level": "error"' in line or '"level":"error"' in line]


@dataclass
class Faults:
    """Makes one after the other."""

    server: Server
    relay: Relay
    chosen: random.Random
    disk: Path | None  # a small one, where this process may mount it
    stack: RunningStack | None
    made: Counter[str] = field(default_factory=Counter)

    def kinds(self) -> list[Callable[[], None]]:
        """Those that can be made here."""
        own = [self.kill_worker, self.kill_server, self.stop_server, self.cut_streams]
        own += [self.fill_disk] if self.disk else []
        return own + ([self.stop_database, self.stop_rest] if self.stack else [])

    def make(self) -> None:
        """One of them, by chance."""
        kind = self.chosen.choice(self.kinds())
        self.made[kind.__name__.replace("_", " ")] += 1
        kind()

    def kill_worker(self) -> None:
        """A worker dies in the middle of whatever it does."""
        if found := self.server.workers():
            with contextlib.suppress(psutil.NoSuchProcess):
                self.chosen.choice(found).kill()

    def kill_server(self) -> None:
        """The server dies and is started again, at once or a little later."""
        self.server.kill()
        time.sleep(self.chosen.uniform(0.0, 2.0))
        self.server.start()

    def stop_server(self) -> None:
        """The server is told to end, and started again."""
        self.server.kill(signal.SIGTERM)
        self.server.start()

    def cut_streams(self) -> None:
        """Every connection breaks."""
        self.relay.cut()

    def fill_disk(self) -> None:
        """Not a byte is free for a while."""
        assert self.disk is not None  # noqa: S101  # else it is not among the kinds
        filler = self.disk / "filler"
        try:
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 16))
            time.sleep(self.chosen.uniform(1.0, 4.0))
        finally:
            filler.unlink(missing_ok=True)

    def stop_database(self) -> None:
        """PostgreSQL is away for a while."""
        assert self.stack is not None  # noqa: S101  # else it is not among the kinds
        self.stack.stop_database()
        time.sleep(self.chosen.uniform(1.0, 5.0))
        self.stack.start_database()

    def stop_rest(self) -> None:
        """PostgREST stops answering for a while: its connections stay, and nothing comes."""
        assert self.stack is not None  # noqa: S101  # else it is not among the kinds
        pid = self.stack.stack.pids["postgrest"][0]
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.chosen.uniform(1.0, 5.0))
        os.kill(pid, signal.SIGCONT)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of its own in memory; nothing where this process may not mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "none", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, timeout=60).returncode == 0  # noqa: S603  # a fixed command
    except OSError:
        mounted = False
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True, timeout=60)  # noqa: S603, S607  # the same


def new_server(folder: Path, environment: Mapping[str, str]) -> Server:
    """A server that runs."""
    folder.mkdir(mode=0o700)
    server = Server(folder, free_port(), environment)
    server.start()
    return server

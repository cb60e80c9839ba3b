"""A Ray cluster of two nodes on loopback: scripts/ray-local --help

For root, in a network namespace of its own that has loopback alone: Ray otherwise takes the address that leads outside
for that of the machine, and waits for it for minutes. Processes are ended by their own ids.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ADDRESS = "127.0.0.1:6379"
STARTED = "Ray runtime started."
START_SECONDS = 100.0
STOP_SECONDS = 10.0
OBJECT_STORE_BYTES = 100_000_000
WORKER_PORTS = 5000
"""For each node: both have one address."""

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # A node that was killed is noticed after about three seconds, not fifteen.
    "RAY_health_check_initial_delay_ms": "3000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}


class RayLocalError(Exception):
    """The cluster cannot be started; the text is for the person who wants it."""


def may_make_namespace() -> bool:
    """Whether a network namespace can be made and entered here."""
    programs = all(shutil.which(name) for name in ("unshare", "nsenter", "ip"))
    if os.geteuid() or not programs:
        return False
    command = ["unshare", "-n", "ip", "link", "set", "lo", "up"]
    tried = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # our own command
    return tried.returncode == 0


@dataclass
class Namespace:
    """A network namespace, held by a process that does nothing else; or the network of the machine."""

    holder: subprocess.Popen[str] | None = None

    @classmethod
    def made(cls) -> "Namespace":
        """A new one with loopback alone."""
        hold = "ip link set lo up && echo up && exec cat"
        command = ["unshare", "-n", "sh", "-c", hold]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own
        if holder.stdout is None or holder.stdout.readline() != "up\n":
            raise RayLocalError("a network namespace cannot be made: run it as root")
        return cls(holder)

    @property
    def enter(self) -> list[str]:
        """What a command begins with that is to run inside."""
        return [] if self.holder is None else ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]

    def close(self) -> None:
        """Ends it with its holder."""
        if self.holder is not None:
            self.holder.communicate(timeout=STOP_SECONDS)  # closes what it reads


@dataclass
class Node:
    """A node: `ray start --block` and everything that it has started."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait(self) -> None:
        """Until it is ready. Raises RayLocalError."""
        late = time.monotonic() + START_SECONDS
        while STARTED not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > late:
                raise RayLocalError(f"a node did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def kill(self) -> None:
        """Ends it at once, as a machine that loses its power."""
        with contextlib.suppress(psutil.NoSuchProcess):
            whole = psutil.Process(self.process.pid)
            for one in (whole, *whole.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        self._end_group()

    def stop(self) -> None:
        """Lets it end by itself, and kills what is left."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self._end_group()

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # it leads a session of its own
        self.process.wait(STOP_SECONDS)


@dataclass
class Cluster:
    """A head and another node, with as many processors each as one says."""

    namespace: Namespace
    folder: Path  # its path must be short: sockets are in it
    processors: int = 1
    head: Node | None = None
    other: Node | None = None
    _started: int = field(default=0, init=False)

    def start(self) -> None:
        """Starts both. Raises RayLocalError."""
        self.start_head()
        self.begin_other().wait()

    def start_head(self) -> None:
        """Starts the head, again where it was killed. Raises RayLocalError."""
        _, port = ADDRESS.split(":")
        place = ("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self.folder}")
        self.head = self._node(*place)
        self.head.wait()

    def begin_other(self, environment: Mapping[str, str] | None = None) -> Node:
        """Begins to start the other node, whose head must be ready; `environment` is added to its own."""
        place = (f"--address={ADDRESS}", "--dashboard-agent-listen-port=0")
        self.other = self._node(*place, environment=environment)
        return self.other

    def close(self) -> None:
        """Ends both nodes, the other one first."""
        for node in (self.other, self.head):
            if node is not None:
                node.stop()

    def _node(self, *place: str, environment: Mapping[str, str] | None = None) -> Node:
        self._started += 1
        log = self.folder / f"node-{self._started}.log"
        first_port = 10_000 + WORKER_PORTS * self._started
        arguments = (
            *place,
            "--block",
            "--disable-usage-stats",
            "--node-ip-address=127.0.0.1",
            f"--num-cpus={self.processors}",
            f"--object-store-memory={OBJECT_STORE_BYTES}",
            f"--min-worker-port={first_port}",
            f"--max-worker-port={first_port + WORKER_PORTS - 1}",
        )
        program = [sys.executable, "-m", "ray.scripts.scripts", "start"]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  # our own command
                [*self.namespace.enter, *program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **QUIET, **(environment or {})},
                start_new_session=True,
            )
        return Node(process, log)


def run(processors: int) -> None:
    """Runs a cluster until it is told to stop. Raises RayLocalError."""
    if may_make_namespace():
        namespace = Namespace.made()
    else:
        namespace = Namespace()
        print("not root: the cluster is on the loopback of the machine itself", file=sys.stderr)
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", 6379)) == 0:
                raise RayLocalError(f"something listens on {ADDRESS} already")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(namespace, Path(folder), processors)
        try:
            cluster.start()
            enter = " ".join([*namespace.enter, ""]).lstrip()
            print(f"a Ray cluster of two nodes is ready on {ADDRESS}; Ctrl-C ends it. A server that uses it:")
            print(f"  {enter}.venv/bin/python -m server --executor ray --ray-address {ADDRESS}", flush=True)
            stop.wait()
        finally:
            cluster.close()
            namespace.close()


def main(arguments: Sequence[str]) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="scripts/ray-local",
        description="Runs a Ray cluster of two nodes on loopback until Ctrl-C or SIGTERM; for root, in a network "
        "namespace of its own. It prints how a server that uses it is started.",
    )
    parser.add_argument("--processors", type=int, default=1, help="tasks at once on each node (default 1)")
    given = parser.parse_args(arguments)
    if given.processors < 1:
        parser.error("--processors must be 1 at least")
    try:
        run(given.processors)
    except RayLocalError as error:
        sys.exit(f"ray-local: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])

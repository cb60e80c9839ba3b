"""The process that workers are forked from: it has loaded the libraries they may need, and runs no task itself.

A fork takes milliseconds where a fresh interpreter takes seconds to import the libraries: a worker that had to be
killed is replaced at once, and imports count against nobody's time limit. The process has one thread and no gRPC, which
is what makes forking it safe. It loads in two stages: what most requests need before the first worker, the rest after
it; then the pool replaces its first workers. On macOS, whose system libraries do not survive a fork, a worker is a
fresh interpreter that loads both stages itself.
"""

import asyncio
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from domain.records import dataclass
from server.execution.worker import BLAS_THREADS, run_worker

FORKS = sys.platform == "linux"
WORKER, LOAD = b"W", b"L"
"""What the template is told: a worker of a niceness, with its sockets; a library to load. It answers each in turn."""

QUIET_SECONDS = 0.1
"""The second stage goes on, a module at a time, when no worker was asked for during this: a worker waits for none."""

TOLD_BYTES = 256
PID_BYTES = 4
SOCKETS = 2  # tasks and lifeline


@dataclass(frozen=True, slots=True)
class Connections:
    """This side of a new worker."""

    pid: int
    tasks: socket.socket
    lifeline: socket.socket

    def close(self) -> None:
        """Closes both, at which the worker ends."""
        self.tasks.close()
        self.lifeline.close()


class TemplateDied(Exception):
    """The template process is gone."""


class Template:
    """The template, seen from the server. `first` and `then` are names of the modules of its two stages."""

    def __init__(self, first: Sequence[str] = (), then: Sequence[str] = ()) -> None:
        self._first, self._then = list(first), list(then)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="template")
        self._on_loaded: list[Callable[[], None]] = []
        self._loaded: socket.socket | None = None

    def start(self) -> None:
        """Starts the process, and does not wait for it: it loads its libraries while the server loads its own."""
        if self._control is None:
            self._start()

    def when_loaded(self, act: Callable[[], None]) -> None:
        """Acts on the event loop once the second stage is loaded, each time a template has loaded it."""
        self._on_loaded.append(act)

    async def worker(self, niceness: int) -> Connections:
        """Makes a worker; the first call starts the template. Raises TemplateDied."""
        loop = asyncio.get_running_loop()
        try:
            connections = await self._made(niceness)
        except (OSError, TemplateDied):
            # It was killed from outside: another one takes its place, once.
            self._stop_watching()
            await loop.run_in_executor(self._thread, self._end)
            connections = await self._made(niceness)
        self._watch()
        return connections

    async def _made(self, niceness: int) -> Connections:
        """A worker from the thread; that of a caller that is cancelled meanwhile is closed, for nobody has it."""
        made = self._thread.submit(self._worker, niceness)
        try:
            return await asyncio.wrap_future(made)
        except asyncio.CancelledError:
            made.add_done_callback(_close_made)
            raise

    async def load(self, name: str) -> None:
        """Loads another library, so that new workers have it; once."""
        if name not in self._then:
            self._then.append(name)
            with suppress(OSError, TemplateDied):  # the one that takes its place loads it too
                await asyncio.get_running_loop().run_in_executor(self._thread, self._load, name)
            self._watch()

    async def close(self) -> None:
        """Ends the template; workers live on until their own sockets close."""
        self._stop_watching()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        self._stop_watching()  # a call that was cancelled may have started it in between
        self._thread.shutdown(wait=False)

    def _watch(self) -> None:
        if self._loaded is not None:
            asyncio.get_running_loop().add_reader(self._loaded, self._is_loaded, self._loaded)

    def _stop_watching(self) -> None:
        if self._loaded is not None:
            asyncio.get_running_loop().remove_reader(self._loaded)
            self._loaded.close()
            self._loaded = None

    def _is_loaded(self, loaded: socket.socket) -> None:
        if loaded.recv(1):
            for act in self._on_loaded:
                act()
            return
        self._stop_watching()  # the template has ended

    def _load(self, name: str) -> None:
        if self._control is not None:
            self._control.sendall(LOAD + name.encode())
            self._answer(self._control)

    def _worker(self, niceness: int) -> Connections:
        control = self._control or self._start()
        tasks, their_tasks = socket.socketpair()
        lifeline, their_lifeline = socket.socketpair()
        try:
            with their_tasks, their_lifeline:
                told = WORKER + bytes([niceness])
                socket.send_fds(control, [told], [their_tasks.fileno(), their_lifeline.fileno()])
            pid = self._answer(control)
        except BaseException:
            tasks.close()
            lifeline.close()
            raise
        return Connections(pid, tasks, lifeline)

    @staticmethod
    def _answer(control: socket.socket) -> int:
        answer = control.recv(PID_BYTES, socket.MSG_WAITALL)
        if len(answer) < PID_BYTES:
            raise TemplateDied
        return int.from_bytes(answer, "big")

    def _start(self) -> socket.socket:
        control, theirs = socket.socketpair()
        self._loaded, their_loaded = socket.socketpair()
        with theirs, their_loaded:
            numbers = (theirs.fileno(), their_loaded.fileno())
            path = [entry or os.getcwd() for entry in sys.path]
            told = json.dumps([list(numbers), self._first, self._then, path])
            self._process = subprocess.Popen(  # noqa: S603  # this interpreter with a module of ours
                [sys.executable, "-c", "from server.execution.template import main; main()", told],
                pass_fds=numbers,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),
                cwd=_source_folder(),
                env={**os.environ, **dict.fromkeys(BLAS_THREADS, "1")},
            )
        self._control = control
        return control

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(1.0)
            except subprocess.TimeoutExpired:  # it is in the middle of an import
                self._process.kill()
                self._process.wait()
            self._process = None


def _close_made(made: "Future[Connections]") -> None:
    if not made.cancelled() and made.exception() is None:
        made.result().close()


def _source_folder() -> Path:
    """Where `server` can be imported from, whatever the working directory is."""
    return Path(__file__).parents[2]


def main() -> None:
    """Runs in the template process."""
    (control_number, loaded_number), first, then, path = json.loads(sys.argv[1])
    sys.path[:] = path
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended workers leave no zombies
    control, loaded = socket.socket(fileno=control_number), socket.socket(fileno=loaded_number)
    _load(first)
    control.settimeout(QUIET_SECONDS)
    waiting = list(then)
    while True:  # ends when the server closes the control socket
        try:
            told, numbers, _, _ = socket.recv_fds(control, TOLD_BYTES, SOCKETS)
        except TimeoutError:
            if waiting:
                _load([waiting.pop(0)])
            else:
                control.settimeout(None)
                if then:
                    loaded.send(b"1")
            continue
        if not told:
            return
        answer = 0
        if told[:1] == LOAD:
            then.append(told[1:].decode())
            waiting.append(then[-1])
            control.settimeout(QUIET_SECONDS)
        else:
            tasks, lifeline = numbers
            answer = _new_worker(told[1], tasks, lifeline, [control, loaded], [*first, *then])
        control.sendall(answer.to_bytes(PID_BYTES, "big"))


def _new_worker(niceness: int, tasks: int, lifeline: int, ours: Sequence[socket.socket], modules: Sequence[str]) -> int:
    """Starts a worker on two sockets; its process id."""
    if not FORKS:
        told = json.dumps([niceness, tasks, lifeline, list(modules), sys.path])
        code = "from server.execution.template import fresh_worker; fresh_worker()"
        number = subprocess.Popen([sys.executable, "-c", code, told], pass_fds=(tasks, lifeline)).pid  # noqa: S603
        os.close(tasks)
        os.close(lifeline)
        return number
    pid = os.fork()
    if pid:
        os.close(tasks)
        os.close(lifeline)
        return pid
    status = 1
    try:
        for one in ours:
            one.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        run_worker(socket.socket(fileno=tasks), socket.socket(fileno=lifeline), niceness)
        status = 0
    finally:
        os._exit(status)  # what is registered to run at exit belongs to the template


def fresh_worker() -> None:
    """Runs in a worker process that was not forked."""
    niceness, tasks, lifeline, modules, path = json.loads(sys.argv[1])
    sys.path[:] = path
    _load(modules)
    run_worker(socket.socket(fileno=tasks), socket.socket(fileno=lifeline), niceness)


def _load(modules: Sequence[str]) -> None:
    gc.disable()  # of what is imported nothing is garbage, and looking for it takes a twentieth of the time
    try:
        for name in modules:
            importlib.import_module(name)
    finally:
        gc.enable()
    gc.collect()
    gc.freeze()  # what was loaded stays: no collection visits it again, and no fork has to copy it

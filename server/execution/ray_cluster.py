"""An executor on a Ray cluster, as the server sees it: a driver that is started, and started again where it ends.

Tasks are sent with the places of their files; the driver puts those into the cluster. A cluster that is gone ends the
driver, never the server: its tasks raise ClusterLost, and the next driver starts when the cluster answers again.
"""

import asyncio
import io
import itertools
import pickle
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from domain.errors import SolverTimedOut
from domain.records import dataclass
from server import tracing
from server.execution.frames import Frames
from server.execution.process_pool import earlier, value_of
from server.execution.ray_messages import (
    Capacity,
    Died,
    LeftOut,
    Stop,
    Submit,
    Told,
    Unplaced,
    Unusable,
    framed,
    unframed,
)
from server.execution.worker import Outcome, TaskReport, TimeLimit
from server.execution.worker_handle import SMALL_BYTES
from server.observability import logger
from server.ports.errors import ClusterLost, WorkerDied

T = TypeVar("T")

Sent = Told | Died | Unplaced
"""What a driver sends about a task."""

CONNECT_SECONDS = 60.0
"""How long a driver may take until it is ready."""

PROBE_SECONDS = 3.0
RESTART_SECONDS = 1.0


class ClusterUnusable(Exception):
    """There is no cluster at the address, or this machine is no node of it; the text says which."""


@dataclass(slots=True)
class Driver:
    """A driver process, which has told what the cluster can do."""

    process: asyncio.subprocess.Process
    transport: asyncio.Transport
    frames: Frames
    processors: int

    async def close(self) -> None:
        """Ends the process, and with it what the cluster runs for it."""
        self.transport.close()
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


class RayCluster:
    """Runs tasks on the cluster at an address, host:port of its head."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._numbers = itertools.count()
        self._driver: Driver | None = None
        self._told: dict[int, asyncio.Queue[Sent | None]] = {}  # by task; None where the cluster is lost
        self._keeping: asyncio.Task[None] | None = None

    @property
    def processors(self) -> int:
        """Of the cluster now; 0 while it cannot be reached."""
        return 0 if self._driver is None else self._driver.processors

    @property
    def has_room(self) -> bool:
        """Whether a task would begin at once, as far as tasks of this server are concerned."""
        return len(self._told) < self.processors

    async def start(self) -> None:
        """Connects to the cluster. Raises ClusterUnusable."""
        self._driver = await self._connected()
        self._keeping = asyncio.create_task(self._keep(self._driver))

    async def run(
        self,
        work: Callable[..., T],
        deadline: float | None,
        on_report: Callable[[Any], Awaitable[None] | None] | None = None,
        *,
        caller: str = "",  # the cluster serves tasks in the order in which they come
    ) -> T:
        """As `Executor.run`. Raises ClusterLost too."""
        driver = self._driver
        if driver is None:
            raise ClusterLost
        number = next(self._numbers)
        told: asyncio.Queue[Sent | None] = asyncio.Queue()
        self._told[number] = told
        ended, sent_ns = False, time.time_ns()
        try:
            driver.transport.write(framed(_submit(number, tracing.carried(work), reports=on_report is not None)))
            async with asyncio.timeout_at(deadline) as limit:
                while not isinstance(received := await _content(await told.get()), Outcome):
                    if isinstance(received, TimeLimit):
                        limit.reschedule(earlier(deadline, received.seconds))
                    elif on_report is not None and (handling := on_report(received.content)) is not None:
                        await handling
            ended = True
            return tracing.arrived(value_of(received), sent_ns)  # type: ignore[no-any-return]  # of the type of the work
        except BaseException as error:
            tracing.failed(error, sent_ns)
            if isinstance(error, TimeoutError):
                raise SolverTimedOut("the time limit ran out before the answer was found") from None
            raise
        finally:
            del self._told[number]
            if not ended and driver is self._driver:
                driver.transport.write(framed(Stop(number)))

    async def close(self, grace_seconds: float) -> None:  # tasks go on from their checkpoints
        """Ends the driver and what it runs."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})

    async def _keep(self, driver: Driver) -> None:
        """Serves a driver to its end, and starts another whenever the cluster answers."""
        while True:
            try:
                await self._serve(driver)
            finally:
                self._lost()
                await driver.close()
            logger.error("the Ray cluster is lost: jobs wait until it answers again")
            driver = await self._reconnected()
            self._driver = driver
            logger.warning("the Ray cluster answers again", extra={"processors": driver.processors})

    async def _serve(self, driver: Driver) -> None:
        while (frame := await driver.frames.next()) is not None:
            message = unframed(frame)
            if isinstance(message, Capacity):
                driver.processors = message.processors
            elif isinstance(message, LeftOut):
                extra = {"host": message.host, "differing": message.differing}
                logger.warning("a node of the Ray cluster is not used: it has other versions", extra=extra)
            elif isinstance(message, Told | Died | Unplaced) and message.number in self._told:
                self._told[message.number].put_nowait(message)

    def _lost(self) -> None:
        self._driver = None
        for told in self._told.values():
            told.put_nowait(None)

    async def _reconnected(self) -> Driver:
        while True:
            await asyncio.sleep(RESTART_SECONDS)
            try:
                return await self._connected()
            except ClusterUnusable as error:
                logger.info("the Ray cluster cannot be used yet", extra={"why": str(error)})
            except OSError as error:  # of the moment: no memory or no process is left
                logger.error("the driver of the Ray cluster cannot be started yet", exc_info=error)

    async def _connected(self) -> Driver:
        """A new driver that is ready. Raises ClusterUnusable."""
        await self._probe()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "server.execution.ray_driver", str(theirs.fileno()), self._address),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                )
            ours.setblocking(False)
            transport, frames = await asyncio.get_running_loop().create_connection(Frames, sock=ours)
        except BaseException:
            ours.close()
            raise
        driver = Driver(process, transport, frames, 0)
        try:
            driver.processors = await _ready(driver)
        except BaseException:
            await driver.close()
            raise
        return driver

    async def _probe(self) -> None:
        """Whether anything listens there: Ray itself waits for a minute. Raises ClusterUnusable."""
        host, _, port = self._address.rpartition(":")
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.close()
        except (OSError, TimeoutError):
            raise ClusterUnusable("nothing answers there") from None


async def _ready(driver: Driver) -> int:
    """Waits until a driver is connected; the processors of the cluster. Raises ClusterUnusable."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            frame = await driver.frames.next()
    except TimeoutError:
        raise ClusterUnusable(f"it did not answer within {CONNECT_SECONDS:g} s") from None
    first = None if frame is None else unframed(frame)
    if isinstance(first, Capacity):
        return first.processors
    raise ClusterUnusable(first.why if isinstance(first, Unusable) else "the driver ended")


class _Pickler(pickle.Pickler):
    """Writes work with a number for each file that it reads, for another machine has it elsewhere."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.paths: dict[str, int] = {}

    def persistent_id(self, obj: Any) -> str | None:
        """The number of a file; None for everything else."""
        if not isinstance(obj, Path):
            return None
        return str(self.paths.setdefault(str(obj), len(self.paths)))


def _submit(number: int, work: Callable[..., Any], *, reports: bool) -> Submit:
    written = io.BytesIO()
    pickler = _Pickler(written)
    pickler.dump(work)
    return Submit(number, written.getvalue(), tuple(pickler.paths), reports)


async def _content(told: Sent | None) -> TaskReport | TimeLimit | Outcome:
    """What a task has sent. Raises WorkerDied, ClusterLost."""
    if told is None or isinstance(told, Unplaced):
        raise ClusterLost
    if isinstance(told, Died):
        logger.warning("a task of the Ray cluster died", extra={"how": told.how})
        raise WorkerDied
    if len(told.data) <= SMALL_BYTES:
        content: TaskReport | TimeLimit | Outcome = pickle.loads(told.data)  # noqa: S301  # from our own process
        return content
    return await asyncio.get_running_loop().run_in_executor(None, pickle.loads, told.data)

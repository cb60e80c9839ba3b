"""The driver of a Ray cluster, a child process of the server: python -m server.execution.ray_driver SOCKET ADDRESS

Ray ends the process of a driver that loses its cluster; so the server is none. The driver hands tasks to the cluster,
passes on what they send, and ends as soon as the cluster or the server is gone.
"""

import asyncio
import hashlib
import os
import socket
import sys
import traceback
from collections import OrderedDict
from contextlib import suppress
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayError, RayTaskError, TaskCancelledError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from domain.records import dataclass
from server.execution import ray_task
from server.execution.frames import Frames
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
from server.execution.worker import BLAS_THREADS, Outcome
from server.identity_settings import is_loopback

WATCH_SECONDS = 1.0
SILENCE_SECONDS = 5.0
"""A cluster whose head does not answer for so long is gone."""

STOP_GRACE_SECONDS = 0.3
"""How long a task that was interrupted may take before its process is killed."""

NODE_LABEL = "ray.io/node-id"
"""Each node has its id as a label of this name, which tasks are placed by."""

KEPT_FILES = 64
"""Files that stay in the cluster for the next task that reads them."""


class Objects:
    """Files as objects of the cluster: each content is put once, however many tasks read it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int, int, int], tuple[str, list[Any]]] = OrderedDict()

    def stored(self, path: str) -> tuple[str, list[Any]]:
        """Hash and object, in a list so that it is not fetched ahead, of a file that stays as it is. Raises OSError."""
        status = os.stat(path)
        key = (path, status.st_ino, status.st_size, status.st_mtime_ns)
        if key not in self._known:
            content = np.fromfile(path, np.uint8)
            sha256 = hashlib.sha256(content.data).hexdigest()
            same = next((one for one in self._known.values() if one[0] == sha256), None)
            self._known[key] = same or (sha256, [ray.put(content)])
        self._known.move_to_end(key)
        while len(self._known) > KEPT_FILES:
            self._known.popitem(last=False)
        return self._known[key]


@dataclass(slots=True)
class Running:
    """A task of the server."""

    handling: "asyncio.Task[None]"
    result: Any = None  # None while its files are put into the cluster
    is_stopped: bool = False


class Driver:
    """Serves one server until the cluster or the server is gone."""

    def __init__(self, transport: asyncio.Transport, frames: Frames) -> None:
        self._transport = transport
        self._frames = frames
        self._objects = Objects()
        self._putting = asyncio.Lock()
        self._running: dict[int, Running] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._versions = ray_task.versions()
        self._left_out: set[str] = set()  # nodes with other versions
        own_node = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._mailbox = ray.remote(num_cpus=0, scheduling_strategy=own_node)(ray_task.Mailbox).remote()
        # The server runs lost tasks again itself: it knows the last checkpoint, and what was reported already.
        self._task = ray.remote(num_cpus=1, max_retries=0)(ray_task.run)

    async def run(self) -> None:
        """Ends when the cluster or the server is gone."""
        ends = [asyncio.create_task(one) for one in (self._serve(), self._pass_on(), self._watch())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)

    async def _serve(self) -> None:
        while (frame := await self._frames.next()) is not None:
            message = unframed(frame)
            if isinstance(message, Submit):
                self._running[message.number] = Running(asyncio.create_task(self._submit(message)))
            elif isinstance(message, Stop) and (running := self._running.get(message.number)) is not None:
                stopping = asyncio.create_task(self._stop(running))
                self._background.add(stopping)
                stopping.add_done_callback(self._background.discard)

    async def _pass_on(self) -> None:
        while True:
            for number, data in await self._mailbox.take.remote():
                self._send(Told(number, data))

    async def _watch(self) -> None:
        known = -1
        while True:
            now = await self._processors()
            if now != known:
                known = now
                self._send(Capacity(now))
            await asyncio.sleep(WATCH_SECONDS)

    async def _processors(self) -> int:
        """Of the nodes that can be used."""
        alive = {node["NodeID"]: node["Resources"].get("CPU", 0.0) for node in await _nodes() if node["Alive"]}
        self._left_out &= alive.keys()
        return int(sum(count for node, count in alive.items() if node not in self._left_out))

    async def _submit(self, message: Submit) -> None:
        running = self._running[message.number]
        try:
            async with self._putting:
                files = [await asyncio.to_thread(self._objects.stored, path) for path in message.paths]
            while not running.is_stopped and not await self._ran(message, files, running):
                processors = await self._processors()
                self._send(Capacity(processors))  # at once, so that nothing else is sent where there are none
                if not processors:
                    self._send(Unplaced(message.number))
                    return
        except TaskCancelledError:
            pass
        except RayTaskError as error:  # before the task itself began: its own errors are outcomes
            data = ray_task.pickled(Outcome(traceback=str(error)))
            self._send(Told(message.number, data))
        except (RayError, OSError) as error:
            try:
                await _nodes()
            except Exception:  # a head that does not answer has died too: not the task is at fault
                os._exit(1)
            self._send(Died(message.number, type(error).__name__))
        except Exception:  # whatever it is, the server waits for an answer
            self._send(Told(message.number, ray_task.pickled(Outcome(traceback=traceback.format_exc()))))
        finally:
            del self._running[message.number]

    async def _ran(self, message: Submit, files: list[tuple[str, list[Any]]], running: Running) -> bool:
        """Runs a task to its end; False where its node has other versions, and no task goes there any more."""
        elsewhere = {NODE_LABEL: f"!in({','.join(sorted(self._left_out))})"} if self._left_out else None
        running.result = self._task.options(label_selector=elsewhere).remote(
            message.number, message.work, files, self._mailbox, self._versions, reports=message.reports
        )
        try:
            await running.result
        except RayTaskError as error:
            if not isinstance(error.cause, ray_task.WrongVersions):
                raise
            if error.cause.node not in self._left_out:
                self._left_out.add(error.cause.node)
                self._send(LeftOut(error.cause.host, error.cause.differing))
            return False
        return True

    async def _stop(self, running: Running) -> None:
        """Interrupts a task, and kills its process where it does not end."""
        running.is_stopped = True
        if running.result is None:
            return
        with suppress(RayError):  # it has ended meanwhile
            ray.cancel(running.result)
            await asyncio.wait({running.handling}, timeout=STOP_GRACE_SECONDS)
            if not running.handling.done():
                ray.cancel(running.result, force=True)

    def _send(self, message: object) -> None:
        self._transport.write(framed(message))


async def _nodes() -> list[dict[str, Any]]:
    """What the head knows of the nodes. Raises TimeoutError, or what Ray raises, where there is no head."""
    nodes: list[dict[str, Any]] = await asyncio.wait_for(asyncio.to_thread(ray.nodes), SILENCE_SECONDS)
    return nodes


async def serve(number: int, address: str) -> None:
    """Connects to the cluster, tells the server whether that worked, and serves it."""
    frames_of = asyncio.get_running_loop().create_connection(Frames, sock=socket.socket(fileno=number))
    transport, frames = await frames_of
    try:
        _connect(address)
        driver = Driver(transport, frames)
    except Exception as error:
        first_line = next(iter(str(error).splitlines()), "")
        transport.write(framed(Unusable(first_line or type(error).__name__)))
        os._exit(1)
    await driver.run()
    os._exit(0)  # the loop and Ray would both wait for calls of a cluster that may be gone


def _connect(address: str) -> None:
    """Raises what Ray raises where this machine is no node of that cluster."""
    host = address.rpartition(":")[0].strip("[]")
    # Otherwise Ray takes the address that leads outside, and looks for a node there.
    own = {"_node_ip_address": host} if is_loopback(host) else {}
    ray.init(
        address=address,
        namespace="abs-finance",
        log_to_driver=False,
        logging_level="ERROR",
        runtime_env={"env_vars": dict.fromkeys(BLAS_THREADS, "1")},
        **own,
    )


def main() -> None:
    """Runs in the child process."""
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))


if __name__ == "__main__":
    main()

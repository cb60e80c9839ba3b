"""The server of tests.realtime as a process, and a way to it that can be cut."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from scripts.free_port import free_port
from scripts.supabase_processes import Stack
from tests.processes import first_line

ROOT = Path(__file__).parents[2]


class RealtimeProcess:
    """Starts it again and again on one port, with what it needs of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """As settings name it."""
        return f"http://127.0.0.1:{self.port}/realtime/v1"

    async def start(self, *flags: str) -> None:
        """Starts it, and waits until it follows the database."""
        options = ["--database", self._stack.admin_url, "--secret", self._stack.jwt_secret, "--port", str(self.port)]
        command = [sys.executable, "-m", "tests.realtime.server", *options, "--key", self._stack.secret_key, *flags]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)  # noqa: ASYNC220
        assert await asyncio.to_thread(first_line, self._process) == f"{self.port}\n"

    async def kill(self) -> None:
        """Ends it at once: its clients see their connections end."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.wait, 10)
            assert process.stdout is not None
            process.stdout.close()


class Link:
    """A way to a port of loopback. While it is frozen connections stay, and what is sent by them arrives nowhere."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._frozen = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.connections = 0

    @property
    def url(self) -> str:
        """As settings name it."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/realtime/v1"

    async def start(self) -> None:
        """Listens."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    def freeze(self) -> None:
        """Connections of now carry nothing any more, for ever; later ones do."""
        self._frozen.set()
        self._frozen = asyncio.Event()

    async def close(self) -> None:
        """Ends all connections."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.close()
            return
        self.connections += 1
        self._writers |= {writer, other_writer}
        for source, target in ((reader, other_writer), (other_reader, writer)):
            task = asyncio.create_task(self._carry(source, target, self._frozen))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, frozen: asyncio.Event) -> None:
        with suppress(OSError):
            while piece := await source.read(1 << 16):
                if frozen.is_set():
                    continue
                target.write(piece)
                await target.drain()
        if not frozen.is_set():
            target.close()


@asynccontextmanager
async def running_realtime(stack: Stack, *flags: str) -> AsyncIterator[RealtimeProcess]:
    """It runs until the end of the block, unless it is killed."""
    found = RealtimeProcess(stack)
    await found.start(*flags)
    try:
        yield found
    finally:
        await found.kill()

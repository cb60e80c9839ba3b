"""The listener for browsers as the server sees it: a process that is started, and started again where it ends."""

import asyncio
import contextlib
import json
import socket
import sys
from tempfile import TemporaryDirectory
from typing import Any

from domain.records import dataclass
from server.identity_settings import is_loopback
from server.observability import logger
from server.settings import Tls
from server.web_settings import WebSettings

RESTART_SECONDS = 1.0
PORTS = {"http": 80, "https": 443}
"""Which browsers leave out of an origin."""

END_SECONDS = 5.0
"""How long it may take to end by itself."""


@dataclass(frozen=True, slots=True)
class WebProcess:
    """What a process of the listener is started with."""

    settings: WebSettings
    listening: socket.socket
    folder: TemporaryDirectory[str]
    tls: Tls | None
    log_level: str

    @property
    def target(self) -> str:
        """An address for the server that only its own user can reach: tokens cross it in clear text."""
        return f"unix:{self.folder.name}/grpc"

    @property
    def url(self) -> str:
        """Where browsers find it."""
        host, _, _ = self.settings.listen.rpartition(":")
        return f"{'https' if self.tls else 'http'}://{host}:{self.listening.getsockname()[1]}"

    async def start(self) -> asyncio.subprocess.Process:
        """A new process, which serves on the socket."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.web",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            pass_fds=(self.listening.fileno(),),
        )
        assert process.stdin is not None  # noqa: S101  # it was asked for
        process.stdin.write(json.dumps(self._given()).encode() + b"\n")
        with contextlib.suppress(ConnectionError):  # one that has ended is seen by who waits for it
            await process.stdin.drain()
        return process

    def _given(self) -> dict[str, Any]:
        tls = self.tls
        files = {"certificate": str(tls.certificate), "key": str(tls.key)} if tls else None
        if tls and files and tls.client_authority:
            files["client_authority"] = str(tls.client_authority)
        return {
            "socket": self.listening.fileno(),
            "target": self.target,
            "origins": (*self.settings.origins, *self._own_origins()),
            "pages": str(self.settings.pages or ""),
            "max_calls": self.settings.max_calls,
            "tls": files,
            "log_level": self.log_level,
        }

    def _own_origins(self) -> tuple[str, ...]:
        """The origins of the page that is served here: names that nobody else can give an address of theirs."""
        if self.settings.pages is None:
            return ()
        scheme, host = self.url.partition("://")[0], self.settings.listen.rpartition(":")[0]
        port = self.listening.getsockname()[1]
        hosts = (host, "localhost") if is_loopback(host.strip("[]")) else ()
        return tuple(f"{scheme}://{name}" + ("" if port == PORTS[scheme] else f":{port}") for name in hosts)


class WebListener:
    """Keeps a process of the listener running. Connections wait in the socket, which stays the server's, meanwhile."""

    def __init__(self, process: WebProcess) -> None:
        self.target = process.target
        self.url = process.url
        self._process = process
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins; the process is ready some tenths of a second later."""
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Ends the process and gives the address up."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self._process.listening.close()
        self._process.folder.cleanup()

    async def _keep(self) -> None:
        while True:
            try:
                code = await self._run()
                logger.error("the listener for browsers has ended and is started again", extra={"exit_status": code})
            except OSError as error:  # of the moment: no memory, no process or no file is left
                logger.error("the listener for browsers cannot be started yet", exc_info=error)
            except Exception:  # nothing waits for this task before the end, so nobody else would say what ended it
                logger.exception("the listener for browsers failed and is started again")
            await asyncio.sleep(RESTART_SECONDS)

    async def _run(self) -> int:
        """Runs one process until it ends, with its exit status. Raises OSError."""
        process = await self._process.start()
        try:
            return await process.wait()
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Lets a process finish its responses, and kills one that does not."""
    assert process.stdin is not None  # noqa: S101  # as in `start`
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()

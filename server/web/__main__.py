"""The process of the listener: python -m server.web, which the server starts with its settings on the first line.

It ends when the server closes its end of standard input, or is gone.
"""

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import uvicorn

from server.observability import configure_logging, logger
from server.web.app import Bridge
from server.web.calls import OPTIONS
from server.web.connection import TimedConnection
from server.web.pages import File, WrongPages, read_pages

GRACE_SECONDS = 2
"""How long responses may take to end when the listener stops."""


class _Listener(uvicorn.Server):
    """Leaves signals as they are."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none: the server says when the listener ends."""
        yield

    def end(self) -> None:
        """Ends the listener once the other end of standard input is closed."""
        if not os.read(sys.stdin.fileno(), 1024):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self.should_exit = True


def main() -> None:
    """Entry point: serves until the server is gone."""
    # What ends a terminal or a container reaches this process too, but it serves until the server has drained.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    given = json.loads(sys.stdin.buffer.readline())
    configure_logging(given["log_level"])
    asyncio.run(_serve(given))


async def _serve(given: dict[str, Any]) -> None:
    listening = socket.socket(fileno=given["socket"])
    async with grpc.aio.insecure_channel(given["target"], options=OPTIONS) as channel:
        bridge = Bridge(channel, tuple(given["origins"]), given["max_calls"], _pages(given["pages"]))
        server = _Listener(_config(bridge, given))
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), server.end)
        await server.serve(sockets=[listening])


def _pages(folder: str) -> Mapping[str, File]:
    """The files of the page. The server has refused a wrong folder; one that is lost later does not end calls."""
    try:
        return read_pages(Path(folder)) if folder else {}
    except WrongPages as error:
        logger.error("the page is not served", extra={"why": str(error)})
        return {}


def _config(bridge: Bridge, given: dict[str, Any]) -> uvicorn.Config:
    tls = given["tls"] or {}
    authority = tls.get("client_authority")
    return uvicorn.Config(
        bridge,
        http=TimedConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        # Connections, of which a browser opens some ahead.
        limit_concurrency=4 * given["max_calls"],
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=tls.get("certificate"),
        ssl_keyfile=tls.get("key"),
        ssl_ca_certs=authority,
        ssl_cert_reqs=ssl.CERT_REQUIRED if authority else ssl.CERT_NONE,
    )


if __name__ == "__main__":
    main()

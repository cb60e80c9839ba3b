"""`absfin mcp` as a host of a language model starts it: a process of its own, called by the SDK's client over stdio."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Any

import anyio
from absfin.mcp.server import READING, STORING
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

ABSFIN = str(Path(sys.executable).with_name("absfin"))
READS, STORES = {one.name for one in READING}, {one.name for one in STORING}
SYMBOLS = ("A", "B", "C")
DATES = 400

PATIENCE = 90.0
"""Seconds that a test waits for a job."""


class Host:
    """Calls tools as a host does."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.notices: list[tuple[float, float | None, str | None]] = []
        self.noticed = anyio.Event()

    async def _notice(self, progress: float, total: float | None, message: str | None) -> None:
        self.notices.append((progress, total, message))
        self.noticed.set()

    async def _call(self, tool: str, arguments: dict[str, Any]) -> tuple[bool, Any]:
        found = await self.client.call_tool(tool, arguments, progress_callback=self._notice)
        (content,) = found.content
        # Hosts of older versions read the text alone.
        assert json.loads(content.text) == found.structured_content  # type: ignore[union-attr]
        return bool(found.is_error), found.structured_content

    async def answer(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers."""
        is_error, content = await self._call(tool, arguments)
        assert not is_error, content
        answered: dict[str, Any] = content
        return answered

    async def error(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Why a tool does not."""
        is_error, content = await self._call(tool, arguments)
        assert is_error, content
        failed: dict[str, Any] = content["error"]
        return failed


INITIALIZE: list[dict[str, Any]] = [
    {
        "id": 0,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    },
    {"method": "notifications/initialized"},
]
"""How a session begins."""


class WithoutSdk:
    """The process alone: a line of JSON for each message, ended after a time limit."""

    def __init__(self, address: str, *options: str) -> None:
        command = [ABSFIN, "mcp", "--server", address, *options]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self._process: subprocess.Popen[str] = subprocess.Popen(command, text=True, **pipes)
        self._limit = Timer(PATIENCE, self._process.kill)
        self._limit.start()

    def write(self, *lines: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.writelines(f"{line}\n" for line in lines)
        self._process.stdin.flush()

    def send(self, *messages: dict[str, Any]) -> None:
        self.write(*(json.dumps({"jsonrpc": "2.0", **one}) for one in messages))

    def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        message: dict[str, Any] = json.loads(self._process.stdout.readline())
        return message

    def end(self) -> tuple[int, str, str]:
        """Ends the input: the code of the process, and what else it has written to output and error."""
        rest, errors = self._process.communicate()
        self._limit.cancel()
        return self._process.returncode, rest, errors


@asynccontextmanager
async def hosted(address: str, *options: str, **variables: str) -> AsyncIterator[Host]:
    environment = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "ABSFIN_SERVER": address, **variables}
    started = StdioServerParameters(command=ABSFIN, args=["mcp", *options], env=environment)
    async with Client(stdio_client(started), read_timeout_seconds=100) as client:
        yield Host(client)


async def given_up(host: Host, tool: str, **arguments: Any) -> None:
    """Cancels a call of a tool after its first notice."""
    host.noticed = anyio.Event()
    async with anyio.create_task_group() as calls:
        calls.start_soon(partial(host.answer, tool, **arguments))
        with anyio.fail_after(PATIENCE):
            await host.noticed.wait()
        calls.cancel_scope.cancel()

"""`absfin mcp` as a host of a language model starts it: a process of its own, called by the SDK's client over stdio."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from absfin.mcp.server import READING, STORING
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

ABSFIN = str(Path(sys.executable).with_name("absfin"))
READS, STORES = {one.name for one in READING}, {one.name for one in STORING}
SYMBOLS = ("A", "B", "C")
DATES = 400


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


@asynccontextmanager
async def hosted(address: str, *options: str, **variables: str) -> AsyncIterator[Host]:
    environment = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "ABSFIN_SERVER": address, **variables}
    started = StdioServerParameters(command=ABSFIN, args=["mcp", *options], env=environment)
    async with Client(stdio_client(started), read_timeout_seconds=100) as client:
        yield Host(client)

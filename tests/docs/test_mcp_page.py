"""What docs/mcp.md shows: its configuration starts the tools, its tables name them all, its answers are those given."""

import json
import os
import re
from collections.abc import Callable
from typing import Any

from absfin.mcp.compact import MAX_CHARACTERS, MAX_VALUES
from absfin.mcp.server import READING, STORING
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.clients.python.mcp.host import ABSFIN
from tests.conftest import ROOT, RunningServer

PAGE = (ROOT / "docs/mcp.md").read_text()
SHOWN = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
CONFIGURATION, PLAN, PLANNED, PROBLEM, CONFLICT = SHOWN


def test_the_tables_name_every_tool() -> None:
    reading, storing = (
        {name for row in re.findall(r"^\| (`.*?`) \|", part, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
        for part in PAGE.split("With `--store`:")
    )
    assert reading == {one.name for one in READING}
    assert storing == {one.name for one in STORING}


def test_the_limits_are_those_of_the_tools() -> None:
    assert f"at most {MAX_VALUES:,} values".replace(",", " ") in PAGE
    assert f"more than {MAX_CHARACTERS:,} characters".replace(",", " ") in PAGE
    given = [one.arguments.model_fields for one in (*READING, *STORING)]
    waits = {fields["wait_seconds"].default for fields in given if "wait_seconds" in fields}
    assert [f"After `wait_seconds`, {seconds:g} unless given" in PAGE for seconds in waits] == [True]


async def test_the_configuration_starts_tools_that_answer_as_shown(start_server: Callable[..., RunningServer]) -> None:
    running = start_server("--workers", "1")
    (entry,) = CONFIGURATION["mcpServers"].values()
    assert entry["command"].endswith("/absfin")
    arguments = [running.address if one == "127.0.0.1:50051" else one for one in entry["args"]]
    assert arguments != entry["args"]
    variables = {**entry["env"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    started = StdioServerParameters(command=ABSFIN, args=arguments, env=variables)
    async with Client(stdio_client(started), read_timeout_seconds=100) as client:
        assert await answered(client, "reallocate", PLAN) == PLANNED
        assert await answered(client, "optimize", PROBLEM) == CONFLICT


async def answered(client: Client, tool: str, arguments: dict[str, Any]) -> Any:
    return (await client.call_tool(tool, arguments)).structured_content

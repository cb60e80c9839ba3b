"""`absfin mcp`: tools for language models."""

import asyncio
import signal
from typing import Annotated

import typer

from absfin.channel import DEFAULT_TARGET
from absfin.cli.connection import connect_asynchronously
from absfin.cli.parameters import Server


def mcp(
    store: Annotated[
        bool, typer.Option("--store", help="Also offer tools that store results and run backtests.")
    ] = False,
    server: Server = DEFAULT_TARGET,
) -> None:
    """Offer tools to a language model over MCP on standard input and output: absfin mcp --server HOST:PORT"""
    try:
        from absfin.mcp import server as tools
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "pydantic"):
            raise
        typer.echo("absfin: the MCP server needs the package mcp: pip install 'absfin[cli,mcp]'", err=True)
        raise SystemExit(1) from None
    # Standard input is read by a thread, which nothing but the end of the process interrupts.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    async def serve() -> None:
        await tools.serve(connect_asynchronously(server), server, stores=store)

    asyncio.run(serve())

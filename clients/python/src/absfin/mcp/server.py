"""Offers the tools over standard input and output, one call at a time or many."""

import sys
import traceback
from importlib.metadata import version
from typing import Any

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from absfin.aio import Client
from absfin.errors import AbsFinanceError
from absfin.mcp import computations, market_data, stored_results, storing
from absfin.mcp.arguments import WrongArgument
from absfin.mcp.compact import as_text, fitted, plain
from absfin.mcp.failures import error_answer, wrong_arguments
from absfin.mcp.tool import Answer, Call, Tool

READING: tuple[Tool[Any], ...] = (*market_data.TOOLS, *computations.TOOLS, *stored_results.TOOLS)
STORING: tuple[Tool[Any], ...] = storing.TOOLS

INSTRUCTIONS = (
    "Portfolio optimisation, risk, backtests and trade lists by an engine that verifies its answers. "
    "Weights, returns and rates are fractions: 0.6 is 60 %. Losses and drawdowns are positive numbers. "
    "Start with list_instruments: most tools take the symbols of stored prices, not prices. "
    "Answers are summaries; max_rows and max_points ask for more. "
    "An error names the wrong arguments and says what to do. No tool trades: plans are for people to carry out."
)


class Offer:
    """The tools of a server, and the engine that they ask."""

    def __init__(self, client: Client, address: str, *, stores: bool) -> None:
        self._client = client
        self._address = address
        self._tools = {one.name: one for one in (*READING, *(STORING if stores else ()))}

    async def list_tools(
        self, context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """All tools, on one page."""
        return types.ListToolsResult(tools=[described(one) for one in self._tools.values()])

    async def call_tool(
        self, context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """The answer of a tool, or why it has none. Raises MCPError for a tool that is not there."""
        tool = self._tools.get(params.name)
        if tool is None:
            return _not_offered(params.name)

        async def report(fraction: float, said: str) -> None:
            await context.session.report_progress(fraction, 1.0, said)

        return await self._answer(tool, params.arguments or {}, Call(self._client, report))

    async def _answer(self, tool: Tool[Any], arguments: dict[str, Any], call: Call) -> types.CallToolResult:
        try:
            given = tool.arguments.model_validate(arguments)
            return _result(await tool.run(call, given))
        except (ValidationError, WrongArgument) as error:
            return _failure(wrong_arguments(error, tool.arguments))
        except AbsFinanceError as error:
            return _failure(error_answer(error, self._address))
        except Exception:
            # What it says is for who runs this, not for the caller.
            traceback.print_exc(file=sys.stderr)
            return _failure({"reason": "INTERNAL", "message": f"{tool.name} failed: absfin mcp has printed why"})


def described(tool: Tool[Any]) -> types.Tool:
    """A tool as the protocol describes it."""
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.arguments.schema_for_callers(),
        annotations=types.ToolAnnotations(
            read_only_hint=not tool.stores,
            destructive_hint=False,
            idempotent_hint=tool.repeatable,
            open_world_hint=False,
        ),
    )


def new_server(offer: Offer) -> Server[Any]:
    """The server of an offer."""
    return Server(
        "abs-finance",
        version=version("absfin"),
        instructions=INSTRUCTIONS,
        on_list_tools=offer.list_tools,
        on_call_tool=offer.call_tool,
    )


async def serve(client: Client, address: str, *, stores: bool) -> None:
    """Answers until standard input ends; then the connection to the engine is closed."""
    server = new_server(Offer(client, address, stores=stores))
    async with client, stdio_server() as (received, sent):
        await server.run(received, sent, server.create_initialization_options())


def _result(answer: Answer) -> types.CallToolResult:
    content = fitted(plain(answer))
    return types.CallToolResult(content=[_text(content)], structured_content=content)


def _failure(error: Answer) -> types.CallToolResult:
    content = {"error": fitted(plain(error))}
    return types.CallToolResult(content=[_text(content)], structured_content=content, is_error=True)


def _not_offered(name: str) -> types.CallToolResult:
    if name not in {one.name for one in STORING}:
        raise MCPError(types.INVALID_PARAMS, f"there is no tool {name!r}")
    return _failure(
        {
            "reason": "NOT_OFFERED",
            "message": f"{name} stores, and this server was started to read and compute alone",
            "what_to_do": "a person has to start it with absfin mcp --store",
        }
    )


def _text(content: Any) -> types.TextContent:
    """The answer for hosts that read text alone."""
    return types.TextContent(type="text", text=as_text(content))

"""Tools that read what the server keeps: portfolios and results, and the progress of backtests."""

import asyncio
from typing import Annotated

from pydantic import Field

from absfin.choices import JobState, ReallocationState, Series
from absfin.data import Panel
from absfin.mcp.arguments import Arguments, Label, Limit, Named, NoArguments, Points, Rows, full_name
from absfin.mcp.compact import (
    backtest_summary,
    first,
    optimization_summary,
    panel_summary,
    reallocation_summary,
)
from absfin.mcp.tool import Answer, Call, Tool, closing, leading
from absfin.watching import Milestone, Tick

TICK_SECONDS = 0.5
"""Least time between two notices of progress."""

WaitSeconds = Annotated[
    float, Field(ge=0, le=3600, description="How long to wait for the end; the job goes on after that.")
]
"""Its default is below the 60 seconds after which many hosts give up a call."""


class ListArguments(Arguments):
    """A list."""

    label: Label = ""
    limit: Limit = 20


class ListBacktestsArguments(ListArguments):
    """A list of jobs."""

    state: JobState | None = Field(None, description="Only jobs of this state.")


class ListReallocationsArguments(Arguments):
    """A list of plans."""

    label: Label = ""
    portfolio: str = Field("", max_length=80, description="Only those of this stored portfolio: portfolios/ID, or ID.")
    state: ReallocationState | None = Field(None, description="Only plans of this state.")
    limit: Limit = 20


class ListPortfoliosArguments(Arguments):
    """A list of portfolios."""

    limit: Limit = 50


class GetArguments(Named):
    """One result."""

    max_rows: Rows = 25


class GetBacktestArguments(GetArguments):
    """One job."""

    all_figures: bool = Field(False, description="Also every other figure, and why a figure is not defined.")


class SeriesArguments(Named):
    """A series of a job."""

    series: Series = Field("equity", description="equity is the value of one unit, nav and cash are money.")
    label: str = Field("", description="Label of the strategy; the first one if empty.")
    max_points: Points = 60
    max_rows: Rows = 10


class FollowArguments(Named):
    """A job to wait for."""

    wait_seconds: WaitSeconds = 45.0
    max_rows: Rows = 25


async def check_server(call: Call, given: NoArguments) -> Answer:
    """Check whether the engine can work: serving, or not_serving."""
    return {"state": await call.client.check_health()}


async def list_backtests(call: Call, given: ListBacktestsArguments) -> Answer:
    """List backtests that the server keeps, newest first."""
    page = await call.client.list_backtests(given.limit, state=given.state, label=given.label)
    return {"backtests": page.summaries, "more": bool(page.next_page_token)}


async def get_backtest(call: Call, given: GetBacktestArguments) -> Answer:
    """Read where a backtest stands, and once it has succeeded the figures of its strategies and benchmarks."""
    found = await call.client.get_backtest(given.full_name("backtests"))
    return backtest_summary(found, given.max_rows, all_figures=given.all_figures)


async def get_backtest_series(call: Call, given: SeriesArguments) -> Answer:
    """Read a series of a backtest that has succeeded, thinned to max_points dates and max_rows columns.

    The lowest and highest value of a column are those of all dates.
    """
    panel: Panel = await call.client.backtest_series(given.full_name("backtests"), given.series, given.label)
    return panel_summary(panel, given.max_points, given.max_rows)


async def follow_backtest(call: Call, given: FollowArguments) -> Answer:
    """Wait for the end of a backtest with notices of its progress, then read its figures.

    It answers with the state of the job where it has not ended within wait_seconds; the job goes on.
    """
    return await followed(call, given.full_name("backtests"), given.wait_seconds, given.max_rows)


async def followed(call: Call, name: str, wait_seconds: float, max_rows: int) -> Answer:
    """The summary of a job at its end, or after `wait_seconds`."""
    try:
        async with asyncio.timeout(wait_seconds):
            await _report_progress(call, name)
    except TimeoutError:
        pass  # the answer says that the job has not ended
    answer = backtest_summary(await call.client.get_backtest(name), max_rows, all_figures=False)
    if answer["state"] in ("queued", "running"):
        answer["what_to_do"] = f"it goes on: call follow_backtest with the name {name}"
    return answer


async def _report_progress(call: Call, name: str) -> None:
    """Reports the progress of a job until it ends."""
    stage, reported = "", 0.0
    await call.report(reported, name)  # which is of use whatever becomes of the call
    async with closing(call.client.watch(name, min_interval=TICK_SECONDS)) as news:
        async for one in news:
            if isinstance(one, Milestone):
                stage = one.message or one.kind
            elif isinstance(one, Tick) and one.fraction > reported:  # a notice must say more than the one before
                reported = one.fraction
                await call.report(reported, _said(name, one, stage))


def _said(name: str, tick: Tick, stage: str) -> str:
    parts = [name, stage]
    if tick.date is not None:
        parts.append(tick.date.isoformat())
    if tick.nav is not None:
        parts.append(f"net asset value {tick.nav:,.2f}")
    if tick.eta_seconds is not None:
        parts.append(f"{tick.eta_seconds:.0f} s left")
    return ", ".join(part for part in parts if part)


async def list_optimizations(call: Call, given: ListArguments) -> Answer:
    """List optimisations that the server keeps, newest first."""
    page = await call.client.list_optimizations(given.limit, label=given.label)
    return {"optimizations": page.summaries, "more": bool(page.next_page_token)}


async def get_optimization(call: Call, given: GetArguments) -> Answer:
    """Read the weights and figures of a stored optimisation."""
    found = await call.client.get_optimization(given.full_name("optimizations"))
    return optimization_summary(found, given.max_rows)


async def list_reallocations(call: Call, given: ListReallocationsArguments) -> Answer:
    """List reallocations that the server keeps, newest first."""
    portfolio = full_name(given.portfolio, "portfolios", "portfolio") if given.portfolio else ""
    page = await call.client.list_reallocations(given.limit, label=given.label, portfolio=portfolio, state=given.state)
    return {"reallocations": page.summaries, "more": bool(page.next_page_token)}


async def get_reallocation(call: Call, given: GetArguments) -> Answer:
    """Read the trades of a stored reallocation."""
    found = await call.client.get_reallocation(given.full_name("reallocations"))
    return reallocation_summary(found, given.max_rows)


async def list_portfolios(call: Call, given: ListPortfoliosArguments) -> Answer:
    """List portfolios that the server keeps, by name."""
    found, more = await leading(call.client.list_portfolios(), given.limit)
    return {"portfolios": found, "more": more}


async def get_portfolio(call: Call, given: GetArguments) -> Answer:
    """Read a stored portfolio: units of each symbol, cash, and whether it has a mandate."""
    found = await call.client.get_portfolio(given.full_name("portfolios"))
    holdings = [{"symbol": one.symbol, "quantity": one.quantity} for one in found.holdings]
    return {
        "name": found.name,
        "display_name": found.display_name or None,
        "currency": found.currency or None,
        **first("holdings", holdings, given.max_rows),
        "cash": found.cash,
        "has_mandate": found.HasField("mandate"),
    }


TOOLS = (
    Tool(NoArguments, check_server),
    Tool(ListBacktestsArguments, list_backtests),
    Tool(GetBacktestArguments, get_backtest),
    Tool(SeriesArguments, get_backtest_series),
    Tool(FollowArguments, follow_backtest),
    Tool(ListArguments, list_optimizations),
    Tool(GetArguments, get_optimization),
    Tool(ListReallocationsArguments, list_reallocations),
    Tool(GetArguments, get_reallocation),
    Tool(ListPortfoliosArguments, list_portfolios),
    Tool(GetArguments, get_portfolio),
)

"""Prepares an attribution: checks labels, factors and the weights of the benchmark before anything is simulated."""

import numpy as np

from domain.backtest.attribution_request import PATH
from domain.backtest.market import Market
from domain.backtest.path_attribution import AttributedMarket, attributed_market
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.checks import Matrix
from domain.errors import InvalidInput

MOST_DAILY = 250_000
"""Daily contributions in one result: it must fit into one message, by default 4 MiB."""

PARTS = 6
"""Parts that are no groups, at most."""


def attribution_plan(specification: BacktestSpecification, market: Market, start: int) -> AttributedMarket | None:
    """What strategies are attributed with; None where nothing asks for it.

    Raises InvalidInput for a kind without labels, a benchmark without weights, factors that do not fit, and daily
    contributions that are too many.
    """
    request = specification.attribution
    if request is None:
        return None
    panel = market.panel
    days = panel.dates[start + 1 :]
    estimates = request.factors is not None and request.factors.returns is None
    returns = _asset_returns(market, start) if estimates else np.zeros((0, 0))
    found = attributed_market(request, panel.symbols, days, returns)
    _refuse_price_series(specification, market, found)
    if request.daily:
        columns = sum(len(level.names) + PARTS for level in found.levels)
        count = len(specification.strategies) * len(days) * columns
        if count > MOST_DAILY:
            rule = f"asks for {count} contributions, {MOST_DAILY} at most fit into a result: name fewer groups or dates"
            raise InvalidInput(f"{PATH}.daily", rule)
    return found


def _asset_returns(market: Market, start: int) -> Matrix:
    """Total returns of the assets on the dates after the start, NaN where there is none."""
    levels = market.total_return[start:]
    with np.errstate(invalid="ignore", divide="ignore"):
        changes = levels[1:] / np.where(levels[:-1] > 0.0, levels[:-1], np.nan) - 1.0
    result: Matrix = np.where(np.isfinite(changes), changes, np.nan)
    return result


def _refuse_price_series(specification: BacktestSpecification, market: Market, found: AttributedMarket) -> None:
    """Raises InvalidInput where the first benchmark is no asset of the input with a label of every kind."""
    first = specification.benchmarks[0] if specification.benchmarks else None
    if not isinstance(first, BenchmarkSymbol):
        return
    advice = "give a benchmark that is a strategy, or attribute without a benchmark"
    if first.symbol not in market.panel.symbols:
        rule = f"{first.symbol} is a price series without weights, which attribution needs: {advice}"
        raise InvalidInput("benchmarks[0].symbol", rule)
    asset = market.panel.symbols.index(first.symbol)
    for level in found.levels:
        if level.group_of(asset) is None:
            rule = f"{first.symbol} has no weights by {level.kind}, as it has no such label: label it, {advice}"
            raise InvalidInput("benchmarks[0].symbol", rule)

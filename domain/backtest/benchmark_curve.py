"""The curve of a benchmark that is a symbol: one unit bought at the start and held through its corporate actions.

Splits change no wealth, dividends are reinvested at the close of their ex-dates, and what a delisting pays stays in
cash, which earns the cash rate as it does in the account of a strategy.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from domain.backtest.market import Market, actions_as_arrays, with_states
from domain.backtest.metrics import Curve
from domain.backtest.simulation.arrays import DELISTING, SPLIT, Actions
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.stored_actions import naming_stored, within
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import delisting_days
from domain.market_data.panel import PricePanel


def benchmark_curve(
    i: int,
    specification: BacktestSpecification,
    market: Market,
    days: NDArray[np.int32],
    others: Mapping[str, PricePanel],
) -> Curve:
    """The curve of benchmark number i on those dates `days` of the backtest on which it has a price.

    `others` are prices of symbols that are not in the market. Raises InvalidInput where fewer than two dates are in
    common, where it is worth nothing at the start, and for a stored delisting without a return under FAIL.
    """
    benchmark = specification.benchmarks[i]
    if not isinstance(benchmark, BenchmarkSymbol):
        raise TypeError("a benchmark that is a strategy has the curve of its simulation")
    if benchmark.symbol in market.panel.symbols:
        dates, values = market.panel.dates, market.panel.column(benchmark.symbol)
        actions, column = market.actions, market.panel.symbols.index(benchmark.symbol)
    else:
        dates, values, actions = _outside(others[benchmark.symbol], specification, days)
        column = 0
    interest = _interest(specification, dates, market.periods_per_year)
    levels = held_levels(values, actions, column, interest)
    known = np.isin(dates, days) & ~np.isnan(levels)
    path = f"benchmarks[{i}].symbol"
    if int(known.sum()) < 2:
        raise InvalidInput(path, f"{benchmark.symbol} has fewer than two dates in common with the backtest")
    if levels[known][0] == 0.0:
        raise InvalidInput(path, f"{benchmark.symbol} has a price of 0 at the start of the backtest")
    if not np.isfinite(levels[known]).all():
        raise InvalidInput(path, f"{benchmark.symbol} has a total return too large for a number")
    return Curve(dates[known], levels[known])


def held_levels(values: Vector, actions: Actions, column: int, interest: Vector) -> Vector:
    """Value of one unit bought at the first price and held, (T,), from prices (T,) and actions of asset `column`.

    NaN where there is no price. `interest` (T,) is what cash earns to each date.
    """
    own = np.flatnonzero(actions.asset == column)
    if not len(own):
        return values
    prices, units, dividends, rates = values.copy(), np.ones(len(values)), np.zeros(len(values)), np.zeros(len(values))
    for event in own.tolist():
        t, amount = int(actions.date[event]), float(actions.amount[event])
        if actions.kind[event] == DELISTING:
            prices[t:] = amount
            rates[t + 1 :] = interest[t + 1 :]
        elif actions.kind[event] == SPLIT:
            units[t] *= amount
        else:
            dividends[t] += amount
    level, last, since = np.nan, 0.0, 1.0
    result = np.full(len(values), np.nan)
    for t, price in enumerate(prices.tolist()):
        since *= units[t]
        if np.isnan(price):
            continue
        if last > 0.0:
            level *= since * (price + dividends[t]) / last + rates[t]
        elif not level >= 0.0 or (level == 0.0 and price > 0.0):
            level = price  # its first price; 0 before it is listed
        result[t], last, since = level, price, 1.0
    return result


def _outside(
    panel: PricePanel, specification: BacktestSpecification, days: NDArray[np.int32]
) -> tuple[NDArray[np.int32], Vector, Actions]:
    """Dates, prices and actions of a stored symbol that the market does not have; to the end where it is delisted."""
    stored = specification.benchmark_actions
    own = tuple(action for action in stored if action.symbol == panel.symbols[0])
    with naming_stored(own, 0):
        if delisting_days(own):
            later = days[days > panel.dates[-1]]
            values = np.vstack([panel.values, np.full((len(later), 1), np.nan)])
            panel = PricePanel.of(panel.symbols, np.append(panel.dates, later), values)
            panel, _, own = with_states(panel, own, specification.delisting_policy, every_gap=True)
        own = within(panel, own)
        actions = actions_as_arrays(panel, own, specification.dividend_policy, specification.withholding_rate)
    return panel.dates, panel.column(panel.symbols[0]), actions


def _interest(specification: BacktestSpecification, dates: NDArray[np.int32], periods_per_year: float) -> Vector:
    costs = specification.holding_costs
    interest: Vector = costs.cash.during(dates) * costs.day_count.years(dates, periods_per_year)
    return interest

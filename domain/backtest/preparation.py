"""Prepares a backtest: joins a specification with data and checks both before the first step."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.backtest.metrics import Curve
from domain.backtest.rebalancing import Rebalancing
from domain.backtest.simulator import Market, Simulation, StrategyRun
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.strategies import Strategy
from domain.cancellation import CancellationCheck, never_cancelled
from domain.errors import Cancelled, DomainError, InvalidInput, SolverTimedOut
from domain.market_data.missing import complete, refuse_gap_estimators
from domain.market_data.panel import Panel, PricePanel, ReturnPanel
from domain.market_data.source import infer_periods_per_year
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """A backtest that can be run: checked data, strategies with the dates of their decisions, benchmark curves."""

    specification: BacktestSpecification
    market: Market
    strategy_runs: tuple[StrategyRun, ...]  # strategies, then benchmarks that are strategies
    curves: Mapping[str, Curve]  # benchmarks that are symbols
    warnings: tuple[ResultWarning, ...] = ()  # about the specification; field paths as seen from the request

    @property
    def days(self) -> NDArray[np.int32]:
        """Dates of the backtest from the first decision on, (T,), since 1970-01-01."""
        return self.market.panel.dates[self.strategy_runs[0].start :]


def prepare(
    specification: BacktestSpecification,
    data: PricePanel | ReturnPanel,
    benchmarks: Mapping[str, PricePanel] | None = None,
    check_cancelled: CancellationCheck = never_cancelled,
) -> BacktestPlan:
    """The plan of a specification on data; `benchmarks` holds prices of symbols that are not in the data.

    Raises InvalidInput with the field named: a gap under FAIL, a lookback longer than the data, an unknown symbol, a
    benchmark without common dates.
    """
    complete_data = _complete(specification, data)
    panel = _prices_of(complete_data)
    periods = infer_periods_per_year(specification.periods_per_year, complete_data)
    _check_cash_rate(specification, periods)
    market = Market(panel, periods, specification.costs, specification.cash_rate_annual)
    _check_cost_symbols(specification, panel)
    strategies = _strategies_by_path(specification)
    start = max(_first_decision(path, strategy, panel) for path, strategy in strategies)
    strategy_runs = tuple(
        _strategy_run(strategy, specification.rebalancing, specification.delay, panel, start)
        for _, strategy in strategies
    )
    if start + max(specification.delay, 1) > len(panel.dates) - 1:
        raise InvalidInput(
            "prices", f"must hold a date after the first decision can be filled; there are {len(panel.dates)}"
        )
    warnings: list[ResultWarning] = []
    for (path, strategy), strategy_run in zip(strategies, strategy_runs, strict=True):
        simulation = Simulation(market, strategy_run, specification.initial_capital)
        warnings += _check_strategy(path, strategy, simulation, start, check_cancelled)
    curves = {
        b.name: _benchmark_curve(i, b, panel, panel.dates[start:], benchmarks or {})
        for i, b in enumerate(specification.benchmarks)
        if isinstance(b, BenchmarkSymbol)
    }
    return BacktestPlan(specification, market, strategy_runs, curves, tuple(warnings))


def simulated_prices(specification: BacktestSpecification, data: PricePanel | ReturnPanel) -> PricePanel:
    """The complete prices a backtest is simulated on; an asset that becomes worthless has the price 0 from then on.

    Raises InvalidInput with the field path from the request on.
    """
    return _prices_of(_complete(specification, data))


def _prices_of(data: PricePanel | ReturnPanel) -> PricePanel:
    """Prices as they are; returns compounded from 100, on the date one usual step before the first of them."""
    if isinstance(data, PricePanel):
        return data
    dates = np.append(int(data.dates[0]) - data.usual_step, data.dates.astype(np.int64))
    with np.errstate(over="ignore", invalid="ignore"):  # PricePanel rejects infinity
        levels = 100.0 * np.cumprod(np.vstack([np.ones(len(data.symbols)), 1.0 + data.values]), axis=0)
    try:
        return PricePanel.of(data.symbols, dates, levels)
    except InvalidInput as error:
        rule = f"cannot be compounded to prices from 100: {error.rule}"
        raise InvalidInput("returns", rule) from None


def _complete(specification: BacktestSpecification, data: PricePanel | ReturnPanel) -> PricePanel | ReturnPanel:
    refuse_gap_estimators(specification.missing_data)
    try:
        return complete(data.with_worthless(), specification.missing_data)
    except InvalidInput as error:
        raise error.with_path_prefix("prices" if isinstance(data, PricePanel) else "returns") from None


def _check_cash_rate(specification: BacktestSpecification, periods_per_year: float) -> None:
    rate = specification.cash_rate_annual
    if rate / periods_per_year <= -1.0:
        rule = f"must not take all of the cash in one of {periods_per_year:g} periods a year, is {rate:g}"
        raise InvalidInput("costs.cash_rate_annual", rule)


def _check_cost_symbols(specification: BacktestSpecification, panel: PricePanel) -> None:
    known = set(panel.symbols)
    for i, symbol in enumerate(specification.costs.by_symbol_bps):
        if symbol not in known:
            raise InvalidInput(f"costs.by_asset[{i}].symbol", f"{symbol} is not a symbol of the input")


def _strategies_by_path(specification: BacktestSpecification) -> list[tuple[str, Strategy]]:
    """Strategies, then benchmarks that are strategies, each with its field path."""
    found = [(_path(i, specification), strategy) for i, strategy in enumerate(specification.strategies)]
    found += [
        (f"benchmarks[{i}].strategy.{benchmark.kind}", benchmark)
        for i, benchmark in enumerate(specification.benchmarks)
        if not isinstance(benchmark, BenchmarkSymbol)
    ]
    return found


def _path(i: int, specification: BacktestSpecification) -> str:
    strategies = specification.strategies
    listed = specification.listed or len(strategies) > 1
    return f"{f'strategies[{i}]' if listed else 'strategy'}.{strategies[i].kind}"


def _first_decision(path: str, strategy: Strategy, panel: PricePanel) -> int:
    needed = strategy.lookback_window.fewest_dates
    if needed > len(panel.dates):
        raise InvalidInput(
            f"{path}.lookback_periods",
            f"needs {needed} dates before the first decision, the input has {len(panel.dates)}",
        )
    own = strategy.own_dates()
    if not own:
        return needed - 1
    first = int(np.searchsorted(panel.dates, own[0]))
    if first >= len(panel.dates):
        raise InvalidInput(f"{path}.entries[0].date", "is after the last date of the input")
    return max(needed - 1, first)


def _strategy_run(
    strategy: Strategy, rebalancing: Rebalancing, delay: int, panel: PricePanel, start: int
) -> StrategyRun:
    own = np.searchsorted(panel.dates, np.array(strategy.own_dates(), dtype=np.int64))
    indices = np.union1d(np.append(rebalancing.decision_indices(panel.dates, start), start), own[own > start])
    # No decision is made that would be filled after the last date.
    return StrategyRun(strategy, indices[indices + delay < len(panel.dates)], delay)


def _check_strategy(
    path: str, strategy: Strategy, simulation: Simulation, start: int, check_cancelled: CancellationCheck
) -> list[ResultWarning]:
    try:
        check_cancelled()
        return [
            warning.with_path_prefix(path) for warning in strategy.check(simulation.history(start), check_cancelled)
        ]
    except InvalidInput as error:
        raise error.with_path_prefix(path) from None
    except (Cancelled, SolverTimedOut):
        raise
    except DomainError:
        # Whether a solution exists can change from date to date; a failure there is a value.
        return []


def _benchmark_curve(
    i: int,
    benchmark: BenchmarkSymbol,
    panel: PricePanel,
    days: NDArray[np.int32],
    others: Mapping[str, PricePanel],
) -> Curve:
    source: Panel = panel if benchmark.symbol in panel.symbols else others[benchmark.symbol]
    prices = source.column(benchmark.symbol)
    known = np.isin(source.dates, days) & ~np.isnan(prices)
    path = f"benchmarks[{i}].symbol"
    if int(known.sum()) < 2:
        raise InvalidInput(path, f"{benchmark.symbol} has fewer than two dates in common with the backtest")
    if prices[known][0] == 0.0:
        raise InvalidInput(path, f"{benchmark.symbol} has a price of 0 at the start of the backtest")
    return Curve(source.dates[known], prices[known])

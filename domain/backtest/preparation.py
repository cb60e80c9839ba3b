"""Prepares a backtest: joins a specification with data and checks both before the first step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.attribution_plan import attribution_plan
from domain.backtest.benchmark_curve import benchmark_curve
from domain.backtest.candidate_runs import CandidateRun, candidate_runs
from domain.backtest.decision_dates import first_decision, strategy_run
from domain.backtest.impact_rates import unknown_liquidity
from domain.backtest.inputs import Inputs
from domain.backtest.liquidity import StoredTrading, TrailingLiquidity, trailing_liquidity
from domain.backtest.market import (
    Market,
    actions_as_arrays,
    no_actions,
    refuse_double_counting,
    total_return_prices,
    with_states,
    without_delisted,
)
from domain.backtest.metrics import Curve
from domain.backtest.participation import unknown_limits
from domain.backtest.path_attribution import AttributedMarket
from domain.backtest.planned_costs import planned_cost_warnings
from domain.backtest.returns_input import refuse_what_needs_prices
from domain.backtest.shifted_calendars import ShiftedRun, shifted_runs
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.stored_actions import naming_stored, within
from domain.backtest.strategies import Strategy
from domain.backtest.strategy_run import StrategyRun
from domain.backtest.unused_fields import (
    refuse_unused_dates,
    refuse_unused_lookback,
    refuse_unused_targets,
    unused_field_warnings,
)
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix
from domain.costs.impact import AlmgrenImpact
from domain.errors import Cancelled, DomainError, InvalidInput, SolverTimedOut
from domain.market_data.corporate_actions import CorporateAction, PriceBasis
from domain.market_data.missing import MissingDataPolicy, complete, refuse_gap_estimators
from domain.market_data.panel import PricePanel, ReturnPanel, civil_date
from domain.market_data.source import infer_periods_per_year
from domain.records import dataclass
from domain.significance.settings import block_length_within
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """A backtest that can be run: checked data, strategies with the dates of their decisions, benchmark curves."""

    specification: BacktestSpecification
    market: Market
    strategy_runs: tuple[StrategyRun, ...]  # candidates, strategies, benchmarks that are strategies, shifted ones
    curves: Mapping[str, Curve]  # benchmarks that are symbols
    groups: dict[str, tuple[str, ...]]  # members of the groups that bands name
    inputs: tuple[Inputs, ...]  # arrays of each run
    shifted: tuple[ShiftedRun, ...] = ()  # they are the last of the strategy runs
    warnings: tuple[ResultWarning, ...] = ()  # about the specification; field paths as seen from the request
    attributed: AttributedMarket | None = None  # what strategies are attributed with; None where nothing asks for it
    candidates: tuple[CandidateRun, ...] = ()  # of strategies that select; they are the first of the strategy runs

    @property
    def asked_runs(self) -> tuple[StrategyRun, ...]:
        """Those of strategies and of benchmarks that are strategies, which the request names."""
        return self.strategy_runs[len(self.candidates) : self.shifted_from]

    def is_asked(self, index: int) -> bool:
        """Whether the strategy run at an index is one of them."""
        return len(self.candidates) <= index < self.shifted_from

    @property
    def shifted_from(self) -> int:
        """Index of the first shifted one among the strategy runs."""
        return len(self.strategy_runs) - len(self.shifted)

    @property
    def days(self) -> NDArray[np.int32]:
        """Dates of the backtest from the first decision on, (T,), since 1970-01-01."""
        return self.market.panel.dates[self.strategy_runs[0].start :]


def prepare(
    specification: BacktestSpecification,
    data: PricePanel | ReturnPanel,
    benchmarks: Mapping[str, PricePanel] | None = None,
    check_cancelled: CancellationCheck = never_cancelled,
    opens: PricePanel | None = None,
    groups: Mapping[str, tuple[str, ...]] | None = None,
    trading: StoredTrading | None = None,
) -> BacktestPlan:
    """The plan of a specification on data; `benchmarks` holds prices of symbols that are not in the data.

    `opens` are opening prices of the symbols and dates of the data, `groups` the members of stored groups, `trading`
    what is stored of volumes and earlier prices.

    Raises InvalidInput with the field named: a gap under FAIL, a lookback longer than the data, an unknown symbol, a
    benchmark without common dates.
    """
    market = simulated_market(specification, data, opens)
    if specification.needs_liquidity(market.panel.symbols):
        market = replace(market, liquidity=_liquidity(specification, market, trading or StoredTrading()))
    panel = market.panel
    _check_cost_symbols(specification, panel)
    refuse_unused_lookback(specification, panel.symbols)
    strategies = specification.outer_strategies()
    start = first_decision(specification, panel)
    refuse_unused_dates(specification, panel.dates, start)
    strategy_runs = tuple(strategy_run(strategy, specification, panel, start) for _, strategy in strategies)
    if start + max(specification.delay, 1) > len(panel.dates) - 1:
        raise InvalidInput(
            "prices", f"must hold a date after the first decision can be filled; there are {len(panel.dates)}"
        )
    if specification.universe is not None and market.members is not None:
        decisions = [run.decisions for run in strategy_runs]
        specification.universe.refuse_empty(market.members, panel, np.unique(np.concatenate(decisions)))
    warnings = list(planned_cost_warnings(specification))
    members = dict(groups or {})
    inputs = []
    for (path, strategy), made in zip(strategies, strategy_runs, strict=True):
        _check_planned(path, strategy, panel)
        simulation = Simulation(market, specification, made, members)
        inputs.append(simulation.inputs)
        warnings += _check_strategy(path, strategy, simulation, start, check_cancelled)
    paths = [path for path, _ in strategies]
    refuse_unused_targets(specification, list(zip(paths, strategy_runs, strict=True)), inputs, market)
    warnings += unused_field_warnings(specification, market, start)
    curves = {
        b.name: benchmark_curve(i, specification, market, panel.dates[start:], benchmarks or {})
        for i, b in enumerate(specification.benchmarks)
        if isinstance(b, BenchmarkSymbol)
    }
    first_fill = start + specification.delay
    warnings += unknown_liquidity(specification.costs, market, first_fill)
    warnings += unknown_limits(specification, market, first_fill)
    _check_block_length(specification, len(panel.dates) - start - 1)
    shifted = shifted_runs(specification, panel, start)
    inputs += [Simulation(market, specification, one.run, members).inputs for one in shifted]
    candidates = candidate_runs(list(zip(paths, strategy_runs, strict=True)))
    inputs[:0] = [Simulation(market, specification, one.run, members).inputs for one in candidates]
    runs = (*(one.run for one in candidates), *strategy_runs, *(one.run for one in shifted))
    attributed = attribution_plan(specification, market, start, check_cancelled)
    return BacktestPlan(
        specification, market, runs, curves, members, tuple(inputs), shifted, tuple(warnings), attributed, candidates
    )


def _check_block_length(specification: BacktestSpecification, returns: int) -> None:
    block_length_within("analysis.statistical_validation.block_length", specification.validation.block_length, returns)


def simulated_market(
    specification: BacktestSpecification, data: PricePanel | ReturnPanel, opens: PricePanel | None = None
) -> Market:
    """The market a backtest is simulated in. Raises InvalidInput with the field path from the request on."""
    if isinstance(data, ReturnPanel):
        refuse_what_needs_prices(specification, with_open_prices=opens is not None)
    refuse_double_counting(specification.corporate_actions, specification.price_basis)
    prices, tradable, actions, periods = _with_states(specification, data)
    events = no_actions(specification.dividend_policy, specification.withholding_rate)
    if actions:
        with naming_stored(actions, len(specification.corporate_actions)):
            events = actions_as_arrays(prices, actions, specification.dividend_policy, specification.withholding_rate)
    marks = without_delisted(prices, events)
    total_return = total_return_prices(marks, events, tradable)
    return Market(
        marks,
        tradable,
        None if opens is None else _open_prices(opens, marks, _closes(data, marks)),
        total_return,
        events,
        periods,
        all_listed=marks.least > 0.0,
        members=None if specification.universe is None else specification.universe.members(marks.symbols, marks.dates),
    )


def _liquidity(specification: BacktestSpecification, market: Market, stored: StoredTrading) -> TrailingLiquidity:
    """Daily values and volatilities from the dates before each date."""
    marks = market.panel
    traded = marks.values > 0.0 if market.tradable is None else market.tradable & (marks.values > 0.0)
    closes = PricePanel(marks.symbols, marks.dates, np.where(traded, marks.values, np.nan))
    if specification.price_basis is PriceBasis.UNADJUSTED:
        # A split before the first date, which nobody names here, would be taken for a return.
        stored = replace(stored, earlier=None)
    lookback = specification.costs.liquidity_lookback
    return trailing_liquidity(closes, market.total_return, stored, lookback, market.periods_per_year)


def _with_states(
    specification: BacktestSpecification, data: PricePanel | ReturnPanel
) -> tuple[PricePanel, NDArray[np.bool_] | None, Sequence[CorporateAction], float]:
    """Prices without gaps, which assets can be traded, corporate actions, and periods per year."""
    given, policy = specification.periods_per_year, specification.missing_data
    if not specification.has_states:
        complete_data = _complete(data, policy)
        prices = _prices_of(complete_data)
        # Dates may have been dropped, and with them those of a stored action.
        actions = (*specification.corporate_actions, *within(prices, specification.stored_actions))
        return prices, None, actions, infer_periods_per_year(given, complete_data)
    try:
        with naming_stored(specification.all_actions, len(specification.corporate_actions)):
            marks, tradable, completed = with_states(
                _prices_of(data.with_worthless()),
                specification.all_actions,
                specification.delisting_policy,
                every_gap=policy is MissingDataPolicy.ASSET_STATES,
            )
    except InvalidInput as error:
        if not error.field.startswith("values"):
            raise
        raise error.with_path_prefix(_kind_of(data)) from None
    return marks, tradable, completed, infer_periods_per_year(given, data)


def _kind_of(data: PricePanel | ReturnPanel) -> str:
    return "prices" if isinstance(data, PricePanel) else "returns"


def _closes(data: PricePanel | ReturnPanel, marks: PricePanel) -> Matrix:
    """Closing prices as they were given on the dates of the marks, (T, N); NaN where there is none."""
    if not isinstance(data, PricePanel):
        return marks.values
    closes: Matrix = data.with_worthless().values[np.searchsorted(data.dates, marks.dates)]
    return closes


def _open_prices(opens: PricePanel, marks: PricePanel, closes: Matrix) -> Matrix:
    """Opening prices in the order of the closing ones, (T, N); the mark where a date has no close.

    An asset whose close is 0 for the first time was traded at the open of that date: a close says nothing about what
    came before it.
    """
    if set(opens.symbols) != set(marks.symbols):
        raise InvalidInput("open_prices.symbols", "must be those of the prices")
    if not np.isin(marks.dates, opens.dates).all():
        missing = civil_date(marks.dates[int(np.argmin(np.isin(marks.dates, opens.dates)))])
        raise InvalidInput("open_prices.dates", f"must hold every date of the prices; {missing} is missing")
    order = [opens.symbols.index(symbol) for symbol in marks.symbols]
    values = opens.values[np.searchsorted(opens.dates, marks.dates)][:, order]
    worth = np.vstack([marks.values[:1], marks.values[:-1]]) > 0.0
    traded = ~np.isnan(closes) & ((closes > 0.0) | worth)
    unknown = traded & ~(values > 0.0) & ~((values == 0.0) & (closes == 0.0))
    if unknown.any():
        t, j = (int(k) for k in np.argwhere(unknown)[0])
        raise InvalidInput(
            "open_prices.values", f"must hold the price of {marks.symbols[j]} on {civil_date(marks.dates[t])}"
        )
    return np.where(traded, values, marks.values)


def _prices_of(data: PricePanel | ReturnPanel) -> PricePanel:
    """Prices as they are; returns compounded from 100, on the date one usual step before the first of them.

    A missing return means a missing price; the return that follows is from the last known price.
    """
    if isinstance(data, PricePanel):
        return data
    dates = np.append(int(data.dates[0]) - data.usual_step, data.dates.astype(np.int64))
    known = ~np.isnan(data.values)
    with np.errstate(over="ignore", invalid="ignore"):  # PricePanel rejects infinity
        growth = np.where(known, 1.0 + data.values, 1.0)
        levels = 100.0 * np.cumprod(np.vstack([np.ones(len(data.symbols)), growth]), axis=0)
    if not known.all():
        levels = np.where(_has_price(known), levels, np.nan)
    try:
        return PricePanel.of(data.symbols, dates, levels)
    except InvalidInput as error:
        rule = f"cannot be compounded to prices from 100: {error.rule}"
        raise InvalidInput("returns", rule) from None


def _has_price(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Dates with a price, (T + 1, N), from the returns that are known, (T, N): the first return has one before it."""
    result: NDArray[np.bool_] = np.vstack([np.zeros_like(known[:1]), known])
    first = np.argmax(known, axis=0)
    result[first, np.arange(known.shape[1])] |= known.any(axis=0)
    return result


def _complete(data: PricePanel | ReturnPanel, policy: MissingDataPolicy) -> PricePanel | ReturnPanel:
    refuse_gap_estimators(policy)
    if isinstance(data, PricePanel) and data.least > 0.0:  # neither a gap nor a price of 0
        return data
    try:
        return complete(data.with_worthless(), policy)
    except InvalidInput as error:
        raise error.with_path_prefix(_kind_of(data)) from None


def _check_cost_symbols(specification: BacktestSpecification, panel: PricePanel) -> None:
    costs = specification.costs
    named = {"costs.by_asset": costs.own_costs, "costs.liquidity": tuple(costs.liquidity)}
    if isinstance(costs.impact, AlmgrenImpact):
        named["costs.impact.almgren.shares_outstanding"] = tuple(costs.impact.shares_outstanding)
    if not any(named.values()):
        return
    known = set(panel.symbols)
    for path, symbols in named.items():
        for i, symbol in enumerate(symbols):
            if symbol not in known:
                raise InvalidInput(f"{path}[{i}].symbol", f"{symbol} is not a symbol of the input")


def _check_planned(path: str, strategy: Strategy, panel: PricePanel) -> None:
    """Raises InvalidInput with its path for a strategy that cannot plan its weights."""
    try:
        strategy.planned(panel.symbols, panel.dates[:1], None)
    except InvalidInput as error:
        raise error.with_path_prefix(path) from None


def _check_strategy(
    path: str,
    strategy: Strategy,
    simulation: Simulation,
    start: int,
    check_cancelled: CancellationCheck,
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

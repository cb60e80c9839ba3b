"""The schedule of a plan: its trades, in whole lots, over periods of trading days."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from domain.calendar import TRADING_DAYS_PER_YEAR
from domain.checks import LARGEST_FIGURE, Matrix, Vector, non_negative, positive
from domain.errors import InvalidInput
from domain.exact import FRACTION_DIGITS, ZERO, decimal_step, exact, exact_arithmetic
from domain.market_data.snapshot import Quote, Snapshot
from domain.optimization.programs.solver_control import UNLIMITED, SolverControl
from domain.reallocation.optimal_execution.almgren_chriss import (
    ExecutionCost,
    execution_cost,
    optimal_schedule,
)
from domain.reallocation.optimal_execution.problem import LEAST_IMPACT, ExecutionProblem, PriceModel
from domain.reallocation.optimal_execution.whole_lots import hedge_in_whole_lots, in_whole_lots
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class ScheduleTerms:
    """How trades are spread; impact is the same for every asset, and a period is the unit of time."""

    risk_aversion: float  # per unit of money
    periods: int
    temporary: float  # change of price per unit traded in a period
    permanent: float = 0.0  # change of price per unit traded
    fixed: float = 0.0  # money per unit, such as half the spread
    volatilities: Sequence[float] | None = None  # of each asset of the snapshot: of its price in a period, in money
    correlation: Sequence[float] | None = None  # of the price changes of all assets of the snapshot, row by row
    hedge: bool = False
    period_days: float = 1.0  # trading days of a period, for limits by volume and volatilities of the snapshot

    def __post_init__(self) -> None:
        if self.periods < 1:
            raise InvalidInput("periods", f"must be 1 or more, is {self.periods}")
        positive("temporary", self.temporary)
        non_negative("permanent", self.permanent)
        non_negative("fixed", self.fixed)
        positive("period_days", self.period_days)
        for i, volatility in enumerate(self.volatilities or ()):
            non_negative(f"volatilities[{i}]", volatility)
        if self.temporary - 0.5 * self.permanent < LEAST_IMPACT:
            rule = f"must be above half of permanent, {0.5 * self.permanent:g}, is {self.temporary:g}"
            raise InvalidInput("temporary", rule)


@dataclass(frozen=True, slots=True)
class AssetSchedule:
    """One asset; units are exact, and negative to sell."""

    symbol: str
    trades: tuple[Decimal, ...]  # of each period
    remaining: tuple[Decimal, ...]  # to be traded before the first period, and after each
    remainder: Decimal  # what the limits leave untraded


@dataclass(frozen=True, slots=True)
class PlannedSchedule:
    """Every asset that is traded, in the order of the snapshot."""

    assets: tuple[AssetSchedule, ...]
    cost: ExecutionCost  # of the whole lots
    optimal_cost: ExecutionCost  # of the optimum in fractions of a lot
    gap: float  # of the optimum in fractions of a lot, as in ExecutionSchedule


def schedule_plan(
    quantities: Mapping[str, Decimal],
    market: Snapshot,
    terms: ScheduleTerms,
    max_participation: float | None = None,
    fractional: bool = False,
    control: SolverControl = UNLIMITED,
) -> PlannedSchedule:
    """Spreads the trades of a plan, in units, negative to sell, over periods of `period_days` trading days.

    `max_participation` limits each period to a part of the volume of its days. Quantities are whole lots, or decimal
    numbers with `fractional`. Without `hedge` the schedule has the symbols of the plan only; with it any asset of the
    snapshot that is not halted may be traded as well.

    Raises InvalidInput for terms that do not fit the snapshot, more than can be solved, or a trade in an asset without
    a quote; SolverTimedOut, SolverFailed.
    """
    _check_quantities(quantities, market)
    symbols = [symbol for symbol in market.quotes if terms.hedge or quantities.get(symbol)]
    traded = [quantities.get(symbol, ZERO) for symbol in symbols]
    limits = [
        _limit(market.quotes[symbol], abs(quantity), max_participation, fractional, terms.period_days)
        for symbol, quantity in zip(symbols, traded, strict=True)
    ]
    problem = _problem(market, terms, symbols, traded, limits)
    found = optimal_schedule(problem, control)
    assets = []
    for symbol, quantity, limit, path in zip(symbols, traded, limits, found.remaining.T, strict=True):
        lot = _lot(market.quotes[symbol], quantity, path, fractional)
        assets.append(_in_lots(symbol, quantity, path, lot, [limit] * terms.periods, terms.hedge))
    cost = _cost_of_lots(problem, assets)
    return PlannedSchedule(tuple(a for a in assets if any(a.remaining)), cost, found.cost, found.gap)


def _check_quantities(quantities: Mapping[str, Decimal], market: Snapshot) -> None:
    for symbol, units in quantities.items():
        if units and symbol not in market.quotes:
            raise InvalidInput("snapshot.assets", f"{symbol} is to be traded and has no price")
        if abs(units) > LARGEST_FIGURE:
            raise InvalidInput("schedule", f"takes trades of at most {LARGEST_FIGURE:g} units, of {symbol} {units:g}")


def _problem(
    market: Snapshot,
    terms: ScheduleTerms,
    symbols: Sequence[str],
    quantities: Sequence[Decimal],
    limits: Sequence[Decimal],
) -> ExecutionProblem:
    most = np.broadcast_to([float(limit) for limit in limits], (terms.periods, len(symbols)))
    return ExecutionProblem(
        np.array([-float(quantity) for quantity in quantities]),
        _price_model(market, terms, symbols),
        terms.risk_aversion,
        terms.periods,
        largest_trades=most if np.isfinite(most).any() else None,
        hedge=terms.hedge,
    )


def _price_model(market: Snapshot, terms: ScheduleTerms, symbols: Sequence[str]) -> PriceModel:
    """Of some assets; a given correlation is checked as a whole."""
    size = len(market.quotes)
    places = {symbol: i for i, symbol in enumerate(market.quotes)}
    chosen = np.array([places[symbol] for symbol in symbols], dtype=np.intp)
    volatilities = _volatilities(market, terms, symbols)
    correlation: Matrix | None = None
    if terms.correlation is not None:
        zeros = np.zeros(size)
        whole = PriceModel(zeros, zeros, zeros, zeros, np.asarray(terms.correlation, dtype=np.float64))
        correlation = None if whole.correlation is None else whole.correlation[np.ix_(chosen, chosen)]
    ones = np.ones(len(symbols))
    return PriceModel(terms.temporary * ones, terms.permanent * ones, terms.fixed * ones, volatilities, correlation)


def _volatilities(market: Snapshot, terms: ScheduleTerms, symbols: Sequence[str]) -> Vector:
    if terms.volatilities is not None:
        if len(terms.volatilities) != len(market.quotes):
            rule = f"has {len(terms.volatilities)} entries but the snapshot has {len(market.quotes)} assets"
            raise InvalidInput("volatilities", rule)
        given = dict(zip(market.quotes, terms.volatilities, strict=True))
        return np.array([given[symbol] for symbol in symbols], dtype=np.float64)
    found = []
    for symbol in symbols:
        quote = market.quotes[symbol]
        if quote.volatility_annual is None:
            raise InvalidInput("volatilities", f"must be given: the snapshot has no volatility of {symbol}")
        found.append(quote.volatility_annual * quote.price * math.sqrt(terms.period_days / TRADING_DAYS_PER_YEAR))
    return np.array(found)


def _limit(
    quote: Quote, units: Decimal, max_participation: float | None, fractional: bool, period_days: float
) -> Decimal:
    """Units in one period, cut to whole lots unless all can be traded at once; infinite for no limit."""
    if quote.halted:
        return ZERO
    if max_participation is None or quote.average_daily_volume is None:
        return Decimal("Infinity")
    with exact_arithmetic():
        limit = exact(max_participation) * exact(quote.average_daily_volume) * exact(period_days)
        return limit if fractional or limit >= units else limit // exact(quote.lot_size) * exact(quote.lot_size)


def _lot(quote: Quote, units: Decimal, path: Vector, fractional: bool) -> Decimal:
    if not fractional:
        return exact(quote.lot_size)
    size = max(abs(units), exact(float(np.abs(path).max())))
    return decimal_step(size, FRACTION_DIGITS) if size else exact(quote.lot_size)


def _in_lots(
    symbol: str, units: Decimal, path: Vector, lot: Decimal, limits: Sequence[Decimal], hedge: bool
) -> AssetSchedule:
    """Positions of the problem are positive to sell, those of a plan negative."""
    if hedge:
        lots, sign = hedge_in_whole_lots(path.tolist(), -units, lot, limits), -1
    else:
        lots, sign = in_whole_lots(np.abs(path).tolist(), abs(units), lot, limits), 1 if units > ZERO else -1
    return AssetSchedule(
        symbol,
        tuple(sign * trade for trade in lots.trades),
        tuple(sign * left for left in lots.remaining),
        sign * lots.remainder,
    )


def _cost_of_lots(problem: ExecutionProblem, assets: Sequence[AssetSchedule]) -> ExecutionCost:
    if not assets:
        return execution_cost(problem, np.zeros((problem.periods + 1, 0)))
    remaining = np.array([[-float(left - asset.remainder) for left in asset.remaining] for asset in assets]).T
    return execution_cost(replace(problem, units=remaining[0]), remaining)

"""Strategies that solve a problem of Optimize at each decision."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.protocol import FromHistory, LookbackWindow, WithoutDates
from domain.backtest.survivors import without_symbols
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.costs.impact import Liquidity
from domain.market_data.panel import PricePanel
from domain.optimization.problem.bound_warnings import bound_warnings
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.constraints import Turnover
from domain.optimization.request.objectives import InverseVolatility
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.records import dataclass
from domain.warnings import ResultWarning

FEWEST_RETURNS = 2
"""Fewest returns of a covariance."""


@dataclass(frozen=True, slots=True)
class Optimized(WithoutDates, FromHistory):
    """Any problem of Optimize, over the last `lookback` returns, or all since the start."""

    specification: Specification
    lookback: int | None = None
    label: str = "optimize"
    kind: str = "optimize"
    plans_with_paid_costs: bool = False  # whether it takes the costs of the simulation for its own

    @property
    def lookback_window(self) -> LookbackWindow:
        """The lookback, or all dates."""
        if self.lookback is None:
            return LookbackWindow(max(FEWEST_RETURNS, self.specification.estimation.fewest_returns) + 1, None)
        return LookbackWindow(self.lookback + 1, self.lookback + 1)

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """Raises InvalidInput where the problem cannot be built from this data."""
        factors = self.specification.estimation.factors
        eligible, gone = history.of_eligible(factors)
        if factors.issuperset(eligible.symbols):
            return ()
        return bound_warnings(self._problem(eligible, gone, check_cancelled))

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """Verified weights, solved from this history alone; 0 for factors and for assets that are not eligible."""
        weights = np.zeros(len(history.symbols))
        factors = self.specification.estimation.factors
        eligible, gone = history.of_eligible(factors)
        if factors.issuperset(eligible.symbols):
            return weights
        solution = solve(self._problem(eligible, gone, check_cancelled), check_cancelled)
        weights[np.isin(history.symbols, solution.symbols)] = solution.weights
        return weights

    def _problem(self, history: MarketHistory, gone: frozenset[str], check_cancelled: CancellationCheck) -> Problem:
        return build_problem(
            self._specification_for(history, gone),
            PricePanel(history.symbols, history.dates, history.prices),
            check_cancelled,
        )

    def _specification_for(self, history: MarketHistory, gone: frozenset[str]) -> Specification:
        specification = without_symbols(self.specification, gone) if gone else self.specification
        limits_trades = any(isinstance(constraint, Turnover) for constraint in specification.constraints)
        costs = specification.costs
        needed = limits_trades or costs is not None
        factors = specification.estimation.factors
        weights = zip(history.symbols, history.weights.tolist(), strict=True)
        held = {symbol: weight for symbol, weight in weights if symbol not in factors} if needed else None
        if costs is not None:
            known = {} if costs.impact is None else _without(history.liquidity, factors)
            costs = costs.completed(history.nav, known)
        return replace(specification, periods_per_year=history.periods_per_year, current_weights=held, costs=costs)


def _without(liquidity: Mapping[str, Liquidity], symbols: Collection[str]) -> dict[str, Liquidity]:
    return {symbol: known for symbol, known in liquidity.items() if symbol not in symbols}


def inverse_volatility(lookback: int | None, label: str = "inverse volatility") -> Optimized:
    """Weights in proportion to 1 / volatility over the lookback."""
    return Optimized(Specification(InverseVolatility()), lookback, label, "inverse_volatility")

"""Strategies choose weights from a `MarketHistory` and nothing else, so that they cannot see later prices."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress
from operator import itemgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.backtest.survivors import without_symbols
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from domain.optimization.problem.bound_warnings import bound_warnings
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.constraints import Turnover
from domain.optimization.request.objectives import InverseVolatility
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.portfolio import positions, weights_by_symbol, weights_in_order
from domain.warnings import ResultWarning

FEWEST_RETURNS = 2
"""Fewest returns of a covariance."""


@dataclass(frozen=True, slots=True)
class MarketHistory:
    """What is known when a decision is made. The arrays are copies: no later price can be reached from them."""

    symbols: tuple[str, ...]
    dates: NDArray[np.int32]  # (K,), the last is the day of the decision
    prices: Matrix  # (K, N)
    weights: Vector  # (N,), held now
    periods_per_year: float
    nav: float = 1.0  # net asset value now, in money
    unit_value: float = 1.0  # the same from 1 at the start, without external cash flows

    @property
    def priced(self) -> NDArray[np.bool_]:
        """Which assets can be bought, (N,): those with a price above 0."""
        result: NDArray[np.bool_] = self.prices[-1] > 0.0
        return result

    @property
    def ineligible(self) -> frozenset[str]:
        """Symbols that cannot be bought, or that have not been listed for all of the dates shown."""
        return frozenset(compress(self.symbols, ~self._eligible))

    def of_eligible(self) -> "MarketHistory":
        """The history of the assets that can be bought and have a price on every date shown."""
        eligible = self._eligible
        if eligible.all():
            return self
        symbols = tuple(compress(self.symbols, eligible))
        return replace(self, symbols=symbols, prices=self.prices[:, eligible], weights=self.weights[eligible])

    @property
    def _eligible(self) -> NDArray[np.bool_]:
        result: NDArray[np.bool_] = self.priced & ~np.isnan(self.prices).any(axis=0)
        return result


@dataclass(frozen=True, slots=True)
class PlannedWeights:
    """Weights of D decisions that depend on nothing but the assets that are listed."""

    weights: Matrix  # (R, N)
    rows: NDArray[np.int64]  # (D,), which of the weights each decision has


@dataclass(frozen=True, slots=True)
class LookbackWindow:
    """How many dates of prices a strategy needs and sees."""

    fewest_dates: int = 1  # needed for a decision
    most_dates: int | None = 1  # shown to the strategy, None for all


class Strategy(Protocol):
    """Chooses weights from the market history."""

    @property
    def label(self) -> str:
        """Name in the results."""
        ...

    @property
    def kind(self) -> str:
        """The field of the contract that describes it; error paths name it."""
        ...

    @property
    def lookback_window(self) -> LookbackWindow:
        """The dates it needs and sees."""
        ...

    def own_dates(self) -> tuple[int, ...]:
        """Days of decisions beside the rebalancing rule, increasing; the first one is its first decision."""
        ...

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """Warnings about its specification. Raises InvalidInput where it cannot work with this data at all."""
        ...

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """Target weights, (N,); 1 - their sum is cash. Raises DomainError where there are none."""
        ...

    def planned(
        self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None
    ) -> PlannedWeights | None:
        """All weights of decisions at dates (D,) where they depend on no price, None where they do.

        `listed` (D, N) says which assets can be bought; None where all can.
        """
        ...


class _FromHistory:
    """Needs the market history."""

    __slots__ = ()

    def planned(
        self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None
    ) -> PlannedWeights | None:
        """None."""
        return None


class _WithoutDates:
    """Decides only when the rebalancing rule says so."""

    __slots__ = ()

    def own_dates(self) -> tuple[int, ...]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class EqualWeight(_WithoutDates):
    """1 / N in each of N assets with a price above 0."""

    label: str = "equal weight"
    kind: str = "equal_weight"

    @property
    def lookback_window(self) -> LookbackWindow:
        """The date of the decision alone."""
        return LookbackWindow()

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """No warnings: it works with any data."""
        return ()

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """The same weight for each."""
        priced = history.priced
        return np.where(priced, 1.0 / max(int(np.count_nonzero(priced)), 1), 0.0)

    def planned(
        self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None
    ) -> PlannedWeights:
        """One row for each set of assets that are listed."""
        if listed is None or listed.all():
            return PlannedWeights(np.full((1, len(symbols)), 1.0 / len(symbols)), np.zeros(len(dates), np.int64))
        sets, rows = np.unique(listed, axis=0, return_inverse=True)
        counts = np.maximum(sets.sum(axis=1, keepdims=True), 1)
        return PlannedWeights(np.where(sets, 1.0 / counts, 0.0), rows.reshape(-1).astype(np.int64))


@dataclass(frozen=True, slots=True)
class FixedWeights(_WithoutDates):
    """The same weights at every decision; symbols that are not named have weight 0."""

    weights: Mapping[str, float]
    label: str = "fixed weights"
    kind: str = "fixed_weights"
    leveraged: bool = False  # whether they may sum to more than 1

    @property
    def lookback_window(self) -> LookbackWindow:
        """The date of the decision alone."""
        return LookbackWindow()

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """Raises InvalidInput for an unknown symbol or weights that sum to more than 1."""
        self.decide(history, never_cancelled)
        return ()

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """The weights in the order of the symbols."""
        return weights_by_symbol("weights", self.weights, history.symbols, leveraged=self.leveraged)

    def planned(
        self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None
    ) -> PlannedWeights:
        """One row."""
        weights = weights_by_symbol("weights", self.weights, symbols, leveraged=self.leveraged)
        return PlannedWeights(weights[None, :], np.zeros(len(dates), np.int64))


@dataclass(frozen=True, slots=True)
class Schedule:
    """Weights that apply from given days on; each entry is a decision of its own."""

    entries: tuple[tuple[int, Mapping[str, float]], ...]  # day since 1970-01-01, weights
    label: str = "schedule"
    kind: str = "schedule"
    leveraged: bool = False  # whether weights may sum to more than 1

    def __post_init__(self) -> None:
        for i in range(1, len(self.entries)):
            if self.entries[i][0] <= self.entries[i - 1][0]:
                raise InvalidInput(f"entries[{i}].date", "must come after the date of the entry before")

    @property
    def lookback_window(self) -> LookbackWindow:
        """The date of the decision alone."""
        return LookbackWindow()

    def own_dates(self) -> tuple[int, ...]:
        """Days of the entries."""
        return tuple(day for day, _ in self.entries)

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """Raises InvalidInput for an entry with an unknown symbol or weights that sum to more than 1."""
        position = positions(history.symbols)
        for i in range(len(self.entries)):
            check_cancelled()
            self._weights(i, position)
        return ()

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """The weights of the latest entry, all 0 before the first one."""
        today = int(history.dates[-1])
        latest = bisect_right(self.entries, today, key=itemgetter(0)) - 1
        if latest < 0:
            return np.zeros(len(history.symbols))
        return self._weights(latest, positions(history.symbols))

    def planned(
        self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None
    ) -> PlannedWeights:
        """A row for each entry, and one of zeros for dates before the first."""
        position = positions(symbols)
        weights = [np.zeros(len(symbols)), *(self._weights(i, position) for i in range(len(self.entries)))]
        days = np.array([day for day, _ in self.entries], np.int64)
        return PlannedWeights(np.array(weights), np.searchsorted(days, dates, side="right").astype(np.int64))

    def _weights(self, i: int, position: Mapping[str, int]) -> Vector:
        return weights_in_order(f"entries[{i}].weights", self.entries[i][1], position, leveraged=self.leveraged)


@dataclass(frozen=True, slots=True)
class Optimized(_WithoutDates, _FromHistory):
    """Any problem of Optimize, over the last `lookback` returns, or all since the start."""

    specification: Specification
    lookback: int | None = None
    label: str = "optimize"
    kind: str = "optimize"

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
        eligible = history.of_eligible()
        if not eligible.symbols:
            return ()
        return bound_warnings(self._problem(eligible, history.ineligible, check_cancelled))

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """Verified weights, solved from this history alone; 0 for factors and for assets that are not eligible."""
        weights = np.zeros(len(history.symbols))
        eligible = history.of_eligible()
        if not eligible.symbols:
            return weights
        solution = solve(self._problem(eligible, history.ineligible, check_cancelled), check_cancelled)
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
        needed = limits_trades or specification.costs is not None
        factors = specification.estimation.factors
        weights = zip(history.symbols, history.weights.tolist(), strict=True)
        held = {symbol: weight for symbol, weight in weights if symbol not in factors} if needed else None
        return replace(specification, periods_per_year=history.periods_per_year, current_weights=held)


def inverse_volatility(lookback: int | None, label: str = "inverse volatility") -> Optimized:
    """Weights in proportion to 1 / volatility over the lookback."""
    return Optimized(Specification(InverseVolatility()), lookback, label, "inverse_volatility")

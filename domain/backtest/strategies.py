"""How weights are chosen. A strategy is handed a `Past` and nothing else: the future is not within its reach."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress
from operator import itemgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.backtest.survivors import without_symbols
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
from domain.progress import OnProgress, no_progress
from domain.warnings import ResultWarning

FEWEST_RETURNS = 2
"""A covariance needs two."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known when a decision is made. Arrays are copies: nothing leads from them to what comes after."""

    symbols: tuple[str, ...]
    dates: NDArray[np.int32]  # (K,), the last is the day of the decision
    prices: Matrix  # (K, N)
    weights: Vector  # (N,), held now
    periods_per_year: float

    @property
    def priced(self) -> NDArray[np.bool_]:
        """Which assets can be bought, (N,): those with a price above 0."""
        result: NDArray[np.bool_] = self.prices[-1] > 0.0
        return result

    @property
    def worthless(self) -> frozenset[str]:
        """The others."""
        return frozenset(compress(self.symbols, ~self.priced))

    def of_priced(self) -> "Past":
        """The past of the assets that can be bought."""
        priced = self.priced
        if priced.all():
            return self
        symbols = tuple(compress(self.symbols, priced))
        return replace(self, symbols=symbols, prices=self.prices[:, priced], weights=self.weights[priced])


@dataclass(frozen=True, slots=True)
class History:
    """What of the past a strategy wants to see, in prices."""

    needed: int = 1  # fewest dates a decision can be made with
    shown: int | None = 1  # most dates it is shown, None for all


class Strategy(Protocol):
    """Chooses weights from the past."""

    @property
    def label(self) -> str:
        """Name in the results."""
        ...

    @property
    def kind(self) -> str:
        """The field of the contract it stands for, where complaints are addressed to."""
        ...

    @property
    def history(self) -> History:
        """What it wants to see."""
        ...

    def own_dates(self) -> tuple[int, ...]:
        """Days on which it decides beside the rebalancing rule, in order; the first one is its first."""
        ...

    def check(self, past: Past, on_progress: OnProgress = no_progress) -> tuple[ResultWarning, ...]:
        """Warnings about what it was asked. Raises InvalidInput where it cannot work with this data at all."""
        ...

    def decide(self, past: Past, on_progress: OnProgress) -> Vector:
        """Target weights, (N,); 1 - their sum is cash. Raises DomainError where there are none."""
        ...


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
    def history(self) -> History:
        """None beyond today."""
        return History()

    def check(self, past: Past, on_progress: OnProgress = no_progress) -> tuple[ResultWarning, ...]:
        """Always works."""
        return ()

    def decide(self, past: Past, on_progress: OnProgress) -> Vector:
        """The same for each."""
        priced = past.priced
        return np.where(priced, 1.0 / max(int(np.count_nonzero(priced)), 1), 0.0)


@dataclass(frozen=True, slots=True)
class FixedWeights(_WithoutDates):
    """The same weights every time; symbols that are not named have none."""

    weights: Mapping[str, float]
    label: str = "fixed weights"
    kind: str = "fixed_weights"

    @property
    def history(self) -> History:
        """None beyond today."""
        return History()

    def check(self, past: Past, on_progress: OnProgress = no_progress) -> tuple[ResultWarning, ...]:
        """Symbols must be known and the sum 1 or less."""
        self.decide(past, no_progress)
        return ()

    def decide(self, past: Past, on_progress: OnProgress) -> Vector:
        """The weights."""
        return weights_by_symbol("weights", self.weights, past.symbols, leveraged=False)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Weights that hold from given days on; each entry is a decision of its own."""

    entries: tuple[tuple[int, Mapping[str, float]], ...]  # day since 1970-01-01, weights
    label: str = "schedule"
    kind: str = "schedule"

    def __post_init__(self) -> None:
        for i in range(1, len(self.entries)):
            if self.entries[i][0] <= self.entries[i - 1][0]:
                raise InvalidInput(f"entries[{i}].date", "must come after the date of the entry before")

    @property
    def history(self) -> History:
        """None beyond today."""
        return History()

    def own_dates(self) -> tuple[int, ...]:
        """Of the entries."""
        return tuple(day for day, _ in self.entries)

    def check(self, past: Past, on_progress: OnProgress = no_progress) -> tuple[ResultWarning, ...]:
        """Every entry must have known symbols and sum to 1 or less."""
        position = positions(past.symbols)
        for i in range(len(self.entries)):
            on_progress()
            self._weights(i, position)
        return ()

    def decide(self, past: Past, on_progress: OnProgress) -> Vector:
        """Those of the latest entry."""
        today = int(past.dates[-1])
        latest = bisect_right(self.entries, today, key=itemgetter(0)) - 1
        if latest < 0:
            return np.zeros(len(past.symbols))
        return self._weights(latest, positions(past.symbols))

    def _weights(self, i: int, position: Mapping[str, int]) -> Vector:
        return weights_in_order(f"entries[{i}].weights", self.entries[i][1], position, leveraged=False)


@dataclass(frozen=True, slots=True)
class Optimized(_WithoutDates):
    """Everything Optimize can do, over the past `lookback` returns, or all since the start."""

    specification: Specification
    lookback: int | None = None
    label: str = "optimize"
    kind: str = "optimize"

    @property
    def history(self) -> History:
        """The lookback, or everything."""
        if self.lookback is None:
            return History(max(FEWEST_RETURNS, self.specification.estimation.fewest_returns) + 1, None)
        return History(self.lookback + 1, self.lookback + 1)

    def check(self, past: Past, on_progress: OnProgress = no_progress) -> tuple[ResultWarning, ...]:
        """The problem must be one that can be posed on this data."""
        if not past.priced.any():
            return ()
        return bound_warnings(self._problem(past.of_priced(), past.worthless, on_progress))

    def decide(self, past: Past, on_progress: OnProgress) -> Vector:
        """Verified weights, solved from nothing but this window; none on factors, nor on what is worth nothing."""
        weights = np.zeros(len(past.symbols))
        if not past.priced.any():
            return weights
        solution = solve(self._problem(past.of_priced(), past.worthless, on_progress), on_progress)
        weights[np.isin(past.symbols, solution.symbols)] = solution.weights
        return weights

    def _problem(self, past: Past, gone: frozenset[str], on_progress: OnProgress) -> Problem:
        return build_problem(self._posed(past, gone), PricePanel(past.symbols, past.dates, past.prices), on_progress)

    def _posed(self, past: Past, gone: frozenset[str]) -> Specification:
        wanted = without_symbols(self.specification, gone) if gone else self.specification
        trades_count = any(isinstance(constraint, Turnover) for constraint in wanted.constraints)
        needed = trades_count or wanted.costs is not None
        factors = wanted.estimation.factors
        weights = zip(past.symbols, past.weights.tolist(), strict=True)
        held = {symbol: weight for symbol, weight in weights if symbol not in factors} if needed else None
        return replace(wanted, periods_per_year=past.periods_per_year, current_weights=held)


def inverse_volatility(lookback: int | None, label: str = "inverse volatility") -> Optimized:
    """Weights in proportion to 1 / volatility of the past."""
    return Optimized(Specification(InverseVolatility()), lookback, label, "inverse_volatility")

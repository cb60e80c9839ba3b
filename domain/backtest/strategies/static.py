"""Strategies whose weights depend on no price: equal, fixed and scheduled weights."""

from bisect import bisect_right
from collections.abc import Mapping
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.protocol import LookbackWindow, PlannedWeights, WithoutDates
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import LARGEST_LEVERAGE, Vector
from domain.errors import InvalidInput
from domain.portfolio import positions, weights_by_symbol, weights_in_order
from domain.records import dataclass
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class EqualWeightStrategy(WithoutDates):
    """1 / N in each of N members of the universe with a price above 0."""

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
        held = history.holdable
        return np.where(held, 1.0 / max(int(np.count_nonzero(held)), 1), 0.0)

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
class FixedWeights(WithoutDates):
    """The same weights at every decision; symbols that are not named, and those that are no members, have weight 0."""

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
        weights = weights_by_symbol(
            "weights", self.weights, history.symbols, leveraged=self.leveraged, largest=LARGEST_LEVERAGE
        )
        return history.of_members(weights)

    def planned(
        self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None
    ) -> PlannedWeights:
        """One row."""
        weights = weights_by_symbol(
            "weights", self.weights, symbols, leveraged=self.leveraged, largest=LARGEST_LEVERAGE
        )
        return PlannedWeights(weights[None, :], np.zeros(len(dates), np.int64))


@dataclass(frozen=True, slots=True)
class WeightSchedule:
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
        return history.of_members(self._weights(latest, positions(history.symbols)))

    def planned(
        self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None
    ) -> PlannedWeights:
        """A row for each entry, and one of zeros for dates before the first."""
        position = positions(symbols)
        weights = [np.zeros(len(symbols)), *(self._weights(i, position) for i in range(len(self.entries)))]
        days = np.array([day for day, _ in self.entries], np.int64)
        return PlannedWeights(np.array(weights), np.searchsorted(days, dates, side="right").astype(np.int64))

    def _weights(self, i: int, position: Mapping[str, int]) -> Vector:
        return weights_in_order(
            f"entries[{i}].weights", self.entries[i][1], position, leveraged=self.leveraged, largest=LARGEST_LEVERAGE
        )

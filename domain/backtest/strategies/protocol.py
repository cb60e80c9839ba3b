"""What a simulation asks of a strategy."""

from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.backtest.strategies.history import MarketHistory
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector
from domain.records import dataclass
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class PlannedWeights:
    """Weights of D decisions that depend on nothing but the assets that are listed."""

    weights: Matrix  # (R, N)
    rows: NDArray[np.int64]  # (D,), which of the weights each decision has

    def of_members(self, members: NDArray[np.bool_] | None) -> "PlannedWeights":
        """The same, 0 for assets that are no members of the universe at a decision, (D, N)."""
        if members is None:
            return self
        sets, indices = np.unique(members, axis=0, return_inverse=True)
        pairs, rows = np.unique(np.column_stack([self.rows, indices.reshape(-1)]), axis=0, return_inverse=True)
        weights = np.where(sets[pairs[:, 1]], self.weights[pairs[:, 0]], 0.0)
        return PlannedWeights(weights, rows.reshape(-1).astype(np.int64))


@dataclass(frozen=True, slots=True)
class LookbackWindow:
    """How many dates of prices a strategy needs and sees."""

    fewest_dates: int = 1  # needed for a decision
    most_dates: int | None = 1  # shown to the strategy, None for all
    field: str = "lookback_periods"  # path of what sets it, from the strategy on

    def joined(self, other: "LookbackWindow") -> "LookbackWindow":
        """The window of a strategy that needs and sees both; its field is that of the longer one."""
        longer = other if other.fewest_dates > self.fewest_dates else self
        shown = None
        if self.most_dates is not None and other.most_dates is not None:
            shown = max(self.most_dates, other.most_dates)
        return replace(longer, most_dates=shown)

    def under(self, path: str) -> "LookbackWindow":
        """The same, where the strategy is at a path inside another one."""
        return replace(self, field=f"{path}.{self.field}")


@dataclass(frozen=True, slots=True)
class DecisionWarning:
    """Something the caller should know about a decision that was made all the same."""

    reason: str  # stable, such as FLOOR_BROKEN
    message: str


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

        `listed` (D, N) says which assets can be bought, members of the universe with a price; None where all
        can. Weights of others are taken out by the caller.
        """
        ...


class DecisionDates(Protocol):
    """A rule that fixes dates of decisions."""

    def decision_indices(self, days: NDArray[np.int32], start: int) -> NDArray[np.int64]:
        """Indices of the decisions after `start`; `days` (T,) are counted from 1970-01-01."""
        ...


class FromHistory:
    """Needs the market history."""

    __slots__ = ()

    def planned(
        self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None
    ) -> PlannedWeights | None:
        """None."""
        return None


class WithoutDates:
    """Decides only when the rebalancing rule says so."""

    __slots__ = ()

    def own_dates(self) -> tuple[int, ...]:
        """None."""
        return ()

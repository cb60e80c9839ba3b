"""The weighted sum of the weights of several strategies."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.inside import check_inner, decide_inner, planned_inner
from domain.backtest.strategies.protocol import DecisionDates, LookbackWindow, PlannedWeights, Strategy
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import LARGEST_LEVERAGE, Vector, figure
from domain.errors import InvalidInput
from domain.portfolio import FULLY_INVESTED_TOLERANCE
from domain.records import dataclass
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class Part:
    """One strategy of a blend."""

    strategy: Strategy
    weight: float
    rebalancing: DecisionDates | None = None  # when it decides; None for the dates of the rebalancing rule


@dataclass(frozen=True, slots=True)
class Blend:
    """Strategies with weights; 1 - the sum of theirs is cash.

    All parts decide on the dates of the rebalancing rule, and on the own dates of any of them. Where the blend or a
    part of it has a rule of its own, each decides alone, as `sleeves` says. A schedule whose first entry lies after the
    first decision is in cash until then. Raises InvalidInput for no parts, a weight that is not a number, and weights
    that sum to more than 1 unless `leveraged`.
    """

    parts: tuple[Part, ...]
    label: str = "blend"
    kind: str = "blend"
    leveraged: bool = False  # whether the weights of parts may sum to more than 1
    rebalancing: DecisionDates | None = None  # when parts are brought back to their weights; None as for a part

    def __post_init__(self) -> None:
        if not self.parts:
            raise InvalidInput("parts", "must hold at least one strategy")
        for i, part in enumerate(self.parts):
            figure(f"parts[{i}].weight", part.weight, LARGEST_LEVERAGE)
        total = math.fsum(part.weight for part in self.parts)
        if not self.leveraged and total > 1.0 + FULLY_INVESTED_TOLERANCE:
            raise InvalidInput("parts", f"must have weights that sum to 1 or less without leverage, sum to {total:.9g}")

    @property
    def has_sleeves(self) -> bool:
        """Whether its parts decide on dates of their own."""
        return self.rebalancing is not None or any(part.rebalancing is not None for part in self.parts)

    def path_of(self, i: int) -> str:
        """Field path of a part's strategy, from this strategy on."""
        return f"parts[{i}].strategy.{self.parts[i].strategy.kind}"

    def with_parts(self, parts: tuple[Part, ...]) -> "Blend":
        """The same of other parts."""
        return replace(self, parts=parts)

    @property
    def lookback_window(self) -> LookbackWindow:
        """What all parts need and see."""
        window = LookbackWindow()
        for i, part in enumerate(self.parts):
            window = window.joined(part.strategy.lookback_window.under(self.path_of(i)))
        return window

    def own_dates(self) -> tuple[int, ...]:
        """Those of all parts."""
        return tuple(sorted({day for part in self.parts for day in part.strategy.own_dates()}))

    def check(
        self, history: MarketHistory, check_cancelled: CancellationCheck = never_cancelled
    ) -> tuple[ResultWarning, ...]:
        """What the parts say about their own specifications. Raises InvalidInput with the path of the part."""
        found: list[ResultWarning] = []
        for i, part in enumerate(self.parts):
            found += check_inner(part.strategy, self.path_of(i), history, check_cancelled)
        return tuple(found)

    def decide(self, history: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """The weighted sum. Raises DomainError where any part has no weights."""
        weights = np.zeros(len(history.symbols))
        for i, part in enumerate(self.parts):
            weights += part.weight * decide_inner(part.strategy, self.path_of(i), history, check_cancelled)
        return weights

    def planned(
        self, symbols: tuple[str, ...], dates: NDArray[np.int32], listed: NDArray[np.bool_] | None
    ) -> PlannedWeights | None:
        """The weighted sum of what parts plan: a row for each combination of theirs.

        None where one plans nothing, and where parts decide on dates of their own: between them their shares drift.
        """
        plans = [
            planned_inner(part.strategy, self.path_of(i), symbols, dates, listed) for i, part in enumerate(self.parts)
        ]
        planned = [plan for plan in plans if plan is not None]
        if len(planned) < len(plans) or self.has_sleeves:
            return None
        combinations, rows = np.unique(np.column_stack([p.rows for p in planned]), axis=0, return_inverse=True)
        weights = np.zeros((len(combinations), len(symbols)))
        for part, plan, chosen in zip(self.parts, planned, combinations.T, strict=True):
            weights += part.weight * plan.weights[chosen]
        return PlannedWeights(weights, rows.reshape(-1).astype(np.int64))

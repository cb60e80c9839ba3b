"""Sleeves: the parts of a blend that decide on dates of their own, inside one account.

Each part is followed by what its weights have become since they were bought, with dividends reinvested and before
costs, taxes and interest: its share of the account drifts with its own value until the blend brings it back. The
account trades to the sum over its parts: holdings are blended, returns are not, and what one part sells to another is
no order.
"""

from dataclasses import dataclass, replace

import numpy as np

from domain.backtest.strategies.blend import Blend
from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.inside import decide_inner
from domain.backtest.strategies.nesting import decision_warnings
from domain.backtest.strategies.protocol import DecisionWarning
from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector
from domain.errors import Cancelled, DomainError


@dataclass(frozen=True, slots=True)
class SleeveState:
    """S parts at one decision: kept until the next one, for the whole of a run."""

    weights: Matrix  # (S, N), of each part; 1 - their sum is its cash
    shares: Vector  # (S,), of the parts in the account; 1 - their sum is cash
    unit_values: Vector  # (S,), value of each part, from 1 at the start, without what moves between parts

    @classmethod
    def at_the_start(cls, parts: int, assets: int) -> "SleeveState":
        """Nothing is held, and nothing belongs to a part."""
        return cls(np.zeros((parts, assets)), np.zeros(parts), np.ones(parts))

    def grown(self, growth: Vector) -> "SleeveState":
        """After money in each asset has grown by a factor, (N,). A part that has lost everything holds nothing."""
        held = self.weights * growth
        factors = held.sum(axis=1) + 1.0 - self.weights.sum(axis=1)
        total = float(self.shares @ factors) + 1.0 - float(self.shares.sum())
        alive = factors > 0.0
        weights = np.where(alive[:, None], held / np.where(alive, factors, 1.0)[:, None], 0.0)
        shares = self.shares * factors / total if total > 0.0 else self.shares
        return SleeveState(weights, shares, self.unit_values * np.maximum(factors, 0.0))

    def to_array(self) -> Matrix:
        """(S, N + 2)."""
        return np.column_stack([self.weights, self.shares, self.unit_values])

    @classmethod
    def from_array(cls, array: Matrix) -> "SleeveState":
        """As `to_array` gave it."""
        return cls(array[:, :-2], array[:, -2], array[:, -1])


@dataclass(frozen=True, slots=True)
class SleeveDecision:
    """What came of one decision."""

    weights: Vector  # (N,), of the account
    state: SleeveState
    warnings: tuple[DecisionWarning, ...]  # about decisions of parts that were made
    failures: tuple[DecisionWarning, ...]  # parts that had none: what they hold drifts on


@dataclass(frozen=True, slots=True)
class Sleeves:
    """A blend with the days of its decisions and of those of its parts, since 1970-01-01."""

    blend: Blend
    part_days: tuple[frozenset[int], ...]
    blend_days: frozenset[int]

    def decide(self, state: SleeveState, history: MarketHistory, check_cancelled: CancellationCheck) -> SleeveDecision:
        """The weights of the account, from the state as it has grown to the day of the decision.

        A part sees its own weights and value as those of the account. One without weights keeps what it holds.
        """
        day = int(history.dates[-1])
        # Of parts that do not decide today, what has left the universe is sold all the same.
        weights = np.where(history.holdable, state.weights, 0.0)
        shares = state.shares
        if day in self.blend_days:
            shares = np.array([part.weight for part in self.blend.parts])
        warnings: list[DecisionWarning] = []
        failures: list[DecisionWarning] = []
        for i, part in enumerate(self.blend.parts):
            if day not in self.part_days[i]:
                continue
            own = _as_account(history, weights[i], float(shares[i]), float(state.unit_values[i]))
            warnings += decision_warnings(part.strategy, own)
            try:
                weights[i] = decide_inner(part.strategy, self.blend.path_of(i), own, check_cancelled)
            except Cancelled:
                raise
            except DomainError as error:
                failures.append(DecisionWarning(error.REASON, f"parts[{i}], {part.strategy.label}: {error.message}"))
        total = np.zeros(len(history.symbols))
        for share, own_weights in zip(shares, weights, strict=True):
            total += share * own_weights
        return SleeveDecision(total, SleeveState(weights, shares, state.unit_values), tuple(warnings), tuple(failures))


def _as_account(history: MarketHistory, weights: Vector, share: float, unit_value: float) -> MarketHistory:
    return replace(history, weights=weights.copy(), nav=history.nav * share, unit_value=unit_value)

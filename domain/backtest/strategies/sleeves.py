"""Sleeves: parts of one account that decide on dates of their own, those of a blend or tranches of one strategy.

Each part is followed by what its weights have become since they were bought, with dividends reinvested and before
costs, taxes, interest and external cash flows. The account trades to the sum over its parts as they are at the fill:
holdings are blended, returns are not, what one part sells to another is no order, and a part that has not decided is
not traded. What is left of a part that has lost more than everything is borne by the others.
"""

from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.inside import decide_inner
from domain.backtest.strategies.nesting import decision_warnings
from domain.backtest.strategies.protocol import DecisionWarning, Strategy
from domain.backtest.strategies.sleeve_state import Growth, Renewal, SleeveState
from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector
from domain.errors import Cancelled, DomainError
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Sleeve:
    """A part of an account with the days of its decisions, since 1970-01-01."""

    strategy: Strategy
    days: frozenset[int]
    path: str = ""  # field path of the strategy, from that of the account on
    name: str = ""  # in messages

    def decide(self, own: MarketHistory, check_cancelled: CancellationCheck) -> Vector:
        """Its weights, (N,). Raises DomainError where there are none."""
        if self.path:
            return decide_inner(self.strategy, self.path, own, check_cancelled)
        return self.strategy.decide(own, check_cancelled)


@dataclass(frozen=True, slots=True)
class SleeveDecision:
    """What came of one decision."""

    weights: Vector  # (N,), of the account at the fill
    state: SleeveState
    is_made: bool  # whether anything is to be traded: otherwise the holdings drift on
    warnings: tuple[DecisionWarning, ...] = ()  # about decisions of parts that were made
    failures: tuple[DecisionWarning, ...] = ()  # parts that had none: what they hold drifts on


@dataclass(frozen=True, slots=True)
class _PartDecisions:
    """What came of the decisions of parts on one date."""

    weights: Matrix  # (S, N); NaN for parts that have none
    warnings: list[DecisionWarning] = field(default_factory=list)
    failures: list[DecisionWarning] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sleeves:
    """S parts of one account."""

    sleeves: tuple[Sleeve, ...]
    shares: tuple[float, ...]  # of the parts in the account; 1 - their sum is cash
    share_days: frozenset[int]  # on which the parts are brought back to their shares, since 1970-01-01
    delay: int  # dates between a decision and its fill
    fills_at_open: bool
    are_tranches: bool = False  # they share what the account has from the start on, and are never brought back
    least_between: int = 0  # dates from one decision of a part to its next one

    def decide(
        self,
        state: SleeveState | None,
        t: int,
        history: MarketHistory,
        growth: Growth,
        check_cancelled: CancellationCheck,
    ) -> SleeveDecision:
        """The weights of the account by a decision at date t, from the state after the one before it.

        A part sees its own weights and value as those of the account. One without weights keeps what it holds.
        """
        now, has_lost = self._state_at(state, t, history.weights, growth)
        members = np.ones(len(history.symbols), np.bool_) if history.members is None else history.members
        shares = self._new_shares(int(history.dates[-1]))
        renewal = Renewal(t, np.full_like(now.weights, np.nan), shares, members)
        decided = self._ask_parts(t, now.renewed(renewal), history, check_cancelled)
        renewal = replace(renewal, fill=t + self.delay, weights=decided.weights)
        weights, after, is_made = self._made(now, has_lost, renewal, growth)
        return SleeveDecision(weights, after, is_made, tuple(decided.warnings), tuple(dict.fromkeys(decided.failures)))

    def _ask_parts(
        self, t: int, own: SleeveState, history: MarketHistory, check_cancelled: CancellationCheck
    ) -> _PartDecisions:
        """The decisions of parts at date t, from what they hold."""
        found = _PartDecisions(np.full_like(own.weights, np.nan))
        for i, sleeve in enumerate(self.sleeves):
            if not self._is_due(i, t, int(history.dates[-1]), own):
                continue
            seen = history.of_part(own.weights[i], float(own.shares[i]), float(own.unit_values[i]))
            found.warnings.extend(decision_warnings(sleeve.strategy, seen))
            try:
                found.weights[i] = sleeve.decide(seen, check_cancelled)
            except Cancelled:
                raise
            except DomainError as error:
                message = f"{sleeve.name}: {error.message}" if sleeve.name else error.message
                found.failures.append(DecisionWarning(error.REASON, message))
        return found

    def planned(self, days: NDArray[np.int32], weights: Matrix, levels: Matrix) -> Matrix:
        """The weights of the account by decisions of tranches on days (D,), (D, N), all at once.

        The `weights` (D, N) of each decision are long and borrow nothing, so that no part can lose everything; `levels`
        (D, N) are total returns at the fills of the decisions.
        """
        held, total = np.zeros_like(levels), np.zeros(len(days))
        for sleeve, share in zip(self.sleeves, self.shares, strict=True):
            own = np.flatnonzero(np.isin(days, list(sleeve.days)))
            latest = np.searchsorted(own, np.arange(len(days)), side="right") - 1
            steps = weights[own[:-1]] * (levels[own[1:]] / levels[own[:-1]] - 1.0)
            values = share * np.append(1.0, (1.0 + steps.sum(axis=1)).cumprod())[latest]
            since = own[latest]
            bought = weights[since]
            now = bought * (levels / levels[since])
            held += values[:, None] * now
            total += values * (1.0 + (now - bought).sum(axis=1))
        held /= total[:, None]
        return held

    def _state_at(self, state: SleeveState | None, t: int, held: Vector, growth: Growth) -> tuple[SleeveState, bool]:
        """What the parts are at the close of date t, and whether one has lost everything since the last decision.

        At the start tranches share what the account holds (N,).
        """
        count = len(self.sleeves)
        if state is None:
            if self.are_tranches:
                return SleeveState.opened(t, np.tile(held, (count, 1)), np.array(self.shares)), False
            return SleeveState.opened(t, np.zeros((count, len(held))), np.zeros(count)), False
        now = state.at_close(t, growth, fills_at_open=self.fills_at_open)
        is_alive = now.unit_values > 0.0
        has_lost = bool((~is_alive).any(where=state.unit_values > 0.0))
        if self.are_tranches and not is_alive.any():
            # The account lives by money that has come in: its parts begin again with equal shares of it.
            fresh = SleeveState.opened(t, now.weights, np.array(self.shares), now.waiting)
            return fresh.with_decided(now.decided), has_lost
        return now, has_lost

    def _new_shares(self, day: int) -> Vector:
        """The shares that the parts are brought back to on a day, (S,); NaN where they stay."""
        return np.array(self.shares) if day in self.share_days else np.full(len(self.shares), np.nan)

    def _is_due(self, i: int, t: int, day: int, own: SleeveState) -> bool:
        """Whether part i decides at date t. One that has lost everything does not."""
        if day not in self.sleeves[i].days or own.unit_values[i] <= 0.0:
            return False
        return bool(own.decided[i] < 0 or t - own.decided[i] >= self.least_between)

    def _made(
        self, now: SleeveState, has_lost: bool, renewal: Renewal, growth: Growth
    ) -> tuple[Vector, SleeveState, bool]:
        """The weights of the account at the fill of a decision, the state with it, and whether it is made.

        It is where a part has decided or been given a share, where something has left the universe, and where a part
        has lost everything: what it held is sold.
        """
        has_decided = ~np.isnan(renewal.weights).any(axis=1)
        before = now.at_last_fill(growth, fills_at_open=self.fills_at_open)
        is_made = has_lost or bool(
            has_decided.any() or not np.isnan(renewal.shares).all() or before.weights[:, ~renewal.members].any()
        )
        state = now.waiting_for(renewal).with_decided(np.where(has_decided, now.date, now.decided))
        after = before.waiting_for(renewal).at_last_fill(growth, fills_at_open=self.fills_at_open)
        return after.sum_of_parts, state, is_made

"""What is known of assets: their prices, liquidity and state, one by one and as columns over all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from domain.calendar import FIRST_DAY, LAST_DAY
from domain.checks import Vector
from domain.market_data.corporate_actions import ActionKind, CorporateAction
from domain.monitoring.events import InstrumentChanged, TradingState
from domain.monitoring.price_history import PriceHistory
from domain.records import dataclass


@dataclass(frozen=True)
class Instrument:
    """One asset."""

    since_day: int  # when it was first named, from which its age counts while it has no price
    history: PriceHistory = field(default_factory=PriceHistory)
    revision: int = -1  # of the last change
    trading_state: TradingState = TradingState.TRADABLE
    delisting_day: int | None = None
    average_daily_volume: float | None = None  # in units
    spread_bps: float | None = None

    def with_change(self, change: InstrumentChanged) -> "Instrument":
        """With new figures; itself where the revision is not higher."""
        if change.revision <= self.revision:
            return self
        return replace(
            self,
            revision=change.revision,
            trading_state=change.trading_state,
            average_daily_volume=change.average_daily_volume,
            spread_bps=change.spread_bps,
        )

    def with_action(self, action: CorporateAction) -> "Instrument":
        """With a corporate action; itself where it is known."""
        if action.kind is ActionKind.DELISTING:
            return self if self.delisting_day == action.day else replace(self, delisting_day=action.day)
        history = self.history.with_action(action)
        return self if history is self.history else replace(self, history=history)

    @property
    def end_day(self) -> int:
        """The first date on which no price is expected; after all dates where there is none."""
        if self.trading_state is TradingState.DELISTED:
            return FIRST_DAY
        return LAST_DAY + 1 if self.delisting_day is None else self.delisting_day

    @property
    def last_day(self) -> int:
        """The date from which the age of its price counts."""
        latest = self.history.latest_day
        return self.since_day if latest is None else latest


@dataclass(frozen=True)
class Instruments:
    """All assets by symbol, each with a slot that it keeps, and figures by slot; NaN is unknown."""

    by_symbol: Mapping[str, Instrument] = field(default_factory=dict)
    slots: Mapping[str, int] = field(default_factory=dict)
    values: Vector = field(default_factory=lambda: np.zeros(0))  # (S,), latest price of a unit before all splits
    units: Vector = field(default_factory=lambda: np.zeros(0))  # (S,), units of now of what was one before all splits
    moves: Vector = field(default_factory=lambda: np.zeros(0))  # (S,), since the last price of the date before
    volumes: Vector = field(default_factory=lambda: np.zeros(0))  # (S,), average daily, in units
    spreads: Vector = field(default_factory=lambda: np.zeros(0))  # (S,), basis points
    last_days: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # (S,)
    end_days: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # (S,)

    def with_symbols(self, symbols: Iterable[str], today: int) -> "Instruments":
        """With assets that were not named before, without prices."""
        new = {symbol: Instrument(today) for symbol in sorted(set(symbols)) if symbol not in self.by_symbol}
        return self.updated(new) if new else self

    def updated(self, changed: Mapping[str, Instrument]) -> "Instruments":
        """With changed and new assets."""
        slots = self.slots
        fresh = [symbol for symbol in changed if symbol not in slots]
        if fresh:
            slots = {**slots, **{symbol: len(slots) + i for i, symbol in enumerate(fresh)}}
        columns = [_grown(column, len(fresh)) for column in (self.values, self.units, self.moves)]
        values, units, moves = columns
        volumes, spreads = _grown(self.volumes, len(fresh)), _grown(self.spreads, len(fresh))
        no_days = np.zeros(len(fresh), np.int64)
        last_days, end_days = (np.concatenate([days, no_days]) for days in (self.last_days, self.end_days))
        for symbol, one in changed.items():
            slot, history = slots[symbol], one.history
            values[slot], units[slot], moves[slot] = (
                history.latest_value,
                history.split_factor(one.last_day),
                history.move,
            )
            volumes[slot] = np.nan if one.average_daily_volume is None else one.average_daily_volume
            spreads[slot] = np.nan if one.spread_bps is None else one.spread_bps
            last_days[slot], end_days[slot] = one.last_day, one.end_day
        by_symbol = {**self.by_symbol, **changed}
        return Instruments(by_symbol, slots, values, units, moves, volumes, spreads, last_days, end_days)

    def ages(self, slots: NDArray[np.int64], today: int) -> Vector:
        """Calendar days since the latest price of each slot (N,); NaN where no price is expected."""
        ages = (today - self.last_days[slots]).astype(np.float64)
        result: Vector = np.where(self.end_days[slots] <= today, np.nan, ages)
        return result


def _grown(column: Vector, extra: int) -> Vector:
    """A copy with room for more slots."""
    return np.concatenate([column, np.full(extra, np.nan)])

"""What happens: prices, changes of portfolios, mandates and instruments, corporate actions, and the passing of time.

Every event carries its time. Each is checked when it is made; `observe` then ignores what it knows already: a price
that is not newer, or a revision that is not higher than the last one.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.calendar import day_numbers
from domain.checks import Vector, distinct_symbols, finite, non_negative, positive, same_length, visible_symbol
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CorporateAction
from domain.market_data.snapshot import LARGEST_AMOUNT, SMALLEST_AMOUNT
from domain.monitoring.rules import MonitoredMandate
from domain.monitoring.signals import EventKind, Phase, Subject
from domain.monitoring.timestamps import SECOND, checked_day, checked_revision, checked_time, day_of
from domain.portfolio import Portfolio
from domain.records import dataclass
from domain.taxes.lots import TaxLot, identified

FUTURE_DAYS = 1
"""A bar may be of the next date in UTC: markets east of Greenwich are ahead of it."""

FUTURE_TIME = 60 * SECOND
"""How far the time of a quote may be ahead of its event: clocks differ."""


PriceOrder = tuple[str, int, int, int, float, float]
"""What the prices of one event are ordered by: no two that differ are alike."""


def _price(field_name: str, price: float) -> None:
    positive(field_name, price)
    if not SMALLEST_AMOUNT <= price <= LARGEST_AMOUNT:
        raise InvalidInput(field_name, f"must be from {SMALLEST_AMOUNT:g} to {LARGEST_AMOUNT:g}, is {price:g}")


@dataclass(frozen=True, slots=True)
class ClosingPrice:
    """The close of a bar that has ended, in the currency of the portfolios that hold the asset.

    A correction of the same date has a higher revision; a lower one is ignored.
    """

    symbol: str
    day: int  # since 1970-01-01
    price: float
    revision: int = 0

    def __post_init__(self) -> None:
        visible_symbol("symbol", self.symbol)
        checked_day("day", self.day)
        _price("price", self.price)
        checked_revision("revision", self.revision)

    @property
    def order(self) -> PriceOrder:
        """Orders the prices of one event: an asset's by time, and the bar of a date after its quotes."""
        return self.symbol, self.day, 1, self.revision, self.price, 0.0

    def check_time(self, path: str, time: int) -> None:
        """Raises InvalidInput for a date after that of the event."""
        if self.day > day_of(time) + FUTURE_DAYS:
            raise InvalidInput(f"{path}.day", "must not be in the future: it is after the time of the event")


@dataclass(frozen=True, slots=True)
class QuotedPrice:
    """A price within a day: the last trade or the middle of bid and ask. One that is not newer is ignored."""

    symbol: str
    time: int
    price: float
    spread_bps: float | None = None  # between bid and ask, of their middle

    def __post_init__(self) -> None:
        visible_symbol("symbol", self.symbol)
        checked_time("time", self.time)
        _price("price", self.price)
        if self.spread_bps is not None:
            non_negative("spread_bps", self.spread_bps)

    @property
    def day(self) -> int:
        """Its date in UTC."""
        return day_of(self.time)

    @property
    def order(self) -> PriceOrder:
        """As that of a closing price; of two quotes of one time the lower one is the first, which counts."""
        return self.symbol, self.day, 0, self.time, self.price, -1.0 if self.spread_bps is None else self.spread_bps

    def check_time(self, path: str, time: int) -> None:
        """Raises InvalidInput for a time after that of the event."""
        if self.time > time + FUTURE_TIME:
            raise InvalidInput(f"{path}.time", "must not be in the future: it is after the time of the event")


@dataclass(frozen=True, slots=True)
class PricesObserved:
    """Prices that become known together: one observation for everything they touch, whatever their order."""

    time: int
    prices: tuple[ClosingPrice | QuotedPrice, ...]

    def __post_init__(self) -> None:
        checked_time("time", self.time)
        for i, one in enumerate(self.prices):
            one.check_time(f"prices[{i}]", self.time)


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """Past closes of one asset."""

    symbol: str
    days: NDArray[np.int32]  # (T,), increasing
    prices: Vector  # (T,)
    revisions: NDArray[np.int64] | None = None  # (T,), 0 for all if absent

    def __post_init__(self) -> None:
        visible_symbol("symbol", self.symbol)
        same_length("prices", self.prices, "days", self.days)
        day_numbers("days", self.days)
        if (np.diff(self.days) <= 0).any():
            raise InvalidInput("days", "must increase")
        finite("prices", self.prices)
        for i, price in enumerate(self.prices.tolist()):
            _price(f"prices[{i}]", price)
        if self.revisions is not None:
            same_length("revisions", self.revisions, "days", self.days)
            if (np.asarray(self.revisions) < 0).any():
                raise InvalidInput("revisions", "must be 0 or more")


@dataclass(frozen=True, slots=True)
class HistoryLoaded:
    """Past closes, to measure risk from the start. Dates that are known keep their price."""

    time: int
    series: tuple[PriceSeries, ...]

    def __post_init__(self) -> None:
        checked_time("time", self.time)
        distinct_symbols("series", [one.symbol for one in self.series], ".symbol")
        for i, one in enumerate(self.series):
            if len(one.days) and one.days[-1] > day_of(self.time) + FUTURE_DAYS:
                raise InvalidInput(
                    f"series[{i}].days", "must not be in the future: some are after the time of the event"
                )


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a portfolio holds, in the units of a day: splits with a later ex-date change the units."""

    portfolio: Portfolio
    day: int  # since 1970-01-01
    lots: Mapping[str, tuple[TaxLot, ...]] = field(default_factory=dict)  # by symbol

    def __post_init__(self) -> None:
        checked_day("day", self.day)
        for i, (symbol, quantity) in enumerate(self.portfolio.quantities.items()):
            visible_symbol(f"holdings[{i}].symbol", symbol)
            if abs(quantity) > LARGEST_AMOUNT:
                raise InvalidInput(f"holdings[{i}].quantity", f"must be at most {LARGEST_AMOUNT:g} in size")
        if abs(self.portfolio.cash) > LARGEST_AMOUNT:
            raise InvalidInput("cash", f"must be at most {LARGEST_AMOUNT:g} in size")
        object.__setattr__(self, "lots", {symbol: identified(lots) for symbol, lots in self.lots.items()})


@dataclass(frozen=True, slots=True)
class HoldingsChange:
    """A portfolio was made, traded, got or gave money; without holdings it is deleted."""

    portfolio: str
    revision: int
    holdings: Holdings | None

    def __post_init__(self) -> None:
        visible_symbol("portfolio", self.portfolio)
        checked_revision("revision", self.revision)


@dataclass(frozen=True, slots=True)
class MandateChange:
    """A portfolio has a new target or new rules; without a mandate, the default rules and no target."""

    portfolio: str
    revision: int
    mandate: MonitoredMandate | None

    def __post_init__(self) -> None:
        visible_symbol("portfolio", self.portfolio)
        checked_revision("revision", self.revision)


@dataclass(frozen=True, slots=True)
class PortfoliosChanged:
    """Changes that become known together; of several of one kind and portfolio the highest revision counts."""

    time: int
    changes: tuple[HoldingsChange | MandateChange, ...]

    def __post_init__(self) -> None:
        checked_time("time", self.time)


class TradingState(StrEnum):
    """Whether an asset can be traded."""

    TRADABLE = "TRADABLE"
    HALTED = "HALTED"
    DELISTED = "DELISTED"  # no price is expected any more


@dataclass(frozen=True, slots=True)
class InstrumentChanged:
    """New figures of an asset; None is unknown."""

    time: int
    symbol: str
    revision: int
    trading_state: TradingState = TradingState.TRADABLE
    average_daily_volume: float | None = None  # in units
    spread_bps: float | None = None

    def __post_init__(self) -> None:
        checked_time("time", self.time)
        visible_symbol("symbol", self.symbol)
        checked_revision("revision", self.revision)
        for name in ("average_daily_volume", "spread_bps"):
            value: float | None = getattr(self, name)
            if value is not None:
                non_negative(name, value)


@dataclass(frozen=True, slots=True)
class ActionAnnounced:
    """A corporate action of an asset; one of the same date and kind is replaced.

    Only of assets whose prices are not adjusted for it.
    """

    time: int
    action: CorporateAction

    def __post_init__(self) -> None:
        checked_time("time", self.time)
        checked_day("action.day", self.action.day)


@dataclass(frozen=True, slots=True)
class TimePassed:
    """It is now this time; `closes_day` where the last price of the day is in, so that risk is measured now."""

    time: int
    closes_day: bool = False

    def __post_init__(self) -> None:
        checked_time("time", self.time)


@dataclass(frozen=True, slots=True)
class ToldAlarm:
    """A signal that was told of a figure; fields are those of the signal."""

    portfolio: str
    kind: EventKind
    subject: Subject
    threshold: float
    phase: Phase
    since: int  # microseconds since 1970-01-01, of the event that raised it


@dataclass(frozen=True, slots=True)
class AlarmsTold:
    """Signals that were told after the state was kept, in order: of each figure the last one counts.

    A state that is kept from time to time does not know of a figure that passed its threshold and was back again
    before it was looked at anew. Its alarm becomes active, and is cleared by what the figure is now.
    """

    time: int
    alarms: tuple[ToldAlarm, ...]

    def __post_init__(self) -> None:
        checked_time("time", self.time)


Event = (
    PricesObserved | HistoryLoaded | PortfoliosChanged | InstrumentChanged | ActionAnnounced | TimePassed | AlarmsTold
)

"""Small portfolios and what happens to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from domain.monitoring.events import (
    ClosingPrice,
    Event,
    HistoryLoaded,
    Holdings,
    HoldingsChange,
    MandateChange,
    PortfoliosChanged,
    PriceSeries,
    PricesObserved,
    QuotedPrice,
    TimePassed,
)
from domain.monitoring.monitor import observe
from domain.monitoring.rules import LimitRules, MonitoredMandate, MonitoringRules
from domain.monitoring.signals import EventKind, Phase, Signal
from domain.monitoring.state import MonitorState
from domain.monitoring.timestamps import DAY, SECOND
from domain.portfolio import Portfolio
from domain.taxes.lots import TaxLot

TODAY = 20_000
"""2024-10-04, a Friday."""

OFF = MonitoringRules(
    drift=None, limits=LimitRules(), volatility=None, drawdown=None, liquidity=None, prices=None, long_term=None
)
"""Only a net asset value of 0 or less is a signal."""


def at(day: int, seconds: float = 0.0) -> int:
    """A time of a date."""
    return day * DAY + round(seconds * SECOND)


def quotes(time: int, **prices: float) -> PricesObserved:
    return PricesObserved(time, tuple(QuotedPrice(symbol, time, price) for symbol, price in prices.items()))


def bars(day: int, revision: int = 0, time: int | None = None, **prices: float) -> PricesObserved:
    """Closes of a date, known at 22:00 of it."""
    known = at(day, 79_200) if time is None else time
    return PricesObserved(known, tuple(ClosingPrice(symbol, day, price, revision) for symbol, price in prices.items()))


def holdings(
    quantities: Mapping[str, float],
    cash: float = 0.0,
    day: int = TODAY,
    lots: Mapping[str, tuple[TaxLot, ...]] | None = None,
) -> Holdings:
    return Holdings(Portfolio(dict(quantities), cash), day, lots or {})


def held(
    quantities: Mapping[str, float], cash: float = 0.0, *, revision: int = 0, time: int = at(TODAY), name: str = "P"
) -> PortfoliosChanged:
    change = HoldingsChange(name, revision, holdings(quantities, cash, day=time // DAY))
    return PortfoliosChanged(time, (change,))


def mandated(
    rules: MonitoringRules,
    target: Mapping[str, float] | None = None,
    groups: Mapping[str, tuple[str, ...]] | None = None,
    *,
    revision: int = 0,
    time: int = at(TODAY),
    name: str = "P",
) -> PortfoliosChanged:
    return PortfoliosChanged(time, (MandateChange(name, revision, MonitoredMandate(target, groups or {}, rules)),))


def history(closes: Mapping[str, Sequence[float]], last_day: int = TODAY - 1, time: int | None = None) -> HistoryLoaded:
    """Closes of consecutive dates up to the last one."""
    series = []
    for symbol, prices in closes.items():
        days = np.arange(last_day - len(prices) + 1, last_day + 1, dtype=np.int32)
        series.append(PriceSeries(symbol, days, np.array(prices, np.float64)))
    return HistoryLoaded(at(last_day + 1) if time is None else time, tuple(series))


def clock(day: int, seconds: float = 0.0, *, closes_day: bool = False) -> TimePassed:
    return TimePassed(at(day, seconds), closes_day)


def run(events: Iterable[Event], state: MonitorState | None = None) -> tuple[MonitorState, list[Signal]]:
    """All signals of some events, and the state after them."""
    found: list[Signal] = []
    state = state or MonitorState()
    for event in events:
        state, signals = observe(state, event)
        found += signals
    return state, found


def raised(signals: Iterable[Signal], kind: EventKind | None = None) -> list[Signal]:
    return [one for one in signals if one.phase is Phase.RAISED and kind in (None, one.kind)]


def told(signals: Iterable[Signal]) -> list[tuple[str, str, str]]:
    """Kind, phase and symbol, group or measure."""
    return [
        (one.kind.value, one.phase.value, one.subject.symbol or one.subject.group or one.subject.measure)
        for one in signals
    ]


def only(rules: MonitoringRules = OFF, **parts: object) -> MonitoringRules:
    """Rules with everything off but some kinds."""
    return replace(rules, **parts)  # type: ignore[arg-type]  # the fields of the rules, by name

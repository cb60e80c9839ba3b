"""What holds for every course of events."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Frequency
from domain.market_data.corporate_actions import CorporateAction, Split
from domain.monitoring.codec import state_from_bytes, state_to_bytes
from domain.monitoring.events import (
    ActionAnnounced,
    ClosingPrice,
    Event,
    HoldingsChange,
    InstrumentChanged,
    MandateChange,
    PortfoliosChanged,
    PricesObserved,
    QuotedPrice,
    TimePassed,
    TradingState,
)
from domain.monitoring.monitor import observe
from domain.monitoring.review_calendar import ReviewCalendar
from domain.monitoring.rules import (
    AlarmRule,
    Band,
    DrawdownRules,
    DriftRules,
    LimitRules,
    LiquidityRules,
    MonitoredMandate,
    MonitoringRules,
    PriceRules,
    RiskLimit,
    VolatilityRules,
    WeightRange,
)
from domain.monitoring.signals import Signal
from domain.monitoring.state import MonitorState
from domain.monitoring.timestamps import DAY, day_of
from domain.risk.measures import RiskMeasure
from tests.domain.monitoring.scenes import TODAY, at, holdings, run
from tests.families import generated

SYMBOLS = ("A", "B", "C")
NAMES = ("P", "Q")

ALARM = AlarmRule(hold_observations=1, clear_fraction=0.9, cooldown_seconds=0.0)
HELD = AlarmRule(hold_observations=2, hold_seconds=2.0, cooldown_seconds=4000.0)


def rules(alarm: AlarmRule) -> MonitoringRules:
    """Everything on, and narrow."""
    limits = LimitRules(
        0.6, {"g": WeightRange(0.1, 0.7)}, (RiskLimit(RiskMeasure.STANDARD_DEVIATION, 0.05, minimum_returns=2),), alarm
    )
    return MonitoringRules(
        DriftRules(Band(0.1), {"C": Band(relative=0.3)}, {"g": Band(0.05)}, alarm),
        limits,
        VolatilityRules(1.05, 1.2, minimum_returns=2, alarm=alarm),
        DrawdownRules(alarm=alarm),
        LiquidityRules(0.1, 2.0, 20.0, alarm),
        PriceRules(1.0, 0.1, alarm, alarm),
        ReviewCalendar(Frequency.WEEKLY),
    )


@st.composite
def events(draw: st.DrawFn, steps: tuple[int, ...] = (0, 1, 3_000_000, 10_800_000_000, DAY)) -> list[Event]:
    """A course of everything that happens, in the order of time."""
    time = at(TODAY)
    found: list[Event] = [_portfolios(draw, time, 0), _mandates(draw, time, 0)]
    for revision in range(1, draw(st.integers(1, 25))):
        time += draw(st.sampled_from(steps))
        found.append(_event(draw, time, revision))
    return found


def _portfolios(draw: st.DrawFn, time: int, revision: int) -> Event:
    quantities = st.dictionaries(st.sampled_from(SYMBOLS), st.sampled_from([-5.0, 1.0, 3.0, 10.0]))
    day = day_of(time) - draw(st.integers(0, 1))
    own = [
        HoldingsChange(name, revision, holdings(draw(quantities), draw(st.sampled_from([0.0, 40.0, -30.0])), day))
        for name in NAMES
    ]
    return PortfoliosChanged(time, tuple(own))


def _mandates(draw: st.DrawFn, time: int, revision: int) -> Event:
    target = draw(st.sampled_from([None, {"A": 0.5, "B": 0.5}, {"A": 0.2, "C": 0.6}]))
    mandates = [MonitoredMandate(target, {"g": ("C", "A")}, rules(draw(st.sampled_from([ALARM, HELD])))) for _ in NAMES]
    own = [MandateChange(name, revision, one) for name, one in zip(NAMES, mandates, strict=True)]
    return PortfoliosChanged(time, tuple(own))


def _event(draw: st.DrawFn, time: int, revision: int) -> Event:
    kind = draw(
        st.sampled_from(["bars", "bars", "quotes", "quotes", "quotes", "time", "P", "M", "instrument", "split"])
    )
    price = st.sampled_from([5.0, 9.0, 10.0, 10.5, 11.0, 14.0])
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True))
    if kind == "bars":
        day = day_of(time) - draw(st.integers(0, 2))
        return PricesObserved(time, tuple(ClosingPrice(symbol, day, draw(price), revision) for symbol in symbols))
    if kind == "quotes":
        spread = st.sampled_from([None, 5.0, 30.0])
        return PricesObserved(time, tuple(QuotedPrice(symbol, time, draw(price), draw(spread)) for symbol in symbols))
    if kind == "time":
        return TimePassed(time, draw(st.booleans()))
    if kind == "instrument":
        state = draw(st.sampled_from(list(TradingState)))
        return InstrumentChanged(time, symbols[0], revision, state, draw(st.sampled_from([None, 1.0, 100.0])), 10.0)
    if kind == "split":
        action = CorporateAction(
            symbols[0], day_of(time) + draw(st.integers(-1, 1)), Split(draw(st.sampled_from([2.0, 0.5])))
        )
        return ActionAnnounced(time, action)
    return _portfolios(draw, time, revision) if kind == "P" else _mandates(draw, time, revision)


@generated(100)
@given(events(), st.integers(0, 24))
def test_replay_gives_the_same_signals_and_the_same_bytes(course: list[Event], stop: int) -> None:
    """Also where the state was stored on the way and read back."""
    state, signals = run(course)
    again, first = run(course[:stop])
    stored = state_to_bytes(again)
    restored = state_from_bytes(stored)
    assert state_to_bytes(restored) == stored
    again, second = run(course[stop:], restored)
    assert [*first, *second] == signals
    assert state_to_bytes(again) == state_to_bytes(state)


@generated(100)
@given(events())
def test_an_event_twice_changes_nothing(course: list[Event]) -> None:
    state = MonitorState()
    for event in course:
        state, _ = observe(state, event)
        twice, signals = observe(state, event)
        assert signals == ()
        assert state_to_bytes(twice) == state_to_bytes(state)


@generated(50)
@given(events())
def test_events_of_the_past_change_nothing(course: list[Event]) -> None:
    """All of them, all over again: none is newer than what is known. A split may be replaced by another of its date."""
    course = [event for event in course if not isinstance(event, ActionAnnounced)]
    state, _ = run(course)
    again, signals = run([event for event in course if not isinstance(event, TimePassed)], state)
    assert signals == []
    assert state_to_bytes(again) == state_to_bytes(state)


def _reversed(event: Event) -> Event:
    """The same event with its parts in another order."""
    if isinstance(event, PricesObserved):
        return replace(event, prices=event.prices[::-1])
    if isinstance(event, PortfoliosChanged):
        return replace(event, changes=tuple(_reversed_change(one) for one in event.changes[::-1]))
    return event


def _reversed_change(change: HoldingsChange | MandateChange) -> HoldingsChange | MandateChange:
    if isinstance(change, HoldingsChange):
        if change.holdings is None:
            return change
        own = change.holdings.portfolio
        turned = replace(own, quantities=dict(reversed(list(own.quantities.items()))))
        return replace(change, holdings=replace(change.holdings, portfolio=turned))
    if change.mandate is None:
        return change
    target = change.mandate.target
    groups = {name: members[::-1] for name, members in change.mandate.groups.items()}
    turned_target = None if target is None else dict(reversed(list(target.items())))
    return replace(change, mandate=replace(change.mandate, target=turned_target, groups=groups))


@generated(100)
@given(events())
def test_the_order_of_assets_and_portfolios_does_not_matter(course: list[Event]) -> None:
    _, signals = run(course)
    _, others = run([_reversed(event) for event in course])
    assert others == signals


@generated(100)
@given(events())
def test_a_portfolio_does_not_depend_on_the_others(course: list[Event]) -> None:
    """P alone has the signals that P has beside Q.

    The assets are named first: one without a price is as old as the date on which anybody named it.
    """
    course = [*(InstrumentChanged(at(TODAY), symbol, 0) for symbol in SYMBOLS), *course]
    _, signals = run(course)
    _, alone = run([_without_q(event) for event in course])
    assert alone == [one for one in signals if one.portfolio == "P"]


def _without_q(event: Event) -> Event:
    if not isinstance(event, PortfoliosChanged):
        return event
    return replace(event, changes=tuple(one for one in event.changes if one.portfolio != "Q"))


@generated(100)
@given(events())
def test_values_and_weights_are_those_of_a_new_computation(course: list[Event]) -> None:
    """From the state's own holdings and the last prices, with no arrays at all."""
    state = MonitorState()
    for event in course:
        state, _ = observe(state, event)
    for name, value in state.values().items():
        own = state.watches[name].holdings
        assert own is not None
        worth: dict[str, float] = {}
        for symbol, quantity in own.portfolio.quantities.items():
            history = state.instruments.by_symbol[symbol].history
            if not len(history.days):
                worth[symbol] = math.nan
                continue
            between = history.split_factor(int(history.days[-1])) / history.split_factor(own.day)
            worth[symbol] = quantity * between * float(history.prices[-1])
        expected = math.fsum([*worth.values(), own.portfolio.cash])
        assert value == pytest.approx(expected, rel=1e-13, abs=1e-12, nan_ok=True)
        weights = state.weights(name)
        for symbol, one in worth.items():
            known = expected > 1e-9
            assert weights[symbol] == pytest.approx(one / expected if known else math.nan, rel=1e-12, nan_ok=True) or (
                abs(expected) <= 1e-9
            )


@generated(100)
@given(events(steps=(1, 3_000_000, DAY)))
def test_no_two_signals_have_one_key(course: list[Event]) -> None:
    _, signals = run(course)
    assert len({one.dedupe_key for one in signals}) == len(signals)
    assert all(math.isfinite(one.figure) and math.isfinite(one.threshold) and one.message for one in signals)


def test_a_price_at_the_threshold_does_not_chatter() -> None:
    """A thousand prices around the one at which A leaves its band: one signal."""
    drift = MonitoringRules(drift=DriftRules(Band(0.05), alarm=AlarmRule(cooldown_seconds=0.0)), drawdown=None)
    mandate = MonitoredMandate({"A": 0.5, "B": 0.5}, rules=replace(drift, prices=None, volatility=None))
    start = PortfoliosChanged(
        at(TODAY), (HoldingsChange("P", 0, holdings({"A": 1, "B": 1})), MandateChange("P", 0, mandate))
    )
    edge = 100 * 0.55 / 0.45
    random = np.random.default_rng(5)
    prices = edge * (1.0 + random.normal(0.0, 1e-4, 1000))
    times = [at(TODAY, i + 1) for i in range(1000)]
    course = [PricesObserved(time, (QuotedPrice("A", time, price),)) for time, price in zip(times, prices, strict=True)]
    _, signals = run([start, PricesObserved(at(TODAY), (QuotedPrice("B", at(TODAY), 100.0),)), *course])
    assert [(one.subject.symbol, one.phase) for one in signals] == [("A", "RAISED"), ("B", "RAISED")]


def _ticks(events: int, each: int) -> tuple[MonitorState, list[Signal]]:
    """Random quotes of ten assets by turns, far up and down, `each` in an event."""
    random = np.random.default_rng(9)
    symbols = [f"S{i}" for i in range(10)]
    quantities = dict(zip(symbols, random.uniform(0.1, 1e3, 10).tolist(), strict=True))
    mandate = MandateChange("P", 0, MonitoredMandate(rules=MonitoringRules(volatility=None)))
    state, signals = run([PortfoliosChanged(at(TODAY), (HoldingsChange("P", 0, holdings(quantities, 0.1)), mandate))])
    times = iter(range(at(TODAY), at(TODAY) + events * each))
    for _ in range(events):
        prices = np.exp(random.normal(0.0, 3.0, each)).tolist()
        names = random.integers(0, 10, each).tolist()
        quoted = tuple(
            QuotedPrice(symbols[name], next(times), price) for name, price in zip(names, prices, strict=True)
        )
        state, found = observe(state, PricesObserved(quoted[-1].time, quoted))
        signals += found
    return state, signals


@pytest.mark.parametrize(
    "events",
    [
        200,
        pytest.param(2000, marks=pytest.mark.exhaustive),
        pytest.param(20_000, marks=[pytest.mark.long, pytest.mark.timeout(600)]),
    ],
)
def test_as_many_as_a_million_prices_leave_no_rounding(events: int) -> None:
    """The value after them is that of the last prices alone, to the last bit; a running sum would have drifted."""
    state, _ = _ticks(events, 50)
    own = state.watches["P"].holdings
    assert own is not None
    prices = {
        symbol: float(state.instruments.by_symbol[symbol].history.prices[-1]) for symbol in state.rows["P"].symbols
    }
    fresh = PricesObserved(at(TODAY, 86_000), tuple(QuotedPrice(s, at(TODAY, 86_000), p) for s, p in prices.items()))
    anew, _ = run([PortfoliosChanged(at(TODAY), (HoldingsChange("P", 0, own),)), fresh])
    assert state.values() == anew.values()
    assert state.weights("P") == anew.weights("P")
    exact = math.fsum([*(own.portfolio.quantities[symbol] * price for symbol, price in prices.items()), 0.1])
    assert state.values()["P"] == pytest.approx(exact, rel=1e-14)


def test_a_price_touches_only_the_portfolios_that_hold_the_asset() -> None:
    """Of 50 portfolios with an asset each, one is valued, and the arrays of the alarms stay what they are."""
    mandate = MonitoredMandate({"A": 0.1}, rules=rules(ALARM), groups={"g": ("A",)})
    changes: list[HoldingsChange | MandateChange] = []
    for i in range(50):
        changes.append(HoldingsChange(f"P{i:02d}", 0, holdings({f"S{i:02d}": 1.0}, 1.0)))
        changes.append(MandateChange(f"P{i:02d}", 0, mandate))
    prices = tuple(QuotedPrice(f"S{i:02d}", at(TODAY, 1), 10.0) for i in range(50))
    state, _ = run([PortfoliosChanged(at(TODAY), tuple(changes)), PricesObserved(at(TODAY, 1), prices)])
    after, signals = observe(state, PricesObserved(at(TODAY, 2), (QuotedPrice("S07", at(TODAY, 2), 10.1),)))
    assert signals == ()
    changed = np.flatnonzero(after.levels.index != state.levels.index)
    assert changed.tolist() == [7]
    assert all(after.alarms[family] is state.alarms[family] for family in after.alarms)
    assert after.positions is state.positions
    assert after.holders("S07") == ("P07",)


def test_an_asset_without_a_price_is_as_old_as_its_name() -> None:
    """C is named by Q on the first date: P, which holds it from the next one, is told with Q."""
    mandates = tuple(MandateChange(name, 0, MonitoredMandate(None, {"g": ("A",)}, rules(ALARM))) for name in NAMES)
    first = PortfoliosChanged(at(TODAY), (*mandates, HoldingsChange("Q", 0, holdings({"C": 1.0}))))
    later = PortfoliosChanged(at(TODAY + 1), (HoldingsChange("P", 0, holdings({"C": 1.0})),))
    _, signals = run([first, later, TimePassed(at(TODAY + 2))])
    assert [(one.portfolio, one.kind, one.figure) for one in signals if one.subject.symbol] == [
        ("P", "PRICE_STALE", 2.0),
        ("Q", "PRICE_STALE", 2.0),
    ]

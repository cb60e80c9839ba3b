"""Each kind of signal: what raises it, what clears it, and what does not."""

import datetime as dt
import math
from decimal import Decimal

import pytest

from domain.calendar import Frequency
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from domain.monitoring.codec import state_to_bytes
from domain.monitoring.events import (
    ActionAnnounced,
    ClosingPrice,
    HoldingsChange,
    InstrumentChanged,
    PortfoliosChanged,
    PricesObserved,
    QuotedPrice,
    TradingState,
)
from domain.monitoring.monitor import observe
from domain.monitoring.review_calendar import ReviewCalendar
from domain.monitoring.rules import (
    AlarmRule,
    Band,
    DrawdownMark,
    DrawdownRules,
    DriftRules,
    LimitRules,
    LiquidityRules,
    MonitoringRules,
    PriceRules,
    RiskLimit,
    VolatilityRules,
    WeightRange,
)
from domain.monitoring.signals import EventKind, Severity
from domain.monitoring.state import MonitorState
from domain.risk.measures import RiskMeasure
from domain.taxes.lots import TaxLot, TermRule
from tests.domain.monitoring.scenes import (
    OFF,
    TODAY,
    at,
    bars,
    clock,
    held,
    history,
    holdings,
    mandated,
    only,
    quotes,
    raised,
    run,
    told,
)

AT_ONCE = AlarmRule(cooldown_seconds=0.0)


def drift(**settings: object) -> MonitoringRules:
    return only(drift=DriftRules(alarm=AT_ONCE, **settings))  # type: ignore[arg-type]  # its fields, by name


def test_drift_is_the_difference_of_a_weight_to_its_target() -> None:
    """A and B at 100 each are 50 %; at 130 A is 130 / 230 = 56.52 %, 6.52 points above its target."""
    start = [mandated(drift(), {"A": 0.5, "B": 0.5}), held({"A": 10, "B": 10}), quotes(at(TODAY, 1), A=100, B=100)]
    state, signals = run(start)
    assert signals == []
    state, signals = run([quotes(at(TODAY, 2), A=130)], state)
    a, b = signals
    assert (a.kind, a.severity, a.portfolio, a.subject.symbol) == (EventKind.DRIFT, Severity.WARNING, "P", "A")
    assert a.figure == pytest.approx(13 / 23 - 0.5)
    assert b.figure == pytest.approx(10 / 23 - 0.5)
    assert (a.threshold, a.time, a.since) == (0.05, at(TODAY, 2), at(TODAY, 2))
    assert a.message == (
        "A is 56.52 % of the portfolio, 6.522 percentage points above its target of 50 %, and outside its band of 5."
    )


def test_drift_clears_at_a_part_of_its_band() -> None:
    """It sets above 5 points and clears at 4: a weight of 54.5 % is in between, and neither."""
    state, _ = run(
        [mandated(drift(), {"A": 0.5, "B": 0.5}), held({"A": 1, "B": 1}), quotes(at(TODAY, 1), A=130, B=100)]
    )
    between, inside = 100 * 0.545 / 0.455, 100 * 0.535 / 0.465
    state, signals = run([quotes(at(TODAY, 2), A=between)], state)
    assert signals == []
    state, signals = run([quotes(at(TODAY, 3), A=inside)], state)
    assert told(signals) == [("DRIFT", "CLEARED", "A"), ("DRIFT", "CLEARED", "B")]
    assert {(one.severity, one.since, one.time) for one in signals} == {(Severity.INFO, at(TODAY, 1), at(TODAY, 3))}
    state, signals = run([quotes(at(TODAY, 4), A=between)], state)
    assert signals == []


@pytest.mark.parametrize(
    ("band", "symbols"),
    [
        (Band(absolute=0.07), []),
        (Band(relative=0.13), ["A", "B"]),  # of 50 %: 6.5 points
        (Band(relative=0.131), []),
        (Band(absolute=0.07, relative=0.13), ["A", "B"]),  # the tighter one
    ],
)
def test_bands_are_absolute_or_relative(band: Band, symbols: list[str]) -> None:
    rules = drift(band=band)
    _, signals = run(
        [mandated(rules, {"A": 0.5, "B": 0.5}), held({"A": 10, "B": 10}), quotes(at(TODAY, 1), A=130, B=100)]
    )
    assert [one.subject.symbol for one in raised(signals)] == symbols


def test_bands_of_single_assets_and_of_groups() -> None:
    """B + C are 200 / 330 = 60.6 % against 66.7 %; each alone is 3 points off."""
    target = {"A": 1 / 3, "B": 1 / 3, "C": 1 / 3}
    rules = drift(band=Band(0.2), by_symbol={"C": Band(0.03)}, by_group={"tech": Band(0.06)})
    groups = {"tech": ("C", "B", "Z")}
    _, signals = run(
        [mandated(rules, target, groups), held({"A": 1, "B": 1, "C": 1}), quotes(at(TODAY, 1), A=130, B=100, C=100)]
    )
    assert told(signals) == [("DRIFT", "RAISED", "tech"), ("DRIFT", "RAISED", "C")]
    group, symbol = signals
    assert group.figure == pytest.approx(200 / 330 - 2 / 3)
    assert symbol.figure == pytest.approx(100 / 330 - 1 / 3)


def test_what_is_not_wanted_has_left_a_relative_band() -> None:
    rules = drift(band=Band(relative=0.5))
    _, signals = run([mandated(rules, {"A": 1.0}), held({"A": 98, "B": 2}), quotes(at(TODAY, 1), A=1, B=1)])
    assert told(signals) == [("DRIFT", "RAISED", "B")]


def test_without_a_target_nothing_drifts() -> None:
    _, signals = run([mandated(drift()), held({"A": 1, "B": 1}), quotes(at(TODAY, 1), A=1e6, B=1)])
    assert signals == []


def test_a_portfolio_of_cash_has_drifted_from_its_target() -> None:
    state, signals = run([mandated(drift(), {"A": 0.6}), held({}, 1000.0)])
    assert [(one.subject.symbol, one.figure) for one in signals] == [("A", -0.6)]
    assert state.values() == {"P": 1000.0}
    assert state.weights("P") == {"A": 0.0}


def test_a_missing_price_leaves_everything_open() -> None:
    state, signals = run([mandated(drift(), {"A": 0.5, "B": 0.5}), held({"A": 10, "B": 10}), quotes(at(TODAY, 1), A=1)])
    assert signals == []
    assert math.isnan(state.values()["P"])
    _, signals = run([quotes(at(TODAY, 2), B=3)], state)
    assert told(signals) == [("DRIFT", "RAISED", "A"), ("DRIFT", "RAISED", "B")]


def test_a_weight_above_its_limit() -> None:
    rules = only(limits=LimitRules(0.5, {"energy": WeightRange(0.1, 0.4)}, alarm=AT_ONCE))
    groups = {"energy": ("B", "C")}
    state, signals = run(
        [mandated(rules, None, groups), held({"A": 60, "B": 20, "C": 20}), quotes(at(TODAY, 1), A=1, B=1, C=1)]
    )
    assert [(one.subject.symbol, one.figure, one.threshold) for one in signals] == [("A", 0.6, 0.5)]
    assert signals[0].message == "A is 60 % of the portfolio, above its limit of 50 %."
    _, signals = run([quotes(at(TODAY, 2), A=10)], state)
    assert [(one.subject.group, one.threshold) for one in signals] == [("energy", 0.1)]
    assert signals[0].message == "Group energy is 6.25 % of the portfolio, below its limit of 10 %."


def test_a_short_position_counts_by_its_size() -> None:
    rules = only(limits=LimitRules(0.5, alarm=AT_ONCE))
    _, signals = run([mandated(rules), held({"A": -60}, 160.0), quotes(at(TODAY, 1), A=1)])
    assert [(one.subject.symbol, one.figure, one.threshold) for one in signals] == [("A", -0.6, -0.5)]


@pytest.mark.parametrize("price", [0.5, 0.4])
def test_an_equity_of_zero_or_less_is_critical_and_has_no_weights(price: float) -> None:
    rules = only(drift=DriftRules(alarm=AT_ONCE), limits=LimitRules(0.9, alarm=AT_ONCE))
    state, _ = run([mandated(rules, {"A": 2.0}), held({"A": 100}, -50.0), quotes(at(TODAY, 1), A=1)])
    state, signals = run([quotes(at(TODAY, 2), A=price)], state)
    assert told(signals) == [("LIMIT", "RAISED", "net_asset_value")]
    assert signals[0].severity is Severity.CRITICAL
    assert (signals[0].figure, signals[0].threshold) == (pytest.approx(100 * price - 50), 0.0)
    assert math.isnan(state.weights("P")["A"])
    _, signals = run([quotes(at(TODAY, 3), A=1)], state)
    assert told(signals) == [("LIMIT", "CLEARED", "net_asset_value")]


def test_a_long_and_a_short_position_can_be_worth_nothing() -> None:
    _, signals = run([mandated(OFF), held({"A": 1, "B": -1}), quotes(at(TODAY, 1), A=7, B=7)])
    assert told(signals) == [("LIMIT", "RAISED", "net_asset_value")]


@pytest.mark.parametrize("price", [None, 1.0])
def test_a_group_without_members_waits_for_a_value_too(price: float | None) -> None:
    """Its weight is 0 where the value is above 0, and not known where a price is missing or the value is not."""
    rules = only(limits=LimitRules(by_group={"energy": WeightRange(lower=0.1)}, alarm=AT_ONCE))
    state, signals = run([mandated(rules, None, {"energy": ("X",)}), held({"A": 1}, -5.0)])
    state, signals = run([quotes(at(TODAY, 1), A=price)] if price else [], state)
    assert "energy" not in [one[2] for one in told(signals)]
    _, signals = run([quotes(at(TODAY, 2), A=6.0)], state)
    assert [(one.subject.group, one.figure) for one in raised(signals)] == [("energy", 0.0)]


def test_an_empty_portfolio_is_no_signal() -> None:
    state, signals = run([mandated(MonitoringRules()), held({}), clock(TODAY + 1), clock(TODAY + 40)])
    assert signals == []
    assert state.values() == {"P": 0.0}


MARKS = DrawdownRules((DrawdownMark(0.2, Severity.CRITICAL), DrawdownMark(0.1)), AT_ONCE)


def test_drawdown_marks_count_from_the_peak() -> None:
    state, _ = run([mandated(only(drawdown=MARKS)), held({"A": 1}), quotes(at(TODAY, 1), A=100)])
    state, signals = run([quotes(at(TODAY, 2), A=120), quotes(at(TODAY, 3), A=108.1)], state)
    assert signals == []
    state, signals = run([quotes(at(TODAY, 4), A=90)], state)
    assert [(one.figure, one.threshold, one.severity) for one in signals] == [
        (pytest.approx(0.25), 0.1, Severity.WARNING),
        (pytest.approx(0.25), 0.2, Severity.CRITICAL),
    ]
    assert signals[0].message == "The portfolio is 25 % below its peak and has reached its mark of 10 %."
    _, signals = run([quotes(at(TODAY, 5), A=101), quotes(at(TODAY, 6), A=111)], state)
    assert [(one.threshold, one.phase) for one in signals] == [(0.2, "CLEARED"), (0.1, "CLEARED")]


def test_money_in_and_out_is_no_drawdown() -> None:
    """A withdrawal halves the value; then a fall by 10 % is a drawdown of 10 %."""
    state, _ = run([mandated(only(drawdown=MARKS)), held({"A": 10}), quotes(at(TODAY, 1), A=100)])
    state, signals = run([held({"A": 5}, revision=1, time=at(TODAY, 2)), quotes(at(TODAY, 3), A=100)], state)
    assert signals == []
    _, signals = run([quotes(at(TODAY, 4), A=90)], state)
    assert [(one.figure, one.threshold) for one in signals] == [(pytest.approx(0.1), 0.1)]


def test_a_high_within_an_earlier_date_is_no_peak() -> None:
    """It counts on its date: 100 after 150 is a third below. On the next date the peak is the last value, 100."""
    state, _ = run([mandated(only(drawdown=MARKS)), held({"A": 1}), quotes(at(TODAY, 1), A=100)])
    state, signals = run([quotes(at(TODAY, 2), A=150), quotes(at(TODAY, 3), A=100)], state)
    assert [one.figure for one in signals] == [pytest.approx(1 / 3)] * 2
    _, signals = run([quotes(at(TODAY + 1), A=99)], state)
    assert [(one.phase, one.figure) for one in signals] == [("CLEARED", pytest.approx(0.01))] * 2


def test_a_close_after_quotes_is_no_correction() -> None:
    """The high of 150 was a price of today: a close of 100 is a third below it."""
    state, _ = run([mandated(only(drawdown=MARKS)), held({"A": 1}), quotes(at(TODAY, 1), A=150)])
    _, signals = run([bars(TODAY, A=100)], state)
    assert [one.figure for one in signals] == [pytest.approx(1 / 3)] * 2


def test_an_action_that_is_announced_leaves_the_high_of_today() -> None:
    """Neither a split or dividend of tomorrow changes the value, nor a split that holdings and price know already."""
    state, _ = run([mandated(only(drawdown=MARKS)), held({"A": 1}), quotes(at(TODAY, 1), A=150)])
    state, signals = run([quotes(at(TODAY, 2), A=75)], state)
    assert len(signals) == 2
    for event in (Split(2.0), CashDividend(1.0)):
        action = ActionAnnounced(at(TODAY, 3), CorporateAction("A", TODAY + 1, event))
        later, signals = run([action, quotes(at(TODAY, 4), A=76)], state)
        assert signals == []
    _, signals = run([ActionAnnounced(at(TODAY, 3), CorporateAction("A", TODAY, Split(2.0)))], state)
    assert signals == []
    _, signals = run([bars(TODAY + 1, A=37.5), quotes(at(TODAY + 2), A=75)], later)
    assert told(signals)[-1] == ("DRAWDOWN", "CLEARED", "drawdown")


def test_a_withdrawal_leaves_the_peak_where_it_is() -> None:
    """600 of 1 200 stay, 480 of it in A: a fall of A by 11.25 % is one of 9 %, one by 12.5 % is one of 10 %."""
    state, _ = run([mandated(only(drawdown=MARKS)), held({"A": 10}), quotes(at(TODAY, 1), A=100)])
    paid = held({"A": 4}, 120.0, revision=1, time=at(TODAY, 3))
    state, signals = run([quotes(at(TODAY, 2), A=120), paid, quotes(at(TODAY, 4), A=106.5)], state)
    assert signals == []
    _, signals = run([quotes(at(TODAY, 5), A=105)], state)
    assert [one.figure for one in signals] == [pytest.approx(0.1)]


def test_a_corrected_price_takes_its_high_with_it() -> None:
    """A close of 1000 that should have been 100 is no peak once it is corrected."""
    start = [mandated(only(drawdown=MARKS)), held({"A": 1}, time=at(TODAY - 1)), bars(TODAY - 1, A=100)]
    state, _ = run([*start, bars(TODAY, A=1000)])
    _, signals = run([bars(TODAY, 1, A=100), bars(TODAY + 1, A=99)], state)
    assert signals == []
    _, signals = run([bars(TODAY + 1, A=99)], state)
    assert len(signals) == 2  # without the correction it is a fall by nine tenths


def test_a_total_loss_is_a_drawdown_of_one_and_new_money_begins_anew() -> None:
    """The peak of 1.5 times the first value, on the date before, is forgotten with the rest."""
    yesterday = at(TODAY - 1)
    rules = mandated(only(drawdown=MARKS), time=yesterday)
    start = [rules, held({"A": 100}, -50.0, time=yesterday), quotes(yesterday, A=1)]
    state, _ = run([*start, quotes(yesterday + 1, A=1.25)])
    state, signals = run([quotes(at(TODAY, 2), A=0.1)], state)
    assert [one.figure for one in raised(signals, EventKind.DRAWDOWN)] == [1.0, 1.0]
    state, signals = run([held({"A": 100}, 1000.0, revision=1, time=at(TODAY, 3))], state)
    assert told(signals) == [
        ("DRAWDOWN", "CLEARED", "drawdown"),
        ("DRAWDOWN", "CLEARED", "drawdown"),
        ("LIMIT", "CLEARED", "net_asset_value"),
    ]


def test_days_to_sell_a_position() -> None:
    """1 000 units at a tenth of 1 000 a day take ten days."""
    rules = only(liquidity=LiquidityRules(0.1, 5.0, 50.0, AT_ONCE))
    state, signals = run([mandated(rules), held({"A": -1000}, 1e6), quotes(at(TODAY, 1), A=10)])
    assert signals == []  # without a volume nothing is known
    state, signals = run([InstrumentChanged(at(TODAY, 2), "A", 0, average_daily_volume=1000.0)], state)
    assert [(one.kind, one.subject.measure, one.figure, one.threshold) for one in signals] == [
        (EventKind.LIQUIDITY, "days_to_sell", 10.0, 5.0)
    ]
    state, signals = run([InstrumentChanged(at(TODAY, 3), "A", 1, average_daily_volume=0.0)], state)
    assert signals == []
    _, signals = run([held({"A": -100}, 1e6, revision=1, time=at(TODAY, 4))], state)
    assert signals == []  # no volume at all: still as long as can be told
    _, signals = run([InstrumentChanged(at(TODAY, 5), "A", 2, average_daily_volume=3000.0)], state)
    assert told(signals) == [("LIQUIDITY", "CLEARED", "A")]


def test_days_to_sell_are_those_of_the_units_of_now() -> None:
    """400 units are four days; after a split of two for one they are 800, at the volume of before eight days."""
    rules = only(liquidity=LiquidityRules(0.1, 5.0, alarm=AT_ONCE))
    volume = InstrumentChanged(at(TODAY, 1), "A", 0, average_daily_volume=1000.0)
    state, signals = run([mandated(rules), held({"A": 400}), volume, bars(TODAY, A=10)])
    assert signals == []
    split = ActionAnnounced(at(TODAY + 1), CorporateAction("A", TODAY + 1, Split(2.0)))
    volume = InstrumentChanged(at(TODAY + 1, 80_000), "A", 1, average_daily_volume=1001.0)
    _, signals = run([split, bars(TODAY + 1, A=5), volume], state)
    assert [one.figure for one in signals] == [pytest.approx(8000 / 1001)]


HELD = AlarmRule(hold_seconds=60.0, cooldown_seconds=0.0)


@pytest.mark.parametrize(
    ("rules", "kind"),
    [
        (only(drift=DriftRules(alarm=HELD)), EventKind.DRIFT),
        (only(drawdown=DrawdownRules((DrawdownMark(0.1),), HELD)), EventKind.DRAWDOWN),
        (only(prices=PriceRules(None, 0.1, HELD, HELD)), EventKind.PRICE_JUMP),
        (only(volatility=VolatilityRules(0.1, 9.0, minimum_returns=2, alarm=HELD)), EventKind.VOLATILITY),
        (
            only(limits=LimitRules(risk=(RiskLimit(RiskMeasure.RANGE, 1e-3, minimum_returns=2),), alarm=HELD)),
            EventKind.LIMIT,
        ),
    ],
)
def test_what_has_been_for_long_enough_is_told_without_a_further_price(rules: MonitoringRules, kind: EventKind) -> None:
    """A price at second 2, and risk at second 1 or with it; a minute later there is only the time."""
    start = [mandated(rules, {"A": 0.5}), held({"A": 1}, 100.0), history({"A": [101.0, 99.0, 100.0]})]
    first = [clock(TODAY, 1, closes_day=True), quotes(at(TODAY, 1), A=101), quotes(at(TODAY, 2), A=70)]
    state, signals = run([*start, *first])
    assert signals == []
    _, signals = run([clock(TODAY, 59)], state)
    assert signals == []
    state, signals = run([clock(TODAY, 62), clock(TODAY, 62), clock(TODAY, 200)], state)
    assert [(one.kind, one.phase) for one in signals] == [(kind, "RAISED")]


def test_a_wide_spread() -> None:
    rules = only(liquidity=LiquidityRules(max_spread_bps=50.0, alarm=AT_ONCE))
    state, _ = run([mandated(rules), held({"A": 1, "B": 1})])
    wide = PricesObserved(at(TODAY, 1), (QuotedPrice("A", at(TODAY, 1), 10.0, 80.0),))
    state, signals = run([wide], state)
    assert [(one.subject.symbol, one.figure) for one in signals] == [("A", 80.0)]
    _, signals = run([InstrumentChanged(at(TODAY, 2), "B", 0, spread_bps=60.0)], state)
    assert [one.message for one in signals] == ["The spread of B is 60 basis points, above the limit of 50."]


AGES = only(prices=PriceRules(5.0, None, AT_ONCE, AT_ONCE))


def test_a_price_is_stale_once() -> None:
    start = [mandated(AGES), held({"A": 1, "B": 1}), bars(TODAY, A=1, B=1)]
    days = [clock(TODAY + i, 3600 * j) for i in range(1, 20) for j in (0, 1)]
    state, signals = run([*start, InstrumentChanged(at(TODAY, 80_000), "A", 0, TradingState.HALTED), *days])
    assert [(one.subject.symbol, one.figure, one.time) for one in signals] == [
        ("A", 6.0, at(TODAY + 6)),
        ("B", 6.0, at(TODAY + 6)),
    ]
    assert signals[0].message == "A has had no new price for 6 days, more than 5."
    _, signals = run([bars(TODAY + 19, A=1)], state)
    assert told(signals) == [("PRICE_STALE", "CLEARED", "A")]


def test_an_asset_that_never_had_a_price_is_stale_too() -> None:
    _, signals = run([mandated(AGES), held({"A": 1}), *(clock(TODAY + i) for i in range(12))])
    assert told(signals) == [("PRICE_STALE", "RAISED", "A")]


@pytest.mark.parametrize("state_first", [False, True])
def test_a_delisted_asset_is_not_stale(state_first: bool) -> None:
    gone = (
        InstrumentChanged(at(TODAY, 80_000), "A", 0, TradingState.DELISTED)
        if state_first
        else ActionAnnounced(at(TODAY, 80_000), CorporateAction("A", TODAY + 1, Delisting()))
    )
    events = [mandated(AGES), held({"A": 1}), bars(TODAY, A=1), gone, *(clock(TODAY + i) for i in range(1, 12))]
    _, signals = run(events)
    assert signals == []


def test_a_stale_asset_that_is_delisted_and_comes_back_is_told_anew() -> None:
    start = [mandated(AGES), held({"A": 1}), bars(TODAY, A=1), clock(TODAY + 6)]
    gone = InstrumentChanged(at(TODAY + 6, 1), "A", 0, TradingState.DELISTED)
    back = InstrumentChanged(at(TODAY + 7, 1), "A", 1, TradingState.TRADABLE)
    _, signals = run([*start, gone, clock(TODAY + 7), back, clock(TODAY + 8)])
    assert [(one.kind, one.phase, one.time) for one in signals] == [
        (EventKind.PRICE_STALE, "RAISED", at(TODAY + 6)),
        (EventKind.PRICE_STALE, "RAISED", at(TODAY + 8)),
    ]


def test_what_is_wanted_and_not_held_is_not_stale() -> None:
    _, signals = run([mandated(AGES, {"A": 1.0}), held({}, 1.0), *(clock(TODAY + i) for i in range(12))])
    assert signals == []


JUMPS = only(prices=PriceRules(None, 0.15, AT_ONCE, AT_ONCE))


def test_a_jump_is_a_move_since_the_last_date() -> None:
    start = [mandated(JUMPS), held({"A": 1}, time=at(TODAY - 1)), bars(TODAY - 1, A=100)]
    state, _ = run(start)
    state, signals = run([quotes(at(TODAY, 1), A=110), quotes(at(TODAY, 2), A=84)], state)
    assert [(one.figure, one.threshold) for one in signals] == [(pytest.approx(-0.16), -0.15)]
    assert signals[0].message == "The price of A has changed by -16 % since its last date, beyond 15 %."
    state, signals = run([quotes(at(TODAY, 3), A=80), bars(TODAY, A=84)], state)
    assert signals == []
    _, signals = run([bars(TODAY + 1, A=70)], state)
    assert [one.figure for one in signals] == [pytest.approx(-14 / 84)]  # a jump of its own


def test_a_corrected_jump_is_over() -> None:
    start = [mandated(JUMPS), held({"A": 1}, time=at(TODAY - 1)), bars(TODAY - 1, A=100), bars(TODAY, A=1000)]
    state, signals = run(start)
    assert len(signals) == 1
    _, signals = run([bars(TODAY, 1, A=100)], state)
    assert told(signals) == [("PRICE_JUMP", "CLEARED", "A")]
    _, signals = run([bars(TODAY - 1, 1, time=at(TODAY, 80_000), A=990)], state)  # or the date before was wrong
    assert told(signals) == [("PRICE_JUMP", "CLEARED", "A")]


@pytest.mark.parametrize("announced", [at(TODAY - 1, 80_000), at(TODAY, 80_000)], ids=["before", "after"])
@pytest.mark.parametrize("days", [TODAY - 1, TODAY], ids=["old units", "new units"])
def test_a_split_is_no_jump_no_drift_and_no_drawdown(announced: int, days: int) -> None:
    """Two for one: 100 units at 50 are 200 at 25, whether the units were told before the ex-date or after it.

    Where the split becomes known after its price, that looks like a jump until then, and is over with it.
    """
    rules = only(JUMPS, drift=DriftRules(alarm=AT_ONCE), drawdown=MARKS, limits=LimitRules(alarm=AT_ONCE))
    start = [
        mandated(rules, {"A": 0.5, "B": 0.5}, time=at(TODAY - 1)),
        held({"A": 100, "B": 100}, time=at(TODAY - 1)),
        bars(TODAY - 1, A=50, B=50),
    ]
    split = ActionAnnounced(announced, CorporateAction("A", TODAY, Split(2.0)))
    after = [bars(TODAY, A=25, B=50)]
    told_again = HoldingsChange("P", 1, holdings({"A": 200 if days == TODAY else 100, "B": 100}, day=days))
    events = [split, *after] if announced < at(TODAY) else [*after, split]
    state, signals = run([*start, *events, PortfoliosChanged(at(TODAY, 81_000), (told_again,))])
    assert state.values() == {"P": 10_000.0}
    assert state.weights("P") == {"A": 0.5, "B": 0.5}
    if announced < at(TODAY):
        assert signals == []
    else:
        assert {one[0] for one in told(raised(signals))} == {"PRICE_JUMP", "DRIFT", "DRAWDOWN"}
        assert sum(one.phase == "CLEARED" for one in signals) == len(raised(signals))
    _, signals = run([quotes(at(TODAY + 1), A=24, B=51), bars(TODAY + 1, A=25, B=50)], state)
    assert signals == []


def test_a_dividend_is_no_jump() -> None:
    start = [mandated(JUMPS), held({"A": 1}, time=at(TODAY - 1)), bars(TODAY - 1, A=100)]
    paid = ActionAnnounced(at(TODAY), CorporateAction("A", TODAY, CashDividend(20.0)))
    _, signals = run([*start, paid, bars(TODAY, A=80)])
    assert signals == []
    _, signals = run([*start, bars(TODAY, A=80)])
    assert len(signals) == 1


def test_a_review_is_due_once() -> None:
    """From 4 October: 1 November is a Friday; the first time after 1 December is the 5th."""
    rules = only(reviews=ReviewCalendar(Frequency.MONTHLY))
    november, december = 20_028, 20_058
    start = [mandated(rules), held({"A": 1})]
    days = [clock(november - 1), clock(november), clock(november, 9), clock(november + 3), clock(december + 4)]
    state, signals = run([*start, *days, clock(december + 5)])
    assert [(one.kind, one.time, one.figure) for one in signals] == [
        (EventKind.MANDATE_DUE, at(november), 0.0),
        (EventKind.MANDATE_DUE, at(december + 4), 4.0),
    ]
    assert signals[1].message == "The mandate was to be reviewed on 2024-12-01."
    same = mandated(rules, {"A": 1.0}, revision=1, time=at(december + 6))
    _, signals = run([same, clock(december + 7)], state)
    assert signals == []


def lot(lot_id: str, bought: dt.date) -> TaxLot:
    return TaxLot(lot_id, Decimal(10), Decimal(1), bought)


def test_a_lot_that_turns_long_term_is_told_on_the_day() -> None:
    """Bought on 10 October 2023, it is long-term from 11 October 2024: more than a year, from the day after."""
    lots = {
        "A": (lot("old", dt.date(2023, 10, 1)), lot("new", dt.date(2023, 10, 10)), lot("last", dt.date(2024, 9, 1)))
    }
    own = PortfoliosChanged(at(TODAY), (HoldingsChange("P", 0, holdings({"A": 30}, lots=lots)),))
    state, signals = run([mandated(only(long_term=TermRule())), own, *(clock(TODAY + i) for i in range(1, 60))])
    assert [(one.kind, one.subject.symbol, one.subject.lot_id, one.time) for one in signals] == [
        (EventKind.LOT_LONG_TERM, "A", "new", at(TODAY + 7))
    ]
    assert signals[0].message == "Lot new of 10 units of A is long-term since 2024-10-11."
    again = PortfoliosChanged(at(TODAY + 60), (HoldingsChange("P", 1, holdings({"A": 30}, lots=lots)),))
    _, signals = run([again, *(clock(TODAY + i) for i in range(61, 70))], state)
    assert signals == []
    rules = only(long_term=TermRule(20))  # 1 September and 20 days
    _, signals = run([mandated(rules), own, clock(TODAY + 1)])
    assert signals == []


def test_a_lot_that_is_long_term_when_it_is_told_is_no_news() -> None:
    """Bought on 3 October 2023, it is long-term from 4 October 2024, the date on which the portfolio is told."""
    lots = {"A": (lot("x", dt.date(2023, 10, 3)),)}
    own = PortfoliosChanged(at(TODAY), (HoldingsChange("P", 0, holdings({"A": 10}, lots=lots)),))
    _, signals = run([mandated(only(long_term=TermRule())), own, clock(TODAY + 1)])
    assert signals == []


def test_a_deleted_portfolio_is_not_watched_and_does_not_return() -> None:
    state, _ = run(
        [mandated(MonitoringRules(), {"A": 1.0}), held({"A": 1}), held({"A": 1}, name="Q"), bars(TODAY, A=1)]
    )
    state, _ = run([PortfoliosChanged(at(TODAY + 1), (HoldingsChange("P", 5, None),))], state)
    assert state.positions.names == ("Q",)
    assert state.holders("A") == ("Q",)
    state, _ = run([held({"A": 1}, revision=4, time=at(TODAY + 1, 1))], state)
    assert state.positions.names == ("Q",)
    state, _ = run([held({"A": 2}, revision=6, time=at(TODAY + 1, 2))], state)
    assert state.positions.names == ("P", "Q")
    assert state.values() == {"P": 2.0, "Q": 1.0}


def test_an_alarm_goes_on_after_a_trade_and_begins_anew_with_another_limit() -> None:
    rules = only(limits=LimitRules(0.5, alarm=AT_ONCE))
    state, signals = run([mandated(rules), held({"A": 60, "B": 40}), quotes(at(TODAY, 1), A=1, B=1)])
    assert len(signals) == 1
    state, signals = run([held({"A": 70, "B": 30, "C": 0}, revision=1, time=at(TODAY, 2))], state)
    assert signals == []
    other = only(limits=LimitRules(0.4, alarm=AT_ONCE))
    _, signals = run([mandated(other, revision=1, time=at(TODAY, 3))], state)
    assert [(one.subject.symbol, one.threshold) for one in signals] == [("A", 0.4)]


def test_two_prices_of_one_revision_are_refused_and_the_state_stays() -> None:
    state, _ = run([mandated(OFF), held({"A": 1}), bars(TODAY, A=1)])
    with pytest.raises(InvalidInput, match="A has two prices of revision 0 on one date"):
        observe(state, bars(TODAY, A=2))
    assert state.values() == {"P": 1.0}


def test_a_state_without_an_event_has_no_time() -> None:
    with pytest.raises(InvalidInput, match="the state has seen no event"):
        _ = MonitorState().today


def test_several_bars_of_an_asset_in_one_event_count_in_their_order() -> None:
    prices = (ClosingPrice("A", TODAY, 3.0), ClosingPrice("A", TODAY - 1, 2.0), ClosingPrice("A", TODAY, 4.0, 1))
    state, _ = run([held({"A": 1}), PricesObserved(at(TODAY, 80_000), prices)])
    assert state.values() == {"P": 4.0}
    assert state.instruments.by_symbol["A"].history.prices.tolist() == [2.0, 4.0]


def test_history_gives_a_value_and_no_jump() -> None:
    state, signals = run([mandated(JUMPS), held({"A": 2}), history({"A": [1.0, 50.0]})])
    assert signals == []
    assert state.values() == {"P": 100.0}


def test_two_quotes_of_one_time_are_one_whatever_their_order() -> None:
    pair = (QuotedPrice("A", at(TODAY, 1), 100.0, 5.0), QuotedPrice("A", at(TODAY, 1), 90.0, 7.0))
    states = [run([held({"A": 1}), PricesObserved(at(TODAY, 1), part)])[0] for part in (pair, pair[::-1])]
    assert [state.values() for state in states] == [{"P": 90.0}] * 2
    assert state_to_bytes(states[0]) == state_to_bytes(states[1])


def test_a_new_mandate_leaves_a_total_loss_where_it_was() -> None:
    """Money has neither come nor gone: the peak is that of before."""
    rules = only(drawdown=DrawdownRules((DrawdownMark(0.5),)))
    state, _ = run([mandated(rules), held({"A": 2, "B": -1}), quotes(at(TODAY, 1), A=100, B=100)])
    state, signals = run([quotes(at(TODAY, 2), B=200)], state)
    assert [one.kind for one in raised(signals)] == [EventKind.DRAWDOWN, EventKind.LIMIT]
    state, _ = run([mandated(rules, {"A": 1.0}, revision=1, time=at(TODAY, 3)), quotes(at(TODAY, 4), B=160)], state)
    assert state.levels.drawdowns(state.positions.all).tolist() == [pytest.approx(0.6)]


def test_past_closes_end_what_was_stale_and_ask_for_jumps_anew() -> None:
    rules = only(prices=PriceRules(max_age_days=5.0, max_move=0.15))
    state, signals = run([mandated(rules), held({"A": 1, "B": 1}), bars(TODAY, A=100, B=10), bars(TODAY + 1, B=20)])
    assert told(signals) == [("PRICE_JUMP", "RAISED", "B")]
    state, signals = run([clock(TODAY + 7)], state)
    assert told(signals) == [("PRICE_STALE", "RAISED", "A"), ("PRICE_STALE", "RAISED", "B")]
    state, signals = run([history({"A": [100, 101], "B": [20, 20]}, TODAY + 6)], state)
    assert told(signals) == [("PRICE_STALE", "CLEARED", "A"), ("PRICE_STALE", "CLEARED", "B")]
    _, signals = run([quotes(at(TODAY + 7, 5), B=10)], state)
    assert told(signals) == [("PRICE_JUMP", "RAISED", "B")]
    _, signals = run([bars(TODAY + 6, 1, time=at(TODAY + 7, 5), B=21)], state)
    assert signals == []  # nothing of the jump before is left to clear

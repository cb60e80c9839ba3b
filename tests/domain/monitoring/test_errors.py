"""Bad input is refused where it is made, by field and rule."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from domain.calendar import Frequency
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CorporateAction, Split
from domain.monitoring.events import (
    ActionAnnounced,
    ClosingPrice,
    HistoryLoaded,
    HoldingsChange,
    InstrumentChanged,
    PriceSeries,
    PricesObserved,
    QuotedPrice,
    TimePassed,
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
    MonitoredMandate,
    MonitoringRules,
    PriceRules,
    RiskLimit,
    VolatilityRules,
    WeightRange,
)
from domain.monitoring.state import MonitorSettings
from domain.risk.measures import RiskMeasure
from domain.taxes.lots import TaxLot
from tests.domain.monitoring.scenes import TODAY, at, bars, held, holdings, run

NAN, INF = float("nan"), float("inf")
VAR = RiskMeasure.VALUE_AT_RISK


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: ClosingPrice("A", TODAY, NAN), "price"),
        (lambda: ClosingPrice("A", TODAY, -1.0), "price"),
        (lambda: ClosingPrice("A", TODAY, 0.0), "price"),
        (lambda: ClosingPrice("A", TODAY, INF), "price"),
        (lambda: ClosingPrice("A", TODAY, 1e22), "price"),
        (lambda: ClosingPrice("", TODAY, 1.0), "symbol"),
        (lambda: ClosingPrice("A ", TODAY, 1.0), "symbol"),
        (lambda: ClosingPrice("A", 10**9, 1.0), "day"),
        (lambda: ClosingPrice("A", TODAY, 1.0, -1), "revision"),
        (lambda: ClosingPrice("A", TODAY, 1.0, 2**63), "revision"),
        (lambda: QuotedPrice("A", at(TODAY), NAN), "price"),
        (lambda: QuotedPrice("A", at(TODAY), -2.0), "price"),
        (lambda: QuotedPrice("A", at(TODAY), 1.0, -1.0), "spread_bps"),
        (lambda: QuotedPrice("A", at(TODAY), 1.0, NAN), "spread_bps"),
        (lambda: QuotedPrice("A", 10**18, 1.0), "time"),
        (lambda: QuotedPrice("A", 1.5, 1.0), "time"),  # type: ignore[arg-type]  # what a caller may do
        (lambda: PricesObserved(at(TODAY), (ClosingPrice("A", TODAY + 2, 1.0),)), "prices[0].day"),
        (lambda: PricesObserved(at(TODAY), (QuotedPrice("A", at(TODAY, 61), 1.0),)), "prices[0].time"),
        (lambda: PriceSeries("A", np.array([2, 1], np.int32), np.ones(2)), "days"),
        (lambda: PriceSeries("A", np.array([1, 1], np.int32), np.ones(2)), "days"),
        (lambda: PriceSeries("A", np.array([1, 2], np.int32), np.ones(3)), "prices"),
        (lambda: PriceSeries("A", np.array([1, 2], np.int32), np.array([1.0, NAN])), "prices[1]"),
        (lambda: PriceSeries("A", np.array([1, 2], np.int32), np.array([1.0, -1.0])), "prices[1]"),
        (lambda: PriceSeries("A", np.array([1], np.int32), np.ones(1), np.array([-1])), "revisions"),
        (lambda: PriceSeries("A", np.array([1], np.int32), np.ones(1), np.zeros(2, np.int64)), "revisions"),
        (lambda: HistoryLoaded(0, (PriceSeries("A", np.array([2], np.int32), np.ones(1)),)), "series[0].days"),
        (lambda: HistoryLoaded(0, (PriceSeries("A", np.array([0], np.int32), np.ones(1)),) * 2), "series[1].symbol"),
        (lambda: holdings({"A": NAN}), "holdings[A].quantity"),
        (lambda: holdings({"A": 1e22}), "holdings[0].quantity"),
        (lambda: holdings({"": 1.0}), "holdings[0].symbol"),
        (lambda: holdings({}, INF), "cash"),
        (lambda: holdings({}, 1e22), "cash"),
        (lambda: HoldingsChange("", 0, None), "portfolio"),
        (lambda: HoldingsChange("P", -1, None), "revision"),
        (lambda: HoldingsChange("P", True, None), "revision"),
        (lambda: InstrumentChanged(0, "A", 0, average_daily_volume=-1.0), "average_daily_volume"),
        (lambda: InstrumentChanged(0, "A", 0, spread_bps=NAN), "spread_bps"),
        (lambda: ActionAnnounced(0, CorporateAction("A", 10**9, Split(2.0))), "action.day"),
        (lambda: TimePassed(-(10**18)), "time"),
    ],
)
def test_events(make: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: AlarmRule(hold_observations=0), "hold_observations"),
        (lambda: AlarmRule(hold_observations=True), "hold_observations"),
        (lambda: AlarmRule(hold_seconds=-1.0), "hold_seconds"),
        (lambda: AlarmRule(hold_seconds=NAN), "hold_seconds"),
        (lambda: AlarmRule(cooldown_seconds=1e9), "cooldown_seconds"),
        (lambda: AlarmRule(clear_fraction=0.0), "clear_fraction"),
        (lambda: AlarmRule(clear_fraction=1.1), "clear_fraction"),
        (lambda: AlarmRule(clear_fraction=NAN), "clear_fraction"),
        (lambda: Band(), "absolute"),
        (lambda: Band(0.0), "absolute"),
        (lambda: Band(relative=-0.1), "relative"),
        (lambda: WeightRange(), "lower"),
        (lambda: WeightRange(0.5, 0.4), "lower"),
        (lambda: WeightRange(upper=NAN), "upper"),
        (lambda: LimitRules(max_weight=0.0), "max_weight"),
        (lambda: LimitRules(risk=(RiskLimit(VAR, 0.1), RiskLimit(VAR, 0.1, 0.99))), "risk[1].maximum"),
        (lambda: RiskLimit(VAR, 0.0), "maximum"),
        (lambda: RiskLimit(VAR, 0.1, 1.0), "confidence_level"),
        (lambda: RiskLimit(VAR, 0.1, lookback=1), "lookback"),
        (lambda: RiskLimit(VAR, 0.1, lookback=3000), "lookback"),
        (lambda: RiskLimit(VAR, 0.1, lookback=50), "minimum_returns"),
        (lambda: VolatilityRules(elevated=0.0), "elevated"),
        (lambda: VolatilityRules(elevated=2.0), "high"),
        (lambda: VolatilityRules(high=NAN), "high"),
        (lambda: VolatilityRules(decay=1.0), "decay"),
        (lambda: DrawdownMark(0.0), "depth"),
        (lambda: DrawdownMark(NAN), "depth"),
        (lambda: DrawdownRules((DrawdownMark(0.1), DrawdownMark(0.1))), "marks"),
        (lambda: LiquidityRules(participation=0.0), "participation"),
        (lambda: LiquidityRules(max_days=-1.0), "max_days"),
        (lambda: LiquidityRules(max_spread_bps=0.0), "max_spread_bps"),
        (lambda: PriceRules(max_age_days=0.0), "max_age_days"),
        (lambda: PriceRules(max_move=NAN), "max_move"),
        (lambda: ReviewCalendar(), "frequency"),
        (lambda: ReviewCalendar(days=(10**9,)), "days[0]"),
        (lambda: MonitoredMandate({"A": NAN}), "target[0].weight"),
        (lambda: MonitoredMandate({"": 1.0}), "target[0].symbol"),
        (lambda: MonitoredMandate(groups={"g": ("A", "A")}), "groups[0].symbols[1]"),
        (lambda: MonitoredMandate(groups={"": ("A",)}), "groups[0].name"),
        (
            lambda: MonitoredMandate(rules=MonitoringRules(drift=DriftRules(by_group={"g": Band(0.1)}))),
            "rules.drift.by_group[g]",
        ),
        (
            lambda: MonitoredMandate(rules=MonitoringRules(limits=LimitRules(by_group={"g": WeightRange(0.1)}))),
            "rules.limits.by_group[g]",
        ),
        (lambda: MonitorSettings(most_prices=1), "most_prices"),
        (lambda: MonitorSettings(value_tolerance=0.0), "value_tolerance"),
    ],
)
def test_rules(make: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.field == field


def test_splits_beyond_numbers_are_refused() -> None:
    state, _ = run([held({"A": 1}), bars(TODAY, A=1)])
    for i in range(2):
        state, _ = observe(state, ActionAnnounced(at(TODAY, 80_000), CorporateAction("A", TODAY + i, Split(1e14))))
    with pytest.raises(InvalidInput, match=r"action\.split\.ratio: must leave at most 1e\+30 units of one"):
        observe(state, ActionAnnounced(at(TODAY, 80_000), CorporateAction("A", TODAY + 3, Split(1e14))))


def test_the_largest_amounts_are_finite() -> None:
    """No overflow, whatever is allowed: a warning would be an error here."""
    state, _ = run([held({"A": -1e21, "B": 1e21}, 1e21), bars(TODAY, A=1e21, B=1e-21)])
    assert state.values() == {"P": pytest.approx(-1e42)}
    state, _ = run([bars(TODAY + 1, A=1e-21, B=1e21)], state)
    assert state.values() == {"P": pytest.approx(1e42)}


def test_lots_without_an_id_get_one() -> None:
    lot = TaxLot("", Decimal(1), Decimal(1), dt.date(2024, 1, 1))
    own = holdings({"A": 2}, lots={"A": (lot, replace(lot, lot_id="x"))})
    assert [one.lot_id for one in own.lots["A"]] == ["1", "x"]


@pytest.mark.parametrize(
    ("calendar", "after", "today", "due"),
    [
        (ReviewCalendar(Frequency.MONTHLY), 20_000, 20_027, None),  # 4 to 31 October 2024
        (ReviewCalendar(Frequency.MONTHLY), 20_000, 20_028, 20_028),
        (ReviewCalendar(Frequency.MONTHLY), 20_028, 20_040, None),
        (ReviewCalendar(Frequency.WEEKLY), 20_000, 20_002, None),  # Friday to Sunday
        (ReviewCalendar(Frequency.WEEKLY), 20_000, 20_003, 20_003),
        (ReviewCalendar(Frequency.DAILY), 20_000, 20_001, 20_001),
        (ReviewCalendar(Frequency.QUARTERLY), 20_000, 20_089, 20_089),  # 1 January 2025
        (ReviewCalendar(Frequency.ANNUAL), 0, 20_000, 19_723),  # 1 January 2024, however long ago the last was
        (ReviewCalendar(days=(20_005, 20_010)), 20_000, 20_007, 20_005),
        (ReviewCalendar(days=(20_005, 20_010)), 20_005, 20_009, None),
        (ReviewCalendar(Frequency.MONTHLY, (20_030,)), 20_000, 20_031, 20_030),
        (ReviewCalendar(Frequency.MONTHLY), 20_028, 20_028, None),
    ],
)
def test_reviews_are_due(calendar: ReviewCalendar, after: int, today: int, due: int | None) -> None:
    assert calendar.due_day(after, today) == due

"""Risk limits and volatility regimes: their figures, and when they are measured."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Split
from domain.monitoring.deferred import joint_prices, measured
from domain.monitoring.events import ActionAnnounced, ClosingPrice, Event, PricesObserved
from domain.monitoring.monitor import observe
from domain.monitoring.price_history import PriceHistory
from domain.monitoring.rules import AlarmRule, LimitRules, MonitoringRules, RiskLimit, VolatilityRules
from domain.monitoring.signals import EventKind, Severity
from domain.monitoring.state import MonitorSettings, MonitorState
from domain.monitoring.volatility import volatility_ratio
from domain.risk.measures import RiskMeasure
from tests.domain.monitoring.scenes import (
    TODAY,
    at,
    bars,
    clock,
    held,
    history,
    mandated,
    only,
    quotes,
    raised,
    run,
    told,
)

AT_ONCE = AlarmRule(cooldown_seconds=0.0)

RANDOM = np.random.default_rng(4)
A, B = 100.0 * np.exp(np.cumsum(RANDOM.normal(0.0, 0.02, (2, 100)), axis=1))


CVAR = RiskMeasure.CONDITIONAL_VALUE_AT_RISK


def limited(maximum: float, measure: RiskMeasure = CVAR, **more: float) -> MonitoringRules:
    limit = RiskLimit(measure, maximum, **more)  # type: ignore[arg-type]  # the fields of a limit, by name
    return only(limits=LimitRules(risk=(limit,), alarm=AT_ONCE))


def portfolio_returns() -> np.ndarray:
    """Of 2 units of A and 3 of B with the weights of now, and cash of 50."""
    worth = np.array([2 * A[-1], 3 * B[-1]])
    weights = worth / (worth.sum() + 50.0)
    moves = np.column_stack([A[1:] / A[:-1], B[1:] / B[:-1]]) - 1.0
    return moves @ weights


START: list[Event] = [held({"A": 2, "B": 3}, 50.0), history({"A": A.tolist(), "B": B.tolist()})]


def worst_mean(returns: np.ndarray, tail: float) -> float:
    """CVaR as a mean of the worst outcomes, the one at the border by its fraction."""
    losses, left, total = np.sort(-returns)[::-1], tail * len(returns), 0.0
    for loss in losses.tolist():
        part = min(1.0, left)
        total, left = total + part * loss, left - part
    return total / (tail * len(returns))


def test_a_limit_of_cvar_is_that_of_the_current_weights() -> None:
    expected = worst_mean(portfolio_returns(), 0.05)
    _, signals = run([*START, mandated(limited(0.99 * expected), time=at(TODAY, 1))])
    (one,) = signals
    assert (one.kind, one.subject.measure) == (EventKind.LIMIT, "CONDITIONAL_VALUE_AT_RISK")
    assert one.figure == pytest.approx(expected, rel=1e-12)
    assert one.threshold == pytest.approx(0.99 * expected)
    assert "is above the limit" not in one.message
    assert one.message.startswith(f"CONDITIONAL_VALUE_AT_RISK is {expected:.4g} per day, above the limit of")
    _, signals = run([*START, mandated(limited(1.01 * expected), time=at(TODAY, 1))])
    assert signals == []


@pytest.mark.parametrize("measure", list(RiskMeasure))
def test_any_measure_can_be_limited(measure: RiskMeasure) -> None:
    returns = portfolio_returns()
    figure = measured(measure, returns, 0.95)
    assert figure > 0.0
    _, signals = run([*START, mandated(limited(0.999 * figure, measure), time=at(TODAY, 1))])
    assert [one.figure for one in signals] == [pytest.approx(figure, rel=1e-9)]


def test_standard_deviation_and_value_at_risk_are_those_of_numpy() -> None:
    returns = portfolio_returns()
    assert measured(RiskMeasure.STANDARD_DEVIATION, returns, 0.95) == pytest.approx(np.std(returns, ddof=1))
    assert measured(RiskMeasure.VALUE_AT_RISK, returns, 0.9) == pytest.approx(-np.quantile(returns, 0.1))


def test_a_lookback_takes_the_newest_returns() -> None:
    expected = float(np.std(portfolio_returns()[-20:], ddof=1))
    rules = limited(0.5 * expected, RiskMeasure.STANDARD_DEVIATION, lookback=20, minimum_returns=20)
    _, signals = run([*START, mandated(rules, time=at(TODAY, 1))])
    assert [one.figure for one in signals] == [pytest.approx(expected)]


def test_the_long_run_level_is_that_of_the_lookback() -> None:
    rules = only(volatility=VolatilityRules(0.1, 9.0, lookback=30, minimum_returns=30, alarm=AT_ONCE))
    _, signals = run([*START, mandated(rules, time=at(TODAY, 1))])
    assert [one.figure for one in signals] == [pytest.approx(volatility_ratio(portfolio_returns()[-30:], 0.94))]


def test_too_few_returns_have_no_figure() -> None:
    rules = limited(1e-9, lookback=252, minimum_returns=100)
    _, signals = run([*START, mandated(rules, time=at(TODAY, 1)), clock(TODAY, 2, closes_day=True)])
    assert signals == []
    _, signals = run([*START, mandated(limited(1e-9, minimum_returns=99), time=at(TODAY, 1))])
    assert len(signals) == 1


def test_only_cash_has_no_risk_and_clears_what_was_raised() -> None:
    rules = only(limited(1e-9), volatility=VolatilityRules(0.1, 0.2, alarm=AT_ONCE))
    state, signals = run([*START, mandated(rules, time=at(TODAY, 1))])
    assert len(raised(signals)) == 3
    _, signals = run([held({}, 50.0, revision=1, time=at(TODAY, 2))], state)
    assert sorted(told(signals)) == [
        ("LIMIT", "CLEARED", "CONDITIONAL_VALUE_AT_RISK"),
        ("VOLATILITY", "CLEARED", "volatility_ratio"),
        ("VOLATILITY", "CLEARED", "volatility_ratio"),
    ]


def quiet_then_wild(days: int) -> list[float]:
    """Returns of 1 % up and down, then of 3 %."""
    moves = [0.01 * (-1) ** i for i in range(150)] + [0.03 * (-1) ** i for i in range(days)]
    return (100.0 * np.cumprod(1.0 + np.array(moves))).tolist()


def test_a_volatility_regime_begins_and_ends() -> None:
    """Sources of the definition are in `domain/monitoring/volatility.py`."""
    rules = only(volatility=VolatilityRules(1.2, 1.6, alarm=AT_ONCE))
    state, signals = run([mandated(rules), held({"A": 1}), history({"A": quiet_then_wild(0)})])
    assert signals == []
    prices = quiet_then_wild(12)[150:]
    days = [event for i, price in enumerate(prices) for event in (bars(TODAY + i, A=price), clock(TODAY + i + 1))]
    state, signals = run(days, state)
    assert [(one.threshold, one.severity) for one in signals] == [(1.2, Severity.WARNING), (1.6, Severity.CRITICAL)]
    closes = np.array(quiet_then_wild(12))
    ratios = [volatility_ratio(closes[1 : 150 + i] / closes[: 149 + i] - 1.0, 0.94) for i in range(1, 13)]
    first = next(i for i, ratio in enumerate(ratios) if ratio > 1.2)
    # Each wild return moves the value by more than 1 %, and so is measured when its close is known.
    assert signals[0].time == at(TODAY + first, 79_200)
    assert signals[0].figure == pytest.approx(ratios[first])
    quiet = {TODAY + i: prices[-1] * (1 + 0.001 * (i % 2)) for i in range(12, 60)}
    calm = [event for day, price in quiet.items() for event in (bars(day, A=price), clock(day + 1))]
    _, signals = run(calm, state)
    assert [(one.threshold, one.phase) for one in signals] == [(1.6, "CLEARED"), (1.2, "CLEARED")]


def test_risk_waits_for_the_end_of_the_date() -> None:
    """A fall by 0.5 % is measured when the date ends, in either way, and then not again."""
    rules = limited(0.004, RiskMeasure.WORST_REALIZATION, minimum_returns=2)
    start = [mandated(rules), held({"A": 1}), history({"A": [100.0] * 10})]
    fall = quotes(at(TODAY, 1), A=99.5)
    for end in (clock(TODAY, 2, closes_day=True), clock(TODAY + 1), quotes(at(TODAY + 1), B=1)):
        state, signals = run([*start, fall])
        assert signals == []
        assert state.levels.due.tolist() == [True]
        state, signals = observe(state, end)
        assert [one.figure for one in signals] == [pytest.approx(0.005)]
        assert state.levels.due.tolist() == [False]


def test_risk_is_measured_at_once_where_the_value_has_moved_far() -> None:
    rules = limited(0.005, RiskMeasure.WORST_REALIZATION, minimum_returns=2)
    start = [mandated(rules), held({"A": 1}), history({"A": [100.0] * 10}), clock(TODAY, 1, closes_day=True)]
    _, signals = run([*start, quotes(at(TODAY, 2), A=99.1)])
    assert signals == []
    _, signals = run([*start, quotes(at(TODAY, 2), A=98.9)])
    assert [one.figure for one in signals] == [pytest.approx(0.011)]
    wide = MonitorState(MonitorSettings(value_tolerance=0.02))
    _, signals = run([*start, quotes(at(TODAY, 2), A=98.9)], wide)
    assert signals == []


def test_a_corrected_past_is_measured_at_the_end_of_the_date() -> None:
    rules = limited(0.05, RiskMeasure.WORST_REALIZATION, minimum_returns=2)
    closes = [bars(TODAY + i, A=100.0) for i in range(5)]
    state, signals = run([mandated(rules), held({"A": 1}), *closes])
    late = PricesObserved(at(TODAY + 4, 80_000), (ClosingPrice("A", TODAY + 2, 90.0, 1),))
    state, signals = run([late], state)
    assert signals == []
    _, signals = run([clock(TODAY + 5)], state)
    assert [one.figure for one in signals] == [pytest.approx(0.1)]


def test_gaps_are_bridged_from_one_common_date_to_the_next() -> None:
    """A has no close on the second date: the return of B over it is that of both days."""
    rules = limited(1e-9, RiskMeasure.WORST_REALIZATION, lookback=3, minimum_returns=2)
    closes = [
        bars(TODAY, A=100, B=100),
        bars(TODAY + 1, B=90),
        bars(TODAY + 2, A=100, B=80),
        bars(TODAY + 3, A=100, B=80),
    ]
    state, _ = run([held({"A": 0.0001, "B": 1}), *closes])
    _, signals = run([mandated(rules, time=at(TODAY + 4))], state)
    assert [one.figure for one in signals] == [pytest.approx(0.2, rel=1e-3)]


def test_splits_and_dividends_are_no_losses() -> None:
    """Half the price after a split, and a tenth less after a dividend of a tenth, are returns of 0."""
    rules = limited(1e-6, RiskMeasure.WORST_REALIZATION, minimum_returns=2)
    actions = [
        ActionAnnounced(at(TODAY), CorporateAction("A", TODAY + 1, Split(2.0))),
        ActionAnnounced(at(TODAY), CorporateAction("A", TODAY + 2, CashDividend(5.0))),
    ]
    closes = [bars(TODAY, A=100), bars(TODAY + 1, A=50), bars(TODAY + 2, A=45), bars(TODAY + 3, A=45)]
    _, signals = run([mandated(rules), held({"A": 1}), *actions, *closes, clock(TODAY + 4)])
    assert signals == []
    _, signals = run([mandated(rules), held({"A": 1}), *actions[:1], *closes, clock(TODAY + 4)])
    assert [one.figure for one in signals] == [pytest.approx(0.1)]


def test_a_lookback_beyond_what_is_kept_is_refused() -> None:
    state = MonitorState(MonitorSettings(most_prices=100))
    with pytest.raises(InvalidInput, match=r"mandate\.rules: must have lookbacks of at most 99"):
        observe(state, mandated(limited(0.1, lookback=100)))


def test_old_prices_make_room_for_new_ones() -> None:
    state = MonitorState(MonitorSettings(most_prices=4))
    off = mandated(only())
    state, _ = run([off, held({"A": 1}), *(bars(TODAY + i, A=100 + i) for i in range(8))], state)
    assert state.instruments.by_symbol["A"].history.prices.tolist() == [104, 105, 106, 107]


def test_joint_prices_have_a_row_for_every_date() -> None:
    one = PriceHistory(np.array([1, 3], np.int32), np.array([10.0, 30.0]), np.zeros(2, np.int64))
    two = PriceHistory(np.array([2, 3], np.int32), np.array([2.0, 3.0]), np.zeros(2, np.int64))
    table = joint_prices([one, two])
    np.testing.assert_array_equal(table, [[10.0, np.nan], [np.nan, 2.0], [30.0, 3.0]])
    np.testing.assert_array_equal(joint_prices([one, one]), [[10.0, 10.0], [30.0, 30.0]])
    assert joint_prices([]).shape == (0, 0)

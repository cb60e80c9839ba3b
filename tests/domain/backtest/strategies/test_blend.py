"""Blends: sums of weights, of dates and of lookbacks, and what is inside them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import (
    Blend,
    Cppi,
    EqualWeightStrategy,
    FixedWeights,
    MarketHistory,
    Momentum,
    Optimized,
    Part,
    Strategy,
    VolatilityTarget,
    WeightSchedule,
)
from domain.backtest.strategies.nesting import replaced, with_inner
from domain.cancellation import never_cancelled
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from domain.optimization.request.constraints import Constraint
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import GroupReference, Specification

SYMBOLS = ("A", "B", "C")
PRICES = np.exp(np.cumsum(np.random.default_rng(8).normal(0.0, 0.02, (40, 3)), axis=0))
PANEL = PricePanel.of(SYMBOLS, range(40), PRICES)
A, B = FixedWeights({"A": 1.0}, "a"), FixedWeights({"B": 0.5, "C": 0.25}, "b")


def blended(*parts: tuple[Strategy, float], leveraged: bool = False) -> Blend:
    return Blend(tuple(Part(strategy, weight) for strategy, weight in parts), leveraged=leveraged)


def history(last: int = 39, shown: int = 40) -> MarketHistory:
    days = np.arange(last + 1 - shown, last + 1, dtype=np.int32)
    return MarketHistory(SYMBOLS, days, PRICES[days], np.zeros(3), 252.0)


def record_of(strategy: Strategy, rebalancing: Rebalancing, panel: PricePanel = PANEL) -> RecordPart:
    specification = BacktestSpecification((strategy,), rebalancing, Fill.SAME_CLOSE)
    outcome = run(prepare(specification, panel), lambda _: None, never_cancelled).strategies[0]
    assert outcome.record is not None
    assert outcome.failures == ()
    return outcome.record


def test_the_weights_are_the_weighted_sum_and_the_rest_is_cash() -> None:
    found = blended((A, 0.5), (B, 0.4)).decide(history(), never_cancelled)
    assert found == pytest.approx([0.5, 0.2, 0.1])
    assert blended((A, 1.5), (B, -0.5)).decide(history(), never_cancelled) == pytest.approx([1.5, -0.25, -0.125])


def test_parts_with_different_lookbacks_see_their_own() -> None:
    parts: list[Strategy] = [Momentum(5, 1, 2), Optimized(Specification(MinRisk()), 12), VolatilityTarget(A, 0.1, 20)]
    blend = blended(*((part, 0.3) for part in parts))
    window = blend.lookback_window
    assert (window.fewest_dates, window.most_dates) == (21, 21)
    assert window.field == "parts[2].strategy.volatility_target.lookback_periods"
    expected = sum(
        0.3 * part.decide(history(shown=n), never_cancelled) for part, n in zip(parts, (8, 13, 21), strict=True)
    )
    assert blend.decide(history(shown=21), never_cancelled) == pytest.approx(expected, rel=1e-12)
    assert blended((parts[0], 0.5), (Optimized(Specification(MinRisk())), 0.5)).lookback_window.most_dates is None


@settings(deadline=None)
@given(st.lists(st.sampled_from(["equal", "fixed", "late", "early"]), min_size=1, max_size=4), st.integers(0, 1000))
def test_planned_weights_are_those_of_each_decision(kinds: list[str], seed: int) -> None:
    """What is planned at once is what the parts decide one by one, also where assets are not listed."""
    known: dict[str, Strategy] = {
        "equal": EqualWeightStrategy(),
        "fixed": B,
        "late": WeightSchedule(((20, {"A": 1.0}), (30, {"B": 1.0}))),
        "early": WeightSchedule(((0, {"C": 0.5}), (25, {"A": 0.25}))),
    }
    generator = np.random.default_rng(seed)
    blend = blended(
        *((known[kind], float(w)) for kind, w in zip(kinds, generator.dirichlet(np.ones(len(kinds))), strict=True))
    )
    listed = generator.uniform(size=(40, 3)) < 0.7
    planned = blend.planned(SYMBOLS, PANEL.dates, listed)
    assert planned is not None
    for t in range(40):
        prices = np.where(listed[t], PRICES[t], 0.0)[None, :]
        now = MarketHistory(SYMBOLS, PANEL.dates[t : t + 1], prices, np.zeros(3), 252.0)
        assert planned.weights[planned.rows[t]] == pytest.approx(blend.decide(now, never_cancelled), abs=1e-15)


def test_a_blend_with_a_part_that_looks_at_prices_plans_nothing() -> None:
    assert blended((A, 0.5), (Momentum(1, 1), 0.5)).planned(SYMBOLS, PANEL.dates, None) is None


def test_the_dates_of_schedules_are_added_to_those_of_the_rule() -> None:
    late, later = WeightSchedule(((5, {"A": 1.0}), (17, {"B": 1.0}))), WeightSchedule(((9, {"C": 1.0}),))
    blend = blended((late, 0.5), (later, 0.5))
    assert blend.own_dates() == (5, 9, 17)
    record = record_of(blend, Rebalancing(EveryPeriods(10)))
    assert (record.indices + 5).tolist() == [5, 9, 15, 17, 25, 35]
    values = record.units * PRICES[record.indices + 5]
    total = values.sum(axis=1) + record.cash
    assert (values / total[:, None])[[0, 1, 3]] == pytest.approx(
        np.array([[0.5, 0.0, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]), abs=1e-12
    )


def test_a_blend_of_one_is_the_strategy_itself() -> None:
    for strategy in (A, EqualWeightStrategy(), Momentum(5, 2), Cppi(A, 0.5, 2.0)):
        alone = record_of(strategy, Rebalancing(EveryPeriods(3)))
        one = record_of(blended((strategy, 1.0)), Rebalancing(EveryPeriods(3)))
        assert one.nav == pytest.approx(alone.nav, rel=1e-13)


def test_a_blend_of_overlays_of_blends() -> None:
    inner = blended((EqualWeightStrategy(), 0.5), (Momentum(5, 1), 0.5))
    target, insured = VolatilityTarget(inner, 0.1, 20), Cppi(inner, 0.9, 3.0)
    found = blended((target, 0.6), (insured, 0.4)).decide(history(shown=21), never_cancelled)
    expected = 0.6 * target.decide(history(shown=21), never_cancelled)
    expected += 0.4 * insured.decide(history(shown=21), never_cancelled)
    assert found == pytest.approx(expected, rel=1e-12)
    assert record_of(blended((target, 0.6), (insured, 0.4)), Rebalancing(BuyAndHold())).nav[0] == 1.0


@pytest.mark.parametrize(
    ("strategy", "field"),
    [
        (blended((A, 0.5), (FixedWeights({"Z": 1.0}), 0.5)), "blend.parts[1].strategy.fixed_weights.weights[0].symbol"),
        (
            blended((Cppi(WeightSchedule(((5, {"A": 1.0}), (6, {"Z": 1.0}))), 0.5, 2.0), 1.0)),
            "blend.parts[0].strategy.cppi.base.schedule.entries[1].weights[0].symbol",
        ),
        (blended((A, 0.5), (Momentum(80, 1), 0.5)), "blend.parts[1].strategy.momentum.lookback_periods"),
        (
            blended(
                (WeightSchedule(((90, {"A": 1.0}),)), 0.5), (Cppi(WeightSchedule(((80, {"A": 1.0}),)), 0.5, 2.0), 0.5)
            ),
            "blend.parts[1].strategy.cppi.base.schedule.entries[0].date",
        ),
    ],
)
def test_errors_name_the_part(strategy: Strategy, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        prepare(BacktestSpecification((strategy,), Rebalancing(EveryPeriods(5))), PANEL)
    assert raised.value.field == f"strategy.{field}"


def test_weights_of_parts() -> None:
    with pytest.raises(InvalidInput, match=r"sum to 1 or less without leverage, sum to 1\.5"):
        blended((A, 1.0), (B, 0.5))
    assert blended((A, 1.0), (B, 0.5), leveraged=True).decide(history(), never_cancelled).sum() == 1.375
    with pytest.raises(InvalidInput, match="finite") as raised:
        blended((A, 0.5), (B, float("nan")))
    assert raised.value.field == "parts[1].weight"
    with pytest.raises(InvalidInput, match="at least one"):
        Blend(())


def test_groups_reach_the_strategies_inside() -> None:
    """Strategies and benchmarks, at any depth; the rest of the specification stays."""
    constraint: Constraint | GroupReference = GroupReference("cap", "tech", upper=0.3)
    needs = Optimized(Specification(MinRisk(), constraints=(constraint,)), 10)
    nested = blended((Cppi(needs, 0.1, 9.0), 0.5), (A, 0.5))
    benchmark = replace(blended((VolatilityTarget(needs, 0.1, 9), 1.0)), label="benchmark")
    specification = BacktestSpecification((nested, B), Rebalancing(BuyAndHold()), benchmarks=(benchmark,))
    assert specification.missing_groups() == ("tech",)
    complete = specification.with_groups({"tech": ("A", "B")})
    assert complete.missing_groups() == ()
    assert [path for path, _ in complete.strategies_by_path()] == [
        "strategies[0].blend",
        "strategies[0].blend.parts[0].strategy.cppi",
        "strategies[0].blend.parts[0].strategy.cppi.base.optimize",
        "strategies[0].blend.parts[1].strategy.fixed_weights",
        "strategies[1].fixed_weights",
        "benchmarks[0].strategy.blend",
        "benchmarks[0].strategy.blend.parts[0].strategy.volatility_target",
        "benchmarks[0].strategy.blend.parts[0].strategy.volatility_target.base.optimize",
    ]
    weights = complete.strategies[0].decide(history(), never_cancelled)
    assert weights[0] - 0.5 + weights[1] == pytest.approx(0.15, abs=1e-6)


def test_replacing_nothing_changes_nothing() -> None:
    nested = blended((Cppi(VolatilityTarget(A, 0.1, 2), 0.1, 9.0), 0.5), (blended((B, 1.0)), 0.5))
    assert replaced(nested, lambda _, strategy: strategy) == nested
    told: list[str] = []
    replaced(nested, lambda path, strategy: told.append(path) or strategy, "strategy.blend")  # type: ignore[func-returns-value]
    leaves = [path for path, one in with_inner(nested, "strategy.blend") if isinstance(one, FixedWeights)]
    assert told == leaves


def test_no_strategy_sees_what_is_later() -> None:
    """Later prices are changed: every decision before stays the same to the bit."""
    changed = np.array(PRICES)
    changed[25:] *= np.random.default_rng(1).uniform(0.5, 2.0, (15, 3))
    strategy = blended(
        (Momentum(5, 1), 0.25), (VolatilityTarget(EqualWeightStrategy(), 0.1, 10), 0.25), (Cppi(A, 0.5, 3.0), 0.25)
    )
    rebalancing = Rebalancing(EveryPeriods(1))
    before, after = (record_of(strategy, rebalancing, PricePanel.of(SYMBOLS, range(40), p)) for p in (PRICES, changed))
    same = before.indices + 10 < 25
    assert same.sum() == 15
    assert before.units[same].tolist() == after.units[after.indices + 10 < 25].tolist()

"""Decisions solved many at a time, against those of a strategy that is asked date by date."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absfin.cli.csv_files import read_panel

from domain.backtest.cash_flows import RecurringCashFlow
from domain.backtest.flow import Checkpoint, run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import MarketHistory, Optimized, Strategy
from domain.backtest.walk_ahead import AT_ONCE, MOST_ASSETS, WalkAhead
from domain.calendar import Frequency
from domain.checks import Vector
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import Cancelled
from domain.market_data.panel import PricePanel
from domain.optimization.request.constraints import WeightBounds
from domain.optimization.request.objectives import Hierarchical, MaxRatio, MinRisk, Objective, RiskBudget
from domain.optimization.request.specification import Specification

STOCKS = read_panel(Path(__file__).parents[3] / "data/sp500_stocks.csv.gz")
PANEL = PricePanel.of(STOCKS.symbols, STOCKS.dates[:1500], STOCKS.values[:1500])
EVERY_TEN = Rebalancing(EveryPeriods(10))
OBJECTIVES: dict[str, Objective] = {
    "least variance": MinRisk(),
    "ratio": MaxRatio(),
    "equal risk": RiskBudget(),
    "hrp": Hierarchical(),
}


def asked(strategy: Optimized) -> Optimized:
    """The same strategy under a constraint that changes nothing, but for which it is asked."""
    never = WeightBounds("never", 0.0, 1.0)
    return replace(strategy, specification=replace(strategy.specification, constraints=(never,)))


def outcome(
    *strategies: Strategy, panel: PricePanel = PANEL, rebalancing: Rebalancing = EVERY_TEN, **more: object
) -> list[np.ndarray]:
    costs = CostModel(LinearCost(10.0))
    specification = BacktestSpecification(strategies, rebalancing, costs=costs, **more)  # type: ignore[arg-type]
    found = run(prepare(specification, panel), lambda walk: None, lambda: None)
    return [one.record.nav for one in found.strategies if one.record is not None]


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_the_account_is_that_of_a_strategy_that_is_asked(objective: Objective) -> None:
    ahead = Optimized(Specification(objective), 120, "ahead")
    (ours,), (theirs,) = outcome(ahead), outcome(replace(asked(ahead), label="asked"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert len(ours) == 1500 - 120


def test_a_later_price_changes_no_decision_before_it() -> None:
    changed = PANEL.values.copy()
    changed[900:] *= np.random.default_rng(3).uniform(0.5, 2.0, changed[900:].shape)
    ahead = Optimized(Specification(MinRisk()), 120, "ahead")
    (first,), (second,) = outcome(ahead), outcome(ahead, panel=PricePanel.of(PANEL.symbols, PANEL.dates, changed))
    assert first[: 900 - 120].tobytes() == second[: 900 - 120].tobytes()
    assert not np.array_equal(first, second)


def ahead_of(panel: PricePanel, strategy: Strategy) -> WalkAhead:
    prepared = prepare(BacktestSpecification((strategy,), Rebalancing(EveryPeriods(10))), panel)
    return WalkAhead(strategy, prepared.market, np.arange(120, len(panel.dates), 10))


def carry_on() -> None:
    """Nobody wants to stop."""


def test_where_it_begins_does_not_matter() -> None:
    """As a run that goes on from a checkpoint does."""
    strategy = Optimized(Specification(MinRisk()), 120)
    whole = ahead_of(PANEL, strategy)
    weights = [whole.weights(index, carry_on)[0] for index in range(100)]
    later = ahead_of(PANEL, strategy)
    for index in (37, 38, 99, AT_ONCE, 12):
        found = later.weights(index, carry_on)
        assert len(found) == AT_ONCE - index % AT_ONCE
        expected = weights[index : index + len(found)]
        assert found[: len(expected)].tobytes() == np.array(expected).tobytes()


def with_a_standstill() -> PricePanel:
    still = PANEL.values.copy()
    still[300:500, 4] = still[300, 4]
    return PricePanel.of(PANEL.symbols, PANEL.dates, still)


def test_a_window_without_an_answer_is_asked_for() -> None:
    """A stock that stands still for a while: alone its window has least variance 0, which the strategy finds itself."""
    panel = with_a_standstill()
    strategy = Optimized(Specification(MinRisk()), 120)
    ahead = ahead_of(panel, strategy)
    answered = [len(ahead.weights(index, carry_on)) > 0 for index in range(100)]
    ends = 120 + 10 * np.arange(100)
    expected = [not (end - 120 >= 300 and end < 500) for end in ends.tolist()]
    assert answered == expected
    (ours,), (theirs,) = outcome(strategy, panel=panel), outcome(asked(strategy), panel=panel)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


RULES: dict[str, dict[str, Any]] = {
    "plain fills": {},
    "fills at once": {"fill": Fill.SAME_CLOSE},
    "whole units": {"fractional_holdings": False, "initial_capital": 20_000.0},
    "a cooldown": {"rebalancing": Rebalancing(EveryPeriods(1), min_periods_between=3)},
    "flows alone": {
        "rebalancing": Rebalancing(EveryPeriods(1), flows_only=True),
        "recurring_cash_flows": (RecurringCashFlow(Frequency.MONTHLY, 1000.0),),
    },
    "turnover": {"rebalancing": Rebalancing(EveryPeriods(1), max_turnover=0.02)},
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())
def test_decisions_of_each_date_are_filled_as_those_of_a_strategy_that_is_asked(rules: dict[str, Any]) -> None:
    """Where it is asked in between, what was decided beforehand and waits for its fill is filled all the same."""
    panel, strategy = with_a_standstill(), Optimized(Specification(MinRisk()), 120)
    rules = {"rebalancing": Rebalancing(EveryPeriods(1)), **rules}
    shorter = PricePanel.of(panel.symbols, panel.dates[250:550], panel.values[250:550])
    (ours,), (theirs,) = (outcome(one, panel=shorter, **rules) for one in (strategy, asked(strategy)))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("rules", [{}, RULES["whole units"]], ids=["plain fills", "whole units"])
def test_a_run_that_goes_on_from_a_checkpoint_has_the_same_bits(rules: dict[str, Any]) -> None:
    panel, strategy = with_a_standstill(), Optimized(Specification(MinRisk()), 120)
    shorter = PricePanel.of(panel.symbols, panel.dates[250:550], panel.values[250:550])
    plan = prepare(BacktestSpecification((strategy,), Rebalancing(EveryPeriods(1)), **rules), shorter)
    checkpoints: list[Checkpoint] = []
    whole = run(plan, lambda walk: checkpoints.append(walk.checkpoint()), lambda: None)
    days = [one.state.date_index for one in checkpoints]
    assert len(days) > 50
    for place in (2, 3, len(days) // 2, len(days) - 2):
        known = [part for one in checkpoints[: place + 1] for _, part in one.parts]
        again = run(plan, lambda walk: None, lambda: None, checkpoints[place], [known])
        for one, other in zip(whole.strategies, again.strategies, strict=True):
            assert one.record is not None
            assert other.record is not None
            assert one.record.nav.tobytes() == other.record.nav.tobytes()
            assert one.record.units.tobytes() == other.record.units.tobytes()


@pytest.mark.parametrize(
    "strategy",
    [
        Optimized(Specification(MinRisk())),
        asked(Optimized(Specification(MinRisk()), 120)),
    ],
    ids=["all dates", "limits"],
)
def test_other_strategies_are_asked(strategy: Strategy) -> None:
    ahead = ahead_of(PANEL, strategy)
    assert not any(len(ahead.weights(index, carry_on)) for index in range(5))


def test_it_can_be_cancelled() -> None:
    def stop() -> None:
        raise Cancelled("enough")

    ahead = ahead_of(PANEL, Optimized(Specification(RiskBudget()), 120))
    with pytest.raises(Cancelled):
        ahead.weights(0, stop)


def test_no_decision_of_the_account_is_asked_twice() -> None:
    """The strategy itself is not asked at all where every window has a proof."""
    calls: list[int] = []

    class Counting(Optimized):
        def decide(self, history: MarketHistory, check_cancelled: Callable[[], None]) -> Vector:
            calls.append(int(history.dates[-1]))
            return Optimized.decide(self, history, check_cancelled)

    outcome(Counting(Specification(MinRisk()), 120))
    assert calls == []
    outcome(Counting(asked(Optimized(Specification(MinRisk()), 120)).specification, 120))
    assert len(calls) == 138


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_cash_at_a_constant_rate_is_refused_as_by_a_strategy_that_is_asked(objective: Objective) -> None:
    """Its returns differ by rounding alone, which is no variance to invest by."""
    values = PANEL.values[:400].copy()
    values[:, 7] = 100.0 * 1.0001 ** np.arange(400)
    panel = PricePanel.of(PANEL.symbols, PANEL.dates[:400], values)
    ahead = Optimized(Specification(objective), 120, "ahead")
    (ours,), (theirs,) = outcome(ahead, panel=panel), outcome(replace(asked(ahead), label="asked"), panel=panel)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_one_asset_alone_is_held(objective: Objective) -> None:
    panel = PricePanel.of(PANEL.symbols[:1], PANEL.dates[:400], PANEL.values[:400, :1])
    ahead = Optimized(Specification(objective), 120, "ahead")
    (ours,), (theirs,) = outcome(ahead, panel=panel), outcome(replace(asked(ahead), label="asked"), panel=panel)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_so_many_assets_that_it_takes_longer_are_asked_for() -> None:
    count = MOST_ASSETS + 1
    prices = 100.0 * np.exp(0.01 * np.random.default_rng(5).normal(size=(150, count)).cumsum(axis=0))
    many = PricePanel.of([f"S{i}" for i in range(count)], PANEL.dates[:150], prices)
    fewer = PricePanel.of(many.symbols[:-1], many.dates, prices[:, :-1])
    strategy = Optimized(Specification(Hierarchical()), 120)
    assert not len(ahead_of(many, strategy).weights(0, carry_on))
    assert len(ahead_of(fewer, strategy).weights(0, carry_on))

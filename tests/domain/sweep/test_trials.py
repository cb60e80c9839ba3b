"""Trials of a sweep one after the other, each against the same backtest alone."""

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import pytest

from domain.backtest.drift_band import BandTrigger, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol
from domain.backtest.strategies import EqualWeightStrategy, Momentum, Optimized, Select
from domain.backtest.walk_ahead import WalkAhead
from domain.cancellation import never_cancelled
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import Cancelled, InvalidInput
from domain.market_data.corporate_actions import DelistingPolicy
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel
from domain.optimization.request.objectives import MinRisk, RiskBudget
from domain.optimization.request.specification import Specification
from domain.sweep.trials import MOST_KEPT, TrialData, TrialOutcome, TrialRunner

DATES = 300
SYMBOLS = ("A", "B", "C", "D")


def panel() -> PricePanel:
    returns = np.random.default_rng(11).normal(4e-4, 0.01, (DATES, len(SYMBOLS)))
    return PricePanel.of(SYMBOLS, np.arange(DATES), 100.0 * np.cumprod(1.0 + returns, axis=0))


PANEL = panel()
LEAST_VARIANCE = Optimized(Specification(MinRisk()), 60)
MONTHLY = Rebalancing(EveryPeriods(20))


def specification(**more: object) -> BacktestSpecification:
    given: dict[str, object] = {"strategies": (LEAST_VARIANCE,), "rebalancing": MONTHLY, "periods_per_year": 252.0}
    return BacktestSpecification(**given | more)  # type: ignore[arg-type]


def costs(bps: float, **more: object) -> CostModel:
    return CostModel(LinearCost(bps, 0.5 * bps), **more)  # type: ignore[arg-type]


def alone(one: BacktestSpecification, data: TrialData) -> StrategyOutcome:
    plan = prepare(one, data.data, data.benchmarks)
    return run(plan, lambda _: None, lambda: None).strategies[0]


def assert_same(found: TrialOutcome, expected: StrategyOutcome) -> None:
    assert found.performance == expected.performance
    assert found.money_weighted_return == expected.money_weighted_return
    assert expected.record is not None
    values = expected.record.unit_values
    growth = values[1 : len(found.returns.excess) + 1] / values[: len(found.returns.excess)] - 1.0
    assert found.returns.excess.tobytes() == growth.tobytes()


def varied() -> Iterator[BacktestSpecification]:
    """Trials that share much, little and nothing with the ones before them."""
    for bps in (0.0, 5.0, 10.0):
        yield specification(costs=costs(bps))
    yield specification(costs=costs(5.0), rebalancing=Rebalancing(EveryPeriods(7)))
    yield specification(costs=costs(20.0))
    yield specification(costs=costs(20.0, fixed_fee=1e-4))
    yield specification(costs=CostModel(LinearCost(5.0, 0.0, {"B": 40.0})))
    yield specification(costs=CostModel(LinearCost(8.0, 0.0, {"B": 40.0})))
    yield specification(strategies=(EqualWeightStrategy(),), costs=costs(5.0))
    for _ in range(2):
        budgets = RiskBudget(np.array([0.4, 0.3, 0.2, 0.1]))
        yield specification(strategies=(Optimized(Specification(budgets), 60),), costs=costs(5.0))
    yield specification(strategies=(Momentum(30, 2),), costs=costs(5.0))
    yield specification(strategies=(Momentum(30, 2),), costs=costs(50.0))
    for bps in (5.0, 50.0):
        select = Select((EqualWeightStrategy("equal"), Momentum(30, 1)), lookback_periods=40)
        yield specification(strategies=(select,), costs=costs(bps), benchmarks=(EqualWeightStrategy("benchmark"),))
    band = DriftBand(trigger=BandTrigger.TRACKING_ERROR, max_tracking_error_annual=0.02)
    for bps in (5.0, 30.0):
        yield specification(
            strategies=(EqualWeightStrategy(),), costs=costs(bps), rebalancing=Rebalancing(BuyAndHold(), band)
        )
        yield specification(costs=costs(bps), benchmarks=(EqualWeightStrategy("equal"),))
        yield specification(costs=costs(bps), benchmarks=(BenchmarkSymbol("A"),))


def test_each_trial_has_the_bits_of_its_backtest_alone() -> None:
    data = TrialData(PANEL)
    runner = TrialRunner(data)
    for one in varied():
        assert_same(runner.run(one, never_cancelled), alone(one, data))


def test_the_order_of_trials_makes_no_difference() -> None:
    forwards, backwards = TrialRunner(TrialData(PANEL)), TrialRunner(TrialData(PANEL))
    ours = [forwards.run(one, never_cancelled) for one in varied()]
    theirs = [backwards.run(one, never_cancelled) for one in reversed(list(varied()))]
    for one, other in zip(ours, reversed(theirs), strict=True):
        assert one.performance == other.performance
        assert one.returns.excess.tobytes() == other.returns.excess.tobytes()


def test_decisions_are_made_once_for_trials_that_differ_in_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    solved = []
    original = WalkAhead._decided

    def counted(self: WalkAhead, *arguments: object) -> np.ndarray:
        solved.append(arguments[1])
        return original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(WalkAhead, "_decided", counted)
    runner = TrialRunner(TrialData(PANEL))
    found = [runner.run(specification(costs=costs(bps)), never_cancelled) for bps in (0.0, 5.0, 10.0)]
    assert solved == [0]
    assert len({one.performance.final_wealth for one in found}) == 3


def test_trials_of_one_strategy_with_arrays_share_its_decisions() -> None:
    """Arrays are not compared, but the same strategy is equal to itself."""
    data, runner = TrialData(PANEL), TrialRunner(TrialData(PANEL))
    budgets = Optimized(Specification(RiskBudget(np.array([0.4, 0.3, 0.2, 0.1]))), 60)
    for bps in (0.0, 5.0):
        one = specification(strategies=(budgets,), costs=costs(bps))
        assert_same(runner.run(one, never_cancelled), alone(one, data))
    assert len(runner._kept) == 1


def test_a_market_that_was_completed_is_kept_once() -> None:
    values = np.array(PANEL.values)
    values[250:, 0] = np.nan
    data = TrialData(PricePanel.of(SYMBOLS, PANEL.dates, values))
    runner = TrialRunner(data)
    states = {"missing_data": MissingDataPolicy.ASSET_STATES, "delisting_policy": DelistingPolicy.LAST_PRICE}
    for periods in (20, 10):
        for bps in (5.0, 20.0):
            one = specification(costs=costs(bps), rebalancing=Rebalancing(EveryPeriods(periods)), **states)
            assert_same(runner.run(one, never_cancelled), alone(one, data))
    assert len(runner._kept) == 1


def test_few_plans_are_kept() -> None:
    runner = TrialRunner(TrialData(PANEL))
    for periods in range(10, 10 + 2 * MOST_KEPT):
        runner.run(specification(rebalancing=Rebalancing(EveryPeriods(periods))), never_cancelled)
    assert len(runner._kept) == MOST_KEPT


def test_a_trial_that_fails_leaves_those_after_it_alone() -> None:
    data = TrialData(PANEL)
    runner = TrialRunner(data)
    first = runner.run(specification(costs=costs(5.0)), never_cancelled)
    with pytest.raises(InvalidInput):
        runner.run(specification(strategies=(replace(LEAST_VARIANCE, lookback=DATES),)), never_cancelled)
    again = runner.run(specification(costs=costs(5.0)), never_cancelled)
    assert again.performance == first.performance


def test_a_cancelled_trial_raises() -> None:
    def cancelled() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        TrialRunner(TrialData(PANEL)).run(specification(), cancelled)


def test_a_ruined_trial_has_a_return_for_every_date() -> None:
    """After its ruin it earns nothing."""
    values = np.array(PANEL.values)
    values[200:] = 0.0
    data = TrialData(PricePanel.of(SYMBOLS, PANEL.dates, values))
    ruin = {"missing_data": MissingDataPolicy.ASSET_STATES, "delisting_policy": DelistingPolicy.ZERO}
    found = TrialRunner(data).run(specification(strategies=(EqualWeightStrategy(),), **ruin), never_cancelled)
    assert len(found.returns.excess) == DATES - 1
    assert (found.returns.excess[199], found.returns.excess[-1], found.returns.is_ruined) == (-1.0, 0.0, True)


def test_every_field_of_a_specification_is_compared() -> None:
    """One that differs in anything else than rates is prepared anew: equality looks at each of its fields."""
    assert all(one.compare for one in fields(BacktestSpecification))

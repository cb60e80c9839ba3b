"""Trials that are simulated and measured at once, each against the same backtest alone."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.simulated_together import MOST_TOGETHER, SimulatedTogether, most_together, simulate_each
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol, Conventions, Fill
from domain.backtest.strategies import EqualWeightStrategy, FixedWeights, Momentum
from domain.cancellation import never_cancelled
from domain.costs.holding import HoldingCosts, Rate
from domain.errors import Cancelled, InvalidInput
from domain.market_data.panel import PricePanel
from domain.sweep import trials
from domain.sweep.trials import TrialData, TrialOutcome, TrialRunner
from tests.domain.sweep.test_trials import DATES, PANEL, SYMBOLS, alone, assert_same, costs, specification

EQUAL = specification(strategies=(EqualWeightStrategy(),))
BORROWED = FixedWeights({"A": 0.9, "B": 0.8, "C": -0.2}, leveraged=True)
RATES = [float(bps) for bps in range(2 * MOST_TOGETHER + 3)]


def outcomes(
    specifications: list[BacktestSpecification], data: TrialData | None = None
) -> list[TrialOutcome | Exception]:
    runner = TrialRunner(data or TrialData(PANEL))
    found = dict(runner.run_each(range(len(specifications)), lambda k: specifications[k], never_cancelled))
    return [found[k] for k in range(len(specifications))]


def assert_same_as_alone(specifications: list[BacktestSpecification], data: TrialData | None = None) -> None:
    for one, found in zip(specifications, outcomes(specifications, data), strict=True):
        assert isinstance(found, TrialOutcome)
        assert_same(found, alone(one, data or TrialData(PANEL)))


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many trials each call simulates."""
    counts: list[int] = []
    original: Callable[..., SimulatedTogether] = simulate_each

    def counted(plan: object, each: list[object]) -> SimulatedTogether:
        counts.append(len(each))
        return original(plan, each)

    monkeypatch.setattr(trials, "simulate_each", counted)
    return counts


@pytest.mark.parametrize("conventions", list(Conventions))
@pytest.mark.parametrize("fill", [Fill.SAME_CLOSE, Fill.NEXT_CLOSE])
def test_trials_at_once_have_the_bits_of_each_alone(conventions: Conventions, fill: Fill, together: list[int]) -> None:
    base = replace(EQUAL, conventions=conventions, fill=fill)
    assert_same_as_alone([replace(base, costs=costs(bps)) for bps in RATES])
    assert together == [MOST_TOGETHER, MOST_TOGETHER, 3]


def test_shorts_borrowed_money_and_a_benchmark(together: list[int]) -> None:
    base = specification(strategies=(BORROWED,), benchmarks=(BenchmarkSymbol("A"),))
    specifications = [replace(base, costs=costs(bps)) for bps in (0.0, 3.0)]
    assert_same_as_alone(specifications)
    for found in outcomes(specifications):
        assert isinstance(found, TrialOutcome)
        assert [one.code for one in found.warnings] == ["BORROWING_IS_FREE"]
        assert found.returns.benchmark is not None


def test_initial_holdings_and_a_late_start(together: list[int]) -> None:
    held = {"A": 3.0, "C": -1.0}
    base = specification(
        strategies=(EqualWeightStrategy(),),
        initial_holdings=held,
        initial_capital=500.0,
        rebalancing=Rebalancing(BuyAndHold()),
    )
    assert_same_as_alone([replace(base, costs=costs(bps)) for bps in (0.0, 3.0)])
    assert together == [2]


def test_trials_of_several_plans_in_turn(together: list[int]) -> None:
    """Those that differ in rates alone are found among the others."""
    assert_same_as_alone(
        [
            replace(EQUAL, costs=costs(bps), rebalancing=Rebalancing(EveryPeriods(periods)))
            for bps in (0.0, 3.0, 5.0)
            for periods in (5, 20)
        ]
    )
    assert together == [3, 3]


def test_what_needs_more_than_planned_fills_is_run_by_itself(together: list[int]) -> None:
    specifications = [
        specification(strategies=(Momentum(30, 2),), costs=costs(3.0)),
        replace(EQUAL, benchmarks=(EqualWeightStrategy("other"),), costs=costs(3.0)),
        replace(EQUAL, holding_costs=HoldingCosts(cash=Rate(0.01)), costs=costs(3.0), risk_free_rate_annual=0.0),
    ]
    assert_same_as_alone(specifications)
    assert together == []


def test_a_trial_that_is_ruined_is_told_beside_others_that_are_not(together: list[int]) -> None:
    """Costs of the whole trade leave nothing for a few of them."""
    specifications = [replace(EQUAL, costs=costs(bps)) for bps in (5.0, 9_000.0, 20_000.0, 10.0)]
    assert_same_as_alone(specifications)
    assert together[0] == 4


def test_a_short_that_ruins_the_account_for_some_rates_alone() -> None:
    values = np.array(PANEL.values)
    values[150:, 0] *= 40.0
    data = TrialData(PricePanel.of(SYMBOLS, PANEL.dates, values))
    base = specification(strategies=(FixedWeights({"A": -0.1, "B": 0.5}),), rebalancing=Rebalancing(BuyAndHold()))
    specifications = [replace(base, costs=costs(bps)) for bps in (0.0, 10.0)]
    for one, found in zip(specifications, outcomes(specifications, data), strict=True):
        assert isinstance(found, TrialOutcome)
        assert found.returns.is_ruined
        assert found.performance == alone(one, data).performance


def test_a_trial_that_fails_is_a_value_and_the_others_go_on() -> None:
    wrong = specification(strategies=(Momentum(DATES, 2),))
    found = outcomes([replace(EQUAL, costs=costs(1.0)), wrong, replace(EQUAL, costs=costs(2.0))])
    assert isinstance(found[1], InvalidInput)
    assert all(isinstance(one, TrialOutcome) for one in (found[0], found[2]))


def test_what_the_request_of_a_trial_raises_is_its_value() -> None:
    def refused(trial: int) -> BacktestSpecification:
        if trial == 1:
            raise InvalidInput("field", "is wrong")
        return EQUAL

    found = dict(TrialRunner(TrialData(PANEL)).run_each(range(3), refused, never_cancelled))
    assert [isinstance(found[k], TrialOutcome) for k in range(3)] == [True, False, True]


def test_cancelling_is_raised() -> None:
    calls = iter([False] * 3)

    def check() -> None:
        if next(calls, True):
            raise Cancelled("stopped")

    specifications = [replace(EQUAL, costs=costs(bps)) for bps in RATES]
    with pytest.raises(Cancelled):
        list(TrialRunner(TrialData(PANEL)).run_each(range(len(RATES)), lambda k: specifications[k], check))


def test_accounts_have_the_bits_of_a_simulation_alone() -> None:
    """Also where what is measured does not show it: cash, and what was paid."""
    plans = [prepare(replace(EQUAL, costs=costs(bps)), PANEL) for bps in (0.0, 7.0, 50.0)]
    found = simulate_each(plans[0], [one.inputs[0].costs for one in plans])
    for plan, record in zip(plans, found.records(), strict=True):
        simulation = Simulation(plan.market, plan.specification, plan.strategy_runs[0], plan.groups)
        for _ in simulation.advance(never_cancelled):
            pass
        expected = simulation.record.cut()
        assert record is not None
        for name in ("nav", "cost_fractions", "turnovers", "account", "gains"):
            assert getattr(record, name).tobytes() == getattr(expected, name).tobytes(), name


def test_large_accounts_are_simulated_one_by_one() -> None:
    """So that a sweep is cancelled within tens of milliseconds."""
    assert most_together(prepare(EQUAL, PANEL)) == MOST_TOGETHER
    wide = PricePanel.of([f"S{i}" for i in range(4000)], np.arange(800), np.full((800, 4000), 1.0))
    assert most_together(prepare(specification(strategies=(EqualWeightStrategy(),)), wide)) == 1

"""A backtest run: no strategy sees the future, money is conserved, and a run can continue from any checkpoint."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backtest import simulator
from domain.backtest.flow import BacktestRun, Checkpoint, run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Calendar, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import BacktestOutcome
from domain.backtest.series import Series, rows
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol, Fill
from domain.backtest.strategies import (
    EqualWeightStrategy,
    FixedWeights,
    LookbackWindow,
    MarketHistory,
    Optimized,
    WeightSchedule,
)
from domain.calendar import Frequency
from domain.checks import Vector
from domain.costs.holding import DayCount, HoldingCosts, Rate
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import Cancelled, InvalidInput
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.optimization.request.objectives import MaxRatio, MinRisk
from domain.optimization.request.specification import Specification
from domain.risk.figure import Absent
from tests.families import generated

RNG = np.random.default_rng(23)
PRICES = 50.0 * np.cumprod(1.0 + RNG.normal(0.0005, 0.015, (160, 4)), axis=0)
PANEL = PricePanel.of("ABCD", range(9000, 9160), PRICES)


def simulated(
    specification: BacktestSpecification, panel: PricePanel | ReturnPanel = PANEL, **more: Any
) -> BacktestOutcome:
    opens = panel if specification.fill is Fill.NEXT_OPEN and isinstance(panel, PricePanel) else None
    return run(prepare(specification, panel, opens=opens), lambda backtest: None, lambda: None, **more)


@dataclass(frozen=True)
class Cheat:
    """Reaches for what it was not given."""

    reach: Callable[[MarketHistory], Any]
    label: str = "cheat"
    kind: str = "equal_weight"
    lookback_window: LookbackWindow = field(default_factory=lambda: LookbackWindow(2, 2))

    def own_dates(self) -> tuple[int, ...]:
        return ()

    def planned(self, symbols: object, dates: object, listed: object) -> None:
        return None

    def check(self, history: MarketHistory, check_cancelled: Callable[[], None] = lambda: None) -> tuple[()]:
        return ()

    def decide(self, history: MarketHistory, check_cancelled: Callable[[], None]) -> Vector:
        future = np.asarray(self.reach(history))
        return np.where(future == future.max(), 1.0, 0.0)


@pytest.mark.parametrize(
    "reach",
    [
        lambda history: history.prices[len(history.dates)],
        lambda history: history.prices.base[-1],
        lambda history: history.prices.base.base[-1],
        lambda history: history.dates.base[-1],
        lambda history: history.market.panel.values[-1],
    ],
    ids=["next row", "base of the array", "base of the base", "base of the dates", "the market"],
)
def test_a_strategy_that_reaches_for_the_future_fails(reach: Callable[[MarketHistory], Any]) -> None:
    with pytest.raises((IndexError, TypeError, AttributeError)):
        simulated(BacktestSpecification((Cheat(reach),), Rebalancing(EveryPeriods(5))))


def test_a_strategy_that_changes_its_history_changes_no_other() -> None:
    def spoil(history: MarketHistory) -> Vector:
        history.prices[:] = 1e9
        return history.prices[0]

    spoiled = simulated(BacktestSpecification((Cheat(spoil), EqualWeightStrategy()), Rebalancing(EveryPeriods(5))))
    honest = simulated(
        BacktestSpecification((Cheat(lambda history: np.zeros(4)), EqualWeightStrategy()), Rebalancing(EveryPeriods(5)))
    )
    assert spoiled.strategies[1].performance == honest.strategies[1].performance


@pytest.mark.parametrize("fill", list(Fill))
def test_buy_and_hold_without_costs(fill: Fill) -> None:
    weights = dict(zip("ABCD", [0.1, 0.2, 0.3, 0.4], strict=True))
    done = simulated(BacktestSpecification((FixedWeights(weights),), Rebalancing(BuyAndHold()), fill))
    bought = 0 if fill is Fill.SAME_CLOSE else 1
    expected = float((np.array([0.1, 0.2, 0.3, 0.4]) * PRICES[-1] / PRICES[bought]).sum())
    assert done.strategies[0].performance.final_wealth == pytest.approx(expected, rel=1e-12)


@given(
    bps=st.sampled_from([0.0, 3.0, 50.0, 900.0]),
    n=st.integers(1, 40),
    weights=st.lists(st.floats(0.0, 0.25), min_size=4, max_size=4),
    lag=st.integers(0, 3),
)
@generated(60)
def test_money_is_conserved(bps: float, n: int, weights: list[float], lag: int) -> None:
    """Holdings and cash after a fill, and what it cost, are what was there before."""
    strategy = FixedWeights(dict(zip("ABCD", weights, strict=True)))
    done = simulated(
        BacktestSpecification(
            (strategy,), Rebalancing(EveryPeriods(n)), lag_periods=lag, costs=CostModel(LinearCost(bps))
        )
    )
    record = done.strategies[0].record
    assert record is not None
    units, cash = np.zeros(4), 1.0
    for i, place in enumerate(record.indices[record.fills].tolist()):
        before = float(units @ PRICES[place]) + cash
        units, cash = record.units[i], float(record.cash[i])
        after = float(units @ PRICES[place]) + cash
        assert after + record.cost_fractions[i] * before == pytest.approx(before, rel=1e-12)
        assert record.nav[place] == pytest.approx(after, rel=1e-12)
        # A trade of 1e-12 of the net asset value or less is not made.
        assert units * PRICES[place] == pytest.approx(np.array(weights) * after, abs=1e-12 * max(before, 1.0) + 1e-15)
    assert record.nav[-1] == pytest.approx(float(units @ PRICES[-1]) + cash, rel=1e-12)


SPECIFICATIONS = {
    "optimised": BacktestSpecification(
        (Optimized(Specification(MinRisk()), 30), Optimized(Specification(MaxRatio()), None, "ratio")),
        Rebalancing(EveryPeriods(3)),
        costs=CostModel(LinearCost(10.0)),
        benchmarks=(EqualWeightStrategy("half"), BenchmarkSymbol("A")),
    ),
    "late fills": BacktestSpecification(
        (EqualWeightStrategy(),), Rebalancing(EveryPeriods(2)), lag_periods=3, costs=CostModel(LinearCost(5.0, 5.0))
    ),
    "same close": BacktestSpecification(
        (EqualWeightStrategy(),), Rebalancing(Calendar(Frequency.WEEKLY)), Fill.SAME_CLOSE
    ),
}


@pytest.mark.parametrize("name", SPECIFICATIONS)
@pytest.mark.parametrize("every", [2, 7, 50])
def test_an_interrupted_run_continues_to_the_same_figures(
    name: str, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut after some stretches of 3 dates, thrown away to the last checkpoint, and resumed, again and again."""
    monkeypatch.setattr(simulator, "STRETCH", 12)
    plan = prepare(SPECIFICATIONS[name], PANEL)
    whole = run(plan, lambda backtest: None, lambda: None)
    records: list[list[RecordPart]] = []
    checkpoint: Checkpoint | None = None
    outcome = None
    for _ in range(1000):
        events = 0

        def stop_now_and_then(backtest: BacktestRun) -> None:
            nonlocal events, checkpoint
            events += 1
            if events == every:
                checkpoint = backtest.checkpoint()
                for strategy_index, part in checkpoint.parts:
                    while len(records) <= strategy_index:
                        records.append([])
                    records[strategy_index].append(part)
            if events == every + 2:
                raise Cancelled("the power went out")

        try:
            outcome = run(plan, stop_now_and_then, lambda: None, checkpoint, records)
            break
        except Cancelled:
            continue
    assert outcome is not None
    for ours, theirs in zip(
        (*outcome.strategies, *outcome.benchmarks), (*whole.strategies, *whole.benchmarks), strict=True
    ):
        assert ours.performance == theirs.performance
        assert ours.failures == theirs.failures
        if ours.record is not None and theirs.record is not None:
            assert np.array_equal(ours.record.nav, theirs.record.nav)
            assert np.array_equal(ours.record.units, theirs.record.units)


def test_progress_goes_forward_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator, "STRETCH", 12)
    seen: list[tuple[float, int]] = []
    run(prepare(SPECIFICATIONS["optimised"], PANEL), lambda w: seen.append((w.fraction, w.day)), lambda: None)
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert max(day for _, day in seen) == 9159


def test_a_crash_to_nothing_ends_there() -> None:
    prices = np.array([[100.0, 100.0], [100.0, 100.0], [1.0, 250.0], [1.0, 250.0], [1.0, 250.0]])
    panel = PricePanel.of("AB", range(5), prices)
    short = FixedWeights({"A": 2.0, "B": -1.0})
    done = simulated(BacktestSpecification((short,), Rebalancing(BuyAndHold())), panel)
    (result,) = done.strategies
    assert result.performance.final_wealth == 0.0
    assert (result.performance.cagr, result.performance.max_drawdown) == (-1.0, 1.0)
    assert result.failures[0].reason == "WEALTH_EXHAUSTED"
    assert result.final_units is not None
    assert not result.final_units.any()


@given(
    seed=st.integers(0, 10_000),
    spread=st.sampled_from([0.01, 1.0, 50.0, 600.0]),
    capital=st.sampled_from([1.0, 1e300, 1e-300]),
    weights=st.sampled_from([(0.5, 0.5), (3.0, -2.5), (-1.0, 1.0), (1.0, 0.0)]),
    n=st.sampled_from([1, 2, 100]),
    bps=st.sampled_from([0.0, 10.0, 5000.0]),
    rate=st.sampled_from([0.0, 0.05, 1e6]),
)
@generated(200)
def test_every_figure_is_a_number_or_absent(
    seed: int, spread: float, capital: float, weights: tuple[float, float], n: int, bps: float, rate: float
) -> None:
    """Prices from 1e-300 to 1e300, with and without a bankrupt asset: a result of numbers, or a refusal by name."""
    generator = np.random.default_rng(seed)
    prices = np.exp(np.cumsum(generator.normal(0.0, spread, (12, 2)), axis=0).clip(-690.0, 690.0))
    if seed % 3 == 0:
        prices[seed % 11 + 1 :, 1] = 0.0
    spec = BacktestSpecification(
        (FixedWeights(dict(zip("AB", weights, strict=True))),),
        Rebalancing(EveryPeriods(n)),
        costs=CostModel(LinearCost(bps)),
        holding_costs=HoldingCosts(cash=Rate(rate)),
        initial_capital=capital,
        benchmarks=(BenchmarkSymbol("A"),),
        periods_per_year=12.0,
    )
    try:
        done = simulated(spec, PricePanel.of("AB", range(12), prices))
    except InvalidInput as error:
        assert error.field == "prices"  # noqa: PT017  # not every input is refused
        return
    for outcome in (*done.strategies, *done.benchmarks):
        for name, figure in outcome.performance.figures.items():
            assert isinstance(figure, Absent) or math.isfinite(figure), name
        drawdown = outcome.performance.max_drawdown
        assert isinstance(drawdown, float)
        assert 0.0 <= drawdown <= 1.0
    record = done.strategies[0].record
    assert record is not None
    market = prepare(spec, PricePanel.of("AB", range(12), prices)).market
    for series in Series:
        assert np.isfinite(rows(series, market, record, np.zeros(2), 0, len(record.nav))).all()


def test_a_cash_rate_that_takes_everything_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must not take all of the cash") as raised:
        prepare(
            BacktestSpecification(
                (EqualWeightStrategy(),),
                holding_costs=HoldingCosts(cash=Rate(-300.0), day_count=DayCount.BARS),
                periods_per_year=252.0,
            ),
            PANEL,
        )
    assert raised.value.field == "costs.cash_rate_annual"


def test_more_history_than_there_is() -> None:
    wanted = Optimized(Specification(MinRisk()), 160)
    with pytest.raises(InvalidInput) as raised:
        prepare(BacktestSpecification((wanted,)), PANEL)
    assert raised.value.field == "strategy.optimize.lookback_periods"


def test_a_schedule_after_the_end() -> None:
    with pytest.raises(InvalidInput, match="after the last date"):
        prepare(BacktestSpecification((WeightSchedule(((9999, {"A": 1.0}),)),)), PANEL)


def test_several_legs_begin_together() -> None:
    spec = BacktestSpecification((Optimized(Specification(MinRisk()), 30), EqualWeightStrategy()))
    assert {one.start for one in prepare(spec, PANEL).strategy_runs} == {30}


def test_a_label_names_one_curve() -> None:
    for symbol, label, named in (("X", "a", "label"), ("a", "", "symbol")):
        benchmarks = (BenchmarkSymbol("Y"), BenchmarkSymbol(symbol, label))
        with pytest.raises(InvalidInput, match=rf"benchmarks\[1\]\.{named}.*'a' is used twice"):
            BacktestSpecification((EqualWeightStrategy("a"),), benchmarks=benchmarks)
    with pytest.raises(InvalidInput, match=r"strategies\[1\]\.label.*'a' is used twice"):
        BacktestSpecification((EqualWeightStrategy("a"), EqualWeightStrategy("a")))
    with pytest.raises(InvalidInput, match=r"benchmarks\[0\]\.label.*'a' is used twice"):
        BacktestSpecification((EqualWeightStrategy("a"),), benchmarks=(EqualWeightStrategy("a"),))

"""Runs with tranches: planned or asked, stopped and resumed, what is told and explained, and what is not seen."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest import simulator
from domain.backtest.cash_flows import CashFlow, RecurringCashFlow
from domain.backtest.flow import BacktestRun, Checkpoint, run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import Calendar, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import (
    Cppi,
    FixedWeights,
    MarketHistory,
    Remote,
    Strategy,
    WeightSchedule,
    inverse_volatility,
)
from domain.backtest.strategies.decision_log import DecisionsInMemory
from domain.calendar import Frequency
from domain.costs.holding import HoldingCosts, Rate
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import Cancelled, InvalidInput, SolverFailed
from domain.market_data.corporate_actions import CashDividend, CorporateAction, PriceBasis
from domain.market_data.panel import PricePanel
from tests.domain.backtest.simulation.random_cases import RandomBacktest, random_backtest
from tests.domain.backtest.test_tranches import WEIGHTS, Asked, business_days, by_price, prices_of, record_of

ARRAYS = ("nav", "flow_start", "flow_end", "indices", "kinds", "units", "cash", "cost_fractions", "turnovers", "events")


SCHEDULE = tuple((business_days(40)[t], {"ABC"[t % 3]: 0.9}) for t in (0, 7, 8, 20))


@pytest.mark.parametrize("strategy", [FixedWeights(WEIGHTS), WeightSchedule(SCHEDULE)])
@pytest.mark.parametrize("fill", Fill)
@pytest.mark.parametrize("lag", [0, 2])
def test_weights_that_are_known_beforehand_give_what_is_asked_for(strategy: Strategy, fill: Fill, lag: int) -> None:
    """Planned in one go, or decision by decision, with costs, flows and interest."""
    panel = prices_of(4, 40)
    asked = Asked(lambda history: strategy.decide(history, lambda: None))
    dividends = () if fill is Fill.NEXT_OPEN else (CorporateAction("A", int(panel.dates[9]), CashDividend(0.1)),)
    found = []
    for one in (strategy, replace(asked, dates=strategy.own_dates())):
        specification = BacktestSpecification(
            (one,), Rebalancing(EveryPeriods(5), tranches=3), fill, lag, initial_capital=100.0,
            costs=CostModel(LinearCost(10.0), fixed_fee=0.01), holding_costs=HoldingCosts(Rate(0.03)),
            cash_flows=(CashFlow(int(panel.dates[12]), 30.0),),
            corporate_actions=dividends, price_basis=PriceBasis.SPLIT_ADJUSTED,
        )  # fmt: skip
        plan = prepare(specification, panel, opens=panel if fill is Fill.NEXT_OPEN else None)
        found.append((plan, run(plan, lambda _: None, lambda: None).strategies[0]))
    assert [plan.inputs[0].rules.decides_outside for plan, _ in found] == [False, True]
    assert record_of(found[0][1]).nav == pytest.approx(record_of(found[1][1]).nav, rel=1e-11)
    assert found[0][1].rebalances == found[1][1].rebalances


@pytest.mark.parametrize("strategy", [FixedWeights(WEIGHTS), Asked(by_price)])
@pytest.mark.parametrize(("fill", "lag"), [(Fill.NEXT_CLOSE, 0), (Fill.NEXT_CLOSE, 2), (Fill.NEXT_OPEN, 0)])
def test_a_later_price_changes_nothing_before_it(strategy: Strategy, fill: Fill, lag: int) -> None:
    """Nor does a close change what was traded at the open of its date."""
    panel = prices_of(2, 40)
    opens = panel.values * 0.99
    found = []
    for factor in (1.0, 1.5):
        values, given = np.array(panel.values), np.array(opens)
        values[25:] *= factor
        given[26:] *= factor
        specification = BacktestSpecification(
            (strategy,),
            Rebalancing(EveryPeriods(3), tranches=3),
            fill,
            lag_periods=lag,
            costs=CostModel(LinearCost(10.0)),
        )
        plan = prepare(
            specification,
            PricePanel.of(panel.symbols, panel.dates, values),
            opens=PricePanel.of(panel.symbols, panel.dates, given) if fill is Fill.NEXT_OPEN else None,
        )
        found.append(record_of(run(plan, lambda _: None, lambda: None).strategies[0]))
    one, other = found
    assert np.array_equal(one.nav[:25], other.nav[:25])
    last = 25 if fill is Fill.NEXT_OPEN else 24
    before, same = one.indices <= last, other.indices <= last
    assert before.sum() > 8
    assert np.array_equal(one.units[before], other.units[same])


def staggered(backtest: RandomBacktest, seed: int) -> RandomBacktest:
    """The same with two or four tranches, without what excludes them."""
    rng, rules = np.random.default_rng(seed), backtest.specification.rebalancing
    strategy = backtest.specification.strategies[0] if rng.random() < 0.5 else Asked(by_price)
    rebalancing = Rebalancing(
        EveryPeriods(int(rng.choice([3, 8]))),
        min_periods_between=rules.min_periods_between,
        max_turnover=rules.max_turnover,
        tranches=int(rng.choice([2, 4])),
    )
    return replace(
        backtest, specification=replace(backtest.specification, strategies=(strategy,), rebalancing=rebalancing)
    )


def outcome_or_none(backtest: RandomBacktest) -> StrategyOutcome | None:
    """None where a withdrawal of everything is refused."""
    try:
        return backtest.outcome()
    except InvalidInput as error:
        assert "leave" in error.rule  # noqa: PT017  # not every backtest is refused
        return None


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_net_asset_value_is_explained(seed: int) -> None:
    """Start + flows + gains - costs = end, and the last holdings and cash are worth the last net asset value."""
    backtest = staggered(random_backtest(seed), seed)
    outcome = outcome_or_none(backtest)
    if outcome is None:
        return
    parts, record = outcome.reconciliation, record_of(outcome)
    assert parts is not None
    scale = max(parts.start_nav, parts.end_nav, abs(parts.gains), parts.costs)
    assert parts.start_nav + parts.flows + parts.gains - parts.costs == pytest.approx(parts.end_nav, abs=1e-10 * scale)
    assert parts.flows == pytest.approx(float((record.flow_start + record.flow_end).sum()), rel=1e-12, abs=1e-9)


def stopped_and_resumed(plan: Any, seed: int) -> StrategyOutcome:
    """Simulated in stretches of a few dates, thrown away and resumed from the last checkpoint at random events."""
    rng = np.random.default_rng(seed)
    records: list[list[RecordPart]] = []
    checkpoint: Checkpoint | None = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator, "STRETCH", int(rng.integers(1, 40)))
        for _ in range(500):
            saved, stopped = int(rng.integers(1, 5)), int(rng.integers(5, 12))
            events = 0

            def watch(backtest_run: BacktestRun, saved: int = saved, stopped: int = stopped) -> None:
                nonlocal events, checkpoint
                events += 1
                if events == saved:
                    checkpoint = backtest_run.checkpoint()
                    records.extend([] for _ in range(1 - len(records)))
                    records[0].extend(part for _, part in checkpoint.parts)
                if events == stopped:
                    raise Cancelled("stopped")

            try:
                return run(plan, watch, lambda: None, checkpoint, records).strategies[0]
            except Cancelled:
                continue
    raise AssertionError("it does not end")


def same_bits(ours: StrategyOutcome, theirs: StrategyOutcome) -> None:
    for name in (*ARRAYS, "gains"):
        assert np.array_equal(getattr(record_of(ours), name), getattr(record_of(theirs), name)), name
    assert record_of(ours).account.tobytes() == record_of(theirs).account.tobytes()
    assert (ours.costs, ours.failures, ours.final_nav) == (theirs.costs, theirs.failures, theirs.final_nav)


@pytest.mark.parametrize("seed", range(25))
def test_stretches_and_checkpoints_change_no_bit(seed: int) -> None:
    backtest = staggered(random_backtest(seed), seed)
    whole = outcome_or_none(backtest)
    if whole is not None:
        same_bits(stopped_and_resumed(backtest.plan(), seed), whole)


@pytest.mark.parametrize("strategy", [FixedWeights(WEIGHTS), inverse_volatility(10)])
def test_every_checkpoint_can_be_continued(strategy: Strategy, monkeypatch: pytest.MonkeyPatch) -> None:
    specification = BacktestSpecification(
        (strategy,), Rebalancing(Calendar(Frequency.WEEKLY), tranches=3), costs=CostModel(LinearCost(10.0)),
        holding_costs=HoldingCosts(Rate(0.03), management_fee_annual=0.01),
        cash_flows=(CashFlow(business_days(60)[30], 0.5),),
        recurring_cash_flows=(RecurringCashFlow(Frequency.MONTHLY, fraction_of_nav=-0.01),),
    )  # fmt: skip
    plan = prepare(specification, prices_of(4, 60))
    monkeypatch.setattr(simulator, "STRETCH", 15)
    saved: list[tuple[Checkpoint, list[RecordPart]]] = []
    whole = run(plan, lambda b: saved.append((b.checkpoint(), list(b.records[0]))), lambda: None).strategies[0]
    assert len(saved) >= 10
    for checkpoint, parts in saved:
        same_bits(run(plan, lambda _: None, lambda: None, checkpoint, [parts]).strategies[0], whole)


def failing(history: MarketHistory) -> np.ndarray:
    """Fails for the same reason on every fourth date."""
    if int(history.dates[-1]) % 4 == 0:
        raise SolverFailed("no weights")
    return np.array([0.4, 0.4, 0.1])


@pytest.mark.parametrize("seed", range(4))
def test_failures_and_warnings_are_told_alike_after_a_takeover(seed: int) -> None:
    """A failure once for each date, a warning once in all."""
    calm = prices_of(8, 50)
    panel = PricePanel.of(calm.symbols, calm.dates, calm.values**4)
    base = Asked(failing)
    floor = Cppi(base, floor=0.97, multiplier=8.0)
    rebalancing = Rebalancing(EveryPeriods(2), tranches=2)
    for strategy in (base, floor):
        plan = prepare(BacktestSpecification((strategy,), rebalancing), panel)
        whole = run(plan, lambda _: None, lambda: None).strategies[0]
        reasons = [failure.reason for failure in whole.failures]
        assert reasons.count("FLOOR_BROKEN") == (strategy is floor)
        assert reasons.count("SOLVER_FAILED") >= 2
        assert len({(failure.day, failure.reason) for failure in whole.failures}) == len(whole.failures)
        same_bits(stopped_and_resumed(plan, seed), whole)


class Service:
    """Answers with equal weights, and remembers the weights it is shown."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float]] = []

    def decide(self, target: str, label: str, history: MarketHistory, *_: object) -> dict[str, float]:
        self.asked.append((int(history.dates[-1]), float(history.nav)))
        return {"A": 0.5, "B": 0.5}


def test_a_service_is_asked_for_each_tranche_and_never_again() -> None:
    """On one date the tranches are worth different sums, and may be told different weights."""
    service, log = Service(), DecisionsInMemory()
    specification = BacktestSpecification(
        (Remote("host:1"),), Rebalancing(EveryPeriods(1), tranches=2), initial_capital=8.0
    ).with_decisions(service, log)
    plan = prepare(specification, prices_of(2, 6))
    first = run(plan, lambda _: None, lambda: None).strategies[0]
    assert sorted(day for day, _ in service.asked) == sorted([*plan.days[:5].tolist()] * 2)
    assert [nav for _, nav in service.asked[:2]] == [4.0, 4.0]
    service.asked.clear()
    same_bits(run(plan, lambda _: None, lambda: None).strategies[0], first)
    assert service.asked == []

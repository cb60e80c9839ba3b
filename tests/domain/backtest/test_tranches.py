"""Tranches: parts of one account that decide on staggered dates, against backtests of each part alone."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest import simulator
from domain.backtest.cash_flows import CashFlow, RecurringCashFlow
from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.flow import BacktestRun, Checkpoint, run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Calendar, DayOfPeriod, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import StrategyOutcome
from domain.backtest.series import Series, rows
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import (
    Cppi,
    FixedWeights,
    LookbackWindow,
    MarketHistory,
    Remote,
    Strategy,
    WeightSchedule,
    inverse_volatility,
)
from domain.backtest.strategies.decision_log import DecisionsInMemory
from domain.backtest.tranches import StaggeredSimulation
from domain.calendar import Frequency
from domain.costs.holding import HoldingCosts, PerformanceFeeTerms, Rate
from domain.costs.impact import Liquidity
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import Cancelled, InvalidInput, SolverFailed
from domain.market_data.corporate_actions import CorporateAction, Delisting
from domain.market_data.panel import PricePanel
from tests.domain.backtest.simulation.random_cases import RandomBacktest, random_backtest

EPOCH = date(1970, 1, 1)
WEIGHTS = {"A": 0.5, "B": 0.3, "C": 0.1}
ARRAYS = ("nav", "flow_start", "flow_end", "indices", "kinds", "units", "cash", "cost_fractions", "turnovers", "events")


def business_days(count: int) -> list[int]:
    """Days from Monday the 1st of January 2024 on."""
    first = date(2024, 1, 1)
    found = [first + timedelta(i) for i in range(2 * count) if (first + timedelta(i)).weekday() < 5]
    return [(day - EPOCH).days for day in found[:count]]


def prices_of(seed: int, count: int) -> PricePanel:
    rng = np.random.default_rng(seed)
    return PricePanel.of("ABC", business_days(count), np.exp(np.cumsum(rng.normal(0.0, 0.02, (count, 3)), axis=0)))


def outcome_of(specification: BacktestSpecification, panel: PricePanel, **more: Any) -> StrategyOutcome:
    return run(prepare(specification, panel, **more), lambda _: None, lambda: None).strategies[0]


def record_of(outcome: StrategyOutcome) -> RecordPart:
    assert outcome.record is not None
    return outcome.record


@dataclass(frozen=True)
class Asked:
    """Weights by what is known on the date of a decision."""

    weights: Callable[[MarketHistory], np.ndarray]
    label: str = "asked"
    kind: str = "equal_weight"
    lookback_window: LookbackWindow = field(default_factory=LookbackWindow)

    def own_dates(self) -> tuple[int, ...]:
        return ()

    def planned(self, symbols: object, dates: object, listed: object) -> None:
        return None

    def check(self, history: MarketHistory, check_cancelled: Callable[[], None] = lambda: None) -> tuple[()]:
        return ()

    def decide(self, history: MarketHistory, check_cancelled: Callable[[], None]) -> np.ndarray:
        return self.weights(history)


def mean_of_parts(panel: PricePanel, dates: list[list[int]]) -> np.ndarray:
    """Net asset values of backtests that decide on dates of their own, as their schedules say: their mean."""
    navs = []
    for own in dates:
        entries = tuple((int(panel.dates[t]), WEIGHTS) for t in own)
        specification = BacktestSpecification(
            (WeightSchedule(entries),), Rebalancing(BuyAndHold()), initial_capital=90.0
        )
        navs.append(record_of(outcome_of(specification, panel)).nav)
    return np.array(navs).mean(axis=0)


@pytest.mark.parametrize(("n", "count"), [(6, 3), (5, 2), (7, 4), (2, 4)])
def test_every_n_dates_without_costs_is_the_mean_of_its_parts(n: int, count: int) -> None:
    panel = prices_of(n, 60)
    rebalancing = Rebalancing(EveryPeriods(n), tranches=count)
    outcome = outcome_of(BacktestSpecification((FixedWeights(WEIGHTS),), rebalancing, initial_capital=90.0), panel)
    dates = [sorted({0, *range((j * n) // count, 60, n)}) for j in range(count)]
    assert record_of(outcome).nav == pytest.approx(mean_of_parts(panel, dates), rel=1e-13)
    assert outcome.rebalances == len({t for own in dates for t in own if t + 1 < 60})


@pytest.mark.parametrize("day", [DayOfPeriod.FIRST, DayOfPeriod.LAST])
def test_a_calendar_without_costs_is_the_mean_of_its_parts(day: DayOfPeriod) -> None:
    """Each date is moved by thirds of the dates to the next one, the last by those from the one before."""
    panel = prices_of(1, 200)
    rebalancing = Rebalancing(Calendar(Frequency.MONTHLY, day), tranches=3)
    outcome = outcome_of(BacktestSpecification((FixedWeights(WEIGHTS),), rebalancing, initial_capital=90.0), panel)
    months = [(EPOCH + timedelta(int(one))).month for one in panel.dates]
    firsts = [t for t in range(200) if t == 0 or months[t] != months[t - 1]]
    schedule = firsts if day is DayOfPeriod.FIRST else [t - 1 for t in firsts[1:]]
    lengths = [later - t for t, later in pairwise(schedule)]
    lengths.append(lengths[-1])
    dates = []
    for j in range(3):
        moved = [t + j * length // 3 for t, length in zip(schedule, lengths, strict=True)]
        dates.append(sorted({0, *(t for t in moved if t < 200)}))
    assert record_of(outcome).nav == pytest.approx(mean_of_parts(panel, dates), rel=1e-13)


def test_holdings_are_blended() -> None:
    """Two halves of 100, the second rebalanced one date later: units, cash and weights are sums of two accounts."""
    panel = PricePanel.of("AB", range(5), [[1.0, 1.0], [1.0, 1.0], [2.0, 1.0], [2.0, 1.0], [2.0, 1.0]])
    rebalancing = Rebalancing(EveryPeriods(2), tranches=2)
    specification = BacktestSpecification(
        (FixedWeights({"A": 0.5, "B": 0.5}),), rebalancing, Fill.SAME_CLOSE, initial_capital=100.0,
        costs=CostModel(LinearCost(100.0)), periods_per_year=252.0,
    )  # fmt: skip
    record = record_of(outcome_of(specification, panel))
    # Bought on date 0, 50/1.01 each; the second half decides on date 1, 3, the first on 2, 4.
    bought = 25.0 / 1.01
    assert record.units[0] == pytest.approx([2.0 * bought, 2.0 * bought], rel=1e-14)
    assert record.indices.tolist()[:2] == [0, 1]
    half = 3.0 * bought
    # 2 sold units of value d each side: d (1 + .01) bought of B for d (1 - .01) of A, exactly self-financing.
    after = half - 0.01 * record.turnovers[2] * 2.0 * 2.0 * half
    assert record.units[2] @ [2.0, 1.0] == pytest.approx(after + half, rel=1e-12)
    assert record.cost_fractions[2] == pytest.approx(0.02 * record.turnovers[2], rel=1e-12)
    assert record.units[2] == pytest.approx([after / 4.0 + bought, after / 2.0 + bought], rel=1e-12)
    assert record.nav[2] == pytest.approx(after + half, rel=1e-12)
    weights = rows(Series.WEIGHTS, panel.values, record, np.zeros(2), 0, 5)
    assert weights[2] == pytest.approx(record.units[2] * [2.0, 1.0] / record.nav[2], rel=1e-12)


def by_price(history: MarketHistory) -> np.ndarray:
    """Nine tenths in assets with a price, in proportion to it and to what is held."""
    wanted: np.ndarray = history.prices[-1] * (1.0 + np.abs(history.weights))
    return 0.9 * wanted / max(wanted.sum(), 1e-9)


def staggered(backtest: RandomBacktest, seed: int) -> RandomBacktest:
    """The same with two or four tranches, without what excludes them and without shorts."""
    rng, specification = np.random.default_rng(seed), backtest.specification
    rules = specification.rebalancing
    schedule = specification.strategies[0]
    assert isinstance(schedule, WeightSchedule)
    entries = tuple(
        (day, {name: abs(w) / len(weights) for name, w in weights.items()}) for day, weights in schedule.entries
    )
    strategy: Strategy = WeightSchedule(entries) if rng.random() < 0.5 else Asked(by_price)
    rebalancing = Rebalancing(
        EveryPeriods(int(rng.choice([3, 8]))),
        min_periods_between=rules.min_periods_between,
        max_turnover=rules.max_turnover,
        tranches=int(rng.choice([2, 4])),
    )
    changed = replace(
        specification,
        strategies=(strategy,),
        rebalancing=rebalancing,
        maintenance_ratio=None,
        holding_costs=replace(specification.holding_costs, performance_fee=None),
    )
    return replace(backtest, specification=changed)


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
    assert (np.diff(3 * record.indices + record.kinds) != 0).all()


@pytest.mark.parametrize("seed", range(25))
def test_one_tranche_is_the_simulation_itself(seed: int) -> None:
    """To the bit, but for fractions that are multiplied and divided again."""
    backtest = random_backtest(seed)
    plan = backtest.plan()
    (strategy_run,) = plan.strategy_runs
    alone = Simulation(plan.market, plan.specification, strategy_run, {})
    whole = replace(strategy_run, tranches=(strategy_run,))
    together = StaggeredSimulation(plan.market, plan.specification, whole, {})
    if backtest.specification.maintenance_ratio is not None:
        return  # a margin call follows the fill of its date, and tranches have none
    for simulation in (alone, together):
        try:
            for _ in simulation.advance(lambda: None):
                pass
        except InvalidInput as error:
            assert "leave" in error.rule  # noqa: PT017
            return
    ours, theirs = together.record.cut(), alone.record.cut()
    places = 3 * theirs.indices - theirs.kinds
    if len(np.unique(places)) == len(places) and not theirs.exhausted:  # others are one change in the record of all
        for name in ("indices", "kinds", "units", "cash"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
        assert ours.cost_fractions == pytest.approx(theirs.cost_fractions, rel=1e-12, abs=1e-16)
        assert ours.turnovers == pytest.approx(theirs.turnovers, rel=1e-12, abs=1e-16)
    for name in ("nav", "flow_start", "flow_end", "events"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    if not theirs.exhausted:
        assert ours.account.tobytes() == theirs.account.tobytes()
        assert np.array_equal(ours.gains, theirs.gains)


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
    monkeypatch.setattr(simulator, "STRETCH", 45)
    saved: list[tuple[Checkpoint, list[RecordPart]]] = []
    whole = run(plan, lambda b: saved.append((b.checkpoint(), list(b.records[0]))), lambda: None).strategies[0]
    assert len(saved) >= 10
    for checkpoint, parts in saved:
        same_bits(run(plan, lambda _: None, lambda: None, checkpoint, [parts]).strategies[0], whole)


def test_a_tranche_without_wealth_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A is worthless from date 6 on; the first half has left it on date 4, the second would on date 6."""
    values = [[1.0, 1.0]] * 6 + [[0.0, 1.0]] * 6
    panel = PricePanel.of("AB", range(12), values)
    strategy = Asked(lambda history: np.array([1.0, 0.0] if history.dates[-1] < 4 else [0.0, 1.0]))
    specification = BacktestSpecification(
        (strategy,), Rebalancing(EveryPeriods(4), tranches=2), Fill.SAME_CLOSE, initial_capital=100.0,
        periods_per_year=252.0,
    )  # fmt: skip
    plan = prepare(specification, panel)
    outcome = run(plan, lambda _: None, lambda: None).strategies[0]
    record = record_of(outcome)
    assert record.nav.tolist() == [100.0] * 6 + [50.0] * 6
    assert outcome.final_units.tolist() == [0.0, 50.0]
    assert (outcome.bankrupt_day, [failure.day for failure in outcome.failures]) == (None, [6])
    parts = outcome.reconciliation
    assert parts is not None
    assert (parts.start_nav, parts.gains, parts.end_nav) == (100.0, -50.0, 50.0)
    for stretch in (2, 6, 14):
        monkeypatch.setattr(simulator, "STRETCH", stretch)
        same_bits(run(plan, lambda _: None, lambda: None).strategies[0], outcome)
    for seed in range(5):
        same_bits(stopped_and_resumed(plan, seed), outcome)


def test_holdings_of_a_tranche_without_wealth_are_gone_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A is left on date 5, but not by the half that decided on date 3: what it holds is worthless from date 7 on."""
    panel = PricePanel.of("AB", range(16), [[1.0, 1.0]] * 7 + [[0.0, 1.0]] * 9)
    specification = BacktestSpecification(
        (WeightSchedule(((0, {"A": 1.0}), (5, {"B": 1.0}))),),
        Rebalancing(EveryPeriods(6), min_periods_between=3, tranches=2), Fill.SAME_CLOSE, initial_capital=100.0,
        periods_per_year=252.0,
    )  # fmt: skip
    plan = prepare(specification, panel)
    outcome = run(plan, lambda _: None, lambda: None).strategies[0]
    record = record_of(outcome)
    assert record.units.tolist()[-2:] == [[0.0, 50.0], [0.0, 50.0]]
    assert record.indices.tolist()[-2:] == [7, 12]
    assert record.nav.tolist() == [100.0] * 7 + [50.0] * 9
    for stretch in (2, 6, 14):
        monkeypatch.setattr(simulator, "STRETCH", stretch)
        same_bits(run(plan, lambda _: None, lambda: None).strategies[0], outcome)


def test_failures_of_fills_are_told_by_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales that cost all they bring fail every fill: the first one of both halves is one failure."""
    specification = BacktestSpecification(
        (FixedWeights(WEIGHTS),), Rebalancing(EveryPeriods(4), tranches=2), costs=CostModel(LinearCost(10_000.0)),
        initial_holdings={"A": 1.0}, initial_capital=0.0,
    )  # fmt: skip
    plan = prepare(specification, prices_of(5, 12))
    outcome = run(plan, lambda _: None, lambda: None).strategies[0]
    assert [failure.day for failure in outcome.failures] == plan.days[[1, 3, 5, 7, 9, 11]].tolist()
    monkeypatch.setattr(simulator, "STRETCH", 1)
    same_bits(run(plan, lambda _: None, lambda: None).strategies[0], outcome)


def test_a_tranche_that_loses_more_than_it_has_reconciles_beside_living_ones() -> None:
    """All borrow to hold A, each from another date on: of some delisting returns only one third has nothing left."""
    panel, partly = prices_of(4, 12), 0
    known = panel.values.copy()
    known[5:, 0] = np.nan
    for at in np.linspace(-0.45, -0.8, 71).tolist():
        specification = BacktestSpecification(
            (FixedWeights({"A": 1.8, "B": -0.9}, leveraged=True),),
            Rebalancing(EveryPeriods(6), tranches=3),
            initial_capital=1000.0,
            costs=CostModel(LinearCost(10.0)),
            holding_costs=HoldingCosts(Rate(0.03), Rate(0.06)),
            corporate_actions=(CorporateAction("A", int(panel.dates[5]), Delisting(at)),),
        )
        outcome = outcome_of(specification, PricePanel.of(panel.symbols, panel.dates, known))
        money = outcome.reconciliation
        assert money is not None
        partly += money.uncovered_loss > 0.0 and money.end_nav > 0.0
        assert money.start_nav + money.flows + money.gains - money.costs == pytest.approx(
            money.end_nav, abs=1e-10 * 1e3
        )
    assert partly > 0


def test_tranches_share_the_limit_on_participation() -> None:
    """Both halves buy on the first date, and no more together than a tenth of what is traded."""
    specification = BacktestSpecification(
        (FixedWeights({"A": 1.0}),), Rebalancing(EveryPeriods(4), tranches=2), initial_capital=1000.0,
        max_participation=0.1, costs=CostModel(liquidity={name: Liquidity(1000.0) for name in "ABC"}),
    )  # fmt: skip
    panel = prices_of(5, 12)
    record = record_of(outcome_of(specification, panel))
    assert record.units[0, 0] * panel.values[1, 0] == pytest.approx(100.0, rel=1e-9)


def test_an_account_whose_tranches_have_no_wealth_is_at_its_end() -> None:
    panel = PricePanel.of("AB", range(8), [[1.0, 1.0]] * 4 + [[0.0, 0.0]] * 4)
    rebalancing = Rebalancing(EveryPeriods(2), tranches=2)
    specification = BacktestSpecification((FixedWeights({"A": 0.5, "B": 0.5}),), rebalancing, periods_per_year=252.0)
    outcome = outcome_of(specification, panel)
    assert (outcome.bankrupt_day, outcome.final_nav) == (4, 0.0)
    assert len(record_of(outcome).nav) == 8


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


def test_the_luck_of_the_date_is_shared() -> None:
    """Five weekly backtests, each on another day of the week, end apart; with five tranches they nearly agree."""
    panel = prices_of(6, 260)

    def spread(tranches: int) -> float:
        finals = [
            outcome_of(
                BacktestSpecification(
                    (FixedWeights(WEIGHTS),), Rebalancing(Calendar(Frequency.WEEKLY, offset=k), tranches=tranches)
                ),
                panel,
            ).final_nav
            for k in range(5)
        ]
        return max(finals) - min(finals)

    assert spread(5) < 0.2 * spread(1)


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


WITH_FEE = HoldingCosts(performance_fee=PerformanceFeeTerms(0.2))


@pytest.mark.parametrize(
    ("wrong", "field", "why"),
    [
        ({"rebalancing": {"band": DriftBand(BandWidth(0.05))}}, "rebalancing.tranches", "whole account"),
        ({"rebalancing": {"schedule": BuyAndHold()}}, "rebalancing.tranches", "nothing is staggered"),
        ({"rebalancing": {"flows_only": True}}, "rebalancing.tranches", "nothing is staggered"),
        ({"maintenance_ratio": 0.5}, "rebalancing.tranches", "margin"),
        ({"holding_costs": WITH_FEE}, "rebalancing.tranches", "performance fee"),
        (
            {"initial_holdings": {"A": 4.0, "B": 3.0}, "fractional_holdings": False},
            "initial_holdings[1].quantity",
            "multiple of 2",
        ),
    ],
)
def test_what_looks_at_the_whole_account_is_refused(wrong: dict[str, Any], field: str, why: str) -> None:
    rules = wrong.pop("rebalancing", {})
    with pytest.raises(InvalidInput, match=why) as raised:
        BacktestSpecification((FixedWeights(WEIGHTS),), Rebalancing(**{"tranches": 2, **rules}), **wrong)
    assert raised.value.field == field


def test_a_withdrawal_that_empties_a_tranche_is_refused_by_its_field() -> None:
    panel = prices_of(3, 10)
    specification = BacktestSpecification(
        (FixedWeights(WEIGHTS),), Rebalancing(EveryPeriods(2), tranches=2),
        cash_flows=(CashFlow(int(panel.dates[4]), -5.0),),
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="one of 2 tranches") as raised:
        outcome_of(specification, panel)
    assert raised.value.field == "cash_flows[0].amount"

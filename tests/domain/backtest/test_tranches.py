"""Tranches: parts of one account that decide on staggered dates, by hand and against accounts of their own."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest.cash_flows import CashFlow
from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import BacktestPlan, prepare
from domain.backtest.rebalancing import BuyAndHold, Calendar, DayOfPeriod, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import AssetEventKind, StrategyOutcome
from domain.backtest.simulator import Simulation
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import (
    Cppi,
    FixedWeights,
    LookbackWindow,
    MarketHistory,
    Momentum,
    Strategy,
    WeightSchedule,
    inverse_volatility,
)
from domain.backtest.strategies.sleeves import Sleeve, Sleeves
from domain.backtest.strategy_run import StrategyRun
from domain.calendar import Frequency
from domain.costs.holding import HoldingCosts, PerformanceFeeTerms
from domain.costs.impact import Liquidity, SquareRootImpact
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from tests.domain.backtest.simulation.random_cases import random_backtest

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
    dates: tuple[int, ...] = ()

    def own_dates(self) -> tuple[int, ...]:
        return self.dates

    def planned(self, symbols: object, dates: object, listed: object) -> None:
        return None

    def check(self, history: MarketHistory, check_cancelled: Callable[[], None] = lambda: None) -> tuple[()]:
        return ()

    def decide(self, history: MarketHistory, check_cancelled: Callable[[], None]) -> np.ndarray:
        return self.weights(history)


def in_accounts_of_their_own(plan: BacktestPlan) -> np.ndarray:
    """Net asset values of accounts that each decide on the dates of one tranche alone, added up."""
    (strategy_run,) = plan.strategy_runs
    assert strategy_run.sleeves is not None
    specification, count = plan.specification, len(strategy_run.sleeves.sleeves)
    part = replace(
        specification,
        rebalancing=replace(specification.rebalancing, tranches=1),
        initial_capital=specification.initial_capital / count,
        initial_holdings={name: units / count for name, units in specification.initial_holdings.items()},
    )
    total = np.zeros(len(plan.days))
    for sleeve in strategy_run.sleeves.sleeves:
        decisions = np.flatnonzero(np.isin(plan.market.panel.dates, list(sleeve.days)))
        alone = Simulation(plan.market, part, StrategyRun(sleeve.strategy, decisions, strategy_run.delay), {})
        for _ in alone.advance(lambda: None):
            pass
        total += np.concatenate(alone.record.nav)
    return total


def dates_of(rebalancing: Rebalancing, panel: PricePanel) -> list[list[int]]:
    """Indices of the decisions of each tranche."""
    (strategy_run,) = prepare(BacktestSpecification((FixedWeights(WEIGHTS),), rebalancing), panel).strategy_runs
    assert strategy_run.sleeves is not None
    return [np.searchsorted(panel.dates, sorted(one.days)).tolist() for one in strategy_run.sleeves.sleeves]


@pytest.mark.parametrize(("n", "count"), [(6, 3), (5, 2), (7, 4), (2, 4)])
def test_every_n_dates(n: int, count: int) -> None:
    panel = prices_of(n, 60)
    expected = [sorted({0, *range((j * n) // count, 59, n)}) for j in range(count)]
    assert dates_of(Rebalancing(EveryPeriods(n), tranches=count), panel) == expected


@pytest.mark.parametrize("day", [DayOfPeriod.FIRST, DayOfPeriod.LAST])
def test_a_calendar(day: DayOfPeriod) -> None:
    """Each date is moved by thirds of the dates to the next one, the last by those from the one before."""
    panel = prices_of(1, 200)
    months = [(EPOCH + timedelta(int(one))).month for one in panel.dates]
    firsts = [t for t in range(200) if t == 0 or months[t] != months[t - 1]]
    schedule = firsts if day is DayOfPeriod.FIRST else [t - 1 for t in firsts[1:]]
    lengths = [later - t for t, later in pairwise(schedule)]
    lengths.append(lengths[-1])
    dates = []
    for j in range(3):
        moved = [t + j * length // 3 for t, length in zip(schedule, lengths, strict=True)]
        dates.append(sorted({0, *(t for t in moved if t < 199)}))
    assert dates_of(Rebalancing(Calendar(Frequency.MONTHLY, day), tranches=3), panel) == dates


def by_price(history: MarketHistory) -> np.ndarray:
    """Nine tenths in assets with a price, in proportion to it and to what is held."""
    wanted: np.ndarray = history.prices[-1] * (1.0 + np.abs(history.weights))
    return 0.9 * wanted / max(wanted.sum(), 1e-9)


def by_value(history: MarketHistory) -> np.ndarray:
    """More, and borrowed money, the more is gained; against C, and by what is held and what it is worth."""
    invested = min(1.5, 0.4 * history.unit_value + 0.002 * history.nav)
    return np.array([invested, 0.3 * history.weights[0], -0.2])


STRATEGIES: tuple[Strategy, ...] = (
    FixedWeights(WEIGHTS),
    FixedWeights({"A": 1.2, "B": -0.3, "C": 0.4}, leveraged=True),
    WeightSchedule(tuple((business_days(40)[t], {"ABC"[t % 3]: 0.9}) for t in (0, 7, 8, 20))),
    Asked(by_price),
    Asked(by_value),
    Cppi(FixedWeights(WEIGHTS), floor=0.7, multiplier=3.0),
    Momentum(3, 1),
    inverse_volatility(6),
)


@given(st.integers(0, 10**6), st.sampled_from(STRATEGIES), st.sampled_from(Fill), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_without_costs_it_is_the_sum_of_accounts(seed: int, strategy: Strategy, fill: Fill, lag: int) -> None:
    """And without flows and interest: a tranche that has not decided is not traded, whatever the others do."""
    rng = np.random.default_rng(seed)
    panel = prices_of(seed, 40)
    specification = BacktestSpecification(
        (strategy,),
        Rebalancing(
            EveryPeriods(int(rng.integers(1, 12))),
            min_periods_between=int(rng.choice([0, 0, 4])),
            tranches=int(rng.integers(2, 6)),
        ),
        fill=fill,
        lag_periods=lag,
        initial_capital=90.0,
        initial_holdings={"A": 20.0, "C": 10.0} if rng.random() < 0.3 else {},
    )
    opens = PricePanel.of(panel.symbols, panel.dates, panel.values * np.exp(rng.normal(0.0, 0.01, panel.values.shape)))
    plan = prepare(specification, panel, opens=opens if fill is Fill.NEXT_OPEN else None)
    found = run(plan, lambda _: None, lambda: None).strategies[0]
    assert record_of(found).nav == pytest.approx(in_accounts_of_their_own(plan), rel=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_one_tranche_is_the_simulation_itself(seed: int) -> None:
    """With everything switched on: to the bit where it is asked, and but for rounding where it plans its weights."""
    backtest = random_backtest(seed)
    rules = replace(backtest.specification.rebalancing, band=None, flows_only=False, min_periods_between=0)
    backtest = replace(backtest, specification=replace(backtest.specification, rebalancing=rules))
    plan = backtest.plan()
    (one,) = plan.strategy_runs
    days = frozenset(plan.market.panel.dates[one.decisions].tolist())
    at_open = plan.specification.fill is Fill.NEXT_OPEN
    records = []
    for sleeves in (
        None,
        Sleeves((Sleeve(one.strategy, days),), (1.0,), frozenset(), one.delay, at_open, are_tranches=True),
        Sleeves((Sleeve(one.strategy, days),), (1.0,), days, one.delay, at_open),
    ):
        simulation = Simulation(plan.market, plan.specification, replace(one, sleeves=sleeves), {})
        try:
            for _ in simulation.advance(lambda: None):
                pass
        except InvalidInput as error:
            assert "leave" in error.rule  # noqa: PT017
            continue
        records.append(simulation.record.cut())
    for planned, asked in [records[1:]] if records else []:
        assert planned.nav == pytest.approx(records[0].nav, rel=1e-11)
        for name in (*ARRAYS, "gains", "account", "failures"):
            assert np.array_equal(getattr(asked, name), getattr(records[0], name)), name


def test_a_flow_belongs_to_the_account_and_is_shared_by_what_parts_are_worth() -> None:
    """100 in halves of A and B; A doubles before date 2, on which 60 come in and the first tranche decides.

    Each tranche is worth 75: the first goes to halves, the second has two thirds in A. Of the account, 7/12 of 210.
    """
    panel = PricePanel.of("AB", range(4), [[1.0, 1.0], [1.0, 1.0], [2.0, 1.0], [2.0, 1.0]])
    for amount in (60.0, -30.0):
        specification = BacktestSpecification(
            (FixedWeights({"A": 0.5, "B": 0.5}),), Rebalancing(EveryPeriods(2), tranches=2), Fill.SAME_CLOSE,
            initial_capital=100.0, cash_flows=(CashFlow(2, amount),), periods_per_year=252.0,
        )  # fmt: skip
        record = record_of(outcome_of(specification, panel))
        nav = 150.0 + amount
        assert record.indices.tolist() == [0, 1, 2, 3]
        assert record.units[2] == pytest.approx([nav * 7 / 12 / 2.0, nav * 5 / 12], rel=1e-12)
        # On date 3 the second tranche goes to halves as well.
        assert record.units[3] == pytest.approx([nav / 4.0, nav / 2.0], rel=1e-12)
        assert record.nav == pytest.approx([100.0, 100.0, nav, nav], rel=1e-12)


def test_an_order_pays_one_least_commission() -> None:
    """1 of money for each order: A and B on the first date, none on the second, and one each on date 2."""
    panel = PricePanel.of("AB", range(4), [[1.0, 1.0], [1.0, 1.0], [2.0, 1.0], [2.0, 1.0]])
    specification = BacktestSpecification(
        (FixedWeights({"A": 0.5, "B": 0.5}),), Rebalancing(EveryPeriods(2), tranches=2), Fill.SAME_CLOSE,
        initial_capital=100.0, costs=CostModel(LinearCost(), least_commission=1.0), periods_per_year=252.0,
    )  # fmt: skip
    outcome = outcome_of(specification, panel)
    record = record_of(outcome)
    # 98 buys 49 units of each. On date 2 they are worth 147, of which 2 pay orders that bring A to 7/12 of the rest.
    assert record.units[0] == pytest.approx([49.0, 49.0], rel=1e-12)
    assert record.nav[2] == pytest.approx(145.0, rel=1e-12)
    assert record.units[2] == pytest.approx([145.0 * 7 / 12 / 2.0, 145.0 * 5 / 12], rel=1e-12)
    assert record.nav[3] == pytest.approx(143.0, rel=1e-12)
    assert outcome.costs.commission == pytest.approx(6.0, rel=1e-12)


def test_impact_is_that_of_the_order_of_the_account() -> None:
    """The square root of the whole order, not of its halves: the first purchase costs what it costs one tranche."""
    costs = CostModel(impact=SquareRootImpact(1.0), liquidity={name: Liquidity(1000.0, 0.3) for name in "ABC"})
    paid = [
        outcome_of(
            BacktestSpecification(
                (FixedWeights(WEIGHTS),),
                Rebalancing(EveryPeriods(50), tranches=count),
                initial_capital=1000.0,
                costs=costs,
            ),
            prices_of(5, 12),
        ).costs.impact
        for count in (1, 2)
    ]
    assert paid[0] == paid[1] > 0.0


def borrowed_until(day: int) -> Asked:
    """Twice its value in A on dates before `day`, then B alone."""
    return Asked(lambda history: np.array([2.0, 0.0] if history.dates[-1] < day else [0.0, 1.0]))


def test_what_a_ruined_tranche_lost_beyond_its_part_is_borne_by_the_others() -> None:
    """On date 2 the second half leaves A for B. A falls by 60 % on date 3: the first half has lost 1.2 of its 50.

    The account is worth 40. On date 4, when that half would decide, its A is sold, and the other has all of the 40.
    """
    panel = PricePanel.of("AB", range(9), [[1.0, 1.0]] * 3 + [[0.4, 1.0]] * 5 + [[0.4, 2.0]])
    specification = BacktestSpecification(
        (borrowed_until(2),), Rebalancing(EveryPeriods(4), tranches=2), Fill.SAME_CLOSE, initial_capital=100.0,
        periods_per_year=252.0,
    )  # fmt: skip
    outcome = outcome_of(specification, panel)
    record = record_of(outcome)
    assert record.nav == pytest.approx([100.0] * 3 + [40.0] * 5 + [80.0], rel=1e-12)
    assert record.units.round(12).tolist() == [[200.0, 0.0], [100.0, 50.0], [0.0, 40.0], [0.0, 40.0]]
    assert record.indices.tolist() == [0, 2, 4, 6]
    assert (outcome.bankrupt_day, outcome.failures) == (None, ())
    assert outcome.reconciliation is not None
    assert outcome.reconciliation.uncovered_loss == 0.0


def test_a_ruined_tranche_of_fixed_weights_that_borrow_has_no_part_in_later_decisions() -> None:
    """All weights are known beforehand, and yet what becomes of a tranche is not.

    Each half has 1.5 times its 50 in A. To 3 they become 200 each; the second one decides there, on date 2, and loses
    210 on the fall to 0.9, the first one 157.5 less: 42.5. Of the 32.5 all is the first one's, which has 1.5 times that
    from date 4 on.
    """
    panel = PricePanel.of("AB", range(6), [[1.0, 1.0], [2.0, 1.0], [3.0, 1.0], [0.9, 1.0], [0.9, 1.0], [0.99, 1.0]])
    specification = BacktestSpecification(
        (FixedWeights({"A": 1.5}, leveraged=True),), Rebalancing(EveryPeriods(4), tranches=2), Fill.SAME_CLOSE,
        initial_capital=100.0, periods_per_year=252.0,
    )  # fmt: skip
    outcome = outcome_of(specification, panel)
    nav = [100.0, 250.0, 400.0, 32.5, 32.5, 32.5 * 1.15]
    assert record_of(outcome).nav == pytest.approx(nav, rel=1e-12)
    assert record_of(outcome).units[-1] == pytest.approx([1.5 * 32.5 / 0.9, 0.0], rel=1e-12)


def test_an_account_is_ruined_as_a_whole() -> None:
    panel = PricePanel.of("AB", range(6), [[1.0, 1.0]] * 3 + [[0.2, 1.0]] * 3)
    specification = BacktestSpecification(
        (borrowed_until(2),), Rebalancing(EveryPeriods(4), tranches=2), Fill.SAME_CLOSE, initial_capital=90.0,
        initial_holdings={"A": 10.0}, periods_per_year=252.0, cash_flows=(CashFlow(3, 50.0),),
    )  # fmt: skip
    outcome = outcome_of(replace(specification, strategies=(borrowed_until(9),)), panel)
    assert (outcome.bankrupt_day, outcome.final_nav) == (3, 0.0)
    assert outcome.reconciliation is not None
    assert outcome.reconciliation.uncovered_loss == pytest.approx(60.0, rel=1e-12)
    # With the second half in B: 100 A at 0.2, 50 B and -50 of cash are 20, and 50 come in.
    assert outcome_of(specification, panel).final_nav == pytest.approx(70.0, rel=1e-12)


def test_tranches_that_have_all_lost_everything_begin_again_with_money_that_came_in() -> None:
    """100 borrow 100 for 200 A; 900 come in on date 1. A at 0.4 leaves 880: half of it decides on date 2, half on 4."""
    panel = PricePanel.of("AB", range(7), [[1.0, 1.0]] * 2 + [[0.4, 1.0]] * 5)
    specification = BacktestSpecification(
        (borrowed_until(9),), Rebalancing(EveryPeriods(4), tranches=2), Fill.SAME_CLOSE, initial_capital=100.0,
        periods_per_year=252.0, cash_flows=(CashFlow(1, 900.0),),
    )  # fmt: skip
    record = record_of(outcome_of(specification, panel))
    assert record.nav == pytest.approx([100.0, 1000.0] + [880.0] * 5, rel=1e-12)
    assert record.indices.tolist() == [0, 2, 4, 6]
    assert record.units[:, 0] == pytest.approx([200.0, 2200.0, 4400.0, 4400.0], rel=1e-12)


def test_a_withdrawal_can_be_more_than_a_tranche_has() -> None:
    """Half of the account is worth nothing when 45 of the 50 that are left are taken out."""
    panel = PricePanel.of("AB", range(9), [[1.0, 1.0]] * 3 + [[0.0, 1.0]] * 6)
    specification = BacktestSpecification(
        (Asked(lambda history: np.array([1.0, 0.0] if history.dates[-1] < 2 else [0.0, 1.0])),),
        Rebalancing(EveryPeriods(4), tranches=2), Fill.SAME_CLOSE, initial_capital=100.0,
        cash_flows=(CashFlow(5, -45.0),), periods_per_year=252.0,
    )  # fmt: skip
    outcome = outcome_of(specification, panel)
    assert record_of(outcome).nav == pytest.approx([100.0] * 3 + [50.0] * 2 + [5.0] * 4, rel=1e-12)
    assert outcome.final_units[1] == pytest.approx(5.0, rel=1e-12)
    with pytest.raises(InvalidInput, match="whole net asset value") as raised:
        outcome_of(replace(specification, cash_flows=(CashFlow(5, -50.0),)), panel)
    assert raised.value.field == "cash_flows[0].amount"


def test_a_cooldown_holds_for_each_tranche() -> None:
    """Every 6 dates from 0, 2 and 4: that on date 2 comes too early after the purchase, and no later one does."""
    rebalancing = Rebalancing(EveryPeriods(6), min_periods_between=4, tranches=3)
    specification = BacktestSpecification((FixedWeights(WEIGHTS),), rebalancing, Fill.SAME_CLOSE)
    record = record_of(outcome_of(specification, prices_of(3, 21)))
    assert record.indices.tolist() == [0, *range(4, 21, 2)]


def test_a_limit_on_turnover_is_that_of_the_account() -> None:
    rebalancing = Rebalancing(EveryPeriods(4), max_turnover=0.01, tranches=2)
    specification = BacktestSpecification((FixedWeights(WEIGHTS),), rebalancing, Fill.SAME_CLOSE)
    turnovers = record_of(outcome_of(specification, prices_of(3, 40))).turnovers[1:]
    assert float(turnovers.max()) == pytest.approx(0.01, rel=1e-9)
    assert (turnovers > 0.01 - 1e-12).sum() > 1


def test_whole_units_of_the_start_need_not_be_divided() -> None:
    specification = BacktestSpecification(
        (FixedWeights({"A": 0.5, "B": 0.5}),), Rebalancing(EveryPeriods(2), tranches=2), Fill.SAME_CLOSE,
        initial_capital=4.0, initial_holdings={"A": 3.0}, fractional_holdings=False, periods_per_year=252.0,
    )  # fmt: skip
    record = record_of(outcome_of(specification, PricePanel.of("AB", range(4), [[2.0, 1.0]] * 4)))
    assert record.units[0].tolist() == [2.0, 5.0]  # of 10


def test_a_margin_call_and_a_performance_fee_are_those_of_the_account() -> None:
    """Until the second tranche decides on date 2 both do the same: to the bit as one of them alone."""
    panel = PricePanel.of("AB", range(3), [[1.0, 1.0], [1.3, 1.0], [0.9, 1.0]])
    found = []
    for count in (1, 2):
        specification = BacktestSpecification(
            (FixedWeights({"A": 1.6}, leveraged=True),), Rebalancing(EveryPeriods(20), tranches=count), Fill.SAME_CLOSE,
            initial_capital=100.0, maintenance_ratio=0.6, periods_per_year=252.0, costs=CostModel(LinearCost(10.0)),
            holding_costs=HoldingCosts(performance_fee=PerformanceFeeTerms(0.2, crystallization=Frequency.WEEKLY)),
        )  # fmt: skip
        found.append(outcome_of(specification, panel))
    one, two = found
    assert [event.kind for event in two.asset_events] == [AssetEventKind.MARGIN_CALL]
    assert one.asset_events == two.asset_events
    assert one.costs == two.costs
    assert np.array_equal(record_of(one).nav, record_of(two).nav)


def test_a_limit_on_participation_is_that_of_the_account() -> None:
    """Both halves buy on the first date, and no more together than a tenth of what is traded."""
    specification = BacktestSpecification(
        (FixedWeights({"A": 1.0}),), Rebalancing(EveryPeriods(4), tranches=2), initial_capital=1000.0,
        max_participation=0.1, costs=CostModel(liquidity={name: Liquidity(1000.0) for name in "ABC"}),
    )  # fmt: skip
    panel = prices_of(5, 12)
    record = record_of(outcome_of(specification, panel))
    assert record.units[0, 0] * panel.values[1, 0] == pytest.approx(100.0, rel=1e-9)


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


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"band": DriftBand(BandWidth(0.05))}, "drift band"),
        ({"schedule": BuyAndHold()}, "nothing is staggered"),
        ({"flows_only": True}, "only flows are traded"),
    ],
)
def test_what_has_no_meaning_with_tranches_is_refused(rules: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as raised:
        Rebalancing(**{"tranches": 2, **rules})
    assert raised.value.field == "rebalancing.tranches"

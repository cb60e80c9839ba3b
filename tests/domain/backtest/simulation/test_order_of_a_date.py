"""Worked examples of the order of one date: corporate actions, accruals, flows and fees, each from `prepare` and `run`.

The numbers were computed independently of the code.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest

from domain.backtest.cash_flows import CashFlow, FlowTiming
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing, RebalancingDates
from domain.backtest.record import RecordPart
from domain.backtest.result import AssetEventKind, StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.calendar import Frequency
from domain.costs.holding import DayCount, HoldingCosts, Hurdle, PerformanceFeeTerms, Rate
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    DelistingPolicy,
    PriceBasis,
    Split,
)
from domain.market_data.panel import PricePanel

NAN = float("nan")
FRIDAY, MONDAY = (date(2024, 3, 1) - date(1970, 1, 1)).days, (date(2024, 3, 4) - date(1970, 1, 1)).days


def simulated(
    prices: Mapping[str, Sequence[float]],
    weights: Mapping[str, float],
    *,
    days: Sequence[int] | None = None,
    schedule: RebalancingDates | None = None,
    **more: Any,
) -> StrategyOutcome:
    """One strategy of fixed weights, decided at the start unless a schedule is given."""
    specification = BacktestSpecification(
        (FixedWeights(weights, leveraged=True),),
        rebalancing=Rebalancing(schedule or BuyAndHold()),
        **({"periods_per_year": 252.0, "price_basis": PriceBasis.UNADJUSTED} | more),
    )
    values = np.column_stack(list(prices.values()))
    panel = PricePanel.of(list(prices), range(len(values)) if days is None else days, values)
    return run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0]


def record_of(outcome: StrategyOutcome) -> RecordPart:
    assert outcome.record is not None
    return outcome.record


def example_a(bps: float) -> StrategyOutcome:
    return simulated(
        {"A": [50.0, 49.5, 49.5, 49.5]},
        {"A": 0.8},
        initial_holdings={"A": 100.0},
        initial_capital=1000.0,
        corporate_actions=(CorporateAction("A", 1, CashDividend(1.0, pay_day=3)),),
        cash_flows=(CashFlow(1, 600.0),),
        costs=CostModel(LinearCost(bps)),
    )


def test_dividend_flow_and_fill_of_one_date() -> None:
    outcome = example_a(10.0)
    record = record_of(outcome)
    assert record.nav[:2] == pytest.approx([6000.0, 6649.630295763389], rel=1e-12)
    fill = int(np.flatnonzero(record.fills)[0])  # the row before it is that of the dividend
    assert 2.0 * record.turnovers[fill] * 6650.0 == pytest.approx(369.7042366107114, rel=1e-9)
    assert record.cost_fractions[fill] * 6650.0 == pytest.approx(0.36970423661071145, rel=1e-9)
    assert record.unit_values[1] / record.unit_values[0] - 1.0 == pytest.approx(0.00827172, abs=1e-8)
    # The receivable of 100 is not among the cash that can be used, and becomes cash on its pay date.
    assert record.cash[fill] == pytest.approx(1229.926059, abs=1e-6)
    assert record.cash[fill] + 369.7042366107114 + 0.36970423661071145 == pytest.approx(1600.0)
    assert outcome.final_cash == pytest.approx(1329.926059, abs=1e-6)
    without_costs = record_of(example_a(0.0)).unit_values
    assert without_costs[1] / without_costs[0] - 1.0 == pytest.approx(0.05 / 6.0, rel=1e-12)


def held_with_dividend(withholding: float, amount: float = 1.0) -> RecordPart:
    return record_of(
        simulated(
            {"A": [50.0, 49.5, 52.0]},
            {"A": 1.0},
            initial_holdings={"A": 1.0},
            initial_capital=0.0,
            corporate_actions=(CorporateAction("A", 1, CashDividend(amount)),),
            withholding_rate=withholding,
        )
    )


def test_return_of_a_dividend() -> None:
    """In cash 1 %; a series adjusted backwards reinvests at the close before less the dividend, and says 1.0204 %."""
    assert held_with_dividend(0.0).nav[1] / 50.0 - 1.0 == pytest.approx(0.01, rel=1e-12)
    assert held_with_dividend(0.15).nav[1] / 50.0 - 1.0 == pytest.approx(0.007, rel=1e-12)
    adjusted = simulated({"A": [49.0, 49.5]}, {"A": 1.0}, initial_holdings={"A": 1.0}, initial_capital=0.0)
    assert record_of(adjusted).nav[1] / 49.0 - 1.0 == pytest.approx(0.01020408, abs=1e-8)


def test_a_purchase_on_the_ex_date_earns_no_dividend() -> None:
    """Bought at the close of date 1, whose dividend belongs to who held it at the close before."""
    outcome = simulated(
        {"A": [50.0, 49.5, 49.5]}, {"A": 1.0}, corporate_actions=(CorporateAction("A", 1, CashDividend(1.0)),)
    )
    assert record_of(outcome).nav.tolist() == [1.0, 1.0, 1.0]


def test_dividends_of_nothing_change_nothing() -> None:
    without = record_of(
        simulated({"A": [50.0, 49.5, 52.0]}, {"A": 1.0}, initial_holdings={"A": 1.0}, initial_capital=0.0)
    )
    assert np.array_equal(held_with_dividend(0.15, amount=0.0).nav, without.nav)


@pytest.mark.parametrize(
    ("ratio", "held", "prices", "units", "cash"),
    [(1.5, 101.0, (60.0, 40.0), 151.0, 20.0), (1.0 / 7.0, 2.0, (10.0, 70.0), 0.0, 2.0 / 7.0 * 70.0)],
    ids=["three for two", "one for seven"],
)
def test_the_fraction_of_a_unit_becomes_cash(
    ratio: float, held: float, prices: tuple[float, float], units: float, cash: float
) -> None:
    outcome = simulated(
        {"A": [prices[0], prices[1], prices[1]]},
        {"A": 1.0},
        initial_holdings={"A": held},
        initial_capital=0.0,
        fractional_holdings=False,
        corporate_actions=(CorporateAction("A", 1, Split(ratio)),),
    )
    (event,) = outcome.asset_events
    assert (event.kind, event.quantity_before, event.quantity_after) == (AssetEventKind.SPLIT, held, units)
    assert event.cash == pytest.approx(cash, rel=1e-12)
    assert outcome.final_units is not None
    assert outcome.final_units.tolist() == [units]
    assert outcome.final_cash == pytest.approx(cash, rel=1e-12)
    assert record_of(outcome).nav == pytest.approx(np.full(3, held * prices[0]), rel=1e-12)


def test_a_split_is_no_trade() -> None:
    """Two for one on the date of a rebalancing of equal halves, whose values are equal: nothing to do."""
    outcome = simulated(
        {"A": [50.0, 25.0, 25.0], "B": [20.0, 20.0, 20.0]},
        {"A": 0.5, "B": 0.5},
        schedule=EveryPeriods(1),
        initial_holdings={"A": 2.0, "B": 5.0},
        initial_capital=0.0,
        corporate_actions=(CorporateAction("A", 1, Split(2.0)),),
        costs=CostModel(LinearCost(100.0), fixed_fee=1.0),
    )
    assert record_of(outcome).nav.tolist() == [200.0, 200.0, 200.0]
    assert not record_of(outcome).turnovers.any()
    assert outcome.final_units is not None
    assert outcome.final_units.tolist() == [4.0, 5.0]


@pytest.mark.parametrize(
    ("delisting_return", "policy", "total"),
    [
        (-0.30, DelistingPolicy.FAIL, -0.37),
        (None, DelistingPolicy.LAST_PRICE, -0.10),
        (None, DelistingPolicy.ZERO, -1.0),
        (None, DelistingPolicy.SHUMWAY_NYSE, -0.37),
        (None, DelistingPolicy.SHUMWAY_NASDAQ, -0.595),
    ],
)
def test_delisting(delisting_return: float | None, policy: DelistingPolicy, total: float) -> None:
    """-10 %, and then what holders receive."""
    actions = (CorporateAction("A", 2, Delisting(delisting_return)),)
    outcome = simulated(
        {"A": [100.0, 90.0, NAN, NAN], "B": [1.0, 1.0, 1.0, 1.0]},
        {"A": 1.0},
        initial_holdings={"A": 1.0},
        initial_capital=0.0,
        corporate_actions=actions,
        delisting_policy=policy,
    )
    assert record_of(outcome).nav[-1] / 100.0 - 1.0 == pytest.approx(total, abs=1e-12)
    assert [event.kind for event in outcome.asset_events] == [AssetEventKind.DELISTING]


def test_a_gap_to_the_end_is_a_delisting_on_its_first_date() -> None:
    outcome = simulated(
        {"A": [100.0, 90.0, NAN, NAN], "B": [1.0, 1.0, 1.0, 1.0]},
        {"A": 1.0},
        initial_holdings={"A": 1.0},
        initial_capital=0.0,
        delisting_policy=DelistingPolicy.SHUMWAY_NYSE,
    )
    assert record_of(outcome).nav == pytest.approx([100.0, 90.0, 63.0, 63.0], rel=1e-12)


def test_a_delisting_without_a_return_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="holders of A receive") as raised:
        simulated(
            {"A": [100.0, 90.0, NAN], "B": [1.0, 1.0, 1.0]},
            {"A": 1.0},
            corporate_actions=(CorporateAction("A", 2, Delisting()),),
        )
    assert raised.value.field == "delisting_policy"


@pytest.mark.parametrize(
    ("day_count", "interest"),
    [
        (DayCount.ACT_360, 20_000 * 0.05 * 3 / 360),
        (DayCount.ACT_365F, 20_000 * 0.05 * 3 / 365),
        (DayCount.BARS, 20_000 * 0.05 / 252),
    ],
)
def test_financing_over_a_weekend(day_count: DayCount, interest: float) -> None:
    outcome = financed(HoldingCosts(financing=Rate(0.05), day_count=day_count))
    assert outcome.costs.financing == pytest.approx(interest, rel=1e-12)
    assert record_of(outcome).nav[1] == pytest.approx(10_000.0 - interest, rel=1e-12)


def test_a_rate_steps_at_its_date() -> None:
    """5 % on Saturday, 6.5 % from Sunday on: one day and two days."""
    outcome = financed(HoldingCosts(financing=Rate(0.05, ((FRIDAY + 2, 0.065),)), day_count=DayCount.ACT_360))
    assert outcome.costs.financing == pytest.approx(20_000 * (0.05 * 1 + 0.065 * 2) / 360, rel=1e-12)


@pytest.mark.parametrize(("step", "days"), [(-1, 3), (0, 3), (1, 3), (2, 2), (3, 1)])
def test_a_day_has_the_rate_in_force_on_it(step: int, days: int) -> None:
    """10 % a year from a day on: Saturday, Sunday and Monday have it as far as they are not before that day."""
    outcome = simulated(
        {"A": [100.0, 100.0]},
        {"A": 0.0},
        days=[FRIDAY, MONDAY],
        initial_capital=365_000.0,
        holding_costs=HoldingCosts(cash=Rate(steps=((FRIDAY + step, 0.1),))),
    )
    assert outcome.final_nav - 365_000.0 == pytest.approx(100.0 * days, rel=1e-9)


def financed(costs: HoldingCosts) -> StrategyOutcome:
    return simulated(
        {"A": [100.0, 100.0]},
        {"A": 3.0},
        days=[FRIDAY, MONDAY],
        initial_holdings={"A": 300.0},
        initial_capital=-20_000.0,
        holding_costs=costs,
    )


def test_borrowing_a_short_position() -> None:
    outcome = simulated(
        {"A": [10.05, 10.05]},
        {"A": -0.1},
        initial_holdings={"A": -100.0},
        initial_capital=10_000.0,
        costs=CostModel(borrow_rate_annual=0.03),
        holding_costs=HoldingCosts(day_count=DayCount.ACT_360),
    )
    assert outcome.costs.borrow == pytest.approx(0.08375, rel=1e-12)


def test_management_fee() -> None:
    """2 % a year on 31 dates after the start, each on what is left."""
    outcome = simulated(
        {"A": [10.0] * 32},
        {"A": 1.0},
        initial_holdings={"A": 100_000.0},
        initial_capital=0.0,
        holding_costs=HoldingCosts(management_fee_annual=0.02),
    )
    assert outcome.costs.management_fee == pytest.approx(1697.2347, abs=1e-4)
    assert outcome.costs.management_fee == pytest.approx(1e6 * (1.0 - (1.0 - 0.02 / 365) ** 31), rel=1e-12)


YEAR_ENDS = [(date(year, 12, 31) - date(1970, 1, 1)).days for year in (2020, 2021, 2022, 2023)]


def charged(terms: PerformanceFeeTerms, count: int = 4, **more: Any) -> StrategyOutcome:
    """Net asset values of 100, 110, 95 and 115 before the fee of their date; a fee of 2 is paid on credit."""
    return simulated(
        {"A": [100.0, 110.0, 97.0, 117.0][:count]},
        {"A": 1.0},
        days=YEAR_ENDS[:count],
        fill=Fill.SAME_CLOSE,
        initial_capital=100.0,
        periods_per_year=1.0,
        holding_costs=HoldingCosts(performance_fee=terms, **more),
    )


def test_performance_fee_over_the_high_water_mark() -> None:
    record = record_of(charged(PerformanceFeeTerms(0.2)))
    assert record.nav == pytest.approx([100.0, 108.0, 95.0, 113.6], rel=1e-12)


@pytest.mark.parametrize(("hurdle", "fee"), [(Hurdle.HARD, 1.0), (Hurdle.SOFT, 2.0)])
def test_hurdle_of_a_performance_fee(hurdle: Hurdle, fee: float) -> None:
    outcome = charged(PerformanceFeeTerms(0.2, 0.05, hurdle, Frequency.ANNUAL), count=2)
    assert outcome.costs.performance_fee == pytest.approx(fee, rel=1e-12)


def test_new_money_pays_no_performance_fee_for_gains_before_it() -> None:
    """50 come in on the date of the fee, which is a fifth of the gain of the 100 that were there."""
    outcome = simulated(
        {"A": [100.0, 110.0]},
        {"A": 1.0},
        days=YEAR_ENDS[:2],
        fill=Fill.SAME_CLOSE,
        initial_capital=100.0,
        periods_per_year=1.0,
        holding_costs=HoldingCosts(performance_fee=PerformanceFeeTerms(0.2)),
        cash_flows=(CashFlow(YEAR_ENDS[1], 50.0),),
    )
    assert outcome.costs.performance_fee == pytest.approx(2.0, rel=1e-12)
    record = record_of(outcome)
    assert record.nav[1] == pytest.approx(158.0, rel=1e-12)
    assert record.unit_values[1] == pytest.approx(108.0, rel=1e-12)


def test_the_management_fee_comes_before_the_performance_fee() -> None:
    """110 less 1 % of 100 is 109, and a fifth of the 9 above the mark is 1.80."""
    outcome = charged(PerformanceFeeTerms(0.2), count=2, management_fee_annual=0.01)
    assert outcome.costs.performance_fee == pytest.approx(1.8, rel=1e-12)
    assert record_of(outcome).nav[1] == pytest.approx(107.2, rel=1e-12)


def test_time_weighted_and_money_weighted_return() -> None:
    """100, 104 before 50 come in at the end of day 10 of 30, and 160 at the end."""
    outcome = simulated(
        {"A": [100.0, 104.0, 104.0 * 160.0 / 154.0]},
        {"A": 1.0},
        days=[0, 10, 30],
        schedule=EveryPeriods(1),
        fill=Fill.SAME_CLOSE,
        initial_capital=100.0,
        cash_flows=(CashFlow(10, 50.0),),
    )
    record = record_of(outcome)
    assert record.nav == pytest.approx([100.0, 154.0, 160.0], rel=1e-12)
    assert record.unit_values[-1] / 100.0 - 1.0 == pytest.approx(0.08051948, abs=1e-8)
    assert outcome.performance.total_return == pytest.approx(0.08051948, abs=1e-8)
    assert outcome.money_weighted_return == pytest.approx(0.07522825, abs=1e-8)


def test_the_first_purchase_and_money_that_comes_right_after_it() -> None:
    """101 buy for 100 and pay 1; 49 come in before the second date: its return is on 149, linked with -1 / 101."""
    outcome = simulated(
        {"A": [100.0, 50.0]},
        {"A": 1.0},
        days=[0, 1],
        fill=Fill.SAME_CLOSE,
        initial_capital=101.0,
        costs=CostModel(LinearCost(100.0)),
        cash_flows=(CashFlow(1, 49.0, FlowTiming.START_OF_DAY),),
    )
    left = 101.0 / 1.01
    assert record_of(outcome).nav[1] == pytest.approx(0.5 * left + 49.0, rel=1e-12)
    total = (left / 101.0) * (0.5 * left + 49.0) / (left + 49.0) - 1.0
    assert outcome.performance.total_return == pytest.approx(total, rel=1e-12)


def test_wealth_that_is_used_up_ends_a_backtest() -> None:
    outcome = simulated(
        {"A": [100.0, 100.0, 40.0, 200.0]},
        {"A": 2.0},
        days=[10, 11, 12, 13],
        initial_holdings={"A": 2.0},
        initial_capital=-100.0,
    )
    assert record_of(outcome).nav.tolist() == [100.0, 100.0, 0.0, 0.0]
    assert outcome.bankrupt_day == 12
    assert outcome.performance.total_return == -1.0
    assert outcome.final_units is not None
    assert not outcome.final_units.any()


def test_one_worthless_asset_of_two_is_its_own_loss() -> None:
    outcome = simulated(
        {"A": [100.0, 0.0, 0.0], "B": [100.0, 110.0, 121.0]}, {"A": 0.5, "B": 0.5}, fill=Fill.SAME_CLOSE
    )
    assert record_of(outcome).nav == pytest.approx([1.0, 0.55, 0.605], rel=1e-12)
    assert outcome.bankrupt_day is None
    assert outcome.failures == ()

"""A benchmark that is a symbol goes through the corporate actions that the strategy goes through."""

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol, Fill
from domain.backtest.strategies import EqualWeightStrategy, FixedWeights
from domain.costs.holding import HoldingCosts, Rate
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, PriceBasis, Split
from domain.market_data.panel import PricePanel


@pytest.mark.parametrize("event", [Split(2.0), CashDividend(5.0)])
def test_a_fall_that_an_action_explains(event: Split | CashDividend) -> None:
    """From 10 to 5 by a 2:1 split, or by a dividend of 5: nothing is lost."""
    panel = PricePanel.of(("A",), range(9000, 9004), np.array([[10.0], [10.0], [5.0], [5.0]]))
    specification = BacktestSpecification(
        (EqualWeightStrategy(),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        benchmarks=(BenchmarkSymbol("A"),),
        corporate_actions=(CorporateAction("A", 9002, event),),
        price_basis=PriceBasis.UNADJUSTED,
        periods_per_year=252.0,
    )
    outcome = run(prepare(specification, panel), lambda backtest: None, lambda: None)
    for one in (*outcome.strategies, *outcome.benchmarks):
        assert one.performance.final_wealth == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("rate", [0.0, 0.0365])
@pytest.mark.parametrize("dividend", [0.0, 2.0])
@pytest.mark.parametrize("back", [-1.0, -0.3, 0.2])
def test_what_a_delisting_pays_is_kept_like_that_of_the_strategy(back: float, dividend: float, rate: float) -> None:
    """A position that is bought and held beside the benchmark, on dates of one and of three days."""
    closes = np.array([[10.0, 1.0], [11.0, 1.0], [np.nan, 1.0], [np.nan, 1.0], [np.nan, 1.0]])
    panel = PricePanel.of(("A", "B"), [9000, 9001, 9004, 9005, 9008], closes)
    actions = [CorporateAction("A", 9004, Delisting(back))]
    if dividend:
        actions.append(CorporateAction("A", 9004, CashDividend(dividend)))
    specification = BacktestSpecification(
        (FixedWeights({"A": 1.0}),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        holding_costs=HoldingCosts(cash=Rate(rate)),
        benchmarks=(BenchmarkSymbol("A"),),
        corporate_actions=tuple(actions),
        price_basis=PriceBasis.UNADJUSTED,
        periods_per_year=252.0,
    )
    outcome = run(prepare(specification, panel), lambda backtest: None, lambda: None)
    (ours,), (theirs,) = outcome.strategies, outcome.benchmarks
    kept = (11.0 * (1.0 + back) + dividend) / 10.0
    if back > -1.0 or not dividend:  # interest on a dividend alone is not counted: the benchmark reinvests it
        assert theirs.performance.final_wealth == pytest.approx(
            kept * (1 + rate / 365) * (1 + 3 * rate / 365), rel=1e-12
        )
    if kept > 0.0 and (back > -1.0 or not rate):
        assert ours.performance.final_wealth == pytest.approx(theirs.performance.final_wealth, rel=1e-12)


def test_a_price_on_the_date_of_the_delisting_is_the_last_one() -> None:
    closes = np.array([[10.0, 1.0], [11.0, 1.0], [12.0, 1.0], [np.nan, 1.0]])
    specification = BacktestSpecification(
        (FixedWeights({"A": 1.0}),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        benchmarks=(BenchmarkSymbol("A"),),
        corporate_actions=(CorporateAction("A", 9002, Delisting(-0.5)),),
        periods_per_year=252.0,
    )
    plan = prepare(specification, PricePanel.of(("A", "B"), range(9000, 9004), closes))
    for one in (*(done := run(plan, lambda backtest: None, lambda: None)).strategies, *done.benchmarks):
        assert one.performance.final_wealth == pytest.approx(0.6, rel=1e-12)


@pytest.mark.parametrize(("back", "rate"), [(-0.5, 0.0), (-0.5, 0.0365), (-1.0, 0.0)])
def test_a_stored_benchmark_that_is_delisted_has_a_curve_to_the_end(back: float, rate: float) -> None:
    """From 10 to 12, after which half of it or nothing is paid: that is in cash on the two dates that follow."""
    stored = PricePanel.of("D", range(9000, 9003), np.array([[10.0], [11.0], [12.0]]))
    specification = BacktestSpecification(
        (FixedWeights({"A": 1.0}),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        holding_costs=HoldingCosts(cash=Rate(rate)),
        benchmarks=(BenchmarkSymbol("D"),),
        benchmark_actions=(CorporateAction("D", 9003, Delisting(back)),),
        periods_per_year=252.0,
    )
    plan = prepare(specification, PricePanel.of("A", range(9000, 9005), np.ones((5, 1))), {"D": stored})
    (benchmark,) = run(plan, lambda backtest: None, lambda: None).benchmarks
    assert plan.curves["D"].days.tolist() == list(range(9000, 9005))
    assert benchmark.performance.final_wealth == pytest.approx(1.2 * (1.0 + back) * (1.0 + rate / 365), rel=1e-12)

"""Conventions of other engines: what bt 1.4.1 and vectorbt 1.2.0 themselves end with, and what follows from the rules.

The figures of the small market were printed by the libraries, as they are installed by `benchmarks/peers`:

    bt.Backtest(bt.Strategy("s", [bt.algos.WeighTarget(weights), bt.algos.Rebalance()]), prices, commissions=fee,
                integer_positions=whole, initial_capital=capital)
    vectorbt.Portfolio.from_orders(prices, size=weights, size_type="targetpercent", group_by=True, cash_sharing=True,
                                   call_seq="auto", fees=0.0025, fixed_fees=fixed, size_granularity=1 if whole else nan)
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from absfin.cli.csv_files import read_panel

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Conventions, Fill
from domain.backtest.strategies import EqualWeightStrategy, Optimized, WeightSchedule
from domain.checks import Matrix
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import Specification

STOCKS = Path(__file__).parents[4] / "data/sp500_stocks.csv.gz"
DATES, SYMBOLS = 130, "ABCDE"
DECISIONS = range(0, DATES, 10)
BPS_25 = CostModel(LinearCost(25.0))


def small_prices() -> Matrix:
    t, i = np.arange(DATES)[:, None], np.arange(len(SYMBOLS))[None, :]
    return 40.0 * (1.0 + 0.3 * i) * np.exp(0.002 * i * t / 3.0 + 0.2 * np.sin(0.1 * t * (i + 1.0) + i))


def small_weights() -> Matrix:
    """Weights of each decision: they change, and positions are closed and opened again."""
    raw = np.array([[(3 * k + 2 * j) % 5 for j in range(len(SYMBOLS))] for k in range(len(DECISIONS))], float)
    raw[:, 1] += 1.0
    return raw / raw.sum(axis=1, keepdims=True)


def long_short_weights() -> Matrix:
    return small_weights() - np.array([0.2, 0.0, 0.2, 0.0, 0.0])


def outcome(
    conventions: Conventions,
    weights: Matrix,
    costs: CostModel,
    *,
    capital: float = 1e6,
    whole: bool = False,
    fill: Fill = Fill.SAME_CLOSE,
) -> StrategyOutcome:
    panel = PricePanel.of(SYMBOLS, range(9000, 9000 + DATES), small_prices())
    entries = tuple(
        (9000 + at, {symbol: float(weight) for symbol, weight in zip(SYMBOLS, row, strict=True)})
        for at, row in zip(DECISIONS, weights, strict=True)
    )
    leveraged = bool((weights < 0.0).any())
    specification = BacktestSpecification(
        (WeightSchedule(entries, leveraged=leveraged),),
        Rebalancing(BuyAndHold()),
        fill=fill,
        costs=costs,
        conventions=conventions,
        initial_capital=capital,
        fractional_holdings=not whole,
        maintenance_ratio=0.01 if leveraged else None,
    )
    return run(prepare(specification, panel), lambda backtest: None, lambda: None).strategies[0]


def stocks_outcome(conventions: Conventions) -> StrategyOutcome:
    """20 stocks, 8313 dates, monthly, 10 bps."""
    panel = read_panel(STOCKS)
    specification = BacktestSpecification(
        (EqualWeightStrategy(),), fill=Fill.SAME_CLOSE, costs=CostModel(LinearCost(10.0)), conventions=conventions
    )
    plan = prepare(specification, PricePanel.of(panel.symbols, panel.dates, panel.values))
    return run(plan, lambda backtest: None, lambda: None).strategies[0]


# The first three figures are those of docs/conventions.md; the longer ones were printed by the libraries.
@pytest.mark.parametrize(
    ("conventions", "wealth"),
    [
        (Conventions.EXACT, 211.7157150510),
        (Conventions.BT, 211.70295181694843),
        (Conventions.VECTORBT, 211.68818380284276),
    ],
)
def test_wealth_of_the_sample_stocks(conventions: Conventions, wealth: float) -> None:
    assert stocks_outcome(conventions).final_nav == pytest.approx(wealth, rel=1e-12)


@pytest.mark.parametrize(
    ("conventions", "costs", "whole", "short", "nav"),
    [
        (Conventions.VECTORBT, BPS_25, False, False, 956872.5097612082),
        (Conventions.VECTORBT, CostModel(LinearCost(25.0), fixed_fee=3.0), False, False, 956693.8542654645),
        (Conventions.VECTORBT, BPS_25, True, False, 95810.83394069399),
        (Conventions.VECTORBT, BPS_25, False, True, 807635.5079910029),
        (Conventions.VECTORBT, BPS_25, True, True, 80827.55641405124),
        (Conventions.BT, BPS_25, False, False, 955690.775873463),
        (Conventions.BT, CostModel(LinearCost(25.0), fixed_fee=3.0), False, False, 955502.3614114206),
        (Conventions.BT, CostModel(LinearCost(25.0), least_commission=400.0), False, False, 953804.8415369857),
        (Conventions.BT, BPS_25, True, False, 95569.0718634618),
        (Conventions.BT, BPS_25, False, True, 807590.0688933306),
        (Conventions.BT, BPS_25, True, True, 80703.54478756503),
    ],
)
def test_final_value_of_the_libraries(
    conventions: Conventions, costs: CostModel, whole: bool, short: bool, nav: float
) -> None:
    weights = long_short_weights() if short else small_weights()
    found = outcome(conventions, weights, costs, capital=1e5 if whole else 1e6, whole=whole)
    assert found.final_nav == pytest.approx(nav, rel=1e-12)


@pytest.mark.parametrize("conventions", [Conventions.BT, Conventions.VECTORBT])
def test_without_costs_every_convention_is_the_exact_one(conventions: Conventions) -> None:
    found = outcome(conventions, small_weights(), CostModel())
    exact = outcome(Conventions.EXACT, small_weights(), CostModel())
    assert found.record is not None
    assert exact.record is not None
    np.testing.assert_allclose(found.record.nav, exact.record.nav, rtol=1e-13)
    assert found.convention_difference == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize("conventions", [Conventions.BT, Conventions.VECTORBT])
@pytest.mark.parametrize("fill", [Fill.SAME_CLOSE, Fill.NEXT_CLOSE])
def test_money_is_conserved_and_the_difference_is_to_the_exact_account(conventions: Conventions, fill: Fill) -> None:
    found = outcome(conventions, small_weights(), BPS_25, fill=fill)
    exact = outcome(Conventions.EXACT, small_weights(), BPS_25, fill=fill)
    money = found.reconciliation
    assert money is not None
    assert found.final_nav is not None
    assert exact.final_nav is not None
    assert money.start_nav + money.flows + money.gains - money.costs == pytest.approx(money.end_nav, rel=1e-12)
    assert found.convention_difference == found.final_nav - exact.final_nav
    assert found.convention_difference != 0.0
    assert exact.convention_difference is None


def test_a_strategy_that_decides_from_prices_has_a_difference_too() -> None:
    strategy = Optimized(Specification(MinRisk()), 30)
    panel = PricePanel.of(SYMBOLS, range(9000, 9000 + DATES), small_prices())
    specification = BacktestSpecification((strategy,), costs=BPS_25, conventions=Conventions.VECTORBT)
    found, exact = (
        run(prepare(one, panel), lambda backtest: None, lambda: None).strategies[0]
        for one in (specification, replace(specification, conventions=Conventions.EXACT))
    )
    assert found.final_nav is not None
    assert exact.final_nav is not None
    assert found.convention_difference == found.final_nav - exact.final_nav != 0.0


def test_vectorbt_cuts_the_largest_purchase_to_the_cash_that_is_left() -> None:
    found = outcome(Conventions.VECTORBT, np.tile([0.3, 0.1, 0.2, 0.15, 0.25], (len(DECISIONS), 1)), BPS_25)
    assert found.record is not None
    invested = found.record.units[0] * small_prices()[0]
    # The purchases before it cost 0.7 (1 + 25 bps) of the capital.
    assert invested[1:] == pytest.approx(1e6 * np.array([0.1, 0.2, 0.15, 0.25]), rel=1e-12)
    assert invested[0] == pytest.approx(1e6 * (1.0 - 0.7 * 1.0025) / 1.0025, rel=1e-12)
    assert (found.record.cash > -1e-6).all()


def test_bt_pays_the_costs_of_a_closed_position_from_cash_below_zero() -> None:
    first, second = [0.5, 0.5, 0.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0, 0.0]
    found = outcome(Conventions.BT, np.array([first, second, *[second] * (len(DECISIONS) - 2)]), BPS_25)
    assert found.record is not None
    closed = float(found.record.units[0, 0] * small_prices()[DECISIONS[1], 0])
    assert found.record.units[1, 0] == 0.0
    assert found.record.cash[1] == pytest.approx(-0.0025 * closed, rel=1e-9)


def test_a_purchase_whose_own_costs_exceed_it_is_not_made() -> None:
    costs = CostModel(fixed_fee=150.0)
    for conventions in (Conventions.BT, Conventions.VECTORBT):
        found = outcome(conventions, small_weights(), costs, capital=100.0)
        assert found.final_nav == 100.0
        assert found.costs.total == 0.0

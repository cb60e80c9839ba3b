"""Fills at the open of a date use its opening prices alone, whatever its closes turn out to be."""

from typing import Any

import numpy as np
import pytest

from domain.backtest.cash_flows import CashFlow
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights, WeightSchedule
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    DividendPolicy,
    PriceBasis,
    Split,
)
from domain.market_data.panel import PricePanel

NAN = float("nan")


def at_open(
    closes: list[list[float]], opens: list[list[float]], weights: Any, actions: Any = (), **more: Any
) -> StrategyOutcome:
    """Decisions by date number, or fixed weights every date, from 100 of cash."""
    symbols = "AB"[: len(closes[0])]
    entries = tuple((day, dict(zip(symbols, row, strict=True))) for day, row in sorted(weights.items()))
    specification = BacktestSpecification(
        (WeightSchedule(entries, leveraged=True),),
        Rebalancing(BuyAndHold()),
        Fill.NEXT_OPEN,
        corporate_actions=actions,
        price_basis=PriceBasis.UNADJUSTED,
        periods_per_year=252.0,
        **({"initial_capital": 100.0} | more),
    )
    panel = PricePanel.of(symbols, range(len(closes)), np.array(closes))
    given = PricePanel.of(symbols, range(len(opens)), np.array(opens))
    return run(prepare(specification, panel, opens=given), lambda _: None, lambda: None).strategies[0]


def navs(outcome: StrategyOutcome) -> list[float]:
    assert outcome.record is not None
    return list(outcome.record.nav)


def test_an_asset_is_sold_at_the_open_of_the_date_on_which_it_closes_at_zero() -> None:
    outcome = at_open([[10.0], [10.0], [0.0]], [[10.0], [10.0], [8.0]], {0: [1.0], 1: [0.0]})
    assert navs(outcome) == pytest.approx([100.0, 100.0, 80.0], rel=1e-12)


def test_an_asset_is_bought_at_the_open_of_the_date_on_which_it_closes_at_zero() -> None:
    outcome = at_open([[10.0], [10.0], [0.0], [0.0]], [[10.0], [10.0], [8.0], [0.0]], {0: [0.0], 1: [0.5]})
    assert navs(outcome) == pytest.approx([100.0, 100.0, 50.0, 50.0], rel=1e-12)


def test_an_open_of_zero_is_worthless_and_one_that_is_missing_is_refused() -> None:
    worthless = at_open([[10.0], [10.0], [0.0]], [[10.0], [10.0], [0.0]], {0: [1.0], 1: [0.0]})
    assert navs(worthless) == pytest.approx([100.0, 100.0, 0.0], abs=1e-12)
    with pytest.raises(InvalidInput, match="must hold the price of A on 1970-01-03") as raised:
        at_open([[10.0], [10.0], [0.0]], [[10.0], [10.0], [NAN]], {0: [1.0], 1: [0.0]})
    assert raised.value.field == "open_prices.values"


@pytest.mark.parametrize("close", [10.0, 11.0, 0.5])
def test_a_dividend_is_reinvested_at_the_open(close: float) -> None:
    """10 units get 2 each at an open of 8: 2.5 units more. They are sold at that open, whatever the close is."""
    outcome = at_open(
        [[10.0], [10.0], [close]],
        [[10.0], [10.0], [8.0]],
        {0: [1.0], 1: [0.0]},
        (CorporateAction("A", 2, CashDividend(2.0)),),
        dividend_policy=DividendPolicy.REINVEST,
    )
    assert navs(outcome)[-1] == pytest.approx(100.0, rel=1e-12)


@pytest.mark.parametrize("close", [40.0, 30.0])
def test_a_fraction_of_a_unit_is_sold_at_the_open(close: float) -> None:
    """3:2 on 101 units is 151 and a half, which brings 20 at an open of 40."""
    outcome = at_open(
        [[60.0], [60.0], [close]],
        [[60.0], [60.0], [40.0]],
        {0: [1.0]},
        (CorporateAction("A", 2, Split(1.5)),),
        initial_capital=0.0,
        initial_holdings={"A": 101.0},
        fractional_holdings=False,
    )
    assert navs(outcome)[-1] == pytest.approx(151 * close + 20.0, rel=1e-12)


@pytest.mark.parametrize("close", [50.0, 20.0])
def test_what_a_delisting_pays_at_the_close_buys_nothing_at_the_open(close: float) -> None:
    """5 A at an open of 40 and 50 of cash are 250: half of it is in B, 12.5 units. A is paid half of its close."""
    outcome = at_open(
        [[10.0, 10.0], [40.0, 10.0], [close, 12.0], [NAN, 12.0]],
        [[10.0, 10.0], [10.0, 10.0], [40.0, 10.0], [NAN, 12.0]],
        {0: [0.5, 0.0], 1: [0.5, 0.2]},
        (CorporateAction("A", 2, Delisting(-0.5)),),
    )
    assert outcome.final_units is not None
    assert outcome.final_units == pytest.approx([0.0, 5.0], rel=1e-12)
    assert navs(outcome)[2:] == pytest.approx([60.0 + 5 * 0.5 * close] * 2, rel=1e-12)


def test_tranches_hold_the_sum_of_their_parts_through_a_delisting_at_the_close() -> None:
    closes, opens = [[10.0, 10.0], [40.0, 10.0], [50.0, 12.0], [NAN, 12.0]], [[10.0, 10.0]] * 2 + [[40.0, 10.0]] * 2
    panel, given = (PricePanel.of("AB", range(4), np.array(values)) for values in (closes, opens))
    found = []
    for tranches in (1, 2):
        one = BacktestSpecification(
            (FixedWeights({"A": 0.5, "B": 0.2}),),
            Rebalancing(EveryPeriods(1), tranches=tranches),
            Fill.NEXT_OPEN,
            corporate_actions=(CorporateAction("A", 2, Delisting(-0.5)),),
            cash_flows=(CashFlow(2, 30.0),),
            costs=CostModel(LinearCost(10.0)),
            initial_capital=100.0,
            periods_per_year=252.0,
        )
        found.append(run(prepare(one, panel, opens=given), lambda _: None, lambda: None).strategies[0])
    single, double = found
    assert navs(double) == pytest.approx(navs(single), rel=1e-12)
    assert single.record is not None
    assert double.record is not None
    for name in ("units", "turnovers", "cost_fractions"):
        assert getattr(double.record, name) == pytest.approx(getattr(single.record, name), rel=1e-12), name

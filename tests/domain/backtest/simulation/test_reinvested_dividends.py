"""A dividend is reinvested where the position is long on the pay date; otherwise it is cash."""

from typing import Any

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import WeightSchedule
from domain.market_data.corporate_actions import CashDividend, CorporateAction, DividendPolicy, PriceBasis
from domain.market_data.panel import PricePanel


def outcome_of(weights: dict[int, float], **more: Any) -> StrategyOutcome:
    """10 units at 10; a dividend of 1 with the ex-date 2 and the pay date 4, fills at the close of the decision."""
    specification = BacktestSpecification(
        (WeightSchedule(tuple((day, {"A": weight}) for day, weight in weights.items()), leveraged=True),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        corporate_actions=(CorporateAction("A", 2, CashDividend(1.0, pay_day=4)),),
        price_basis=PriceBasis.UNADJUSTED,
        dividend_policy=DividendPolicy.REINVEST,
        initial_capital=100.0,
        periods_per_year=252.0,
        **more,
    )
    panel = PricePanel.of("A", range(6), np.array([[10.0]] * 2 + [[9.0]] * 4))
    return run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0]


def units_and_cash(outcome: StrategyOutcome) -> tuple[float, float]:
    assert outcome.final_units is not None
    assert outcome.final_cash is not None
    return float(outcome.final_units[0]), outcome.final_cash


def test_a_position_that_is_held_grows() -> None:
    assert units_and_cash(outcome_of({0: 1.0})) == pytest.approx((10.0 + 10.0 / 9.0, 0.0), abs=1e-12)


def test_a_position_that_was_sold_meanwhile_is_not_bought_again() -> None:
    assert units_and_cash(outcome_of({0: 1.0, 3: 0.0})) == pytest.approx((0.0, 100.0), rel=1e-12)


def test_a_position_that_is_short_by_then_is_not_bought_back() -> None:
    units, cash = units_and_cash(outcome_of({0: 1.0, 3: -0.45}))
    assert units == pytest.approx(-5.0, rel=1e-12)
    assert cash == pytest.approx(100.0 + 45.0, rel=1e-12)


def test_who_was_short_on_the_ex_date_pays_in_cash_whatever_is_held_by_then() -> None:
    """10 units short at the ex-date owe 10; long on the pay date, they are paid from cash and no unit is sold."""
    units, cash = units_and_cash(outcome_of({0: -1.0, 3: 0.5}))
    nav = 200.0 - 10.0 * 9.0 - 10.0
    assert units == pytest.approx(0.5 * nav / 9.0, rel=1e-12)
    assert cash == pytest.approx(0.5 * nav, rel=1e-12)

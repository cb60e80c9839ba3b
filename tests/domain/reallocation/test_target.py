"""A target by optimisation: over the dates asked for, from the weights held, with costs that know the portfolio."""

import numpy as np
import pytest

from domain.checks import Matrix
from domain.costs.impact import Liquidity, SquareRootImpact
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from domain.market_data.snapshot import Quote, Snapshot
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.objectives import MaxUtility, MinRisk
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve
from domain.portfolio import Portfolio
from domain.reallocation.target import last_dates, optimised_target

SYMBOLS = ("A", "B", "C")
MARKET = Snapshot({symbol: Quote(100.0, average_daily_volume=1e6) for symbol in SYMBOLS})
SMALL_MARKET = Snapshot({symbol: Quote(100.0, average_daily_volume=10.0) for symbol in SYMBOLS})
HELD = Portfolio({"A": 10.0}, cash=1000.0)
SPECIFICATION = Specification(MinRisk())


def go_on() -> None:
    """Never cancels."""


def prices(dates: int = 60) -> PricePanel:
    rng = np.random.default_rng(3)
    returns: Matrix = rng.normal(0.0, [0.01, 0.02, 0.03], (dates, 3))
    return PricePanel(SYMBOLS, np.arange(dates, dtype=np.int32), 100.0 * np.exp(np.cumsum(returns, axis=0)))


def test_the_weights_are_those_of_the_last_dates() -> None:
    panel = prices()
    found = optimised_target(SPECIFICATION, panel, 20, HELD, MARKET, go_on)
    last = PricePanel(SYMBOLS, panel.dates[-21:], panel.values[-21:])
    expected = solve(build_problem(SPECIFICATION, last, go_on), go_on)
    assert list(found.weights.values()) == pytest.approx(expected.weights.tolist(), abs=1e-9)
    assert found.weights != optimised_target(SPECIFICATION, panel, None, HELD, MARKET, go_on).weights


def test_a_lookback_needs_one_date_more_than_returns() -> None:
    assert len(last_dates(prices(21), 20).dates) == 21
    with pytest.raises(InvalidInput, match="needs 22 dates, 21 are stored") as refused:
        last_dates(prices(21), 21)
    assert refused.value.field == "target_optimize.lookback_periods"


def test_a_holding_without_a_quote_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        optimised_target(SPECIFICATION, prices(), None, Portfolio({"X": 1.0}, cash=10.0), MARKET, go_on)
    assert refused.value.field == "holdings[0].symbol"


def test_costs_take_value_and_volume_from_the_portfolio_and_the_market() -> None:
    """The same weights as where the request says the portfolio's value and each asset's daily value itself."""
    panel, objective, impact = prices(), MaxUtility(100.0), SquareRootImpact(20.0)
    found = optimised_target(
        Specification(objective, costs=CostModel(impact=impact)), panel, None, HELD, SMALL_MARKET, go_on
    )
    liquidity = {symbol: Liquidity(daily_value=1000.0) for symbol in SYMBOLS}
    told = CostModel(impact=impact, portfolio_value=2000.0, liquidity=liquidity)
    expected = solve(
        build_problem(Specification(objective, costs=told, current_weights={"A": 0.5}), panel, go_on), go_on
    )
    assert list(found.weights.values()) == pytest.approx(expected.weights.tolist(), abs=1e-7)
    free = optimised_target(Specification(objective), panel, None, HELD, SMALL_MARKET, go_on)
    assert found.weights != pytest.approx(free.weights, abs=1e-3)

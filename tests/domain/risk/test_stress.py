"""Shocks of single assets, of groups and of what follows from them, added up by the weights."""

from datetime import date

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.panel import ReturnPanel
from domain.risk.model import RiskModel
from domain.risk.stress import AssetShocks, CorrelationStress, Scenario, StressedPortfolio, StressResult
from domain.risk.stress_windows import HistoricalWindow

VALUES = np.random.default_rng(3).normal(0.0, 0.01, (250, 3)) @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.3], [0, 0, 1]])
PANEL = ReturnPanel.of("ABC", range(250), VALUES)
COVARIANCE = np.cov(VALUES.T)
WEIGHTS, PROPOSED = np.array([0.5, 0.3, 0.2]), np.array([0.0, 0.0, 1.0])
PORTFOLIO = StressedPortfolio(
    PANEL.symbols,
    WEIGHTS,
    RiskModel.of(PANEL, 252.0),
    PANEL,
    proposed=PROPOSED,
    groups={"pair": np.array([True, True, False])},
)


def result_of(kind: AssetShocks | CorrelationStress) -> StressResult:
    (found,) = PORTFOLIO.results([Scenario("x", kind)])
    assert found.label == "x"
    return found


def test_a_shock_of_an_asset_counts_before_that_of_its_group() -> None:
    for shocks in ({"A": -0.3, "pair": -0.1}, {"pair": -0.1, "A": -0.3}):
        found = result_of(AssetShocks(shocks, propagate=False))
        assert found.asset_returns is not None
        assert found.contributions is not None
        assert found.asset_returns.tolist() == [-0.3, -0.1, 0.0]
        assert found.contributions == pytest.approx(WEIGHTS * [-0.3, -0.1, 0.0])
        assert found.portfolio_return == pytest.approx(-0.18)
        assert found.proposed_return == 0.0


def test_what_is_not_shocked_follows_its_regression_but_never_below_minus_one() -> None:
    slope = COVARIANCE[1, 0] / COVARIANCE[0, 0]
    found = result_of(AssetShocks({"A": -0.2}, propagate=True)).asset_returns
    assert found is not None
    assert found[:2] == pytest.approx([-0.2, -0.2 * slope], rel=1e-6)
    beyond = result_of(AssetShocks({"A": -0.2, "B": 9.0}, propagate=True)).asset_returns
    assert beyond is not None
    assert (beyond >= -1.0).all()


def test_a_name_that_is_neither_asset_nor_group() -> None:
    with pytest.raises(InvalidInput, match="Z is neither a symbol of the input nor a group") as raised:
        PORTFOLIO.results(
            [Scenario("first", AssetShocks({"A": 0.1}, False)), Scenario("x", AssetShocks({"A": 0.1, "Z": 0.1}, False))]
        )
    assert raised.value.field == "stress[1].assets.shocks[1].name"


def test_a_window_is_compounded_where_the_data_cover_it() -> None:
    """From the close of its first day: the return of that day is not in it."""
    february = HistoricalWindow("february", date(1970, 2, 1), date(1970, 2, 28))
    covered, other = PORTFOLIO.results([Scenario("x", february), Scenario("y", "covid_2020")])
    assert covered.asset_returns == pytest.approx(np.prod(1.0 + VALUES[32:59], axis=0) - 1.0)
    assert (covered.undefined, covered.end) == ("", date(1970, 2, 28))
    assert (other.asset_returns, other.portfolio_return) == (None, None)
    assert "2020" in other.undefined


def test_full_correlation_adds_up_volatilities() -> None:
    found = result_of(CorrelationStress(1.0, 1.0, 2.0))
    deviations = np.sqrt(np.diag(COVARIANCE) * 252.0)
    assert found.volatility_annual == pytest.approx(2.0 * float(WEIGHTS @ deviations))
    assert found.proposed_volatility_annual == pytest.approx(2.0 * deviations[2])

"""A risk assessment and its optional parts: each is what its own function gives for the same portfolio."""

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.estimation.clustering import Linkage
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel
from domain.portfolio import Portfolio
from domain.risk.correlation import Clustering
from domain.risk.flow import assess
from domain.risk.rolling import Rolling, RollingFigure
from domain.risk.specification import RiskSpecification
from domain.risk.validation.request import ValidationRequest

VALUES = np.exp(np.random.default_rng(4).normal(0.0, 0.01, (60, 3)).cumsum(axis=0))
PRICES = PricePanel.of(("A", "B", "C"), range(60), VALUES)
RETURNS = PRICES.returns()
MARKET = PricePanel.of(("M",), range(10, 60), VALUES[10:].mean(axis=1))
SPECIFICATION = RiskSpecification({"A": 0.5, "B": 0.3}, periods_per_year=252.0)
PORTFOLIO = RETURNS.values @ np.array([0.5, 0.3, 0.0])
MOMENTS = Moments.of(("A", "B", "C"), np.zeros(3), np.eye(3), 252.0)


def test_nothing_but_the_report() -> None:
    found = assess(SPECIFICATION, PRICES)
    assert (found.factors, found.clusters, found.rolling, found.stress) == (None, None, (), ())
    assert (found.proposed, found.validation) == (None, None)
    assert found.returns is not None
    assert found.report.dispersion.volatility_annual == pytest.approx(PORTFOLIO.std(ddof=1) * 252**0.5)


def test_proposed_weights_have_a_report_of_their_own() -> None:
    found = assess(replace(SPECIFICATION, proposed_weights={"C": 1.0}), PRICES).proposed
    assert found is not None
    assert found.dispersion.volatility_annual == pytest.approx(RETURNS.values[:, 2].std(ddof=1) * 252**0.5)


def test_what_is_proposed_may_be_leveraged_where_units_are_held() -> None:
    proposed = {"A": 1.0, "C": 0.5}
    with pytest.raises(InvalidInput) as raised:
        assess(replace(SPECIFICATION, proposed_weights=proposed), PRICES)
    assert raised.value.field == "proposed_weights"
    held = replace(SPECIFICATION, holdings=Portfolio({"A": 1.0}), proposed_weights=proposed)
    assert assess(held, PRICES).proposed is not None
    assert assess(replace(SPECIFICATION, proposed_weights=proposed, leveraged=True), PRICES).proposed is not None


def test_rolling_figures_of_the_portfolio() -> None:
    rolling = Rolling(20, (RollingFigure.VOLATILITY_ANNUAL,))
    (series,) = assess(replace(SPECIFICATION, rolling=rolling), PRICES).rolling
    expected = [PORTFOLIO[i - 20 : i].std(ddof=1) * 252**0.5 for i in range(20, 60)]
    np.testing.assert_allclose(series.values, expected)
    assert series.dates.tolist() == list(range(20, 60))


def test_rolling_figures_beside_a_benchmark_are_on_common_dates() -> None:
    rolling = Rolling(20, (RollingFigure.BETA,))
    (series,) = assess(replace(SPECIFICATION, rolling=rolling), PRICES, MARKET).rolling
    market = MARKET.returns().values[:, 0]
    own = PORTFOLIO[-len(market) :]
    expected = [
        np.cov(own[i - 20 : i], market[i - 20 : i])[0, 1] / market[i - 20 : i].var(ddof=1)
        for i in range(20, len(market) + 1)
    ]
    np.testing.assert_allclose(series.values, expected)
    assert series.dates.tolist() == list(range(30, 60))


@pytest.mark.parametrize(("window", "relative"), [(49, True), (50, False)])
def test_by_default_there_are_all_figures_that_the_dates_are_enough_for(window: int, relative: bool) -> None:
    found = assess(replace(SPECIFICATION, rolling=Rolling(window, ())), PRICES, MARKET).rolling
    figures = [series.figure for series in found]
    assert figures == [figure for figure in RollingFigure if relative or not figure.is_relative]
    with pytest.raises(InvalidInput) as raised:
        assess(replace(SPECIFICATION, rolling=Rolling(50, (RollingFigure.BETA,))), PRICES, MARKET)
    assert raised.value.field == "rolling.window"


def test_clusters_leave_out_what_does_not_vary() -> None:
    flat = PricePanel.of(("A", "B", "C"), range(60), VALUES * [1.0, 0.0, 1.0] + [0.0, 3.0, 0.0])
    found = assess(replace(SPECIFICATION, clustering=Clustering(Linkage.SINGLE, None)), flat).clusters
    assert found is not None
    assert sorted(found.order) == [0, 1]


def test_validation_looks_at_the_returns_of_the_portfolio() -> None:
    request = ValidationRequest(window=30, simulations=50)
    found = assess(replace(SPECIFICATION, validation=request), PRICES).validation
    assert found is not None
    assert (found.first, found.validation.observations) == (30, 29)


@pytest.mark.parametrize(
    ("specification", "named"),
    [
        (replace(SPECIFICATION, rolling=Rolling(2, ())), "rolling"),
        (replace(SPECIFICATION, validation=ValidationRequest()), "validation"),
    ],
)
def test_parts_that_need_dates(specification: RiskSpecification, named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        assess(specification, MOMENTS)
    assert raised.value.field == named

"""Queries of specifications: weights of holdings, groups, factors on the same dates, and what is refused by name."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.estimation.covariance import SemiCovariance
from domain.estimation.expected_returns import JamesStein
from domain.estimation.factor_model import FactorModel
from domain.estimation.moments import Estimation
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.portfolio import Portfolio
from domain.risk.specification import RiskSpecification, build_query

VALUES = np.exp(np.random.default_rng(4).normal(0.0, 0.01, (60, 3)).cumsum(axis=0)) * np.array([10.0, 20.0, 5.0])
PRICES = PricePanel.of(("A", "B", "C"), range(60), VALUES)
RETURNS = PRICES.returns()
FACTOR = PricePanel.of(("F",), range(60), VALUES.mean(axis=1))
HALVES = RiskSpecification({"A": 0.5, "B": 0.5}, periods_per_year=252.0)
HELD = RiskSpecification(Portfolio({"C": 10.0, "A": -1.0}, 5.0), periods_per_year=252.0)
MOMENTS = Moments.of(("A", "B", "C"), np.zeros(3), np.eye(3), 252.0)


def test_holdings_are_valued_at_the_last_price() -> None:
    query, _ = build_query(HELD, PRICES)
    a, _, c = VALUES[-1]
    net = 10.0 * c - a + 5.0
    np.testing.assert_allclose(query.weights, [-a / net, 0.0, 10.0 * c / net])
    np.testing.assert_allclose(query.data.values, RETURNS.values)
    assert query.start == 0


def test_weights_in_the_order_of_the_input() -> None:
    query, _ = build_query(replace(HALVES, holdings={"C": 0.25, "A": 0.5}), RETURNS)
    assert query.weights.tolist() == [0.5, 0.0, 0.25]
    assert query.start is None


def test_groups_of_the_request_and_of_the_store() -> None:
    query, _ = build_query(replace(HALVES, groups={"x": ("C", "A")}, stored_groups={"y": ("B", "Z")}), PRICES)
    assert query.groups is not None
    assert {name: members.tolist() for name, members in query.groups.items()} == {
        "y": [False, True, False],
        "x": [True, False, True],
    }


def test_benchmark_weights_may_be_leveraged() -> None:
    query, _ = build_query(replace(HALVES, benchmark_weights={"B": 1.5}), PRICES)
    assert query.benchmark_weights is not None
    assert query.benchmark_weights.tolist() == [0.0, 1.5, 0.0]


def test_factors_on_more_dates_are_cut_to_those_of_the_input() -> None:
    longer = PricePanel.of(("F",), range(-5, 65), np.concatenate([np.ones(5), FACTOR.values[:, 0], np.full(5, 9.0)]))
    found = [build_query(replace(HALVES, factors=factors), PRICES)[0].factors for factors in (FACTOR, longer)]
    assert found[0] is not None
    assert found[1] is not None
    np.testing.assert_array_equal(found[0].exposures, found[1].exposures)
    factor = FACTOR.returns().values[:, 0]
    covariance = np.cov(np.column_stack([RETURNS.values, factor]).T)
    np.testing.assert_allclose(found[0].exposures[:, 0], covariance[:3, 3] / covariance[3, 3])


@pytest.mark.parametrize(
    ("data", "fields", "named"),
    [
        (RETURNS, {"holdings": Portfolio({"A": 1.0})}, "holdings"),
        (PRICES, {"holdings": {"Z": 0.5}}, "weights[0].symbol"),
        (PRICES, {"holdings": {"A": 0.75, "B": 0.5}}, "weights"),
        (PRICES, {"groups": {"A": ("B",)}}, "groups[0].name"),
        (PRICES, {"groups": {"x": ("B",)}, "stored_groups": {"x": ("B",)}}, "groups[0].name"),
        (PRICES, {"stored_groups": {"x": ("Z",)}}, "stored_groups[0]"),
        (PRICES, {"factors": FACTOR.returns()}, "factors.series"),
        (MOMENTS, {"factors": FACTOR}, "factors"),
        (MOMENTS, {"factors": 1}, "factors"),
        (PRICES, {"factors": 4}, "factors.principal_components"),
        (PRICES, {"factors": PricePanel.of(("F",), range(59), VALUES[:59, 0])}, "factors.series.dates"),
        (PRICES, {"estimation": Estimation(JamesStein())}, "estimation.expected_returns"),
        (MOMENTS, {"estimation": Estimation(covariance=SemiCovariance())}, "estimation"),
    ],
)
def test_what_is_refused_by_name(data: PricePanel | ReturnPanel | Moments, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        build_query(replace(HALVES, **fields), data)
    assert raised.value.field == named


@pytest.mark.parametrize(
    ("specification", "factor", "named"), [(HALVES, "B", "weights[1].symbol"), (HELD, "A", "holdings[1].symbol")]
)
def test_what_is_held_is_no_factor(specification: RiskSpecification, factor: str, named: str) -> None:
    estimation = Estimation(covariance=FactorModel((factor,)))
    with pytest.raises(InvalidInput, match=f"{factor} is a factor of the estimation") as raised:
        build_query(replace(specification, estimation=estimation), PRICES)
    assert raised.value.field == named


def test_leverage_is_allowed_where_it_is_asked_for() -> None:
    query, _ = build_query(replace(HALVES, holdings={"A": 0.75, "B": 0.5}, leveraged=True), PRICES)
    assert query.weights.sum() == 1.25


def test_a_benchmark_is_of_the_kind_of_the_input() -> None:
    for data, benchmark in ((PRICES, FACTOR.returns()), (MOMENTS, FACTOR)):
        with pytest.raises(InvalidInput) as raised:
            build_query(HALVES, data, benchmark)
        assert raised.value.field == "benchmark"

"""What a risk query refuses, by the name of the field."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel
from domain.risk.query import RiskQuery, risk_model

PANEL = ReturnPanel.of(("A", "B"), range(3), np.array([[0.01, 0.02], [-0.01, 0.0], [0.02, 0.01]]))
QUERY = RiskQuery(PANEL, np.array([0.5, 0.5]), 252.0)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"weights": np.array([0.5])}, "weights"),
        ({"weights": np.array([0.5, np.nan])}, "weights[1]"),
        ({"periods_per_year": 0.0}, "periods_per_year"),
        ({"confidence_level": 1.0}, "confidence_level"),
        ({"risk_free_rate_annual": np.inf}, "risk_free_rate_annual"),
        ({"minimum_acceptable_return_annual": np.nan}, "minimum_acceptable_return_annual"),
        ({"decay": 1.0}, "volatility_filter.lambda"),
        ({"decay": 0.0}, "volatility_filter.lambda"),
    ],
)
def test_figures_out_of_their_range(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        replace(QUERY, **fields)
    assert raised.value.field == named


def test_moments_have_their_own_periods() -> None:
    moments = Moments.of(("A", "B"), np.zeros(2), np.eye(2), 12.0)
    assert RiskQuery(moments, QUERY.weights, 12.0).periods_per_year == 12.0
    with pytest.raises(ValueError, match="carry their own"):
        RiskQuery(moments, QUERY.weights, 252.0)


def test_the_acceptable_return_of_a_period() -> None:
    assert replace(QUERY, minimum_acceptable_return_annual=0.063).acceptable == pytest.approx(0.00025)


def test_a_single_return_has_no_covariance() -> None:
    single = ReturnPanel.of(("A", "B"), [0], np.array([[0.01, 0.02]]))
    assert risk_model(replace(QUERY, data=single)) is None
    found = risk_model(replace(QUERY, data=ReturnPanel.of(("A", "B"), [0, 1], PANEL.values[:2])))
    assert found is not None
    np.testing.assert_allclose(found.moments.covariance, np.cov(PANEL.values[:2].T))

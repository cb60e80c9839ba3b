"""Correlation with its gaps, and the deviation where everything cancels."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.market_data.panel import ReturnPanel, Scenarios
from domain.risk.model import RiskModel

VALUES = np.random.default_rng(8).normal(0.001, 0.02, (60, 3))


@pytest.mark.parametrize("constant", [0.0, 0.1 + 0.2, 13.0])
def test_an_asset_that_does_not_vary_has_no_correlation(constant: float) -> None:
    panel = ReturnPanel.of("ABC", range(60), np.column_stack([VALUES[:, :2], np.full(60, constant)]))
    correlation = RiskModel.of(panel, 252).correlation
    assert correlation[:2, :2] == pytest.approx(np.corrcoef(VALUES[:, :2].T), rel=1e-10)
    assert np.isnan(correlation[2]).all()
    assert np.isnan(correlation[:, 2]).all()


def test_correlations_of_tiny_returns_do_not_underflow() -> None:
    tiny = Moments.of("AB", [0, 0], np.array([[4.0, 1.0], [1.0, 1.0]]) * 1e-300, 1)
    assert RiskModel.of(tiny, 1).correlation == pytest.approx(np.array([[1.0, 0.5], [0.5, 1.0]]))


def test_a_perfect_correlation_is_never_above_one() -> None:
    twins = ReturnPanel.of("AB", range(60), VALUES[:, [0]] * [1.0, 3.0])
    correlation = RiskModel.of(twins, 252).correlation
    assert (correlation <= 1.0).all()
    assert correlation == pytest.approx(np.ones((2, 2)), abs=1e-15)


def test_an_impossible_scenario_does_not_make_an_asset_vary() -> None:
    scenarios = Scenarios.of("AB", [[0.1, 0.0], [-0.1, 0.0], [0.0, 9.0]], [0.5, 0.5, 0.0])
    assert RiskModel.of(scenarios, 1).constant.tolist() == [False, True]


def test_deviation_is_the_root_of_the_quadratic_form_and_zero_for_a_hedge() -> None:
    model = RiskModel.of(Moments.of("AB", [0, 0], [0.04, 0.06, 0.06, 0.09], 1), 1)
    assert model.deviation(np.array([0.5, 0.5])) == pytest.approx(0.25)
    assert model.deviation(np.array([0.3, -0.2])) == 0.0


def test_one_return_has_no_model() -> None:
    with pytest.raises(InvalidInput, match="at least two"):
        RiskModel.of(ReturnPanel.of("A", [0], [0.1]), 252)


def test_a_spread_too_small_to_square_has_no_correlation() -> None:
    """Returns of 1e-200 vary, and their variance is none."""
    panel = ReturnPanel.of("AB", range(3), [[1e-200, 0.1], [-1e-200, 0.2], [2e-200, -0.1]])
    assert np.isnan(RiskModel.of(panel, 12.0).correlation[0]).all()

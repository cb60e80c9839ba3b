"""Fitted tails against integrals, scipy's distributions and its likelihood."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from domain.risk.parametric import (
    Shape,
    StudentT,
    cornish_fisher_conditional_value_at_risk,
    cornish_fisher_value_at_risk,
    fit_student_t,
    gaussian_conditional_value_at_risk,
    gaussian_value_at_risk,
)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize(("skewness", "kurtosis"), [(0.0, 0.0), (-0.4, 1.2), (0.3, 0.5)])
def test_modified_shortfall_is_the_mean_of_the_expansion(skewness: float, kurtosis: float, level: float) -> None:
    """Boudt, Peterson & Croux 2008: Edgeworth's density with Hermite polynomials, integrated below the quantile."""
    shape = Shape(0.001, 0.02, skewness, kurtosis)
    quantile = shape.quantile(level)

    def density(z: float) -> float:
        third, fourth = z**3 - 3 * z, z**4 - 6 * z**2 + 3
        sixth = z**6 - 15 * z**4 + 45 * z**2 - 15
        return float(stats.norm.pdf(z) * (1 + skewness / 6 * third + kurtosis / 24 * fourth + skewness**2 / 72 * sixth))

    mean = integrate.quad(lambda z: z * density(z), -40, quantile, limit=500)[0] / (1 - level)
    expected = max(-(0.001 + 0.02 * mean), cornish_fisher_value_at_risk(shape, level))
    assert cornish_fisher_conditional_value_at_risk(shape, level) == pytest.approx(expected, rel=1e-9)


def test_without_skewness_and_kurtosis_it_is_the_normal_tail() -> None:
    shape = Shape(0.001, 0.02, 0.0, 0.0)
    assert cornish_fisher_value_at_risk(shape, 0.99) == pytest.approx(gaussian_value_at_risk(0.001, 0.02, 0.99))
    assert cornish_fisher_conditional_value_at_risk(shape, 0.99) == pytest.approx(
        gaussian_conditional_value_at_risk(0.001, 0.02, 0.99), rel=1e-12
    )


@pytest.mark.parametrize("degrees", [2.2, 4.0, 12.0])
def test_the_fit_has_the_greatest_likelihood(degrees: float) -> None:
    """No step of any parameter improves it, and scipy's own search finds none better."""
    returns = np.random.default_rng(4).standard_t(degrees, 2000) * 0.01 + 0.0005
    found = fit_student_t(returns)
    assert found is not None

    def loss(at: np.ndarray) -> float:
        return -float(stats.t.logpdf(returns, at[0], at[1], at[2]).sum())

    best = np.array([found.degrees, found.location, found.scale])
    for i in range(3):
        for step in (0.999, 1.001):
            moved = best.copy()
            moved[i] *= step
            assert loss(moved) > loss(best)
    searched = optimize.minimize(loss, best * [1.1, 1.1, 0.95], method="Nelder-Mead", options={"maxiter": 4000})
    assert loss(best) <= searched.fun + 1e-7


def test_tails_of_student() -> None:
    fitted = StudentT(0.001, 0.01, 4.0)
    theirs = stats.t(4.0, 0.001, 0.01)
    assert fitted.value_at_risk(0.99) == pytest.approx(-theirs.ppf(0.01), rel=1e-12)
    mean = theirs.expect(ub=theirs.ppf(0.01), conditional=True)
    assert fitted.conditional_value_at_risk(0.99) == pytest.approx(-mean, rel=1e-7)
    assert StudentT(0.0, 0.01, 0.9).conditional_value_at_risk(0.99) is None


def test_thin_tails_are_normal_ones() -> None:
    returns = np.random.default_rng(1).uniform(-0.02, 0.02, 500)
    found = fit_student_t(returns)
    assert found is not None
    assert found.degrees == np.inf
    assert found.value_at_risk(0.95) == pytest.approx(
        gaussian_value_at_risk(float(returns.mean()), float(returns.std()), 0.95)
    )
    assert found.conditional_value_at_risk(0.95) is not None


def test_returns_most_of_which_are_equal_have_no_fit() -> None:
    assert fit_student_t(np.array([0.0] * 50 + [0.01, -0.02] * 5)) is None

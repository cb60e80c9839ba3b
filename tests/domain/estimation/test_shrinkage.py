"""Against scikit-learn, against the papers written out with loops, and where nothing varies."""

import numpy as np
import pytest
from sklearn.covariance import OAS, LedoitWolf

from domain.estimation.covariance import SemiCovariance
from domain.estimation.shrinkage import (
    ConstantCorrelationShrinkage,
    IdentityShrinkage,
    NonlinearShrinkage,
    OracleApproximatingShrinkage,
    SingleFactorShrinkage,
)

RNG = np.random.default_rng(4)


def returns(count: int, size: int) -> np.ndarray:
    market = RNG.standard_t(4, (count, 1))
    return 0.01 * (market * RNG.uniform(0.3, 1.2, size) + RNG.standard_t(5, (count, size))) + 0.0003


@pytest.mark.parametrize(("count", "size"), [(60, 5), (20, 40), (500, 10), (3, 2), (10, 1)])
def test_identity_and_oas_equal_scikit_learn(count: int, size: int) -> None:
    values = returns(count, size)
    for ours, theirs in ((IdentityShrinkage(), LedoitWolf()), (OracleApproximatingShrinkage(), OAS())):
        fitted = theirs.fit(values)
        found = ours.shrunk(values)
        assert found.intensity == pytest.approx(fitted.shrinkage_, rel=1e-9, abs=1e-12)
        assert found.covariance == pytest.approx(fitted.covariance_, rel=1e-9, abs=1e-18)


def by_loops(values: np.ndarray, single_factor: bool) -> float:
    """Pi, rho and gamma of Ledoit & Wolf 2003 and 2004, entry by entry."""
    x = values - values.mean(axis=0)
    count, size = x.shape
    s = x.T @ x / count
    market = x.mean(axis=1)
    to_market = x.T @ market / count
    m = float(market @ market) / count
    deviation = np.sqrt(np.diag(s))
    mean = np.mean([s[i, j] / deviation[i] / deviation[j] for i in range(size) for j in range(size) if i != j])
    pi = rho = gamma = 0.0
    for i in range(size):
        for j in range(size):
            pi_ij = np.mean((x[:, i] * x[:, j] - s[i, j]) ** 2)
            pi += pi_ij
            if i == j:
                rho += pi_ij
                continue
            if single_factor:
                target = to_market[i] * to_market[j] / m
                inside = (
                    to_market[j] * m * x[:, i] + to_market[i] * m * x[:, j] - to_market[i] * to_market[j] * market
                ) / m**2
                rho += np.mean(inside * market * x[:, i] * x[:, j]) - target * s[i, j]
            else:
                target = mean * deviation[i] * deviation[j]
                of_i = np.mean((x[:, i] ** 2 - s[i, i]) * (x[:, i] * x[:, j] - s[i, j]))
                of_j = np.mean((x[:, j] ** 2 - s[j, j]) * (x[:, i] * x[:, j] - s[i, j]))
                rho += mean / 2 * (deviation[j] / deviation[i] * of_i + deviation[i] / deviation[j] * of_j)
            gamma += (target - s[i, j]) ** 2
    return float(min(max((pi - rho) / gamma / count, 0.0), 1.0))


@pytest.mark.parametrize(("count", "size"), [(40, 4), (120, 7), (15, 12)])
def test_constant_correlation_and_single_factor_by_their_definitions(count: int, size: int) -> None:
    values = returns(count, size)
    constant, factor = ConstantCorrelationShrinkage().shrunk(values), SingleFactorShrinkage().shrunk(values)
    assert constant.intensity == pytest.approx(by_loops(values, single_factor=False), rel=1e-9)
    assert factor.intensity == pytest.approx(by_loops(values, single_factor=True), rel=1e-9)
    sample = np.cov(values.T, bias=True)
    for found in (constant, factor):
        assert np.diag(found.covariance) == pytest.approx(np.diag(sample))
        assert np.linalg.eigvalsh(found.covariance)[0] > -1e-12
        assert 0.0 < found.intensity <= 1.0


def test_what_does_not_vary_is_left_alone() -> None:
    flat = np.column_stack([np.full(10, 0.01), returns(10, 1)])
    for estimator in (IdentityShrinkage(), ConstantCorrelationShrinkage(), SingleFactorShrinkage()):
        assert np.isfinite(estimator.estimate(flat)).all()
    assert np.isfinite(OracleApproximatingShrinkage().estimate(np.zeros((5, 3)))).all()


def test_several_assets_that_do_not_vary_have_no_covariance() -> None:
    """Of as many eigenvalues that are zero, each is raised to a floor: the formula divides by them."""
    found = NonlinearShrinkage().estimate(np.column_stack([returns(60, 4), np.zeros((60, 3))]))
    assert found[4:] == pytest.approx(np.zeros((3, 7)), abs=1e-18)
    assert (np.diag(found)[:4] > 1e-5).all()


def test_semicovariance_counts_what_is_below_the_mean() -> None:
    values = np.array([[0.03, 0.0], [-0.03, 0.02], [0.0, -0.02]])
    assert SemiCovariance().estimate(values) == pytest.approx(np.array([[9e-4, 0.0], [0.0, 4e-4]]) / 2)

"""Every estimator of a covariance for one asset and for two, where many formulas lose a dimension."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.estimation.covariance import (
    ConstantCorrelationShrinkage,
    CorrelationShrinkage,
    CovarianceEstimator,
    EwmaCovariance,
    GerberCovariance,
    IdentityShrinkage,
    NonlinearShrinkage,
    OracleApproximatingShrinkage,
    SampleCovariance,
    SemiCovariance,
    SingleFactorShrinkage,
)
from domain.estimation.denoising import Denoised, DenoisingMethod
from domain.estimation.shrinkage import _hilbert
from domain.estimation.sparse import GraphicalLasso, LocalGlobal

RNG = np.random.default_rng(4)
RETURNS = RNG.normal(0.001, 0.01, (40, 2)) @ np.array([[1.0, 0.4], [0.0, 1.5]])
BY_LAST: list[CovarianceEstimator] = [  # divisor T - 1
    SampleCovariance(),
    CorrelationShrinkage(),
    NonlinearShrinkage(),
    GraphicalLasso(),
    GraphicalLasso(0.3),
    LocalGlobal(),
    *map(Denoised, DenoisingMethod),
    GerberCovariance(1),
    GerberCovariance(2),
]
BY_COUNT: list[CovarianceEstimator] = [  # divisor T, as the papers have it
    IdentityShrinkage(),
    OracleApproximatingShrinkage(),
    ConstantCorrelationShrinkage(),
    SingleFactorShrinkage(),
]
ALL = [*BY_LAST, *BY_COUNT, EwmaCovariance(10.0), SemiCovariance()]


@pytest.mark.parametrize("estimator", [*BY_LAST, *BY_COUNT], ids=str)
def test_one_asset_has_the_variance_of_its_returns(estimator: CovarianceEstimator) -> None:
    alone = RETURNS[:, :1]
    expected = alone.var(ddof=1 if estimator in BY_LAST else 0)
    np.testing.assert_allclose(estimator.estimate(alone), [[expected]], rtol=1e-12)


@pytest.mark.parametrize("estimator", ALL, ids=str)
def test_two_assets_know_no_order_and_no_unit(estimator: CovarianceEstimator) -> None:
    found = estimator.estimate(RETURNS)
    assert found.shape == (2, 2)
    assert np.linalg.eigvalsh(found)[0] >= -1e-15
    np.testing.assert_allclose(estimator.estimate(RETURNS[:, ::-1]), found[::-1, ::-1], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(estimator.estimate(100.0 * RETURNS), 1e4 * found, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("estimator", ALL, ids=str)
def test_an_asset_and_its_copy_or_inverse(estimator: CovarianceEstimator, sign: float) -> None:
    """One eigenvalue is zero: the answer is a covariance, and the same for both."""
    found = estimator.estimate(RETURNS[:, :1] * np.array([1.0, sign]))
    assert np.isfinite(found).all()
    if not isinstance(estimator, SemiCovariance):
        assert found[0, 0] == pytest.approx(found[1, 1], rel=1e-6)
        assert sign * found[0, 1] > 0.6 * found[0, 0]


def test_detoning_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must leave some variance"):
        Denoised(DenoisingMethod.SPECTRAL, 1).estimate(np.repeat(RETURNS[:, :1], 2, axis=1))


def test_the_hilbert_transform_of_the_kernel_joins_its_series() -> None:
    """Both forms at the same points, in extended precision where they meet."""
    x = np.array([[900.0, 999.0, 1001.0, 2000.0, -1500.0]])
    wide = x.astype(np.longdouble)
    root = np.sqrt(np.longdouble(5.0))
    pi = np.longdouble(np.pi)
    exact = -0.3 / pi * wide + 0.75 / (root * pi) * (1 - wide**2 / 5) * np.log(np.abs((root - wide) / (root + wide)))
    np.testing.assert_allclose(_hilbert(x), exact.astype(float), rtol=1e-7)

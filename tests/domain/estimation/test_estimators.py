"""Estimators of covariance and mean against other people's code, against truth that is known, and at their edges."""

import warnings

import numpy as np
import pytest
from sklearn.covariance import GraphicalLassoCV, graphical_lasso

from domain.errors import InvalidInput
from domain.estimation.covariance import CovarianceEstimator, GerberCovariance, SampleCovariance
from domain.estimation.denoising import Denoised, DenoisingMethod
from domain.estimation.expected_returns import BodnarOkhrinParolya, Sample
from domain.estimation.shrinkage import IdentityShrinkage, NonlinearShrinkage
from domain.estimation.sparse import GraphicalLasso, LocalGlobal

RNG = np.random.default_rng(17)
FACTORS = RNG.standard_t(5, (260, 2)) * 0.008
RETURNS = FACTORS @ RNG.dirichlet(np.ones(2), 12).T + RNG.standard_t(5, (260, 12)) * 0.006 + 0.0003


def by_riskfolio(method: str, **arguments: object) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from riskfolio.src import ParamsEstimation

        return np.asarray(ParamsEstimation.covar_matrix(pd.DataFrame(RETURNS), method, **arguments))


@pytest.mark.parametrize("method", DenoisingMethod)
def test_denoising(method: DenoisingMethod) -> None:
    theirs = by_riskfolio(method.value.lower(), alpha=0.0)
    assert Denoised(method).estimate(RETURNS) == pytest.approx(theirs, rel=1e-6, abs=1e-10)


def test_a_detoned_correlation_has_no_market() -> None:
    """Lopez de Prado 2020, 2.6: without its largest component, and with ones on the diagonal again."""
    kept, detoned = Denoised().estimate(RETURNS), Denoised(detoned=1).estimate(RETURNS)
    assert np.diag(detoned) == pytest.approx(np.diag(kept))
    deviations = np.sqrt(np.diag(kept))
    values, vectors = np.linalg.eigh(kept / np.outer(deviations, deviations))
    market = vectors[:, -1]
    bare = kept / np.outer(deviations, deviations) - values[-1] * np.outer(market, market)
    scale = np.sqrt(np.diag(bare))
    assert detoned / np.outer(deviations, deviations) == pytest.approx(bare / np.outer(scale, scale), abs=1e-9)
    with pytest.raises(InvalidInput, match="detoned"):
        Denoised(detoned=12).estimate(RETURNS)


def test_local_global_inversion() -> None:
    assert LocalGlobal().estimate(RETURNS) == pytest.approx(by_riskfolio("jlogo"), rel=1e-9)
    inverse = np.linalg.inv(LocalGlobal().estimate(RETURNS))
    # A triangulated graph of N assets has 3N - 6 edges; all else is zero.
    edges = np.abs(inverse[np.triu_indices(12, 1)]) > 1e-8 * np.abs(inverse).max()
    assert edges.sum() == 3 * 12 - 6


@pytest.mark.parametrize("variant", [1, 2])
def test_gerber(variant: int) -> None:
    theirs = by_riskfolio(f"gerber{variant}")  # whose deviations have the divisor T
    assert GerberCovariance(variant).estimate(RETURNS) == pytest.approx(theirs * 260 / 259, rel=1e-10)


def test_graphical_lasso_is_that_of_scikit_learn() -> None:
    deviations = RETURNS.std(axis=0, ddof=1)
    expected = graphical_lasso(np.corrcoef(RETURNS.T), 0.1)[0] * np.outer(deviations, deviations)
    assert GraphicalLasso(0.1).estimate(RETURNS) == pytest.approx(expected, rel=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = GraphicalLassoCV().fit((RETURNS - RETURNS.mean(axis=0)) / deviations).covariance_
    assert GraphicalLasso().estimate(RETURNS) == pytest.approx(chosen * np.outer(deviations, deviations), rel=1e-9)
    assert GraphicalLasso(0.1).estimate(1e-3 * RETURNS) == pytest.approx(1e-6 * expected, rel=1e-9)


def nonlinear_by_loops(returns: np.ndarray) -> np.ndarray:
    """Ledoit & Wolf 2020, equations 4.3, 4.7 and 4.8 for N < T, written as sums."""
    count, size = len(returns) - 1, returns.shape[1]
    centred = returns - returns.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / count)
    width = count ** (-1 / 3)
    shrunk = []
    null = max(0, size - count)
    if null:  # supplementary equations for N > T: the null eigenvalues share one value
        edge = np.log((1 + 5**0.5 * width) / (1 - 5**0.5 * width))
        real = 3 / (10 * width**2) + 3 / (4 * 5**0.5 * width) * (1 - 1 / (5 * width**2)) * edge
        at_zero = real / np.pi * np.mean(1 / values[null:])
        shrunk = [1 / (np.pi * (size - count) / count * at_zero)] * null
        values, size = values[null:], count
    for one in values:
        density = hilbert = 0.0
        for other in values:
            x = (one - other) / (other * width)
            density += 3 / (4 * 5**0.5) * max(0.0, 1 - x * x / 5) / (other * width) / size
            part = -3 / (10 * np.pi) * x
            part += 3 / (4 * 5**0.5 * np.pi) * (1 - x * x / 5) * np.log(abs((5**0.5 - x) / (5**0.5 + x)))
            hilbert += part / (other * width) / size
        if null:
            shrunk.append(one / (np.pi**2 * one**2 * (density**2 + hilbert**2)))
            continue
        ratio = size / count
        whole = complex(1 - ratio - ratio * np.pi * one * hilbert, -ratio * np.pi * one * density)
        shrunk.append(one / abs(whole) ** 2)
    return np.asarray((vectors * np.array(shrunk)) @ vectors.T)


@pytest.mark.parametrize("wide", [False, True])
def test_nonlinear_shrinkage_by_its_equations(wide: bool) -> None:
    returns = RNG.normal(size=(20, 31)) @ np.diag(RNG.uniform(0.5, 2.0, 31)) if wide else RETURNS
    assert NonlinearShrinkage().estimate(returns) == pytest.approx(nonlinear_by_loops(returns), rel=1e-9)


@pytest.mark.parametrize(("count", "size"), [(240, 120), (60, 120)])
def test_nonlinear_shrinkage_is_nearer_the_truth(count: int, size: int) -> None:
    """Eigenvalues 1, 3 and 10 in the proportions of the paper: nearer than the sample, and not further than linear
    shrinkage by more than chance where there are more assets than observations."""
    truth = np.repeat([1.0, 3.0, 10.0], [size // 5, 2 * size // 5, 2 * size // 5])

    def away(estimator: CovarianceEstimator) -> float:
        generator = np.random.default_rng(3)
        distances = []
        for _ in range(10):
            drawn = generator.normal(size=(count, size)) * np.sqrt(truth)
            distances.append(np.linalg.norm(estimator.estimate(drawn) - np.diag(truth)))
        return float(np.mean(distances))

    room = 1.0 if count > size else 1.02
    assert away(NonlinearShrinkage()) < room * away(IdentityShrinkage()) < away(SampleCovariance())


def test_bodnar_okhrin_parolya_by_its_formula() -> None:
    """Theorem 3 with c = N / T; the weights solve the quadratic loss that the theorem minimises."""
    sample = Sample(tuple("ABCDEFGHIJKL"), RETURNS, np.cov(RETURNS.T))
    mean, inverse = RETURNS.mean(axis=0), np.linalg.inv(np.cov(RETURNS.T))
    target = np.full(12, mean.mean())
    own, common, mixed = mean @ inverse @ mean, target @ inverse @ target, mean @ inverse @ target
    ratio = 12 / 260
    share = ((own - ratio / (1 - ratio)) * common - mixed**2) / (own * common - mixed**2)
    expected = share * mean + (1 - share) * mixed / common * target
    found = BodnarOkhrinParolya().estimate(sample)
    assert found == pytest.approx(expected, rel=1e-9)
    # At the weights the loss (a m + b t - mu)' S^-1 (...) is stationary in b for mu'S^-1 t = m'S^-1 t.
    assert (found - mean) @ inverse @ target == pytest.approx(0.0, abs=1e-9 * abs(mixed))
    with pytest.raises(InvalidInput, match="more dates than assets"):
        BodnarOkhrinParolya().estimate(Sample(tuple("ABCDEFGHIJKL"), RETURNS[:8], np.cov(RETURNS.T)))


@pytest.mark.parametrize(
    "estimator", [Denoised(), GraphicalLasso(0.1), LocalGlobal()], ids=lambda one: type(one).__name__
)
def test_an_asset_that_does_not_vary_is_refused(estimator: CovarianceEstimator) -> None:
    constant = RETURNS.copy()
    constant[:, 3] = 0.001
    with pytest.raises(InvalidInput, match="above 0"):
        estimator.estimate(constant)

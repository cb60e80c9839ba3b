"""The part of a covariance that no other asset shares, and the bound of a tracking error by it."""

from fractions import Fraction

import numpy as np
import pytest

from domain.checks import Matrix
from domain.reallocation.lot_search.specific_risk import Covariance, SplitRisk, specific_variances


def factor_model(draw: np.random.Generator, assets: int, factors: int) -> tuple[Matrix, Matrix]:
    """Loadings and specific variances as a diagonal."""
    return draw.normal(0.0, 0.2, (assets, factors)), np.diag(draw.uniform(0.1, 0.4, assets) ** 2)


@pytest.mark.parametrize("assets", [1, 2, 5, 40])
def test_what_is_left_is_a_covariance(assets: int) -> None:
    draw = np.random.default_rng(assets)
    for _ in range(20):
        loads, own = factor_model(draw, assets, 3)
        covariance = loads @ loads.T + own
        found = specific_variances(covariance)
        assert (found > 0.0).all()
        least = np.linalg.eigvalsh(covariance - np.diag(found))[0]
        assert least >= -1e-12 * np.trace(covariance)
        if assets == 40:  # a factor model with few factors has about its specific variances
            assert found.sum() >= 0.5 * np.trace(own)


def test_a_covariance_without_a_part_of_its_own() -> None:
    loads = np.random.default_rng(0).normal(size=(6, 2))
    assert not specific_variances(loads @ loads.T).any()
    assert SplitRisk.of(Covariance(loads), 0.0, 1.0) is None
    assert specific_variances(np.zeros((0, 0))).shape == (0,)
    assert SplitRisk.of(Covariance(np.eye(3)), 0.0, np.inf) is None


def test_no_tracking_error_is_below_its_bound() -> None:
    draw = np.random.default_rng(1)
    for _ in range(300):
        loads, own = factor_model(draw, 6, 2)
        factor = np.linalg.cholesky(loads @ loads.T + own)
        errors = draw.normal(0.0, 0.1, (50, 6))
        risks = np.linalg.norm(errors @ factor, axis=1)
        split = SplitRisk.of(Covariance(factor), float(risks.min()), float(risks.max()))
        assert split is not None
        curved = split.at(draw.normal(0.0, 0.1, 6))
        bounds = curved.constant + errors @ curved.slopes + errors**2 @ curved.squares
        assert (bounds <= risks + 1e-12).all()
        at_itself = split.at(errors[0])
        exact = at_itself.constant + errors[0] @ at_itself.slopes + errors[0] ** 2 @ at_itself.squares
        line = split.least + (risks[0] ** 2 - split.least**2) / (split.least + split.most)
        assert exact == pytest.approx(line, rel=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_left_of_a_nearly_singular_covariance_is_positive_in_exact_numbers(seed: int) -> None:
    """Inverting a condition of 1e9 leaves errors of 1e-7, by which a proof would be wrong."""
    generator = np.random.default_rng(seed)
    vectors, _ = np.linalg.qr(generator.normal(size=(6, 6)))
    covariance = (vectors * np.geomspace(1.0, 10.0 ** generator.uniform(-9.5, -8.0), 6)) @ vectors.T
    covariance = 0.5 * (covariance + covariance.T)
    left = [[Fraction(each) for each in row] for row in covariance.tolist()]
    for i, part in enumerate(specific_variances(covariance).tolist()):
        assert part > 0.0
        left[i][i] -= Fraction(part)
    for k in range(6):  # the pivots of Gaussian elimination
        assert left[k][k] > 0
        for i in range(k + 1, 6):
            factor = left[i][k] / left[k][k]
            left[i] = [a - factor * b for a, b in zip(left[i], left[k], strict=True)]

"""Recursive bisection where the risks of assets differ by many orders of magnitude."""

import numpy as np
import pytest

from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import Hierarchical
from domain.optimization.solve import solve


@pytest.mark.parametrize("variances", [(1e-6, 1e12, 4e12), (4e12, 1e-6, 1e12, 1e-6), (0.04, 0.04, 1e14, 1e14)])
def test_uncorrelated_assets_have_weights_in_proportion_to_inverse_variances(variances: tuple[float, ...]) -> None:
    # Each split shares by the inverse of 1 / sum of inverse variances, so that all weights end up as 1 / variance.
    inverse = 1.0 / np.array(variances)
    names = tuple(f"S{i}" for i in range(len(variances)))
    moments = Moments.of(names, np.zeros(len(names)), np.diag(variances), 1.0)
    weights = solve(Problem(moments, Hierarchical())).weights
    np.testing.assert_allclose(weights, inverse / inverse.sum(), rtol=1e-9, atol=1e-15)

"""What a certificate says of multipliers: those of bounds that are reached leave no residual."""

import numpy as np
import pytest

from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import WeightBounds
from domain.optimization.request.objectives import MaxReturn, MaxUtility, MinRisk, Objective
from domain.optimization.solve import solve

MOMENTS = Moments.of("ABCD", [0.01, 0.02, 0.03, 0.01], np.diag([0.04, 0.09, 0.16, 0.25]), 1.0)


@pytest.mark.parametrize("objective", [MinRisk(), MaxUtility(2.0), MaxReturn()], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("bounds", [(0.0, 0.3), (0.2, 0.9), (-0.5, 0.5)])
def test_bounds_that_are_reached_leave_no_residual(objective: Objective, bounds: tuple[float, float]) -> None:
    solution = solve(Problem(MOMENTS, objective, constraints=(WeightBounds("bounds", *bounds),)))
    assert solution.certificate.dual_residual is not None
    assert solution.certificate.dual_residual <= 1e-12

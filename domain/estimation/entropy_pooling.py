"""Views by entropy pooling: the reweighting of scenarios that is closest to the given one and meets them.

Least sum q ln(q / p) with E_q[view] equal to what is expected (Meucci 2008, "Fully flexible views", equation 6). The
solution is p tilted by exp(lambda . view); lambda minimises the convex dual ln E_p exp(lambda . (view - expected)).
"""

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.estimation.contradictions import check_consistent, unreachable

STEPS = 200
MET = 1e-24
"""Squared Newton decrement below which the views are met to rounding."""

NEAR = 1e-10

MISSED = 1e-9
"""How far, relative to the spread of a view's outcomes, its expectation may be off."""


def entropy_pooled(
    outcomes: Matrix, expected: Vector, probabilities: Vector, check_cancelled: CancellationCheck = never_cancelled
) -> Vector:
    """Probabilities (S,) under which K views' outcomes (S, K) have the expected means (K,).

    Raises InvalidInput where no reweighting meets them.
    """
    spread = np.ptp(outcomes, axis=0)
    if (spread <= 0.0).any():
        i = int(np.argmin(spread))
        raise InvalidInput(
            f"views[{i}]", "is on a combination that does not vary, so no reweighting can change it; leave it out"
        )
    away = (outcomes - expected) / spread
    if not np.isfinite(away).all():
        raise InvalidInput("views", "are too large to compute with; express them as returns per year, 0.05 for 5 %")
    centre = probabilities @ outcomes
    weighted = (outcomes - centre) * np.sqrt(probabilities)[:, None]
    check_consistent(weighted.T, spread, expected - centre, np.arange(len(expected)))
    tilt = np.zeros(len(expected))
    q, value = _tilted(away, tilt, probabilities)
    for _ in range(STEPS):
        check_cancelled()
        gradient = q @ away
        centred = away - gradient
        curvature = centred.T @ (centred * q[:, None])
        direction = -np.linalg.lstsq(curvature, gradient, rcond=1e-12)[0]
        decrement = -float(gradient @ direction)
        if decrement <= MET:
            break
        length = 1.0
        while True:
            trial = tilt + length * direction
            q, lower = _tilted(away, trial, probabilities)
            # Close to the minimum the dual is flat to rounding, and the full step is right.
            if lower <= value - 1e-4 * length * decrement or decrement < NEAR or length < 1e-12:
                break
            length *= 0.5
        tilt, value = trial, lower
    if not np.abs(q @ away).max() <= MISSED:
        raise unreachable(outcomes[probabilities > 0.0], expected)
    return q


def _tilted(away: Matrix, tilt: Vector, probabilities: Vector) -> tuple[Vector, float]:
    exponent = away @ tilt
    top = float(exponent.max())
    weights = probabilities * np.exp(exponent - top)
    total = float(weights.sum())
    return weights / total, top + float(np.log(total))

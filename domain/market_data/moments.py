"""Expected returns and covariance as one frozen object, both per period."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from domain.checks import (
    EIGENVALUE_TOLERANCE,
    Matrix,
    Vector,
    figure,
    figures,
    finite,
    freeze,
    frequency,
    same_length,
    square,
    symmetric,
    unique_symbols,
)
from domain.errors import InvalidInput
from domain.records import dataclass

SMALLEST_VARIANCE = 1e-100
"""Programs are scaled by variances and their inverses, which overflow below this."""


@dataclass(frozen=True, slots=True)
class CovarianceRepair:
    """Repair of a covariance that was not positive semidefinite."""

    smallest_eigenvalue: float  # before the repair, per period
    largest_change: float  # the largest absolute change of an entry


@dataclass(frozen=True, slots=True)
class Moments:
    """Expected returns and covariance of N assets, per period. Build it with `of`, which checks."""

    symbols: tuple[str, ...]
    expected_returns: Vector  # (N,)
    covariance: Matrix  # (N, N), symmetric positive semidefinite
    periods_per_year: float
    repair: CovarianceRepair | None = None

    @classmethod
    def of(
        cls,
        symbols: Sequence[str],
        expected_returns: ArrayLike,
        covariance: ArrayLike,
        periods_per_year: float,
        *,
        repair_covariance: bool = False,
    ) -> "Moments":
        """Checked moments; `covariance` is (N, N) or its N*N row-major entries.

        Raises InvalidInput when sizes disagree, an entry is not finite, the covariance is asymmetric beyond rounding,
        or it has a negative eigenvalue and `repair_covariance` is off.
        """
        names = unique_symbols("symbols", symbols)
        means = finite("expected_returns", expected_returns).reshape(-1)
        same_length("expected_returns", means, "symbols", names)
        matrix = symmetric("covariance", square("covariance", covariance, len(names)))
        frequency("periods_per_year", periods_per_year)
        matrix, repair = _semidefinite(matrix, repair_covariance)
        return cls(names, freeze(means), freeze(matrix), float(periods_per_year), repair)

    def require_solvable(self) -> None:
        """Raises InvalidInput for figures of a size that solvers cannot calculate with."""
        figures("expected_returns", self.expected_returns)
        figures("covariance", self.covariance)
        figure("periods_per_year", self.periods_per_year)
        variances = self.covariance.diagonal()
        if len(tiny := np.flatnonzero((variances > 0.0) & (variances < SMALLEST_VARIANCE))):
            i = int(tiny[0])
            rule = f"must be 0 or at least {SMALLEST_VARIANCE:g}, is {variances[i]:g}: its inverse would overflow"
            raise InvalidInput(f"covariance[{i * len(variances) + i}]", rule)

    @property
    def volatilities(self) -> Vector:
        """Standard deviation of each asset per period, (N,)."""
        result: Vector = np.sqrt(np.maximum(self.covariance.diagonal(), 0.0))
        return result


def _semidefinite(matrix: Matrix, repair: bool) -> tuple[Matrix, CovarianceRepair | None]:
    if _is_semidefinite(matrix):
        return matrix, None
    values, vectors = np.linalg.eigh(matrix)
    smallest, largest = float(values[0]), float(values[-1])
    if smallest >= -EIGENVALUE_TOLERANCE * max(largest, 0.0):
        return matrix, None
    if not repair:
        raise InvalidInput(
            "covariance",
            f"must be positive semidefinite, its smallest eigenvalue is {smallest:.6g}; "
            "set repair_covariance to true to use the nearest semidefinite matrix",
        )
    fixed = (vectors * values.clip(min=0.0)) @ vectors.T
    fixed = 0.5 * (fixed + fixed.T)
    # An asset without variance has none after the repair either; rounding would leave it some.
    still = ~matrix.any(axis=0)
    fixed[still], fixed[:, still] = 0.0, 0.0
    return fixed, CovarianceRepair(smallest, float(np.abs(fixed - matrix).max()))


def _is_semidefinite(matrix: Matrix) -> bool:
    """Whether Cholesky proves that no eigenvalue is below the tolerance; False leaves it to the eigenvalues.

    Its cost is a twentieth of theirs. The diagonal is raised by no more than the tolerance, since the largest
    eigenvalue is at least the largest variance; without that, every covariance of fewer returns than assets would fail.
    """
    raised = matrix.copy()
    raised.flat[:: len(matrix) + 1] += EIGENVALUE_TOLERANCE * matrix.diagonal().max()
    try:
        np.linalg.cholesky(raised)
    except np.linalg.LinAlgError:
        return False
    return True

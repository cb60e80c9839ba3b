"""The optimal trajectory without limits.

Holdings x_k (N,) minimise sum n_k' H n_k / tau + lambda tau sum x_k' C x_k with n_k = x_(k-1) - x_k, x_0 = X, x_T = 0:
lambda tau C x_k + H (2 x_k - x_(k-1) - x_(k+1)) / tau = 0, a block-tridiagonal system. In the eigenvectors of
H^-1/2 C H^-1/2 it falls apart into one equation for each, of which the solution is
y_k = y_0 sinh(kappa (T - k) tau) / sinh(kappa T tau) with cosh(kappa tau) = 1 + lambda Lambda tau^2 / 2
(Almgren and Chriss 2000, eq. 16 to 18, and appendix A for several assets). The cost is N^3 + T N^2, or T N without
correlation.
"""

import numpy as np

from domain.checks import Matrix, Vector
from domain.reallocation.optimal_execution.problem import ExecutionProblem


def unlimited_trajectory(problem: ExecutionProblem) -> Matrix:
    """Units that are held after each period, from before the first one: (T + 1, N)."""
    root = np.sqrt(problem.impact)
    volatilities = problem.prices.volatilities / root
    scaled = problem.units * root
    if problem.prices.correlation is None:
        remaining = scaled * _decay(problem, volatilities**2) / root
    else:
        eigenvalues, vectors = np.linalg.eigh(problem.prices.correlation * np.outer(volatilities, volatilities))
        modes = (vectors.T @ scaled) * _decay(problem, np.maximum(eigenvalues, 0.0))
        remaining = modes @ vectors.T / root
    remaining[0], remaining[-1] = problem.units, 0.0
    return remaining


def _decay(problem: ExecutionProblem, variances: Vector) -> Matrix:
    """sinh(kappa (T - k) tau) / sinh(kappa T tau), (T + 1, N); without risk or aversion a straight line."""
    periods, step = problem.periods, problem.period_length
    # arccosh(1 + a^2 / 2) = 2 arcsinh(a / 2) keeps its digits where a is small.
    rate = 2.0 * np.arcsinh(0.5 * np.sqrt(problem.risk_aversion * variances) * step)
    done = np.arange(periods + 1, dtype=np.float64)[:, None]
    left = periods - done
    # Powers of exp(-rate) do not overflow.
    curved = rate * periods > 1e-9
    safe = np.where(curved, rate, 1.0)
    hyperbolic = np.exp(-done * safe) * np.expm1(-2.0 * left * safe) / np.expm1(-2.0 * periods * safe)
    result: Matrix = np.where(curved, hyperbolic, left / periods)
    return result

"""Whether something known in advance foretells exceptions (Engle & Manganelli 2004).

"CAViaR: conditional autoregressive value at risk by regression quantiles", Journal of Business & Economic Statistics
22(4), the out-of-sample test of section 4.
"""

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.risk.validation.chi_square import chi_square_survival
from domain.risk.validation.exceptions import Exceptions
from domain.risk.validation.verdict import PValueMethod, Verdict

LAGS = 4

DEPENDENT = 1e-9
"""Singular value, relative to the largest, below which regressors of length one are linearly dependent."""


def dynamic_quantile(exceptions: Exceptions, lags: int = LAGS) -> Verdict:
    """H'X (X'X)^+ X'H / (p (1 - p)), with H = hits - p from t = lags + 1 on; its p-value is asymptotic.

    X holds a constant, the lagged H and the forecast of value at risk itself. Where these are linearly dependent, as
    for a constant forecast or without exceptions, the chi-squared distribution has the rank of X as its degrees.
    """
    if lags < 0:
        raise InvalidInput("lags", f"must be 0 or more, is {lags}")
    columns = lags + 2
    if exceptions.observations - lags <= columns:
        return Verdict.undefined(f"needs more than {lags + columns} observations for {lags} lags")
    tail = exceptions.tail_probability
    surplus = exceptions.hits.astype(np.float64) - tail
    basis = _basis(_regressors(surplus, exceptions.value_at_risk, lags))
    rank = basis.shape[1]
    explained = basis.T @ surplus[lags:]
    statistic = float(explained @ explained) / (tail * (1.0 - tail))
    p_value = chi_square_survival(statistic, rank)
    return Verdict(
        statistic=statistic,
        p_value=p_value,
        method=PValueMethod.ASYMPTOTIC,
        p_value_asymptotic=p_value,
        degrees_of_freedom=rank,
        note=None if rank == columns else f"of {columns} regressors {rank} are linearly independent",
    )


def _regressors(surplus: Vector, forecast: Vector, lags: int) -> Matrix:
    """(T - lags, lags + 2), each column of length one."""
    total = len(surplus)
    lagged = [surplus[lags - lag : total - lag] for lag in range(1, lags + 1)]
    columns = np.column_stack([np.ones(total - lags), *lagged, forecast[lags:]])
    # What is measured is a projection, which no scale of a column changes; the rank is read from equal scales.
    columns /= np.maximum(np.abs(columns).max(axis=0), np.finfo(np.float64).tiny)
    lengths = np.linalg.norm(columns, axis=0)
    result: Matrix = columns / np.where(lengths > 0.0, lengths, 1.0)
    return result


def _basis(columns: Matrix) -> Matrix:
    """Orthonormal columns that span the same space."""
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    result: Matrix = left[:, singular > DEPENDENT * singular[0]]
    return result

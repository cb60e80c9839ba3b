"""The example of Almgren and Chriss 2000, section 4, for several assets."""

import numpy as np

from domain.checks import Matrix
from domain.reallocation.optimal_execution.problem import ExecutionProblem, PriceModel

SHARES = 1e6


def published(
    units: list[float],
    rho: float | None = None,
    largest: Matrix | None = None,
    hedge: bool = False,
    risk_aversion: float = 1e-6,
    periods: int = 5,
    volatility: float = 0.95,
) -> ExecutionProblem:
    """So many units of assets that are all like the one of the example, with one correlation."""
    ones = np.ones(len(units))
    correlation = None if rho is None else np.where(np.eye(len(units)) > 0.0, 1.0, rho)
    prices = PriceModel(2.5e-6 * ones, 2.5e-7 * ones, 0.0625 * ones, volatility * ones, correlation)
    return ExecutionProblem(np.array(units), prices, risk_aversion, periods, 1.0, largest, hedge)


def random_problem(rng: np.random.Generator, hedge: bool = False, limited: bool = True) -> ExecutionProblem:
    """Some assets, some of which are not traded, of which several are limited."""
    size, periods = int(rng.integers(1, 5)), int(rng.integers(1, 7))
    factors = rng.normal(size=(size, 2))
    covariance = factors @ factors.T + 0.1 * np.eye(size)
    scale = np.sqrt(covariance.diagonal())
    correlation = covariance / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    units = rng.uniform(-10.0, 10.0, size) * (rng.random(size) < 0.8)
    prices = PriceModel(
        rng.uniform(0.5, 2.0, size), rng.uniform(0.0, 0.4, size), np.full(size, 0.1), scale,
        correlation if rng.random() < 0.8 else None,
    )  # fmt: skip
    largest = np.where(rng.random((periods, size)) < 0.7, rng.uniform(0.0, 8.0, (periods, size)), np.inf)
    aversion = float(10.0 ** rng.uniform(-2.0, 1.0))
    return ExecutionProblem(units, prices, aversion, periods, 0.8, largest if limited else None, hedge)

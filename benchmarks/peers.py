"""The same jobs by the libraries people use today, each as its own documentation does it.

What a library takes, a frame or arrays, is made outside the clock; a library that takes arrays is given arrays.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd
from compiled import PEER as COMPILED
from compiled import compiled_jobs
from direct import direct_jobs
from market import FRONTIER_POINTS, Array, Market, Run

Jobs = Callable[[Market], Mapping[str, Run]]


def riskfolio_jobs(market: Market) -> Mapping[str, Run]:
    """Riskfolio-Lib with the moments set, one Portfolio for each run."""
    import riskfolio

    frame = pd.DataFrame(market.returns, columns=market.names)
    means = pd.DataFrame([market.means], columns=market.names)
    covariance = pd.DataFrame(market.covariance, market.names, market.names)

    def portfolio() -> Any:
        made = riskfolio.Portfolio(returns=frame)
        made.mu, made.cov = means, covariance
        return made

    def array(run: Callable[[], pd.DataFrame | None]) -> Run:
        def weights() -> Array:
            found = run()
            if found is None:
                raise RuntimeError("no answer")
            return found.to_numpy().T if found.shape[1] > 1 else found.to_numpy()[:, 0]

        return weights

    return {
        "min_variance": array(lambda: portfolio().optimization(model="Classic", rm="MV", obj="MinRisk", rf=0, l=0)),
        "max_ratio": array(lambda: portfolio().optimization(model="Classic", rm="MV", obj="Sharpe", rf=0, l=0)),
        "min_cvar": array(lambda: portfolio().optimization(model="Classic", rm="CVaR", obj="MinRisk", rf=0, l=0)),
        "risk_parity": array(lambda: portfolio().rp_optimization(model="Classic", rm="MV", rf=0, b=None)),
        "hrp": array(lambda: riskfolio.HCPortfolio(returns=frame).optimization(model="HRP", rm="MV")),
        "frontier": array(
            lambda: portfolio().efficient_frontier(model="Classic", rm="MV", points=FRONTIER_POINTS, rf=0)
        ),
    }


def skfolio_jobs(market: Market) -> Mapping[str, Run]:
    """skfolio, which estimates the sample moments itself as it fits."""
    from skfolio import RiskMeasure
    from skfolio.optimization import HierarchicalRiskParity, MeanRisk, ObjectiveFunction, RiskBudgeting

    returns = market.returns

    def fitted(**arguments: Any) -> Run:
        return lambda: np.asarray(MeanRisk(**arguments).fit(returns).weights_)

    return {
        "min_variance": fitted(risk_measure=RiskMeasure.VARIANCE),
        "max_ratio": fitted(
            risk_measure=RiskMeasure.STANDARD_DEVIATION, objective_function=ObjectiveFunction.MAXIMIZE_RATIO
        ),
        "min_cvar": fitted(risk_measure=RiskMeasure.CVAR),
        "risk_parity": lambda: np.asarray(RiskBudgeting(risk_measure=RiskMeasure.VARIANCE).fit(returns).weights_),
        "hrp": lambda: np.asarray(HierarchicalRiskParity(risk_measure=RiskMeasure.VARIANCE).fit(returns).weights_),
        "frontier": fitted(risk_measure=RiskMeasure.VARIANCE, efficient_frontier_size=FRONTIER_POINTS),
    }


def pypfopt_jobs(market: Market) -> Mapping[str, Run]:
    """PyPortfolioOpt with the moments set; it has no risk parity."""
    from pypfopt import CLA, EfficientCVaR, EfficientFrontier, HRPOpt

    means, covariance = market.means, market.covariance
    frame = pd.DataFrame(market.returns, columns=market.names)  # its hierarchy takes a frame only

    def array(weights: Mapping[Any, float]) -> Array:
        return np.fromiter(weights.values(), float)

    def tree() -> Array:
        weights = HRPOpt(frame).optimize()
        return np.array([weights[name] for name in market.names])

    def frontier() -> Array:
        _, _, weights = CLA(means, covariance).efficient_frontier(points=FRONTIER_POINTS)
        return np.array([np.ravel(one) for one in weights])

    return {
        "min_variance": lambda: array(EfficientFrontier(means, covariance).min_volatility()),
        "max_ratio": lambda: array(EfficientFrontier(means, covariance).max_sharpe(risk_free_rate=0.0)),
        "min_cvar": lambda: array(EfficientCVaR(means, market.returns).min_cvar()),
        "hrp": tree,
        "frontier": frontier,
    }


LIBRARIES: Mapping[str, Jobs] = {
    "riskfolio-lib": riskfolio_jobs,
    "skfolio": skfolio_jobs,
    "pyportfolioopt": pypfopt_jobs,
}


def jobs_of_peers(market: Market) -> Mapping[str, Mapping[str, Run]]:
    """For each peer its jobs: libraries that are installed, cvxpy compiled once, and solvers by themselves."""
    found = {f"{name} {version(name)}": jobs(market) for name, jobs in LIBRARIES.items() if is_installed(name)}
    return found | {COMPILED: compiled_jobs(market, FRONTIER_POINTS)} | direct_jobs(market, FRONTIER_POINTS)


@cache
def is_installed(distribution: str) -> bool:
    """Whether it is; one that is not is told on standard error once."""
    try:
        version(distribution)
    except PackageNotFoundError:
        print(f"# {distribution} is not installed", file=sys.stderr)
        return False
    return True

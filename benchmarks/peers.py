"""The same jobs by the libraries people use today, each as its own documentation does it."""

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Run = Callable[[], Array]
"""Weights (N,), or a frontier (points, N)."""

FRONTIER_POINTS = 50


@dataclass(frozen=True)
class Market:
    """What every library is given."""

    names: list[str]
    returns: Array  # (T, N)
    means: Array
    covariance: Array

    @property
    def frame(self) -> pd.DataFrame:
        """The returns with names."""
        return pd.DataFrame(self.returns, columns=self.names)

    @property
    def series(self) -> tuple[pd.Series, pd.DataFrame]:
        """The moments with names."""
        return pd.Series(self.means, self.names), pd.DataFrame(self.covariance, self.names, self.names)


def riskfolio_jobs(market: Market) -> Mapping[str, Run]:
    """Riskfolio-Lib with the moments set, one Portfolio for each run."""
    import riskfolio

    frame = market.frame
    means, covariance = market.series

    def portfolio() -> Any:
        made = riskfolio.Portfolio(returns=frame)
        made.mu, made.cov = means.to_frame().T, covariance
        return made

    def quiet(run: Callable[[], pd.DataFrame | None]) -> Run:
        def weights() -> Array:
            with redirect_stdout(io.StringIO()):
                found = run()
            if found is None:
                raise RuntimeError("no answer")
            return found.to_numpy().T if found.shape[1] > 1 else found.to_numpy()[:, 0]

        return weights

    return {
        "min_variance": quiet(lambda: portfolio().optimization(model="Classic", rm="MV", obj="MinRisk", rf=0, l=0)),
        "max_ratio": quiet(lambda: portfolio().optimization(model="Classic", rm="MV", obj="Sharpe", rf=0, l=0)),
        "min_cvar": quiet(lambda: portfolio().optimization(model="Classic", rm="CVaR", obj="MinRisk", rf=0, l=0)),
        "risk_parity": quiet(lambda: portfolio().rp_optimization(model="Classic", rm="MV", rf=0, b=None)),
        "hrp": quiet(lambda: riskfolio.HCPortfolio(returns=frame).optimization(model="HRP", rm="MV")),
        "frontier": quiet(
            lambda: portfolio().efficient_frontier(model="Classic", rm="MV", points=FRONTIER_POINTS, rf=0)
        ),
    }


def skfolio_jobs(market: Market) -> Mapping[str, Run]:
    """skfolio, which estimates the sample moments itself as it fits."""
    from skfolio import RiskMeasure
    from skfolio.optimization import HierarchicalRiskParity, MeanRisk, ObjectiveFunction, RiskBudgeting

    frame = market.frame

    def fitted(**arguments: Any) -> Run:
        return lambda: np.asarray(MeanRisk(**arguments).fit(frame).weights_)

    return {
        "min_variance": fitted(risk_measure=RiskMeasure.VARIANCE),
        "max_ratio": fitted(
            risk_measure=RiskMeasure.STANDARD_DEVIATION, objective_function=ObjectiveFunction.MAXIMIZE_RATIO
        ),
        "min_cvar": fitted(risk_measure=RiskMeasure.CVAR),
        "risk_parity": lambda: np.asarray(RiskBudgeting(risk_measure=RiskMeasure.VARIANCE).fit(frame).weights_),
        "hrp": lambda: np.asarray(HierarchicalRiskParity(risk_measure=RiskMeasure.VARIANCE).fit(frame).weights_),
        "frontier": fitted(risk_measure=RiskMeasure.VARIANCE, efficient_frontier_size=FRONTIER_POINTS),
    }


def pypfopt_jobs(market: Market) -> Mapping[str, Run]:
    """PyPortfolioOpt with the moments set; it has no risk parity."""
    from pypfopt import CLA, EfficientCVaR, EfficientFrontier, HRPOpt

    frame = market.frame
    means, covariance = market.series

    def array(weights: Mapping[str, float]) -> Array:
        return np.array([weights[name] for name in market.names])

    def frontier() -> Array:
        _, _, weights = CLA(means, covariance).efficient_frontier(points=FRONTIER_POINTS)
        return np.array([np.ravel(one) for one in weights])

    return {
        "min_variance": lambda: array(EfficientFrontier(means, covariance).min_volatility()),
        "max_ratio": lambda: array(EfficientFrontier(means, covariance).max_sharpe(risk_free_rate=0.0)),
        "min_cvar": lambda: array(EfficientCVaR(means, frame).min_cvar()),
        "hrp": lambda: array(HRPOpt(frame).optimize()),
        "frontier": frontier,
    }


PEERS = {
    f"riskfolio-lib {version('riskfolio-lib')}": riskfolio_jobs,
    f"skfolio {version('skfolio')}": skfolio_jobs,
    f"pyportfolioopt {version('pyportfolioopt')}": pypfopt_jobs,
}

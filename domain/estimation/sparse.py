"""Covariances whose inverse is sparse: graphical lasso and local-global inversion."""

import warnings

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, positive, varying
from domain.errors import InvalidInput, SolverFailed
from domain.estimation.filtered_graph import CLIQUE, filtered_graph
from domain.records import dataclass

ITERATIONS = 1000
FOLDS = 5
"""Parts of the returns that a penalty is tried on."""


@dataclass(frozen=True, slots=True)
class GraphicalLasso:
    """Friedman, Hastie & Tibshirani 2008 on the correlation; without a penalty, one by cross-validation.

    On the correlation, so that a penalty means the same whatever the unit of returns.
    """

    penalty: float | None = None

    def __post_init__(self) -> None:
        if self.penalty is not None:
            positive("covariance.graphical_lasso.penalty", self.penalty)

    def estimate(self, returns: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> Matrix:
        """Covariance of (T, N) returns, (N, N)."""
        deviations = varying("covariance.graphical_lasso", returns).std(axis=0, ddof=1)
        if len(deviations) == 1:
            return np.atleast_2d(np.cov(returns.T))  # a penalty on what is off the diagonal has nothing to penalise
        from sklearn.covariance import GraphicalLassoCV, graphical_lasso  # 1 s of import, in worker processes
        from sklearn.exceptions import ConvergenceWarning

        if self.penalty is None and len(returns) < FOLDS:
            raise InvalidInput(
                "covariance.graphical_lasso", f"needs {FOLDS} returns to choose its penalty, or a penalty"
            )
        check_cancelled()
        standardised = (returns - returns.mean(axis=0)) / deviations
        try:
            with warnings.catch_warnings():
                # Trying penalties it runs into singular ones, and says so while it passes over them.
                warnings.simplefilter("ignore" if self.penalty is None else "error")
                if self.penalty is None:
                    chosen = GraphicalLassoCV(max_iter=ITERATIONS).fit(standardised)
                    correlation = chosen.covariance_
                    if chosen.n_iter_ >= chosen.max_iter:
                        raise FloatingPointError("the chosen penalty ended at its iteration limit")
                else:
                    correlation = graphical_lasso(np.corrcoef(returns.T), self.penalty)[0]
        except (FloatingPointError, RuntimeWarning, ConvergenceWarning) as error:
            raise SolverFailed("the graphical lasso did not converge; try another penalty") from error
        result: Matrix = correlation * np.outer(deviations, deviations)
        return result


@dataclass(frozen=True, slots=True)
class LocalGlobal:
    """j-LoGo: the inverse of a chordal network of the strongest correlations (Barfuss et al. 2016).

    The network is the triangulated maximally filtered graph. The inverse is the sum of those of its cliques of four
    less those of the triangles that separate them.
    """

    def estimate(self, returns: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> Matrix:
        """Covariance of (T, N) returns, (N, N)."""
        covariance = np.atleast_2d(np.cov(varying("covariance.j_logo", returns).T))
        size = len(covariance)
        if size <= CLIQUE:
            return covariance
        deviations = np.sqrt(np.diag(covariance))
        graph = filtered_graph(0.5 + 0.5 * covariance / np.outer(deviations, deviations), check_cancelled)
        inverse = np.zeros_like(covariance)
        for sign, parts in ((1.0, graph.cliques), (-1.0, graph.separators)):
            for part in parts:
                check_cancelled()
                places = np.ix_(part, part)
                inverse[places] += sign * np.linalg.inv(covariance[places])
        result = np.asarray(np.linalg.inv(inverse), dtype=np.float64)
        return 0.5 * (result + result.T)

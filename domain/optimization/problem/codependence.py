"""How alike the assets of a problem are, for trees and networks of them."""

import numpy as np

from domain.errors import NotSupported
from domain.estimation import codependence as alike
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.request.objectives import CodependenceMeasure
from domain.progress import OnProgress, no_progress


def codependence_of(
    kind: CodependenceMeasure, moments: Moments, scenarios: Scenarios | None, on_progress: OnProgress = no_progress
) -> alike.Codependence:
    """Likeness of the assets. Raises NotSupported where it needs returns and there are none."""
    if kind is CodependenceMeasure.CUSTOM_COVARIANCE or (kind is CodependenceMeasure.PEARSON and scenarios is None):
        return alike.signed(alike.correlation_of(moments.covariance))
    if scenarios is None:
        raise NotSupported(f"the likeness {kind} needs returns or prices; of moments use CUSTOM_COVARIANCE")
    if np.ptp(scenarios.probabilities) > 1e-12:
        raise NotSupported("a likeness is that of equally likely scenarios, and these are not")
    returns = scenarios.values
    match kind:
        case CodependenceMeasure.SPEARMAN:
            return alike.signed(alike.spearman(returns))
        case CodependenceMeasure.KENDALL:
            return alike.signed(alike.kendall(returns, on_progress))
        case CodependenceMeasure.GERBER1:
            return alike.signed(alike.gerber(returns, 1))
        case CodependenceMeasure.GERBER2:
            return alike.signed(alike.gerber(returns, 2))
        case CodependenceMeasure.ABSOLUTE_PEARSON:
            return alike.unsigned(np.abs(alike.pearson(returns)))
        case CodependenceMeasure.ABSOLUTE_SPEARMAN:
            return alike.unsigned(np.abs(alike.spearman(returns)))
        case CodependenceMeasure.ABSOLUTE_KENDALL:
            return alike.unsigned(np.abs(alike.kendall(returns, on_progress)))
        case CodependenceMeasure.DISTANCE:
            return alike.unsigned(alike.distance_correlation(returns, on_progress))
        case CodependenceMeasure.MUTUAL_INFORMATION:
            return alike.information(returns, on_progress)
        case CodependenceMeasure.TAIL:
            return alike.tail(returns)
    return alike.signed(alike.pearson(returns))

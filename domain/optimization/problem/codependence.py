"""Codependence of a problem's assets, for clustering and asset networks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import constant_columns
from domain.errors import InvalidInput, NotSupported
from domain.estimation import codependence
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.optimization.request.objectives import CodependenceMeasure


def codependence_of(
    kind: CodependenceMeasure,
    moments: Moments,
    scenarios: Scenarios | None,
    check_cancelled: CancellationCheck = never_cancelled,
) -> codependence.Codependence:
    """Codependence of the assets. Raises NotSupported where it needs returns and there are none, InvalidInput where it
    needs every asset to vary and one does not."""
    if kind is CodependenceMeasure.CUSTOM_COVARIANCE or (kind is CodependenceMeasure.PEARSON and scenarios is None):
        _require_varying("covariance", moments.symbols, np.diag(moments.covariance) > 0.0)
        return codependence.signed(codependence.correlation_of(moments.covariance))
    if scenarios is None:
        raise NotSupported(f"the codependence {kind} needs returns or prices; of moments use CUSTOM_COVARIANCE")
    if np.ptp(scenarios.probabilities) > 1e-12:
        raise NotSupported("codependence is measured over equally likely scenarios, and these are not")
    returns = scenarios.values
    if kind is not CodependenceMeasure.MUTUAL_INFORMATION:
        _require_varying("returns", scenarios.symbols, ~constant_columns(returns))
    match kind:
        case CodependenceMeasure.SPEARMAN:
            return codependence.signed(codependence.spearman(returns))
        case CodependenceMeasure.KENDALL:
            return codependence.signed(codependence.kendall(returns, check_cancelled))
        case CodependenceMeasure.GERBER1:
            return codependence.signed(codependence.gerber(returns, 1))
        case CodependenceMeasure.GERBER2:
            return codependence.signed(codependence.gerber(returns, 2))
        case CodependenceMeasure.ABSOLUTE_PEARSON:
            return codependence.unsigned(np.abs(codependence.pearson(returns)))
        case CodependenceMeasure.ABSOLUTE_SPEARMAN:
            return codependence.unsigned(np.abs(codependence.spearman(returns)))
        case CodependenceMeasure.ABSOLUTE_KENDALL:
            return codependence.unsigned(np.abs(codependence.kendall(returns, check_cancelled)))
        case CodependenceMeasure.DISTANCE:
            return codependence.unsigned(codependence.distance_correlation(returns, check_cancelled))
        case CodependenceMeasure.MUTUAL_INFORMATION:
            return codependence.information(returns, check_cancelled)
        case CodependenceMeasure.TAIL:
            return codependence.tail(returns)
    return codependence.signed(codependence.pearson(returns))


def _require_varying(field_name: str, symbols: Sequence[str], varies: NDArray[np.bool_]) -> None:
    if not varies.all():
        symbol = symbols[int(np.argmin(varies))]
        raise InvalidInput(field_name, f"a similarity needs every asset to vary, {symbol} does not")

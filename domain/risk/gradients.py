"""Gradients of measures: derivatives with respect to each outcome, from which contributions follow.

Every measure of the contract is positively homogeneous in the returns, of degree one or two, so that gradient times
returns is the measure, or twice it (Euler). Whatever the returns are a sum of, its parts have
contributions that add up in the same way (Tasche 1999).
"""

import numpy as np

from domain.checks import Vector
from domain.errors import NotSupported
from domain.risk.measures import RiskMeasure
from domain.risk.measures.drawdown import ulcer_index, uncompounded_drawdowns
from domain.risk.measures.entropic import entropic_weights, relativistic_weights
from domain.risk.measures.spectral import gini_spectrum, loss_weights, spectrum_of
from domain.risk.measures.tail import quantile_weights, tail_weights
from domain.risk.outcomes import Outcomes
from domain.risk.scenario_risk import loss_measure_of, one_sided

_OF_MOMENTS = frozenset(
    {
        RiskMeasure.VARIANCE,
        RiskMeasure.STANDARD_DEVIATION,
        RiskMeasure.SEMI_DEVIATION,
        RiskMeasure.MEAN_ABSOLUTE_DEVIATION,
        RiskMeasure.KURTOSIS,
        RiskMeasure.SEMI_KURTOSIS,
        RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT,
        RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT,
    }
)


def scenario_gradient(measure: RiskMeasure, outcomes: Outcomes, confidence_level: float) -> Vector:
    """Gradient of the measure with respect to the S returns, (S,); at a kink a subgradient.

    Raises NotSupported as the measure itself does. Where a measure that is a root is 0, so is its gradient.
    """
    if measure.is_of_path:
        return _of_drawdowns(measure, outcomes, confidence_level)
    if measure in _OF_MOMENTS:
        return _of_moments(measure, outcomes)
    if measure is RiskMeasure.GINI_MEAN_DIFFERENCE:
        return -outcomes.correction * loss_weights(outcomes.returns, gini_spectrum, outcomes.probabilities)
    if measure in (RiskMeasure.TAIL_GINI, RiskMeasure.TAIL_GINI_RANGE):
        return -loss_weights(outcomes.returns, spectrum_of(measure, confidence_level), outcomes.probabilities)
    losses = one_sided(measure)
    if losses is None:
        return -_tail_weights(measure, outcomes, confidence_level)
    gains = Outcomes(-outcomes.returns, outcomes.probabilities)
    return _tail_weights(losses, gains, confidence_level) - _tail_weights(losses, outcomes, confidence_level)


def _of_moments(measure: RiskMeasure, outcomes: Outcomes) -> Vector:
    """Of the powers of the distance from the mean or from zero; the mean moves with the returns."""
    p, distance = outcomes.probability_vector, outcomes.returns - outcomes.mean
    below = np.maximum(-distance, 0.0)
    match measure:
        case RiskMeasure.VARIANCE:
            return 2.0 * outcomes.correction * p * distance
        case RiskMeasure.STANDARD_DEVIATION:
            return _of_root(outcomes.correction * p * distance, outcomes.deviation)
        case RiskMeasure.SEMI_DEVIATION:
            squared = outcomes.correction * float(p @ below**2)
            return _of_root(outcomes.correction * p * (float(p @ below) - below), squared**0.5)
        case RiskMeasure.MEAN_ABSOLUTE_DEVIATION:
            signs = np.sign(distance)
            result: Vector = p * (signs - float(p @ signs))
            return result
        case RiskMeasure.KURTOSIS:
            return _of_root(2.0 * p * (distance**3 - float(p @ distance**3)), float(p @ distance**4) ** 0.5)
        case RiskMeasure.SEMI_KURTOSIS:
            return _of_root(2.0 * p * (float(p @ below**3) - below**3), float(p @ below**4) ** 0.5)
    short = np.maximum(-outcomes.returns, 0.0)
    match measure:
        case RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT:
            return np.where(short > 0.0, -p, 0.0)
        case RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT:
            return _of_root(-p * short, float(p @ short**2) ** 0.5)
    raise NotSupported(f"{measure} is no measure of moments")


def _tail_weights(measure: RiskMeasure, outcomes: Outcomes, confidence_level: float) -> Vector:
    """The weight of each loss in a measure that is a weighted mean of losses."""
    match measure:
        case RiskMeasure.VALUE_AT_RISK:
            return quantile_weights(outcomes.returns, confidence_level, outcomes.uneven_probabilities)
        case RiskMeasure.CONDITIONAL_VALUE_AT_RISK:
            return tail_weights(outcomes.returns, confidence_level, outcomes.probabilities)
        case RiskMeasure.WORST_REALIZATION:
            return loss_weights(outcomes.returns, spectrum_of(measure, confidence_level), outcomes.probabilities)
        case RiskMeasure.ENTROPIC_VALUE_AT_RISK:
            return entropic_weights(-outcomes.returns, outcomes.probability_vector, confidence_level)
        case RiskMeasure.RELATIVISTIC_VALUE_AT_RISK:
            return relativistic_weights(-outcomes.equally_likely("RLVaR"), confidence_level)
    raise NotSupported(f"{measure} is not supported for a distribution of outcomes")


def _of_drawdowns(measure: RiskMeasure, outcomes: Outcomes, confidence_level: float) -> Vector:
    """A drawdown is the cumulative return at the last peak less the cumulative return now."""
    if outcomes.probabilities is not None:
        raise NotSupported(f"{measure} needs returns or prices: scenarios have no order in time")
    depths = uncompounded_drawdowns(outcomes.returns)
    weights = _drawdown_weights(measure, depths, confidence_level)
    level = np.concatenate([[0.0], np.cumsum(outcomes.returns)])
    # The index of the last peak at or before each date; the start has index 0.
    rises = level >= np.maximum.accumulate(level)
    peaks = np.maximum.accumulate(np.where(rises, np.arange(len(level)), 0))
    on_level = np.concatenate([[0.0], -weights])
    np.add.at(on_level, peaks[1:], weights)
    # Each return is part of every later level.
    return np.cumsum(on_level[::-1])[::-1][1:].copy()


def _drawdown_weights(measure: RiskMeasure, depths: Vector, confidence_level: float) -> Vector:
    count = len(depths)
    if measure is RiskMeasure.AVERAGE_DRAWDOWN:
        return np.full(count, 1.0 / count)
    if measure is RiskMeasure.ULCER_INDEX:
        return _of_root(depths / count, float(ulcer_index(depths)))
    return _tail_weights(loss_measure_of(measure), Outcomes(-depths), confidence_level)


def _of_root(gradient: Vector, root: float) -> Vector:
    """Gradient of a square root from half the gradient of what it is the root of; 0 where the root is 0."""
    return gradient / root if root > 0.0 else np.zeros_like(gradient)

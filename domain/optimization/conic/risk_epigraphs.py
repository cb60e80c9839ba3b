"""Epigraphs of risk measures: expressions that are at least the risk, and equal to it when minimised.

Every function takes a model and the portfolio's outcomes as expressions (S,) and gives one expression. All are
homogeneous of degree one in the outcomes: where a measure is of degree two, the expression is its root.
"""

import math

import numpy as np

from domain.checks import Vector
from domain.errors import NotSupported
from domain.optimization.programs.affine import Affine
from domain.optimization.programs.conic_model import ConicModel
from domain.risk.measures import RiskMeasure
from domain.risk.measures.entropic import KAPPA, deformed_logarithm
from domain.risk.scenario_risk import loss_measure_of, one_sided


def risk_expression(
    model: ConicModel,
    measure: RiskMeasure,
    outcomes: Affine,
    probabilities: Vector,
    confidence_level: float,
    *,
    observed: bool,
) -> Affine:
    """The measure of outcomes with probabilities; `observed` where they are a sample, which is corrected as one.

    Raises NotSupported for a measure that is not convex (VaR, DaR), or that weighs outcomes by their rank.
    """
    if measure.is_of_path:
        if not observed:
            raise NotSupported(f"{measure} needs returns or prices: scenarios have no order in time")
        return _of_losses(model, loss_measure_of(measure), _drawdowns(model, outcomes), probabilities, confidence_level)
    correction = len(probabilities) / max(len(probabilities) - 1, 1) if observed else 1.0
    match measure:
        case RiskMeasure.SEMI_DEVIATION:
            return math.sqrt(correction) * _norm(model, _below_mean(model, outcomes, probabilities), probabilities, 2)
        case RiskMeasure.MEAN_ABSOLUTE_DEVIATION:
            # What falls below the mean weighs as much as what rises above it.
            return 2.0 * _below_mean(model, outcomes, probabilities).total(probabilities)
        case RiskMeasure.KURTOSIS:
            return _norm(model, outcomes - _mean(model, outcomes, probabilities), probabilities, 4)
        case RiskMeasure.SEMI_KURTOSIS:
            return _norm(model, _below_mean(model, outcomes, probabilities), probabilities, 4)
    if (side := one_sided(measure)) is not None:
        losses = _of_losses(model, side, -outcomes, probabilities, confidence_level)
        return losses + _of_losses(model, side, outcomes, probabilities, confidence_level)
    return _of_losses(model, measure, -outcomes, probabilities, confidence_level)


SPECTRAL_ONLY = frozenset({RiskMeasure.GINI_MEAN_DIFFERENCE, RiskMeasure.TAIL_GINI, RiskMeasure.TAIL_GINI_RANGE})
"""Measures with so many weights of ranks that cones would need a variable for each pair of outcomes."""


def _of_losses(
    model: ConicModel, measure: RiskMeasure, losses: Affine, probabilities: Vector, confidence_level: float
) -> Affine:
    match measure:
        case RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT:
            return _positive_part(model, losses).total(probabilities)
        case RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT:
            return _norm(model, _positive_part(model, losses), probabilities, 2)
        case RiskMeasure.WORST_REALIZATION:
            worst = model.variables(1)
            model.nonnegative(worst - losses.at(np.flatnonzero(probabilities > 0.0)))
            return worst
        case RiskMeasure.CONDITIONAL_VALUE_AT_RISK:
            level = model.variables(1)
            return level + _positive_part(model, losses - level).total(probabilities / (1.0 - confidence_level))
        case RiskMeasure.ENTROPIC_VALUE_AT_RISK:
            return _entropic(model, losses, probabilities, confidence_level)
        case RiskMeasure.RELATIVISTIC_VALUE_AT_RISK:
            return _relativistic(model, losses, confidence_level)
        case RiskMeasure.VALUE_AT_RISK:
            raise NotSupported("VaR and drawdown at risk are not convex; use CVaR or CDaR instead")
    if measure in SPECTRAL_ONLY:
        raise NotSupported(
            f"{measure} weighs outcomes by their rank: it is optimised within linear limits and others of its kind,"
            " for minRisk, maxUtility and maxRatio, without trading costs"
        )
    raise NotSupported(f"{measure} is not supported here")


def _positive_part(model: ConicModel, expressions: Affine) -> Affine:
    part = model.positive(len(expressions))
    model.nonnegative(part - expressions)
    return part


def _below_mean(model: ConicModel, outcomes: Affine, probabilities: Vector) -> Affine:
    return _positive_part(model, _mean(model, outcomes, probabilities) - outcomes)


def _mean(model: ConicModel, outcomes: Affine, probabilities: Vector) -> Affine:
    """As a variable of its own: written out, it would fill every row it stands in."""
    mean = model.variables(1)
    model.zero(mean - outcomes.total(probabilities))
    return mean


def _norm(model: ConicModel, expressions: Affine, probabilities: Vector, order: int) -> Affine:
    """(sum p |e|^order)^(1 / order) for order 2 or 4."""
    bound = model.variables(1)
    if order == 2:
        model.second_order(bound, expressions.times(probabilities**0.5))
        return bound
    # e^2 <= u s, |sqrt(p) u| <= s: the least s is |e|_4.
    squared = model.variables(len(expressions))
    wide = bound.stretched(len(expressions))
    model.products(expressions, squared, wide)
    model.second_order(bound, squared.times(probabilities**0.5))
    return bound


def _drawdowns(model: ConicModel, outcomes: Affine) -> Affine:
    """How far the sum of outcomes is below its peak, with the peak as variables: d_t >= d_(t-1) - x_t, d_t >= 0."""
    count = len(outcomes)
    below = model.positive(count)
    before = below.at(np.arange(count - 1))
    rest = np.arange(1, count)
    model.nonnegative(below.at(np.array([0])) + outcomes.at(np.array([0])))
    if count > 1:
        model.nonnegative(below.at(rest) - before + outcomes.at(rest))
    return below


def _entropic(model: ConicModel, losses: Affine, probabilities: Vector, confidence_level: float) -> Affine:
    """min t - z ln(1 - confidence) with sum p u <= z and z exp((loss - t) / z) <= u (Ahmadi-Javid 2012)."""
    possible = np.flatnonzero(probabilities > 0.0)
    losses, weights = losses.at(possible), probabilities[possible]
    level, scale, tilted = model.variables(1), model.positive(1), model.variables(len(possible))
    model.exponential(losses - level, scale, tilted)
    model.nonnegative(scale - tilted.total(weights))
    return level + (-float(np.log(1.0 - confidence_level))) * scale


def _relativistic(model: ConicModel, losses: Affine, confidence_level: float) -> Affine:
    """The dual of the entropy's bound in power cones (Cajas 2021), for equally likely losses."""
    count, k = len(losses), KAPPA
    level, scale = model.variables(1), model.positive(1)
    psi, theta = model.variables(count), model.variables(count)
    over, under = model.variables(count), model.variables(count)
    ones = np.ones(count)
    model.power(scale.times((1 + k) / (2 * k) * ones), psi.times((1 + k) / k), over, 1.0 / (1.0 + k))
    model.power(under.times(1.0 / (1.0 - k)), theta.times(1.0 / k), scale.times(-1.0 / (2 * k) * ones), 1.0 - k)
    # With a probability of 1 / T psi is of the size T^-(1 + k), theta of T^-(1 - k). The solver diverges for a thousand
    # losses both in these units and in units of one; halfway between, all variables stay within a few digits.
    size = count**0.5
    model.nonnegative(level - losses - over.times(size**-k) - under.times(size**k))
    room = deformed_logarithm(1.0 / (count * (1.0 - confidence_level)), k)
    entropy = psi.total().times(size ** -(1.0 + k)) + theta.total().times(size ** -(1.0 - k))
    return level + room * scale + entropy

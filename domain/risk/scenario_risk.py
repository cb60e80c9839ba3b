"""Any measure of the contract for the outcomes of a portfolio; it verifies the answers of optimisers."""

from domain.checks import Vector
from domain.errors import NotSupported
from domain.risk.measures import RiskMeasure
from domain.risk.measures.dispersion import (
    lower_partial_moment,
    mean_absolute_deviation,
    root_fourth_moment,
    root_fourth_semi_moment,
    semi_deviation,
)
from domain.risk.measures.drawdown import ulcer_index, uncompounded_drawdowns
from domain.risk.measures.entropic import entropic_value_at_risk, relativistic_value_at_risk
from domain.risk.measures.spectral import gini_mean_difference, spectral_risk, spectrum_of
from domain.risk.outcomes import Outcomes


def scenario_risk(measure: RiskMeasure, outcomes: Outcomes, confidence_level: float) -> float:
    """The measure per period; losses are positive. Drawdowns are of the sum of returns, uncompounded.

    Raises NotSupported for a drawdown of outcomes that have no order, and for RLVaR of uneven probabilities.
    """
    if measure.is_of_path:
        if outcomes.probabilities is not None:
            raise NotSupported(f"{measure} needs returns or prices: scenarios have no order in time")
        return _of_drawdowns(measure, Outcomes(-uncompounded_drawdowns(outcomes.returns)), confidence_level)
    returns, probabilities = outcomes.returns, outcomes.probabilities
    match measure:
        case RiskMeasure.VARIANCE:
            return outcomes.deviation**2
        case RiskMeasure.STANDARD_DEVIATION:
            return outcomes.deviation
        case RiskMeasure.SEMI_DEVIATION:
            return float(semi_deviation(returns, probabilities))
        case RiskMeasure.MEAN_ABSOLUTE_DEVIATION:
            return float(mean_absolute_deviation(returns, probabilities))
        case RiskMeasure.KURTOSIS:
            return float(root_fourth_moment(returns, probabilities))
        case RiskMeasure.SEMI_KURTOSIS:
            return float(root_fourth_semi_moment(returns, probabilities))
        case RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT:
            return float(lower_partial_moment(returns, 1, probabilities=probabilities))
        case RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT:
            return float(lower_partial_moment(returns, 2, probabilities=probabilities))
        case RiskMeasure.GINI_MEAN_DIFFERENCE:
            return gini_mean_difference(returns, probabilities)
        case RiskMeasure.TAIL_GINI | RiskMeasure.TAIL_GINI_RANGE:
            return spectral_risk(returns, spectrum_of(measure, confidence_level), probabilities)
        case RiskMeasure.VALUE_AT_RISK:
            return outcomes.value_at_risk(confidence_level)
    one_sided = _ONE_SIDED.get(measure, measure)
    risk = _tail(one_sided, outcomes, confidence_level)
    if one_sided is measure:
        return risk
    return risk + _tail(one_sided, Outcomes(-outcomes.returns, outcomes.probabilities), confidence_level)


_ONE_SIDED = {
    RiskMeasure.RANGE: RiskMeasure.WORST_REALIZATION,
    RiskMeasure.CVAR_RANGE: RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
    RiskMeasure.EVAR_RANGE: RiskMeasure.ENTROPIC_VALUE_AT_RISK,
    RiskMeasure.RLVAR_RANGE: RiskMeasure.RELATIVISTIC_VALUE_AT_RISK,
}
"""A range is a measure of the losses plus the same measure of the gains."""


def one_sided(measure: RiskMeasure) -> RiskMeasure | None:
    """The measure of losses alone in a range, None for a measure that is not a range."""
    return _ONE_SIDED.get(measure)


_LOSS_MEASURES = {
    RiskMeasure.MAX_DRAWDOWN: RiskMeasure.WORST_REALIZATION,
    RiskMeasure.AVERAGE_DRAWDOWN: RiskMeasure.FIRST_LOWER_PARTIAL_MOMENT,
    RiskMeasure.ULCER_INDEX: RiskMeasure.SECOND_LOWER_PARTIAL_MOMENT,
    RiskMeasure.DRAWDOWN_AT_RISK: RiskMeasure.VALUE_AT_RISK,
    RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK: RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
    RiskMeasure.ENTROPIC_DRAWDOWN_AT_RISK: RiskMeasure.ENTROPIC_VALUE_AT_RISK,
    RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK: RiskMeasure.RELATIVISTIC_VALUE_AT_RISK,
}
"""A measure of drawdowns is a measure of losses, with drawdowns as losses."""


def loss_measure_of(measure: RiskMeasure) -> RiskMeasure:
    """The measure of losses that a measure of drawdowns is."""
    return _LOSS_MEASURES[measure]


def _tail(measure: RiskMeasure, outcomes: Outcomes, confidence_level: float) -> float:
    losses: Vector = -outcomes.returns
    match measure:
        case RiskMeasure.WORST_REALIZATION:
            return float(losses[outcomes.probability_vector > 0.0].max())
        case RiskMeasure.CONDITIONAL_VALUE_AT_RISK:
            return outcomes.conditional_value_at_risk(confidence_level)
        case RiskMeasure.ENTROPIC_VALUE_AT_RISK:
            return entropic_value_at_risk(losses, outcomes.probability_vector, confidence_level)
        case RiskMeasure.RELATIVISTIC_VALUE_AT_RISK:
            return relativistic_value_at_risk(-outcomes.equally_likely("RLVaR"), confidence_level)
    raise NotSupported(f"{measure} is not supported for a distribution of outcomes")


def _of_drawdowns(measure: RiskMeasure, below: Outcomes, confidence_level: float) -> float:
    """Measures of drawdowns are those of losses, with drawdowns as losses."""
    match measure:
        case RiskMeasure.MAX_DRAWDOWN:
            return -float(below.returns.min())
        case RiskMeasure.AVERAGE_DRAWDOWN:
            return -below.mean
        case RiskMeasure.ULCER_INDEX:
            return float(ulcer_index(-below.returns))
        case RiskMeasure.DRAWDOWN_AT_RISK:
            return below.value_at_risk(confidence_level)
        case RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK:
            return below.conditional_value_at_risk(confidence_level)
        case RiskMeasure.ENTROPIC_DRAWDOWN_AT_RISK:
            return entropic_value_at_risk(-below.returns, below.probability_vector, confidence_level)
        case RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK:
            return relativistic_value_at_risk(-below.returns, confidence_level)
    raise NotSupported(f"{measure} is not supported for drawdowns")

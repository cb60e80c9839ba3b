"""Names of the risk measures, as the contract gives them."""

from enum import StrEnum


class RiskMeasure(StrEnum):
    """A measure of risk per period, by the name the contract gives it."""

    VARIANCE = "VARIANCE"
    STANDARD_DEVIATION = "STANDARD_DEVIATION"
    SEMI_DEVIATION = "SEMI_DEVIATION"
    MEAN_ABSOLUTE_DEVIATION = "MAD"
    GINI_MEAN_DIFFERENCE = "GINI_MEAN_DIFFERENCE"
    KURTOSIS = "KURTOSIS"
    SEMI_KURTOSIS = "SEMI_KURTOSIS"
    FIRST_LOWER_PARTIAL_MOMENT = "FIRST_LOWER_PARTIAL_MOMENT"
    SECOND_LOWER_PARTIAL_MOMENT = "SECOND_LOWER_PARTIAL_MOMENT"
    VALUE_AT_RISK = "VALUE_AT_RISK"
    CONDITIONAL_VALUE_AT_RISK = "CONDITIONAL_VALUE_AT_RISK"
    TAIL_GINI = "TAIL_GINI"
    ENTROPIC_VALUE_AT_RISK = "EVAR"
    RELATIVISTIC_VALUE_AT_RISK = "RLVAR"
    WORST_REALIZATION = "WORST_REALIZATION"
    RANGE = "RANGE"
    CVAR_RANGE = "CVAR_RANGE"
    TAIL_GINI_RANGE = "TAIL_GINI_RANGE"
    EVAR_RANGE = "EVAR_RANGE"
    RLVAR_RANGE = "RLVAR_RANGE"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    AVERAGE_DRAWDOWN = "AVERAGE_DRAWDOWN"
    DRAWDOWN_AT_RISK = "DAR"
    CONDITIONAL_DRAWDOWN_AT_RISK = "CDAR"
    ENTROPIC_DRAWDOWN_AT_RISK = "EDAR"
    RELATIVISTIC_DRAWDOWN_AT_RISK = "RLDAR"
    ULCER_INDEX = "ULCER_INDEX"

    @property
    def is_quadratic(self) -> bool:
        """Whether a covariance is enough to compute it; the others need a distribution."""
        return self in (RiskMeasure.VARIANCE, RiskMeasure.STANDARD_DEVIATION)

    @property
    def is_of_path(self) -> bool:
        """Whether it is a measure of drawdowns, so that the order of the returns matters."""
        return self in _OF_PATH

    @property
    def degree(self) -> int:
        """Degree of homogeneity d: k times the returns have k^d times the measure, k > 0."""
        return 2 if self in (RiskMeasure.VARIANCE, RiskMeasure.KURTOSIS, RiskMeasure.SEMI_KURTOSIS) else 1


_OF_PATH = frozenset(
    {
        RiskMeasure.MAX_DRAWDOWN,
        RiskMeasure.AVERAGE_DRAWDOWN,
        RiskMeasure.DRAWDOWN_AT_RISK,
        RiskMeasure.CONDITIONAL_DRAWDOWN_AT_RISK,
        RiskMeasure.ENTROPIC_DRAWDOWN_AT_RISK,
        RiskMeasure.RELATIVISTIC_DRAWDOWN_AT_RISK,
        RiskMeasure.ULCER_INDEX,
    }
)


def to_first_degree(risk: float, degree: int) -> float:
    """The square root of a measure of degree two; a measure of degree one itself."""
    return risk if degree == 1 else max(risk, 0.0) ** 0.5

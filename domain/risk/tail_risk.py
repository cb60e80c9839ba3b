"""VaR and CVaR of a portfolio by every definition of the report."""

from collections.abc import Callable

from domain.checks import Vector
from domain.records import dataclass
from domain.risk.conventions import OURS, Conventions
from domain.risk.figure import CONSTANT, NO_DISTRIBUTION, NO_TIME, ONE_RETURN, Absent, Figure, if_known
from domain.risk.filtered import DECAY, volatility_filtered
from domain.risk.measures.tail import conditional_value_at_risk, value_at_risk
from domain.risk.outcomes import Outcomes
from domain.risk.parametric import (
    Shape,
    StudentT,
    cornish_fisher_conditional_value_at_risk,
    cornish_fisher_value_at_risk,
    fit_student_t,
    gaussian_conditional_value_at_risk,
    gaussian_value_at_risk,
)

UNEVEN = "needs equally likely returns; these have different probabilities"
EQUAL_RETURNS = "needs more distinct returns to fit a t distribution"
NO_MEAN = "the fitted t distribution has no mean"
STILL = "the estimated volatility reaches zero"


@dataclass(frozen=True, slots=True)
class TailRisk:
    """VaR or CVaR per period by each definition; losses are positive."""

    historical: Figure
    gaussian: Figure
    cornish_fisher: Figure
    student_t: Figure
    filtered_historical: Figure


@dataclass(frozen=True, slots=True)
class Tails:
    """Moments and fitted distributions that the definitions share."""

    outcomes: Outcomes | Absent
    mean: Figure
    deviation: Figure  # per period
    shape: Shape | Absent
    student_t: StudentT | Absent
    filtered: Vector | Absent  # (T,)
    conventions: Conventions = OURS

    @classmethod
    def of(
        cls,
        outcomes: Outcomes | None,
        mean: Figure,
        deviation: Figure,
        *,
        in_time: bool,
        decay: float = DECAY,
        conventions: Conventions = OURS,
    ) -> "Tails":
        """Of returns in the order of time, of scenarios, or of two moments alone."""
        if outcomes is None:
            nothing = Absent(NO_DISTRIBUTION)
            return cls(nothing, mean, deviation, nothing, nothing, nothing)
        deviation = if_known(deviation, lambda sample: conventions.deviation(sample, outcomes.correction))
        return cls(
            outcomes,
            mean,
            deviation,
            _shape(outcomes, mean, deviation),
            _student_t(outcomes),
            _filtered(outcomes, decay) if in_time else Absent(NO_TIME),
            conventions,
        )

    def value_at_risk(self, level: float) -> TailRisk:
        """VaR at a confidence level."""
        return TailRisk(
            historical=if_known(self.outcomes, lambda outcomes: outcomes.value_at_risk(level)),
            gaussian=self._gaussian(lambda mean, deviation: gaussian_value_at_risk(mean, deviation, level)),
            cornish_fisher=if_known(self.shape, lambda shape: cornish_fisher_value_at_risk(shape, level)),
            student_t=if_known(self.student_t, lambda fitted: fitted.value_at_risk(level)),
            filtered_historical=if_known(self.filtered, lambda returns: float(value_at_risk(returns, level))),
        )

    def conditional_value_at_risk(self, level: float) -> TailRisk:
        """CVaR at a confidence level."""
        return TailRisk(
            historical=if_known(self.outcomes, lambda outcomes: self._historical_tail(outcomes, level)),
            gaussian=self._gaussian(lambda mean, deviation: gaussian_conditional_value_at_risk(mean, deviation, level)),
            cornish_fisher=if_known(self.shape, lambda shape: cornish_fisher_conditional_value_at_risk(shape, level)),
            student_t=if_known(self.student_t, lambda fitted: _or_no_mean(fitted.conditional_value_at_risk(level))),
            filtered_historical=if_known(
                self.filtered, lambda returns: float(conditional_value_at_risk(returns, level))
            ),
        )

    def _gaussian(self, figure: Callable[[float, float], float]) -> Figure:
        """A figure of both moments; absent without a mean, since a deviation alone does not determine a loss."""
        mean = self.mean
        if isinstance(mean, Absent):
            return mean
        return if_known(self.deviation, lambda deviation: figure(mean, deviation))

    def _historical_tail(self, outcomes: Outcomes, level: float) -> float:
        if not self.conventions.mean_beyond_quantile:
            return outcomes.conditional_value_at_risk(level)
        quantile = outcomes.value_at_risk(level)
        beyond = outcomes.returns < -quantile
        probabilities = outcomes.probability_vector[beyond]
        total = float(probabilities.sum())
        # Equal returns are not beyond the quantile.
        return -float(probabilities @ outcomes.returns[beyond]) / total if total > 0.0 else quantile


def _shape(outcomes: Outcomes, mean: Figure, deviation: Figure) -> Shape | Absent:
    if isinstance(mean, Absent):
        return mean
    if isinstance(deviation, Absent):
        return deviation
    if outcomes.is_constant:
        return Absent(CONSTANT)
    return Shape(mean, deviation, outcomes.standardised_moment(3), outcomes.standardised_moment(4) - 3.0)


def _student_t(outcomes: Outcomes) -> StudentT | Absent:
    if outcomes.uneven_probabilities is not None:
        return Absent(UNEVEN)
    if len(outcomes.returns) < 2:
        return Absent(ONE_RETURN)
    if outcomes.is_constant:
        return Absent(CONSTANT)
    return fit_student_t(outcomes.returns) or Absent(EQUAL_RETURNS)


def _filtered(outcomes: Outcomes, decay: float) -> Vector | Absent:
    filtered = volatility_filtered(outcomes.returns, decay)
    return Absent(STILL) if filtered is None else filtered


def _or_no_mean(beyond: float | None) -> Figure:
    return Absent(NO_MEAN) if beyond is None else beyond

"""All tests of a series of forecasts."""

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.records import dataclass
from domain.risk.validation.coverage import proportion_of_failures, time_until_first_failure
from domain.risk.validation.dynamic_quantile import dynamic_quantile
from domain.risk.validation.exceptions import Exceptions
from domain.risk.validation.expected_shortfall import (
    ShortfallVerdicts,
    both_undefined,
    expected_shortfall_tests,
)
from domain.risk.validation.forecasts import Forecasts
from domain.risk.validation.independence import conditional_coverage, independence
from domain.risk.validation.simulation import ForecastSimulation
from domain.risk.validation.traffic_light import TrafficLight, traffic_light
from domain.risk.validation.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ValueAtRiskValidation:
    """Results of the tests of forecasts."""

    observations: int
    exceptions: int
    expected_exceptions: float
    places: tuple[int, ...]  # indices of the returns that are exceptions
    kupiec: Verdict  # proportion of failures
    time_until_first_failure: Verdict
    independence: Verdict
    conditional_coverage: Verdict
    traffic_light: TrafficLight
    dynamic_quantile: Verdict
    z1: Verdict
    z2: Verdict


def validate(
    returns: Vector,
    forecasts: Forecasts,
    confidence_level: float,
    seed: int,
    simulations: int,
    check_cancelled: CancellationCheck = never_cancelled,
) -> ValueAtRiskValidation:
    """Of T returns and the forecasts for these same T periods; the seed makes simulated p-values repeatable.

    Raises InvalidInput with the name of the field.
    """
    exceptions = Exceptions(returns, forecasts.value_at_risk, confidence_level)
    shortfall = _shortfall(exceptions, forecasts, seed, simulations, check_cancelled)
    return ValueAtRiskValidation(
        observations=exceptions.observations,
        exceptions=exceptions.count,
        expected_exceptions=exceptions.expected,
        places=exceptions.places,
        kupiec=proportion_of_failures(exceptions),
        time_until_first_failure=time_until_first_failure(exceptions),
        independence=independence(exceptions, check_cancelled),
        conditional_coverage=conditional_coverage(exceptions, check_cancelled),
        traffic_light=traffic_light(exceptions),
        dynamic_quantile=dynamic_quantile(exceptions),
        z1=shortfall.z1,
        z2=shortfall.z2,
    )


def _shortfall(
    exceptions: Exceptions, forecasts: Forecasts, seed: int, simulations: int, check_cancelled: CancellationCheck
) -> ShortfallVerdicts:
    if forecasts.expected_shortfall is None:
        return both_undefined("the forecasts hold no expected shortfall")
    simulation = None if forecasts.draw is None else ForecastSimulation(forecasts.draw, seed, simulations)
    return expected_shortfall_tests(exceptions, forecasts.expected_shortfall, simulation, check_cancelled)

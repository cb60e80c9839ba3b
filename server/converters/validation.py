"""Whether forecasts of VaR held: what is asked, and the verdicts."""

from collections.abc import Mapping

import numpy as np
from absfinance.v1 import risk_pb2

from domain.market_data.panel import Days
from domain.risk.validation.forecasts import ForecastMethod, Forecasts
from domain.risk.validation.request import SIMULATIONS, WINDOW, Validated, ValidationRequest
from domain.risk.validation.verdict import PValueMethod, Verdict
from server.converters.paths import error_path

_METHODS: Mapping[int, ForecastMethod] = {
    number: ForecastMethod(name.removeprefix("METHOD_"))
    for name, number in risk_pb2.ValidationOptions.Method.items()
    if number
} | {0: ForecastMethod.HISTORICAL}

_SOURCES: Mapping[PValueMethod, risk_pb2.ForecastTest.Method] = {
    PValueMethod.EXACT: risk_pb2.ForecastTest.METHOD_EXACT,
    PValueMethod.ASYMPTOTIC: risk_pb2.ForecastTest.METHOD_ASYMPTOTIC,
    PValueMethod.SIMULATED: risk_pb2.ForecastTest.METHOD_SIMULATED,
}


def validation_from_proto(options: risk_pb2.ValidationOptions) -> ValidationRequest:
    """What to validate. Raises InvalidInput for forecasts that are none."""
    forecasts = None
    if options.HasField("forecasts"):
        given = options.forecasts
        with error_path("validation"):
            forecasts = Forecasts(
                np.asarray(given.value_at_risk),
                np.asarray(given.expected_shortfall) if given.expected_shortfall else None,
            )
    return ValidationRequest(
        method=_METHODS[options.method],
        window=options.window if options.HasField("window") else WINDOW,
        forecasts=forecasts,
        seed=options.seed,
        simulations=options.simulations if options.HasField("simulations") else SIMULATIONS,
    )


def validation_to_proto(validated: Validated, dates: Days) -> risk_pb2.ValueAtRiskValidation:
    """The verdicts; `dates` are those of all returns."""
    found = validated.validation
    light = found.traffic_light
    return risk_pb2.ValueAtRiskValidation(
        observations=found.observations,
        exceptions=found.exceptions,
        expected_exceptions=found.expected_exceptions,
        kupiec=_verdict(found.kupiec),
        time_until_first_failure=_verdict(found.time_until_first_failure),
        independence=_verdict(found.independence),
        conditional_coverage=_verdict(found.conditional_coverage),
        dynamic_quantile=_verdict(found.dynamic_quantile),
        expected_shortfall_z1=_verdict(found.z1),
        expected_shortfall_z2=_verdict(found.z2),
        traffic_light=f"TRAFFIC_LIGHT_{light.zone}",
        cumulative_probability=light.cumulative_probability,
        plus_factor=light.plus_factor,
        exception_dates=[int(dates[validated.first + place]) for place in found.places],
    )


def _verdict(verdict: Verdict) -> risk_pb2.ForecastTest:
    return risk_pb2.ForecastTest(
        statistic=verdict.statistic,
        p_value=verdict.p_value,
        p_value_asymptotic=verdict.p_value_asymptotic,
        method=None if verdict.method is None else _SOURCES[verdict.method],
        undefined=verdict.reason or "",
        degrees_of_freedom=verdict.degrees_of_freedom,
        note=verdict.note or "",
    )

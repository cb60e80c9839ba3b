"""The bundle: every part is the test of its own file, and each is there or says why not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.risk.validation.coverage import proportion_of_failures
from domain.risk.validation.dynamic_quantile import dynamic_quantile
from domain.risk.validation.exceptions import Exceptions
from domain.risk.validation.forecasts import ForecastMethod, Forecasts, rolling_forecasts
from domain.risk.validation.independence import conditional_coverage, independence
from domain.risk.validation.traffic_light import Zone, traffic_light
from domain.risk.validation.validate import ValueAtRiskValidation, validate
from domain.risk.validation.verdict import Verdict

RETURNS = np.random.default_rng(12).normal(0.0005, 0.01, 750)


def verdicts(validation: ValueAtRiskValidation) -> dict[str, Verdict]:
    figures = {name: getattr(validation, name) for name in validation.__slots__}
    return {name: figure for name, figure in figures.items() if isinstance(figure, Verdict)}


def test_every_part_is_the_test_of_its_name() -> None:
    forecasts = rolling_forecasts(RETURNS, 500, 0.99, ForecastMethod.GAUSSIAN)
    validation = validate(RETURNS[500:], forecasts, 0.99, seed=1, simulations=500)
    exceptions = Exceptions(RETURNS[500:], forecasts.value_at_risk, 0.99)
    assert (validation.observations, validation.exceptions) == (250, exceptions.count)
    assert validation.expected_exceptions == pytest.approx(2.5)
    assert validation.places == tuple(np.flatnonzero(-RETURNS[500:] > forecasts.value_at_risk))
    assert validation.kupiec == proportion_of_failures(exceptions)
    assert validation.independence == independence(exceptions)
    assert validation.conditional_coverage == conditional_coverage(exceptions)
    assert validation.traffic_light == traffic_light(exceptions)
    assert validation.dynamic_quantile == dynamic_quantile(exceptions)
    assert validation.z2.method == "simulated"


def test_right_forecasts_pass_and_half_of_them_fail() -> None:
    forecasts = rolling_forecasts(RETURNS, 500, 0.99, ForecastMethod.GAUSSIAN)
    right = validate(RETURNS[500:], forecasts, 0.99, seed=1, simulations=500)
    assert right.traffic_light.zone is Zone.GREEN
    assert all(verdict.p_value is None or verdict.p_value > 0.01 for verdict in verdicts(right).values())
    assert forecasts.expected_shortfall is not None
    half = Forecasts(forecasts.value_at_risk / 2, forecasts.expected_shortfall / 2)
    wrong = validate(RETURNS[500:], half, 0.99, seed=1, simulations=500)
    assert (wrong.traffic_light.zone, wrong.traffic_light.plus_factor) == (Zone.RED, 1.0)
    assert wrong.kupiec.p_value is not None
    assert wrong.kupiec.p_value < 1e-6


def test_without_expected_shortfall_only_value_at_risk_is_validated() -> None:
    forecasts = rolling_forecasts(RETURNS, 500, 0.95, ForecastMethod.CORNISH_FISHER)
    validation = validate(RETURNS[500:], forecasts, 0.95, seed=1, simulations=500)
    assert validation.z1.reason == validation.z2.reason == "the forecasts hold no expected shortfall"
    assert validation.kupiec.reason is None


@given(
    st.lists(st.booleans(), min_size=1, max_size=40),
    st.floats(0.01, 0.999),
    st.booleans(),
)
def test_every_figure_is_a_number_or_has_a_reason(hits: list[bool], level: float, varied: bool) -> None:
    """Property, also for all exceptions, none, one observation and constant forecasts; every p-value lies in [0, 1]."""
    risk = np.full(len(hits), 0.5) + (np.arange(len(hits)) * 0.001 if varied else 0.0)
    forecasts = Forecasts(risk, risk + 0.1, lambda generator, count: generator.standard_normal((count, len(hits))))
    validation = validate(np.where(hits, -1.0, 0.0), forecasts, level, seed=0, simulations=20)
    assert validation.exceptions == len(validation.places) == sum(hits)
    for name, verdict in verdicts(validation).items():
        assert (verdict.p_value is None) == (verdict.reason is not None), name
        for p_value in (verdict.p_value, verdict.p_value_asymptotic):
            assert p_value is None or 0.0 <= p_value <= 1.0, name
        assert verdict.statistic is None or math.isfinite(verdict.statistic), name
    assert 0.0 <= validation.traffic_light.cumulative_probability <= 1.0


@pytest.mark.parametrize("hit", [False, True])
def test_one_observation(hit: bool) -> None:
    validation = validate(np.array([-1.0 if hit else 0.0]), Forecasts(np.array([0.5])), 0.95, seed=0, simulations=1)
    assert validation.kupiec.p_value == pytest.approx(0.05 if hit else 1.0)
    assert validation.traffic_light.zone is (Zone.RED if hit else Zone.YELLOW)
    reasons = {name for name, verdict in verdicts(validation).items() if verdict.reason is not None}
    expected = {"independence", "conditional_coverage", "dynamic_quantile", "z1", "z2"}
    assert reasons == expected | (set() if hit else {"time_until_first_failure"})


def test_forecasts_and_returns_are_of_the_same_periods() -> None:
    with pytest.raises(InvalidInput) as error:
        validate(RETURNS, Forecasts(np.ones(10)), 0.95, seed=0, simulations=1)
    assert error.value.field == "forecasts.value_at_risk"

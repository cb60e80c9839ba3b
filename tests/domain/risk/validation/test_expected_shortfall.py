"""Acerbi and Szekely's statistics against their definitions, their critical values, and their own size."""

import numpy as np
import pytest
from scipy import stats

from domain.errors import InvalidInput
from domain.risk.validation import expected_shortfall as module
from domain.risk.validation.exceptions import Exceptions
from domain.risk.validation.expected_shortfall import expected_shortfall_tests
from domain.risk.validation.simulation import ForecastSimulation

LEVEL = 0.975
RISK = -stats.norm.ppf(1 - LEVEL)
SHORTFALL = stats.norm.pdf(RISK) / (1 - LEVEL)


def normal(total: int) -> object:
    return lambda generator, count: generator.standard_normal((count, total))


def standard(returns: np.ndarray) -> Exceptions:
    return Exceptions(returns, np.full(len(returns), RISK), LEVEL)


def test_the_statistics_are_their_definitions() -> None:
    """Equations 4 and 6 of the paper, added up one by one."""
    generator = np.random.default_rng(1)
    scale = 1 + generator.random(400)
    returns = scale * generator.standard_t(3, 400)
    exceptions = Exceptions(returns, RISK * scale, LEVEL)
    total = sum(r / (SHORTFALL * s) for r, s in zip(returns, scale, strict=True) if -r > RISK * s)
    tests = expected_shortfall_tests(exceptions, SHORTFALL * scale)
    assert tests.z1.statistic == pytest.approx(total / exceptions.count + 1, rel=1e-12)
    assert tests.z2.statistic == pytest.approx(total / (400 * 0.025) + 1, rel=1e-12)


def test_critical_values_of_the_paper() -> None:
    """Z2 of 250 normal returns at 97.5 %: -0.70 has a p-value of 5 %, -1.8 one of 0.01 % (section 4, two digits)."""
    simulation = ForecastSimulation(normal(250), seed=8, count=20_000)
    shortfall = np.full(250, SHORTFALL)
    for critical, lowest, highest in ((-0.70, 0.045, 0.055), (-1.8, 0.0, 0.0005)):
        # Ten losses, each so large that Z2 is the critical value.
        loss = (1 - critical) * 250 * 0.025 / 10 * SHORTFALL
        z2 = expected_shortfall_tests(standard(np.where(np.arange(250) < 10, -loss, 0.0)), shortfall, simulation).z2
        assert z2.statistic == pytest.approx(critical, rel=1e-9)
        assert lowest <= z2.p_value <= highest


def test_size_if_the_forecasts_are_right() -> None:
    """400 normal series: a mean of 0, and rejections at 5 % within three standard errors of 5 %."""
    shortfall = np.full(250, SHORTFALL)
    tests = [
        expected_shortfall_tests(
            standard(np.random.default_rng(1000 + seed).standard_normal(250)),
            shortfall,
            ForecastSimulation(normal(250), seed, 199),
        )
        for seed in range(400)
    ]
    for verdicts in ([test.z1 for test in tests], [test.z2 for test in tests]):
        statistics = np.array([verdict.statistic for verdict in verdicts if verdict.statistic is not None])
        assert statistics.mean() == pytest.approx(0.0, abs=4 * statistics.std() / len(statistics) ** 0.5)
        rejected = np.mean([verdict.p_value is not None and verdict.p_value <= 0.05 for verdict in verdicts])
        assert rejected == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 400) ** 0.5)


def test_negative_means_that_risk_was_underestimated() -> None:
    """Z1 sees the size of the exceptions alone, Z2 their number too. Power against returns of twice the deviation."""
    returns = 2 * np.random.default_rng(6).standard_normal(500)
    tests = expected_shortfall_tests(
        standard(returns), np.full(500, SHORTFALL), ForecastSimulation(normal(500), 1, 999)
    )
    assert tests.z2.statistic < tests.z1.statistic < 0
    assert tests.z1.p_value == tests.z2.p_value == 1 / 1000


def test_the_seed_decides_and_the_block_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    exceptions = standard(np.random.default_rng(2).standard_normal(250))

    def tests(seed: int) -> module.ShortfallVerdicts:
        return expected_shortfall_tests(exceptions, np.full(250, SHORTFALL), ForecastSimulation(normal(250), seed, 500))

    first = tests(3)
    assert first != tests(4)
    monkeypatch.setattr(module, "BLOCK", 250 * 7)
    assert first == tests(3)


def test_without_a_distribution_the_paper_says_what_is_low() -> None:
    shortfall = np.full(250, SHORTFALL)
    for losses, place in ((5, "is not below -0.70 "), (15, "is below -0.70 "), (30, "is below -1.8 ")):
        z2 = expected_shortfall_tests(standard(np.where(np.arange(250) < losses, -SHORTFALL, 0.0)), shortfall).z2
        assert z2.p_value is None
        assert z2.reason is not None
        assert place in z2.reason


def test_without_exceptions_there_is_no_mean_of_them() -> None:
    shortfall = np.full(250, SHORTFALL)
    for simulation in (None, ForecastSimulation(normal(250), 1, 99)):
        tests = expected_shortfall_tests(standard(np.zeros(250)), shortfall, simulation)
        assert tests.z1.reason == "there is no exception"
        assert tests.z2.statistic == 1.0
    assert tests.z2.p_value == 1.0


def test_simulations_without_exceptions_do_not_count_for_z1() -> None:
    """One observation: an exception is rare, and so are the simulations that have one."""
    exceptions = standard(np.array([-10.0]))
    tests = expected_shortfall_tests(exceptions, np.array([SHORTFALL]), ForecastSimulation(normal(1), 5, 1000))
    draws = np.random.default_rng(5).standard_normal(1000)
    assert tests.z1.p_value == pytest.approx(1 / ((-draws > RISK).sum() + 1))
    assert tests.z2.p_value == 1 / 1001


def test_a_forecast_of_no_loss_has_no_multiple() -> None:
    tests = expected_shortfall_tests(Exceptions(np.zeros(3), np.full(3, -0.2), LEVEL), np.array([0.1, 0.0, 0.1]))
    assert tests.z1.reason == tests.z2.reason == "needs forecasts of expected shortfall above 0"


def test_input_is_checked() -> None:
    exceptions = standard(np.zeros(3))

    def refused(shortfall: np.ndarray, simulation: ForecastSimulation | None = None) -> str:
        with pytest.raises(InvalidInput) as error:
            expected_shortfall_tests(exceptions, shortfall, simulation)
        return error.value.field

    assert refused(np.ones(2)) == "forecasts.expected_shortfall"
    assert refused(np.array([1.0, np.nan, 1.0])) == "forecasts.expected_shortfall[1]"
    assert refused(np.ones(3), ForecastSimulation(normal(4), 0, 10)) == "forecasts.draw"


@pytest.mark.parametrize(("field", "seed", "count"), [("seed", -1, 10), ("simulations", 0, 0)])
def test_a_simulation_is_checked(field: str, seed: int, count: int) -> None:
    with pytest.raises(InvalidInput) as error:
        ForecastSimulation(normal(3), seed, count)
    assert error.value.field == field

"""Comparison of trials: what is refused, what is absent, and which returns each figure has."""

import numpy as np
import pytest
from scipy.stats import norm

from domain.cancellation import never_cancelled
from domain.checks import Matrix
from domain.errors import Cancelled, InvalidInput
from domain.market_data.panel import ReturnPanel
from domain.risk.figure import Absent
from domain.significance.comparison import (
    FEW_RETURNS,
    ONE_TRIAL,
    Comparison,
    ComparisonSettings,
    compare,
)
from domain.significance.multiple_trials import effective_trials
from domain.significance.sharpe import SharpeEstimate


def trials(n: int = 6, t: int = 200, seed: int = 1) -> Matrix:
    values: Matrix = np.random.RandomState(seed).randn(t, n) * 0.01
    return values


def panel(values: Matrix, first_day: int = 0) -> ReturnPanel:
    labels = [f"S{j}" for j in range(values.shape[1])]
    return ReturnPanel.of(labels, range(first_day, first_day + len(values)), values)


def benchmark(values: Matrix, first_day: int = 0) -> ReturnPanel:
    return ReturnPanel.of(["B"], range(first_day, first_day + len(values)), values.reshape(-1, 1))


def run(values: Matrix, against: ReturnPanel | None = None, **settings: float) -> Comparison:
    return compare(panel(values), against, ComparisonSettings(**settings), never_cancelled)  # type: ignore[arg-type]


def test_the_best_and_its_deflated_ratio() -> None:
    values = trials()
    values[:, 3] += 0.003
    found = run(values)
    ratios = values.mean(axis=0) / values.std(axis=0, ddof=1)
    assert found.best == "S3"
    assert found.best_sharpe == pytest.approx(ratios[3], rel=1e-12)
    assert [one.sharpe for one in found.trials] == pytest.approx(ratios.tolist(), rel=1e-12)
    assert found.effective_trial_count == effective_trials(values)
    estimate = SharpeEstimate.of(values[:, 3])
    assert isinstance(estimate, SharpeEstimate)
    assert found.deflated is not None
    assert found.deflated_effective is not None
    largest = (1.0 - np.euler_gamma) * norm.ppf(5.0 / 6.0) + np.euler_gamma * norm.ppf(1.0 - 1.0 / (6.0 * np.e))
    expected = ratios.std(ddof=1) * largest
    assert found.deflated.expected_maximum == pytest.approx(expected, rel=1e-6)
    assert found.deflated.probability == pytest.approx(estimate.probability_above(expected), rel=1e-6)
    assert found.minimum_backtest_periods == pytest.approx((largest / ratios[3]) ** 2, rel=1e-6)
    assert found.undefined == {}


def test_spa_and_step_m_are_about_the_difference_to_the_benchmark() -> None:
    values, index = trials(), trials(1, seed=9)
    values += index
    values[:, 1] += 0.004
    found = run(values, benchmark(index), block_length=1.0, resamples=500, seed=3)
    plain = run(values - index, None, block_length=1.0, resamples=500, seed=3)
    assert found.ability == plain.ability
    assert found.superior == plain.superior == ("S1",)
    assert [one.statistic for one in found.trials] == pytest.approx([one.statistic for one in plain.trials])
    # Sharpe ratios are those of the returns as they are given.
    assert found.best_sharpe != plain.best_sharpe
    assert {one.figure: one.returns for one in found.bases} == {
        "block_length": "active",
        "spa": "active",
        "step_m": "active",
        "deflated_sharpe": "given",
        "deflated_sharpe_effective": "given",
        "expected_maximum_sharpe": "given",
        "expected_maximum_sharpe_effective": "given",
        "effective_trial_count": "given",
        "minimum_backtest_periods": "given",
        "probability_of_overfitting": "given",
        "degradation_slope": "given",
        "probability_of_loss": "given",
    }


def test_the_same_seed_gives_the_same_figures() -> None:
    values = trials()
    assert run(values, seed=4).ability == run(values, seed=4).ability
    assert run(values, seed=4).ability != run(values, seed=5).ability


def test_a_strategy_that_is_the_benchmark_is_left_out_and_told() -> None:
    values = trials()
    found = run(values, benchmark(values[:, 2]))
    assert [one.code for one in found.warnings] == ["CONSTANT_DIFFERENCE"]
    assert "S2 differs from the benchmark by a constant" in found.warnings[0].message
    assert isinstance(found.trials[2].statistic, Absent)
    assert found.ability is not None
    alone = run(values[:, 2:3], benchmark(values[:, 2]))
    assert alone.ability is None
    assert set(alone.undefined) >= {"spa", "step_m", "block_length"}


def test_one_trial_has_no_dispersion_and_no_overfitting() -> None:
    found = run(trials(1))
    assert found.undefined == {
        "deflated_sharpe": ONE_TRIAL,
        "deflated_sharpe_effective": ONE_TRIAL,
        "minimum_backtest_periods": ONE_TRIAL,
        "expected_maximum_sharpe": ONE_TRIAL,
        "expected_maximum_sharpe_effective": ONE_TRIAL,
        "probability_of_overfitting": "needs at least two strategies",
        "degradation_slope": "needs at least two strategies",
        "probability_of_loss": "needs at least two strategies",
    }
    assert found.ability is not None


def test_few_returns_have_no_bootstrap() -> None:
    found = run(trials(t=9))
    assert found.undefined["spa"] == found.undefined["step_m"] == FEW_RETURNS
    reason = "needs two returns in each of 16 segments, at least 32: there are 9"
    for name in ("probability_of_overfitting", "degradation_slope", "probability_of_loss"):
        assert found.undefined[name] == reason
    assert found.deflated is not None
    assert run(trials(t=9), segments=4).overfitting is not None


def missing(values: Matrix) -> Matrix:
    values[7, 2] = np.nan
    return values


def flat(values: Matrix) -> Matrix:
    values[:, 1] = 0.001
    return values


@pytest.mark.parametrize(
    ("values", "against", "settings", "field"),
    [
        (trials(t=1), None, {}, "returns.dates"),
        (missing(trials()), None, {}, "returns.values[44]"),
        (flat(trials()), None, {}, "returns.values"),
        (trials(), None, {"block_length": 200.5}, "block_length"),
        (trials(), None, {"resamples": 99}, "resamples"),
        (trials(101, t=10), None, {"resamples": 100_000}, "resamples"),
        (trials(), None, {"segments": 7}, "segments"),
        (trials(), None, {"segments": 22}, "segments"),
        (trials(), None, {"significance_level": 1.0}, "significance_level"),
        (trials(), benchmark(trials(1), first_day=1), {}, "benchmark.dates"),
        (trials(), benchmark(trials(1, t=199)), {}, "benchmark.dates"),
        (trials(), benchmark(missing(trials(3))[:, 2]), {}, "benchmark.values[7]"),
        (trials(), panel(trials(2)), {}, "benchmark.symbols"),
    ],
)
def test_bad_input_names_its_field(
    values: Matrix, against: ReturnPanel | None, settings: dict[str, float], field: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        run(values, against, **settings)
    assert raised.value.field == field


def test_it_can_be_cancelled() -> None:
    def cancel() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        compare(panel(trials()), None, ComparisonSettings(), cancel)

"""CompareStrategies over the wire: published figures, what is absent, what is refused, and its limits of time."""

import math
import time
from typing import Any

import numpy as np
import pytest
from scipy.stats import kurtosis, norm, skew

from tests.conftest import Wire

COMPARE = "RiskService/CompareStrategies"


def panel(values: np.ndarray, first_day: int = 12_000, prefix: str = "S") -> dict[str, Any]:
    table = values.reshape(len(values), -1)
    return {
        "symbols": [f"{prefix}{j}" for j in range(table.shape[1])],
        "dates": list(range(first_day, first_day + len(table))),
        "values": table.ravel().tolist(),
    }


def trials(n: int = 6, t: int = 200, seed: int = 1) -> np.ndarray:
    return np.random.RandomState(seed).randn(t, n) * 0.01


def test_a_case_that_another_program_was_run_on(wire: Wire) -> None:
    """Losses of a benchmark less those of models are active returns; arch 8.0.0: .004, .009, .009; [0] and [0, 1]."""
    rng = np.random.RandomState(3)
    n, k = 1000, 40
    benchmark = -(0.02 + rng.randn(n))
    models = -(0.02 + rng.randn(n, k))
    models[:, 0] -= 0.25
    models[:, 1] -= 0.18
    models[:, 2] -= 0.12
    # A return is the opposite of a loss; a tenth of it, for returns are above -1, and ratios have no unit.
    ask = {
        "returns": panel(-0.1 * models),
        "benchmark": panel(-0.1 * benchmark, prefix="B"),
        "blockLength": 10,
        "resamples": 1000,
        "seed": 42,
    }
    found = wire.call(COMPARE, ask)
    assert found["spa"] == {
        "lower": pytest.approx(0.004, abs=0.008),
        "consistent": pytest.approx(0.009, abs=0.008),
        "upper": pytest.approx(0.009, abs=0.008),
    }
    assert found["stepM"] == ["S0"]
    assert found["trialCount"] == 40
    assert found["blockLength"] == 10.0
    assert wire.call(COMPARE, ask | {"significanceLevel": 0.2})["stepM"] == ["S0", "S1"]


def test_the_probability_of_overfitting_of_a_known_case(wire: Wire) -> None:
    """RandomState(5), 1000 x 40, 8 segments: .3142857. With 16 there are 12 870 combinations."""
    values = 0.1 * np.random.RandomState(5).randn(1000, 40)
    found = wire.call(COMPARE, {"returns": panel(values), "segments": 8, "resamples": 100})
    assert found["probabilityOfOverfitting"] == pytest.approx(0.3142857, abs=1e-7)
    assert found["combinationCount"] == 70
    assert wire.call(COMPARE, {"returns": panel(values), "resamples": 100})["combinationCount"] == 12_870


def test_the_deflated_ratio_is_that_of_the_definition(wire: Wire) -> None:
    """Bailey and Lopez de Prado 2014, equations 1 and 2, written out for the best of ten trials."""
    values = trials(10, 1250) + 0.5 * trials(1, 1250, seed=2)
    values[:, 4] += 0.0015
    found = wire.call(COMPARE, {"returns": panel(values), "resamples": 100})
    ratios = values.mean(axis=0) / values.std(axis=0, ddof=1)
    assert found["best"] == "S4"
    assert found["bestSharpe"] == pytest.approx(ratios[4], rel=1e-12)

    def deflated(n: float) -> tuple[float, float]:
        largest = (1 - np.euler_gamma) * norm.ppf(1 - 1 / n) + np.euler_gamma * norm.ppf(1 - 1 / (n * np.e))
        expected = ratios.std(ddof=1) * largest
        error = math.sqrt(
            1 - skew(values[:, 4]) * ratios[4] + (kurtosis(values[:, 4], fisher=False) - 1) / 4 * ratios[4] ** 2
        )
        return expected, norm.cdf((ratios[4] - expected) * math.sqrt(1249) / error)

    correlation = np.corrcoef(values.T)[np.triu_indices(10, 1)].mean()
    effective = correlation + (1 - correlation) * 10
    assert found["effectiveTrialCount"] == pytest.approx(effective, rel=1e-10)
    for n, suffix in ((10, ""), (effective, "Effective")):
        expected, probability = deflated(n)
        assert found[f"expectedMaximumSharpe{suffix}"] == pytest.approx(expected, rel=1e-8)
        assert found[f"deflatedSharpe{suffix}"] == pytest.approx(probability, rel=1e-8)


@pytest.mark.parametrize(("n", "years"), [(5, 1.422), (10, 2.479), (45, 4.998), (100, 6.404)])
def test_periods_of_a_backtest_in_which_the_best_ratio_is_luck(wire: Wire, n: int, years: float) -> None:
    """Bailey et al. 2014, table of theorem 2: for a best Sharpe ratio of 1 a year, here of 252 periods."""
    values = np.random.RandomState(n).randn(500, n)
    values -= values.mean(axis=0)
    values *= 0.01 / values.std(axis=0, ddof=1)
    values[:, 0] += 0.01 / math.sqrt(252.0)
    found = wire.call(COMPARE, {"returns": panel(values), "resamples": 100})
    assert found["best"] == "S0"
    assert round(found["minimumBacktestPeriods"] / 252.0, 3) == years


def test_the_block_length_of_an_autoregression(wire: Wire) -> None:
    """arch 8.0.0 on e = RandomState(7).randn(2000), x[t] = .3 x[t-1] + e[t]: 8.1753."""
    noise = np.random.RandomState(7).randn(2000)
    series = np.zeros(2000)
    for t in range(1, 2000):
        series[t] = 0.3 * series[t - 1] + noise[t]
    found = wire.call(COMPARE, {"returns": panel(0.01 * series), "resamples": 100})
    assert round(found["blockLength"], 4) == 8.1753


def test_the_same_seed_gives_the_same_answer_and_another_another(wire: Wire) -> None:
    ask = {"returns": panel(trials()), "resamples": 500, "seed": 18_446_744_073_709_551_615}
    assert wire.call(COMPARE, ask) == wire.call(COMPARE, ask)
    assert wire.call(COMPARE, ask)["spa"] != wire.call(COMPARE, ask | {"seed": 7})["spa"]


def test_one_trial(wire: Wire) -> None:
    found = wire.call(COMPARE, {"returns": panel(trials(1))})
    assert found["trialCount"] == 1
    assert found["effectiveTrialCount"] == 1.0
    for name in ("deflated_sharpe", "probability_of_overfitting", "minimum_backtest_periods"):
        assert "at least two strategies" in found["undefined"][name]
    assert "deflatedSharpe" not in found
    assert "spa" in found


def test_a_trial_that_is_the_benchmark_is_told(wire: Wire) -> None:
    values = trials()
    found = wire.call(COMPARE, {"returns": panel(values), "benchmark": panel(values[:, 1], prefix="B")})
    assert [one["code"] for one in found["warnings"]] == ["CONSTANT_DIFFERENCE"]


def test_every_figure_says_what_it_was_computed_from(wire: Wire) -> None:
    found = wire.call(COMPARE, {"returns": panel(trials()), "seed": 3})
    bases = {one["figure"]: one for one in found["bases"]}
    assert bases["spa"]["returns"] == "active"
    assert bases["deflated_sharpe"]["returns"] == "given"
    assert {one["observations"] for one in found["bases"]} == {200}
    assert "seed 3" in bases["spa"]["convention"]


def gap(values: np.ndarray) -> np.ndarray:
    values[7, 2] = np.nan
    return values


def flat(values: np.ndarray) -> np.ndarray:
    values[:, 1] = 0.001
    return values


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({}, "returns"),
        ({"returns": panel(trials(t=1))}, "returns.dates"),
        ({"returns": panel(flat(trials()))}, "returns.values"),
        ({"returns": panel(trials()), "blockLength": 201}, "block_length"),
        ({"returns": panel(trials()), "blockLength": 0.5}, "block_length"),
        ({"returns": panel(trials()), "resamples": 99}, "resamples"),
        ({"returns": panel(trials()), "resamples": 100_001}, "resamples"),
        ({"returns": panel(trials(101, 20)), "resamples": 100_000}, "resamples"),
        ({"returns": panel(trials()), "segments": 5}, "segments"),
        ({"returns": panel(trials()), "segments": 22}, "segments"),
        ({"returns": panel(trials()), "significanceLevel": 1.0}, "significance_level"),
        ({"returns": panel(trials()), "benchmark": panel(trials(1), first_day=12_001)}, "benchmark.dates"),
        ({"returns": panel(trials()), "benchmark": panel(trials(2))}, "benchmark.symbols"),
    ],
)
def test_bad_input_names_its_field(wire: Wire, ask: dict[str, Any], field: str) -> None:
    refused = wire.refused(COMPARE, ask)
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.fields == (field,)


def test_a_missing_return_is_named(wire: Wire) -> None:
    ask = {"returns": panel(trials())}
    ask["returns"]["values"][44] = "NaN"
    refused = wire.refused(COMPARE, ask)
    assert refused.fields == ("returns.values[44]",)
    assert "S2 has no return" in refused.message
    ask["returns"]["values"][44] = 0.01
    ask["benchmark"] = panel(trials(1), prefix="B")
    ask["benchmark"]["values"][3] = "NaN"
    assert wire.refused(COMPARE, ask).fields == ("benchmark.values[3]",)


def test_a_long_comparison_ends_at_its_deadline_and_keeps_nobody_waiting(wire: Wire) -> None:
    """100 000 resamples of 5 000 dates take a minute; the caller waits one second."""
    ask = {"returns": panel(trials(40, 5_000)), "resamples": 100_000, "blockLength": 1.0}
    started = time.monotonic()
    refused = wire.refused(COMPARE, ask, timeout=1.0)
    assert refused.code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - started < 30.0
    # The worker is free again.
    assert wire.call(COMPARE, {"returns": panel(trials()), "resamples": 100})["trialCount"] == 6

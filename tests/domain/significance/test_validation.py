"""Validation of one path: which figures are there, from which returns, and why others are not."""

import numpy as np
import pytest

from domain.cancellation import never_cancelled
from domain.checks import Vector
from domain.errors import Cancelled, InvalidInput
from domain.significance.drawdown_expectation import expected_drawdown
from domain.significance.resampling import Resampling
from domain.significance.settings import ValidationSettings
from domain.significance.sharpe import SharpeEstimate
from domain.significance.sharpe_bootstrap import bootstrap_interval
from domain.significance.validation import (
    NOT_ASKED,
    ONE_TRIAL,
    ComparedReturns,
    ValidatedReturns,
    Validation,
    validate,
)


def series(seed: int, t: int = 400) -> Vector:
    result: Vector = np.random.RandomState(seed).randn(t) * 0.01 + 0.0008
    return result


def returns(t: int = 400) -> ValidatedReturns:
    net = series(1, t)
    excess = net - 0.0001
    compared = ComparedReturns("index", excess, series(2, t), 252.0)
    return ValidatedReturns(net, excess, np.arange(t), 252.0, (compared,))


def run(given: ValidatedReturns, **settings: object) -> Validation:
    return validate(given, ValidationSettings(**settings), never_cancelled)  # type: ignore[arg-type]


def test_formulas_alone_where_nothing_is_resampled() -> None:
    found = run(returns())
    assert [one.method for one in found.sharpe_intervals] == ["lo_2002", "mertens_2002"]
    assert found.undefined == {
        "block_length": NOT_ASKED,
        "sharpe_intervals.stationary_bootstrap": NOT_ASKED,
        "sharpe_differences.index": NOT_ASKED,
        "drawdown": NOT_ASKED,
        "deflated_sharpe": ONE_TRIAL,
    }
    assert found.resamples == 0
    assert found.stability is not None
    assert found.part_days == ((0, 99), (100, 199), (200, 299), (300, 399))


def test_every_figure_where_it_is_asked_for() -> None:
    given = returns()
    found = run(given, is_resampled=True, resamples=300, block_length=2.0, seed=8, confidence_level=0.9)
    resampling = Resampling(400, 300, 2.0, 8)
    estimate = SharpeEstimate.of(given.excess)
    assert isinstance(estimate, SharpeEstimate)
    interval = bootstrap_interval(given.excess, resampling, 0.9, never_cancelled)
    assert isinstance(interval, tuple)
    root = 252.0**0.5
    intervals = {one.method: (one.lower, one.upper) for one in found.sharpe_intervals}
    assert intervals["stationary_bootstrap"] == pytest.approx((root * interval[0], root * interval[1]))
    lo = estimate.interval(estimate.lo_error, 0.9)
    assert intervals["lo_2002"] == pytest.approx((root * lo[0], root * lo[1]))
    assert found.sharpe_annual == pytest.approx(root * estimate.ratio)
    assert found.drawdown == expected_drawdown(given.net, resampling, 0.9, never_cancelled)
    assert found.block_length == 2.0
    assert [one.benchmark for one in found.sharpe_differences] == ["index"]
    assert found.undefined == {"deflated_sharpe": ONE_TRIAL}
    assert {(one.figure, one.returns) for one in found.bases} >= {
        ("probabilistic_sharpe", "excess"),
        ("sharpe_intervals.stationary_bootstrap", "excess"),
        ("sharpe_differences.index", "excess"),
        ("drawdown", "net"),
    }
    assert {one.observations for one in found.bases} == {400}


def test_the_probability_is_about_the_ratio_asked_for() -> None:
    given = returns()
    estimate = SharpeEstimate.of(given.excess)
    assert isinstance(estimate, SharpeEstimate)
    found = run(given, benchmark_sharpe_annual=0.5, confidence_level=0.99)
    per_period = 0.5 / 252.0**0.5
    assert found.probabilistic_sharpe == estimate.probability_above(per_period)
    assert found.minimum_track_record_periods == estimate.minimum_track_record(per_period, 0.99)


def test_returns_that_do_not_vary_have_no_figures_but_reasons() -> None:
    net = np.full(50, 0.0001)
    found = run(ValidatedReturns(net, net, np.arange(50), 252.0), is_resampled=True)
    expected = "the portfolio's returns do not vary"
    names = {"sharpe_annual", "probabilistic_sharpe", "minimum_track_record_periods", "block_length"}
    assert {name for name, reason in found.undefined.items() if reason == expected} == {
        *names,
        "sharpe_intervals",
        "drawdown",
    }
    assert found.sharpe_intervals == ()


@pytest.mark.parametrize("t", [0, 1, 2, 9])
def test_few_returns_have_reasons(t: int) -> None:
    found = run(returns(t), is_resampled=True)
    assert "at least" in found.undefined["drawdown"]
    assert "at least" in found.undefined["sub_periods"]
    assert isinstance(found.probabilistic_sharpe, float) == (t > 1)


def test_benchmarks_with_fewer_dates_have_their_own_number_of_returns() -> None:
    given = returns()
    short = ComparedReturns("short", given.excess[:100], series(3, 100), 252.0)
    few = ComparedReturns("few", given.excess[:5], series(3, 5), 252.0)
    both = ValidatedReturns(given.net, given.excess, given.days, 252.0, (short, few))
    found = run(both, is_resampled=True, block_length=150.0)
    assert [one.difference.observations for one in found.sharpe_differences] == [100]
    assert "at least 10 returns" in found.undefined["sharpe_differences.few"]
    observations = {one.figure: one.observations for one in found.bases}
    assert observations["sharpe_differences.short"] == 100


def test_the_same_seed_gives_the_same_figures() -> None:
    first, second = (run(returns(), is_resampled=True, seed=3) for _ in range(2))
    assert first == second
    assert run(returns(), is_resampled=True, seed=4) != first


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"resamples": 99}, "resamples"),
        ({"resamples": 100_001}, "resamples"),
        ({"block_length": 0.5}, "block_length"),
        ({"block_length": float("nan")}, "block_length"),
        ({"confidence_level": 1.0}, "confidence_level"),
        ({"benchmark_sharpe_annual": float("inf")}, "benchmark_sharpe_annual"),
        ({"sub_periods": 1}, "sub_periods"),
        ({"timing_luck_offsets": 65}, "timing_luck_offsets"),
    ],
)
def test_bad_settings_name_their_field(settings: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        ValidationSettings(**settings)  # type: ignore[arg-type]
    assert raised.value.field == field


def test_it_can_be_cancelled() -> None:
    def cancel() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        validate(returns(), ValidationSettings(is_resampled=True), cancel)

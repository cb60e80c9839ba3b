"""Statistics over trials: those of the comparison of strategies, on the dates that all trials have."""

import numpy as np

from domain.cancellation import never_cancelled
from domain.market_data.panel import ReturnPanel
from domain.significance.comparison import ComparisonSettings, compare
from domain.significance.multiple_trials import deflated_sharpe
from domain.significance.sharpe import SharpeEstimate, sharpe_ratios
from domain.sweep.statistics import BEST_LEFT_OUT, FEW_DATES, FEW_TRIALS, FIGURES, TrialReturns, sweep_statistics

RANDOM = np.random.default_rng(3)
RETURNS = RANDOM.normal(5e-4, 0.01, (120, 4))
DAYS = np.arange(120, dtype=np.int32)


def trial(column: int, first: int = 0, **more: object) -> TrialReturns:
    return TrialReturns(DAYS[first:], RETURNS[first:, column], **more)  # type: ignore[arg-type]


def test_they_are_those_of_the_comparison_on_common_dates() -> None:
    benchmark = RANDOM.normal(0.0, 0.01, 120)
    trials = {k: trial(k, first, benchmark=benchmark[first:]) for k, first in enumerate((0, 20, 5, 0))}
    found = sweep_statistics(trials, 0, never_cancelled)
    names = tuple(map(str, range(4)))
    reference = ReturnPanel(("b",), DAYS[20:], benchmark[20:, None])
    expected = compare(ReturnPanel(names, DAYS[20:], RETURNS[20:]), reference, ComparisonSettings(), never_cancelled)
    assert found.comparison is not None
    assert found.comparison.ability == expected.ability
    # Of the trial with the best score, here the first one, which need not have the highest Sharpe ratio.
    assert found.comparison.best == "0" != expected.best
    estimate = SharpeEstimate.of(RETURNS[20:, 0])
    assert isinstance(estimate, SharpeEstimate)
    dispersion = float(sharpe_ratios(RETURNS[20:]).std(ddof=1))
    assert found.comparison.deflated == deflated_sharpe(estimate, dispersion, 4)
    assert found.comparison.overfitting == expected.overfitting
    assert (found.trials, found.left_out, found.comparison.observations) == (4, 0, 100)


def test_trials_do_not_depend_on_the_order_in_which_they_ended() -> None:
    trials = {k: trial(k) for k in range(4)}
    backwards = dict(reversed(trials.items()))
    assert sweep_statistics(trials, 0, never_cancelled) == sweep_statistics(backwards, 0, never_cancelled)


def test_trials_that_do_not_vary_are_left_out_and_counted() -> None:
    flat = TrialReturns(DAYS, np.zeros(120))
    broken = TrialReturns(DAYS, np.full(120, np.inf))
    found = sweep_statistics({0: trial(0), 1: flat, 2: trial(2), 3: broken}, 0, never_cancelled)
    assert (found.trials, found.left_out) == (2, 2)
    assert found.comparison is not None
    assert set(found.superior) <= {0, 2}


def test_different_benchmarks_are_told() -> None:
    trials = {0: trial(0, benchmark=RETURNS[:, 2]), 1: trial(1, benchmark=RETURNS[:, 3])}
    assert len(sweep_statistics(trials, 0, never_cancelled).notes) == 1


def test_where_there_is_nothing_to_compare_every_figure_has_its_reason() -> None:
    assert set(sweep_statistics({0: trial(0)}, 0, never_cancelled).undefined) == set(FIGURES)
    assert set(sweep_statistics({}, None, never_cancelled).undefined.values()) == {FEW_TRIALS}
    apart = {0: TrialReturns(DAYS[:60], RETURNS[:60, 0]), 1: TrialReturns(DAYS[60:], RETURNS[60:, 1])}
    assert set(sweep_statistics(apart, 0, never_cancelled).undefined.values()) == {FEW_DATES}


def test_a_ruined_trial_earns_nothing_later_and_shortens_no_other() -> None:
    benchmark = RETURNS[:, 3]
    ruined = TrialReturns(DAYS[:40], np.append(RETURNS[:39, 0], -1.0), benchmark[:40]).padded(DAYS)
    assert ruined.excess.tolist() == [*RETURNS[:39, 0].tolist(), -1.0, *[0.0] * 80]
    whole = {k: trial(k, benchmark=benchmark) for k in (1, 2)}
    assert whole[1].padded(DAYS) is whole[1]
    found = sweep_statistics({0: ruined, **whole}, 1, never_cancelled)
    assert found.comparison is not None
    assert (found.trials, found.comparison.observations, found.notes) == (3, 120, ())
    assert found.comparison.trials[1].mean_active == np.mean(RETURNS[:, 1] - benchmark)


def test_where_the_best_trial_is_left_out_its_deflated_ratio_has_a_reason() -> None:
    trials = {0: TrialReturns(DAYS, np.zeros(120)), 1: trial(1), 2: trial(2)}
    found = sweep_statistics(trials, 0, never_cancelled)
    assert found.undefined["deflated_sharpe"] == found.undefined["deflated_sharpe_effective"] == BEST_LEFT_OUT
    assert found.comparison is not None
    assert found.comparison.overfitting is not None

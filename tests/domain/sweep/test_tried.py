"""What the best trial is worth among all trials on its data: as if those of all sweeps had been in one."""

import numpy as np
import pytest

from domain.cancellation import never_cancelled
from domain.risk.figure import Absent, known
from domain.significance.multiple_trials import deflated_sharpe
from domain.significance.sharpe import SharpeEstimate, sharpe_ratios
from domain.sweep.statistics import FIGURES, NOT_COUNTED, TrialReturns, sweep_statistics
from domain.sweep.tried import DeflatedByAll, EarlierTrials, SharpeSums, deflated_by_all

RANDOM = np.random.default_rng(8)
RETURNS = RANDOM.normal(5e-4, 0.01, (150, 12))
DAYS = np.arange(150, dtype=np.int32)
RATIOS = sharpe_ratios(RETURNS)


def trials(count: int) -> dict[int, TrialReturns]:
    return {k: TrialReturns(DAYS, RETURNS[:, k]) for k in range(count)}


def test_sums_of_parts_are_those_of_the_whole() -> None:
    parts = SharpeSums.of(RATIOS[:4]).joined(SharpeSums.of(RATIOS[4:9])).joined(SharpeSums.of(RATIOS[9:]))
    assert parts.count == 12
    assert parts.dispersion == pytest.approx(RATIOS.std(ddof=1), rel=1e-12)
    assert SharpeSums.of(np.full(3, 0.1)).dispersion == pytest.approx(0.0, abs=1e-9)


def test_it_is_the_ratio_deflated_by_all_trials_at_once() -> None:
    """Five trials here, seven before: the number and the dispersion of twelve."""
    found = sweep_statistics(trials(5), 2, never_cancelled, EarlierTrials(7, SharpeSums.of(RATIOS[5:])))
    estimate = SharpeEstimate.of(RETURNS[:, 2])
    assert isinstance(estimate, SharpeEstimate)
    assert found.by_all is not None
    assert found.by_all.raw.probability == pytest.approx(
        deflated_sharpe(estimate, float(RATIOS.std(ddof=1)), 12).probability, rel=1e-9
    )
    pairs = [np.corrcoef(RETURNS[:, i], RETURNS[:, j])[0, 1] for j in range(5) for i in range(j)]
    correlation = float(np.mean(pairs))
    effective = correlation + (1.0 - correlation) * 12
    assert found.by_all.effective.probability == pytest.approx(
        deflated_sharpe(estimate, float(RATIOS.std(ddof=1)), effective).probability, rel=1e-9
    )
    assert found.sums == SharpeSums.of(np.array([one.sharpe for one in found.comparison.trials]))  # type: ignore[union-attr]


def test_without_earlier_trials_it_is_that_of_the_sweep() -> None:
    found = sweep_statistics(trials(6), 1, never_cancelled, EarlierTrials())
    assert found.comparison is not None
    assert found.by_all is not None
    assert found.comparison.deflated is not None
    assert found.comparison.deflated_effective is not None
    assert found.by_all.raw.probability == pytest.approx(found.comparison.deflated.probability)
    assert found.by_all.effective.probability == pytest.approx(found.comparison.deflated_effective.probability)


def test_more_trials_before_make_it_smaller() -> None:
    """Those whose ratios nobody knows, as of a sweep that was cancelled, count too."""
    found = [
        deflated_by_all(RETURNS[:, 0], RATIOS, 8.0, len(RATIOS), EarlierTrials(count)) for count in (0, 10, 10_000)
    ]
    probabilities = [known(one.raw.probability) or 0.0 for one in found if isinstance(one, DeflatedByAll)]
    assert len(probabilities) == 3
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(set(probabilities)) == 3


def test_where_others_are_not_counted_there_is_a_reason() -> None:
    found = sweep_statistics(trials(3), 0, never_cancelled)
    assert {found.undefined[name] for name in FIGURES[-2:]} == {NOT_COUNTED}
    assert found.by_all is None
    assert isinstance(deflated_by_all(np.full(20, 0.01), RATIOS, 8.0, len(RATIOS), EarlierTrials(3)), Absent)


def test_trials_that_failed_count_whichever_sweep_tried_them() -> None:
    """The best of 20 is the best of 20, though only some of them can be compared."""
    n = len(RATIOS)
    own = deflated_by_all(RETURNS[:, 0], RATIOS, 8.0, n + 10, EarlierTrials())
    earlier = deflated_by_all(RETURNS[:, 0], RATIOS, 8.0, n, EarlierTrials(10))
    assert own == earlier

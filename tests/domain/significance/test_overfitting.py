"""The probability of overfitting, against a published figure and every combination written out."""

import math
from itertools import combinations

import numpy as np
import pytest

from domain.cancellation import never_cancelled
from domain.errors import Cancelled, InvalidInput
from domain.risk.figure import Absent
from domain.significance.cross_validation import CombinatorialSplits
from domain.significance.overfitting import (
    FLAT,
    ONE_STRATEGY,
    Overfitting,
    combination_count,
    overfitting,
)


def test_a_known_case() -> None:
    """RandomState(5), 1000 x 40, 8 segments: 22 of 70 combinations."""
    found = overfitting(np.random.RandomState(5).randn(1000, 40), 8, never_cancelled)
    assert isinstance(found, Overfitting)
    assert found.probability == pytest.approx(0.3142857, abs=1e-7)
    assert found.combinations == 70


@pytest.mark.parametrize(("t", "n", "segments"), [(61, 3, 4), (40, 5, 6), (33, 4, 2)])
def test_every_combination_written_out(t: int, n: int, segments: int) -> None:
    """With segments of unequal lengths, and an odd number of strategies, whose median is at the median."""
    returns = np.random.RandomState(t).randn(t, n) * 0.01 + 0.001
    parts = [list(range(int(i * t / segments), int((i + 1) * t / segments))) for i in range(segments)]
    below, inside, outside = 0, [], []
    for chosen in combinations(range(segments), segments // 2):
        dates = sorted(i for k in chosen for i in parts[k])
        others = sorted(set(range(t)) - set(dates))
        first = [returns[dates, j].mean() / returns[dates, j].std(ddof=1) for j in range(n)]
        second = [returns[others, j].mean() / returns[others, j].std(ddof=1) for j in range(n)]
        best = first.index(max(first))
        rank = sum(x <= second[best] for x in second)
        below += math.log(rank / (n + 1) / (1 - rank / (n + 1))) <= 1e-12
        inside.append(first[best])
        outside.append(second[best])
    found = overfitting(returns, segments, never_cancelled)
    assert isinstance(found, Overfitting)
    assert found.combinations == math.comb(segments, segments // 2)
    assert found.probability == pytest.approx(below / found.combinations, abs=1e-12)
    assert found.degradation_slope == pytest.approx(np.polyfit(inside, outside, 1)[0], rel=1e-8)
    assert found.probability_of_loss == pytest.approx(np.mean(np.array(outside) < 0.0), abs=1e-12)


def test_a_strategy_that_is_always_better_is_not_overfitted() -> None:
    returns = np.random.RandomState(1).randn(400, 10)
    returns[:, 4] += 1.0
    found = overfitting(returns, 8, never_cancelled)
    assert isinstance(found, Overfitting)
    assert (found.probability, found.probability_of_loss) == (0.0, 0.0)


def test_what_is_not_defined_is_absent() -> None:
    returns = np.random.RandomState(1).randn(40, 3)
    assert overfitting(returns[:, :1], 4, never_cancelled) == Absent(ONE_STRATEGY)
    assert overfitting(returns[:7], 4, never_cancelled) == Absent(
        "needs two returns in each of 4 segments, at least 8: there are 7"
    )
    returns[:20, 1] = 0.01
    assert overfitting(returns, 4, never_cancelled) == Absent(FLAT)


def test_it_can_be_cancelled() -> None:
    def cancel() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        overfitting(np.random.RandomState(1).randn(40, 3), 4, cancel)


def test_counts_of_combinations() -> None:
    """Bailey et al. 2017: 12 870 of 16 segments; Lopez de Prado 2018, 12: (6, 2) 15 and 5, (10, 8) 45 and 36."""
    assert combination_count(16) == 12_870
    counts = [(one.count, one.paths) for one in (CombinatorialSplits(6, 2), CombinatorialSplits(10, 8))]
    assert counts == [(15, 5), (45, 36)]


def test_splits_leave_out_what_overlaps_a_test() -> None:
    scheme = CombinatorialSplits(5, 2, purge=2, embargo=1)
    splits = list(scheme.splits(50))
    assert len(splits) == scheme.count == 10
    first = splits[1]  # groups 0 and 2
    assert first.test.tolist() == [*range(10), *range(20, 30)]
    assert first.train.tolist() == [*range(13, 18), *range(33, 50)]
    tested = np.zeros(50, np.int64)
    for split in splits:
        assert not set(split.train.tolist()) & set(split.test.tolist())
        tested[split.test] += 1
    assert (tested == scheme.paths).all()  # as many paths through the whole time


@pytest.mark.parametrize(("groups", "test_groups", "purge"), [(5, 0, 0), (5, 5, 0), (5, 2, -1)])
def test_numbers_that_leave_no_split_are_refused(groups: int, test_groups: int, purge: int) -> None:
    with pytest.raises(InvalidInput):
        CombinatorialSplits(groups, test_groups, purge)


def test_more_groups_than_dates_are_refused() -> None:
    with pytest.raises(InvalidInput, match="number of dates"):
        list(CombinatorialSplits(6, 2).splits(5))

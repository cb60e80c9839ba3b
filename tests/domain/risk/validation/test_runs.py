"""The count of sequences against all of them, written out."""

import itertools

import numpy as np
import pytest
from scipy import stats

from domain.risk.validation.runs import Transitions, kinds, likely_counts, number_of_kinds


def pairs(of: Transitions) -> np.ndarray:
    return np.array([of.quiet_quiet, of.quiet_hit, of.hit_quiet, of.hit_hit]).T


def written_out(sequence: tuple[bool, ...]) -> tuple[int, ...]:
    steps = list(itertools.pairwise(sequence))
    return tuple(steps.count(step) for step in itertools.product((False, True), repeat=2))


@pytest.mark.parametrize("length", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("tail", [0.05, 0.5, 0.7])
def test_every_sequence_is_counted_once(length: int, tail: float) -> None:
    """Brute force over 2^T: the probability of each set of transitions is the sum over the sequences that have it."""
    expected: dict[tuple[int, ...], float] = {}
    for sequence in itertools.product((False, True), repeat=length):
        key = (sum(sequence), *written_out(sequence))
        expected[key] = expected.get(key, 0.0) + tail ** sum(sequence) * (1 - tail) ** (length - sum(sequence))
        if length > 1:
            assert tuple(pairs(Transitions.of(np.array(sequence)))) == written_out(sequence)
    found: dict[tuple[int, ...], float] = {}
    for ones, kind in enumerate(kinds(length, range(length + 1))):
        for steps, chance in zip(pairs(kind.transitions).tolist(), kind.probabilities(tail), strict=True):
            found[(ones, *steps)] = found.get((ones, *steps), 0.0) + chance
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("length", "tail"), [(250, 0.01), (2000, 0.05), (300, 0.5)])
def test_the_counts_that_are_left_out_do_not_matter(length: int, tail: float) -> None:
    counts = likely_counts(length, tail, observed=3)
    assert 3 in counts
    outside = stats.binom.cdf(counts[0] - 1, length, tail) + stats.binom.sf(counts[-1], length, tail)
    assert outside < 1e-13
    parts = list(kinds(length, counts))
    assert sum(kind.probabilities(tail).sum() for kind in parts) == pytest.approx(1.0, abs=1e-10)
    assert sum(len(kind.probabilities(tail)) for kind in parts) <= number_of_kinds(length, counts)


def test_an_unlikely_count_is_looked_at_where_it_was_observed() -> None:
    assert likely_counts(1000, 0.01, observed=1000)[-1] == 1000

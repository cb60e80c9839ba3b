"""How often each pattern of exceptions follows from chance: all 0/1 sequences of a length, counted by their runs.

The transitions of a sequence depend only on its number of ones, its number of runs of ones, and its first and last
value. n ones fall into r runs in C(n - 1, r - 1) ways, so the sequences need not be gone through one by one.
"""

import math
from collections.abc import Iterator

import numpy as np

from domain.checks import Vector
from domain.records import dataclass
from domain.risk.validation.binomial import Counts, log_factorials, probabilities

NEGLIGIBLE = 1e-13
"""Probability of the numbers of ones that may be left out."""


@dataclass(frozen=True, slots=True)
class Transitions:
    """How often each value follows each other one; `quiet` is 0, `hit` is 1. Of one sequence, or of (M,) kinds."""

    quiet_quiet: Counts
    quiet_hit: Counts
    hit_quiet: Counts
    hit_hit: Counts

    @classmethod
    def of(cls, hits: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> "Transitions":
        """Of one sequence (T,); the first value follows none."""
        before, after = hits[:-1], hits[1:]
        pairs = (~before & ~after, ~before & after, before & ~after, before & after)
        return cls(*(np.array(pair.sum(), dtype=np.int64) for pair in pairs))


@dataclass(frozen=True, slots=True)
class Kinds:
    """Kinds of sequences with so many ones, and how many sequences there are of each."""

    ones: int
    observations: int
    transitions: Transitions  # of (M,) kinds
    log_ways: Vector  # (M,), logarithm of the number of sequences

    def probabilities(self, tail_probability: float) -> Vector:
        """Probability of each kind if values are independent and 1 with the tail probability, (M,)."""
        quiet = self.observations - self.ones
        log_chance = self.ones * math.log(tail_probability) + quiet * math.log1p(-tail_probability)
        result: Vector = np.exp(self.log_ways + log_chance)
        return result

    @property
    def conditional_probabilities(self) -> Vector:
        """Probability of each kind given the number of ones, whatever their probability is, (M,)."""
        ways: Vector = np.exp(self.log_ways - self.log_ways.max())
        result: Vector = ways / ways.sum()
        return result


def likely_counts(observations: int, tail_probability: float, observed: int) -> range:
    """Numbers of ones that leave out less than NEGLIGIBLE of the probability, and the observed one."""
    by_count = probabilities(observations, tail_probability)
    lowest = int(np.argmax(np.cumsum(by_count) > 0.5 * NEGLIGIBLE))
    highest = observations - int(np.argmax(np.cumsum(by_count[::-1]) > 0.5 * NEGLIGIBLE))
    return range(min(lowest, observed), max(highest, observed) + 1)


def number_of_kinds(observations: int, counts: range) -> int:
    """How many kinds there are at most to go through."""
    return 4 * sum(min(ones, observations - ones + 1) for ones in counts)


def kinds(observations: int, counts: range) -> Iterator[Kinds]:
    """All sequences of a length, one number of ones after another."""
    factorials = log_factorials(observations)
    for ones in counts:
        if 0 < ones < observations:
            yield _mixed(ones, observations - ones, factorials)
        else:
            steps, none = np.array([observations - 1]), np.array([0])
            all_equal = (steps, none, none, none) if ones == 0 else (none, none, none, steps)
            yield Kinds(ones, observations, Transitions(*all_equal), np.zeros(1))


def _mixed(ones: int, zeros: int, factorials: Vector) -> Kinds:
    first, last = np.array([0, 0, 1, 1])[:, None], np.array([0, 1, 0, 1])[:, None]
    runs = np.arange(1, min(ones, zeros + 1) + 1)[None, :]
    gaps = runs + 1 - first - last  # runs of zeros
    possible = (gaps >= 1) & (gaps <= zeros)
    runs, first, last = (np.broadcast_to(part, gaps.shape)[possible] for part in (runs, first, last))
    gaps = gaps[possible]
    ways = _log_choose(ones - 1, runs - 1, factorials) + _log_choose(zeros - 1, gaps - 1, factorials)
    return Kinds(ones, ones + zeros, Transitions(zeros - gaps, runs - first, runs - last, ones - runs), ways)


def _log_choose(whole: int, part: Counts, factorials: Vector) -> Vector:
    result: Vector = factorials[whole] - factorials[part] - factorials[whole - part]
    return result

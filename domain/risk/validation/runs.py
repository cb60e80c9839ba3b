"""How often each pattern of exceptions follows from chance: all 0/1 sequences of a length, counted by their runs.

The transitions of a sequence depend only on its number of ones, its number of runs of ones, and its first and last
value. n ones fall into r runs in C(n - 1, r - 1) ways, so the sequences need not be gone through one by one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from domain.checks import Vector
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
    """Kinds of sequences, with the probability that a sequence is of it."""

    transitions: Transitions  # of (M,) kinds
    chances: Vector  # (M,)


def likely_counts(observations: int, tail_probability: float, observed: int) -> range:
    """Numbers of ones that leave out less than NEGLIGIBLE of the probability, and the observed one."""
    chances = probabilities(observations, tail_probability)
    lowest = int(np.argmax(np.cumsum(chances) > 0.5 * NEGLIGIBLE))
    highest = observations - int(np.argmax(np.cumsum(chances[::-1]) > 0.5 * NEGLIGIBLE))
    return range(min(lowest, observed), max(highest, observed) + 1)


def number_of_kinds(observations: int, counts: range) -> int:
    """How many kinds there are at most to go through."""
    return 4 * sum(min(ones, observations - ones + 1) for ones in counts)


def kinds(observations: int, tail_probability: float, counts: range) -> Iterator[Kinds]:
    """All sequences of independent values that are 1 with the tail probability, one number of ones after another."""
    factorials = log_factorials(observations)
    hit, quiet = math.log(tail_probability), math.log1p(-tail_probability)
    for ones in counts:
        log_chance = ones * hit + (observations - ones) * quiet
        if 0 < ones < observations:
            yield _mixed(ones, observations - ones, log_chance, factorials)
        else:
            steps, none = np.array([observations - 1]), np.array([0])
            alike = (steps, none, none, none) if ones == 0 else (none, none, none, steps)
            yield Kinds(Transitions(*alike), np.exp(np.array([log_chance])))


def _mixed(ones: int, zeros: int, log_chance: float, factorials: Vector) -> Kinds:
    first, last = np.array([0, 0, 1, 1])[:, None], np.array([0, 1, 0, 1])[:, None]
    runs = np.arange(1, min(ones, zeros + 1) + 1)[None, :]
    gaps = runs + 1 - first - last  # runs of zeros
    possible = (gaps >= 1) & (gaps <= zeros)
    runs, first, last = (np.broadcast_to(part, gaps.shape)[possible] for part in (runs, first, last))
    gaps = gaps[possible]
    ways = _log_choose(ones - 1, runs - 1, factorials) + _log_choose(zeros - 1, gaps - 1, factorials)
    return Kinds(Transitions(zeros - gaps, runs - first, runs - last, ones - runs), np.exp(ways + log_chance))


def _log_choose(whole: int, part: Counts, factorials: Vector) -> Vector:
    result: Vector = factorials[whole] - factorials[part] - factorials[whole - part]
    return result

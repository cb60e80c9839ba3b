"""Bootstrap resamples of a time series, in blocks.

Resample number i of a seed is drawn from a counter-based generator of its own, Philox with the key (seed, i) (Salmon et
al. 2011): it is the same whatever is drawn before it, in however many pieces and processes the resamples are made.
Statistics that are sums over dates are counts of the dates times a table of returns, for many series at once.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.random import Generator, Philox
from numpy.typing import NDArray

from domain.checks import Matrix, Vector
from domain.records import dataclass

LEAST_RESAMPLED = 10
"""Returns that a resample needs: blocks of fewer dates say nothing about their dependence."""

PIECE = 1 << 17
"""Dates of resamples that are held at a time: each array is then a megabyte, which stays near the processor."""

LARGE_PIECE = 1 << 20
"""The same for products with a table of many series, which is read once for each piece."""

MOST_ROWS = 128
"""Resamples that are held at a time, for short series."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often T dates are drawn again, and in blocks of which length."""

    observations: int  # T
    count: int  # resamples
    block_length: float  # periods; the mean one of a stationary bootstrap
    seed: int

    def pieces(self, size: int = PIECE, series: int = 1) -> Iterator[tuple[int, int]]:
        """First and last + 1 of the resamples that are made together; the same for every number of workers.

        Each resample holds T counts, and a sum for each of some series.
        """
        rows = max(1, min(MOST_ROWS, size // max(self.observations, series)))
        for first in range(0, self.count, rows):
            yield first, min(first + rows, self.count)

    @property
    def fixed_length(self) -> int:
        """Length of a block of the circular block bootstrap, at least 1 and at most T."""
        return min(max(1, round(self.block_length)), self.observations)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of R resamples. Those that lie beyond the last date of a resample have length 0."""

    observations: int
    starts: Indices  # (R, M), first date of each
    lengths: Indices  # (R, M), from 0 to T; each row sums to T

    def counts(self) -> Matrix:
        """How often each date is drawn, (R, T)."""
        rows, width = len(self.starts), 2 * self.observations + 1
        first = self.starts + (np.arange(rows) * width)[:, None]
        begun = np.bincount(first.ravel(), minlength=rows * width)
        begun -= np.bincount((first + self.lengths).ravel(), minlength=rows * width)
        running = begun.reshape(rows, width).cumsum(axis=1)
        # A block that goes beyond the last date goes on at the first.
        result: Matrix = np.add(running[:, : self.observations], running[:, self.observations : -1], dtype=np.float64)
        return result

    def dates(self) -> Indices:
        """The date drawn for each date, (R, T), from 0 to 2 T: dates from T on are those of T less."""
        before = self.lengths.cumsum(axis=1) - self.lengths
        shifts = np.repeat((self.starts - before).ravel(), self.lengths.ravel())
        return shifts.reshape(len(self.starts), self.observations) + np.arange(self.observations)

    def sums(self, first: Vector, second: Vector) -> tuple[Vector, Vector]:
        """Sums of two series (T,) over each resample, (R,) each."""
        both = np.concatenate((first, first)) + 1j * np.concatenate((second, second))  # one look-up for the two
        cumulated = np.concatenate(([0.0], np.cumsum(both)))
        parts = cumulated.take(self.starts + self.lengths) - cumulated.take(self.starts)
        result = parts.sum(axis=1)
        return result.real, result.imag


def stationary_blocks(resampling: Resampling, first: int, last: int) -> Blocks:
    """Blocks of the stationary bootstrap (Politis and Romano 1994), of resamples `first` to `last` - 1.

    Blocks begin on any date with the same probability, go around the end of the series, and have geometric lengths.
    """
    t = resampling.observations
    mean = t / resampling.block_length
    most = min(t, math.ceil(mean + 5.0 * math.sqrt(mean)) + 1)
    while True:  # ends at T blocks at the latest: each has a date at least
        drawn = _uniform(resampling, first, last, most)
        drawn *= t
        starts = drawn.astype(np.int64)
        # What is left of a number after its date is taken is uniform in [0, 1) again.
        drawn -= starts
        lengths = _geometric(drawn, resampling.block_length, t)
        ends = lengths.cumsum(axis=1)
        if most == t or int(ends[:, -1].min()) >= t:
            break
        most = min(t, 2 * most)  # the numbers drawn already are the first of the new ones
    beyond = ends - t
    np.maximum(beyond, 0, out=beyond)
    lengths -= np.minimum(beyond, lengths)
    return Blocks(t, starts, lengths)


def circular_starts(resampling: Resampling, first: int, last: int) -> Indices:
    """First dates of the floor(T / b) blocks of the circular block bootstrap (Politis and Romano 1992), (R, M)."""
    t = resampling.observations
    result = np.empty((last - first, t // resampling.fixed_length), dtype=np.int64)
    for row, resample in enumerate(range(first, last)):
        result[row] = _generator(resampling, resample).integers(0, t, size=result.shape[1])
    return result


def start_counts(starts: Indices, observations: int) -> Matrix:
    """How many blocks begin on each of T dates, (R, T), by the first dates of the blocks, (R, M)."""
    rows = len(starts)
    flat = starts + (np.arange(rows) * observations)[:, None]
    return np.bincount(flat.ravel(), minlength=rows * observations).reshape(rows, observations).astype(np.float64)


def _uniform(resampling: Resampling, first: int, last: int, count: int) -> Matrix:
    """Numbers in [0, 1), (R, count)."""
    result = np.empty((last - first, count))
    for row, resample in enumerate(range(first, last)):
        _generator(resampling, resample).random(out=result[row])
    return result


def _generator(resampling: Resampling, resample: int) -> Generator:
    return Generator(Philox(key=np.array([resampling.seed, resample], dtype=np.uint64)))


def _geometric(uniform: Matrix, mean: float, most: int) -> Indices:
    """Lengths with P(length >= k) = (1 - 1 / mean)^(k - 1), cut at `most`."""
    if mean <= 1.0:
        return np.ones(uniform.shape, dtype=np.int64)
    beyond = np.log(1.0 - uniform)  # faster than log1p, and these numbers have no more digits
    beyond *= 1.0 / math.log1p(-1.0 / mean)
    result = np.minimum(beyond, most - 1, out=beyond).astype(np.int64)
    result += 1
    return result

"""Bootstrap resamples: reproducible in any pieces, with the distribution that their papers give them."""

import numpy as np
import pytest

from domain.significance.resampling import (
    Blocks,
    Resampling,
    circular_starts,
    start_counts,
    stationary_blocks,
)

T = 97


def resampling(block_length: float, seed: int = 5, count: int = 300) -> Resampling:
    return Resampling(T, count, block_length, seed)


@pytest.mark.parametrize("block_length", [1.0, 1.5, 7.0, 97.0, 500.0])
def test_resamples_are_the_same_in_any_pieces(block_length: float) -> None:
    whole = stationary_blocks(resampling(block_length), 0, 300).counts()
    alone = [stationary_blocks(resampling(block_length), i, i + 1).counts()[0] for i in (299, 0, 150)]
    assert (whole[[299, 0, 150]] == np.array(alone)).all()
    circular = circular_starts(resampling(7.0), 0, 300)
    assert (circular[120:130] == circular_starts(resampling(7.0), 120, 130)).all()


def test_another_seed_has_other_resamples() -> None:
    first = stationary_blocks(resampling(4.0, seed=1), 0, 20).dates()
    assert not (first == stationary_blocks(resampling(4.0, seed=2), 0, 20).dates()).all()
    largest = 2**64 - 1  # of the contract's seed
    assert stationary_blocks(resampling(4.0, seed=largest), 0, 2).counts().sum() == 2 * T


@pytest.mark.parametrize("block_length", [1.0, 1.5, 7.0, 97.0, 500.0])
def test_counts_dates_and_sums_tell_the_same(block_length: float) -> None:
    blocks = stationary_blocks(resampling(block_length), 0, 40)
    dates = blocks.dates() % T
    counts = np.array([np.bincount(row, minlength=T) for row in dates], np.float64)
    assert (blocks.counts() == counts).all()
    assert (counts.sum(axis=1) == T).all()
    first, second = np.random.RandomState(1).randn(2, T)
    sums = blocks.sums(first, second)
    assert sums[0] == pytest.approx(counts @ first, abs=1e-10)
    assert sums[1] == pytest.approx(counts @ second, abs=1e-10)


def test_a_block_goes_around_the_end() -> None:
    blocks = Blocks(4, np.array([[3, 1]]), np.array([[3, 1]]))
    assert (blocks.dates() % 4).tolist() == [[3, 0, 1, 1]]
    assert blocks.counts().tolist() == [[1.0, 2.0, 0.0, 1.0]]


def test_blocks_begin_anywhere_and_have_geometric_lengths() -> None:
    b, count = 5.0, 4000
    blocks = stationary_blocks(resampling(b, count=count), 0, count)
    dates = blocks.dates() % T
    continues = (np.diff(dates, axis=1) % T) == 1
    # The next date follows with 1 - 1/b, or is drawn by chance with 1/b x 1/T; 384 000 steps.
    assert continues.mean() == pytest.approx(0.8 + 0.2 / T, abs=0.003)
    inner = blocks.lengths[:, :3].ravel()  # blocks that the end of the resample does not cut
    for k in (2, 3, 6):
        assert (inner >= k).mean() == pytest.approx(0.8 ** (k - 1), abs=0.015)
    frequency = np.bincount(blocks.starts[:, 0], minlength=T) / count
    assert frequency == pytest.approx(np.full(T, 1.0 / T), abs=0.009)  # six standard errors
    # A start and the length of its block are drawn from one number, and independent all the same.
    assert abs(np.corrcoef(blocks.starts[:, 0], blocks.lengths[:, 0])[0, 1]) < 0.06


def test_circular_blocks_are_whole() -> None:
    starts = circular_starts(resampling(7.4), 0, 50)
    assert starts.shape == (50, T // 7)
    counts = start_counts(starts, T)
    assert (counts.sum(axis=1) == T // 7).all()
    assert counts[3, starts[3, 0]] >= 1.0


def test_pieces_cover_every_resample_once_and_hold_little() -> None:
    long = Resampling(50_000, 1000, 5.0, 0)
    pieces = list(long.pieces())
    assert [i for first, last in pieces for i in range(first, last)] == list(range(1000))
    assert max(last - first for first, last in pieces) * 50_000 <= 1 << 17
    assert max(last - first for first, last in Resampling(10**9, 3, 5.0, 0).pieces()) == 1

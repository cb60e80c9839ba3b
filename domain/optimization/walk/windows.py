"""Sample moments of windows of returns.

Those of a window are computed from its own returns alone, so that its bits depend on no other window: not on where a
walk begins, and not on where it goes on after a stop. An asset whose returns differ by rounding alone has a variance of
exactly 0, as it has for the estimator of one sample.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from domain.checks import ROUNDING, Matrix
from domain.records import dataclass

Stack = NDArray[np.float64]
"""Matrices of windows, (D, N, N)."""

MOST_ENTRIES = 2_000_000
"""Returns of the windows that are held at once."""


@dataclass(frozen=True, slots=True)
class WindowMoments:
    """Moments per period of D windows."""

    expected_returns: Matrix  # (D, N)
    covariances: Stack  # (D, N, N), divisor lookback - 1


def window_moments(returns: Matrix, ends: NDArray[np.int64], lookback: int) -> WindowMoments:
    """Of the `lookback` returns (T, N) before each end (D,), 2 or more."""
    parts = list(_parts(returns, ends, lookback))
    return WindowMoments(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))


def _parts(returns: Matrix, ends: NDArray[np.int64], lookback: int) -> Iterator[tuple[Matrix, Stack]]:
    by_asset = np.ascontiguousarray(returns.T)  # the returns of a window side by side
    windows = sliding_window_view(by_asset, lookback, axis=1).transpose(1, 0, 2)  # (T - lookback + 1, N, lookback)
    several = max(1, MOST_ENTRIES // (lookback * returns.shape[1]))
    for first in range(0, max(len(ends), 1), several):
        chosen = windows[ends[first : first + several] - lookback]
        constant = np.ptp(chosen, axis=2) <= ROUNDING * (1.0 + np.abs(chosen).max(axis=(1, 2)))[:, None]
        means = chosen.mean(axis=2)
        chosen -= means[:, :, None]  # a copy by now
        covariances = chosen @ chosen.transpose(0, 2, 1) / (lookback - 1)
        covariances[constant[:, :, None] | constant[:, None, :]] = 0.0
        yield means, covariances

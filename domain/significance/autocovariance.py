"""Autocovariances of series whose mean is taken off, by the fast Fourier transform."""

import numpy as np

from domain.checks import Matrix, Vector


def autocovariances(centred: Vector, most: int) -> Vector:
    """Of lags 0 to `most`, (most + 1,), divisor T at every lag."""
    t = len(centred)
    transform = np.fft.rfft(centred, _padded(t + most))
    products = np.fft.irfft(transform * transform.conj(), _padded(t + most))
    result: Vector = products[: most + 1] / t
    return result


def weighted_sum(centred: Matrix, weights: Vector) -> Matrix:
    """R(0) + sum over lags k of weights[k - 1] (R(k) + R(k)'), (K, K), of K series (T, K), divisor T.

    R(k)_ij = mean of series i at a date x series j k dates before. There are at most T - 1 weights.
    """
    t = len(centred)
    size = _padded(t + len(weights))
    kernel = np.zeros(size)
    kernel[0] = 1.0
    kernel[1 : len(weights) + 1] = weights
    kernel[size - len(weights) :] = weights[::-1]
    spectrum = np.fft.rfft(kernel).real  # the kernel is symmetric
    transform = np.fft.rfft(centred, size, axis=0)
    doubled = np.full(len(spectrum), 2.0)
    doubled[0] = 1.0
    if size % 2 == 0:
        doubled[-1] = 1.0
    # Parseval: a sum over pairs of dates is one over frequencies.
    result: Matrix = ((transform * (doubled * spectrum)[:, None]).T @ transform.conj()).real / (size * t)
    return result


def _padded(size: int) -> int:
    """A power of 2, which is fast, with room for the lags: nothing goes around the end."""
    return 1 << (size - 1).bit_length()

"""Fewer points for drawing: a screen has fewer columns than a series has dates.

A line keeps its first and last point and, of each of equally long stretches, its lowest and its highest point, so that
no extreme is lost. What is stacked needs the same dates for all its parts, and keeps dates at even distances.
"""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector

MOST_ROWS = 3000
"""Rows of data of a chart: all charts of a result together stay a message of 4 MiB."""

MOST_POINTS = 1000
"""Points of a line."""

LEAST_POINTS = 50
"""Points of a line however many there are."""

Indices = NDArray[np.intp]


def points_of_each(lines: int) -> int:
    """Points that each of several lines of a chart may have."""
    return max(LEAST_POINTS, min(MOST_POINTS, MOST_ROWS // max(lines, 1)))


def extremes(values: Vector, most: int) -> Indices:
    """Indices of the points of a line (K,) to draw, in order, at most `most` of 4 or more; none that is no number.

    The first and the last one, and the lowest and the highest one of each of (most - 2) / 2 stretches.
    """
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite) <= most:
        return finite
    known = values[finite]
    edges = np.linspace(0, len(known), (most - 2) // 2 + 1).astype(np.intp)
    kept = {0, len(known) - 1}
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        stretch = known[start:end]
        kept.add(start + int(stretch.argmin()))
        kept.add(start + int(stretch.argmax()))
    return finite[np.array(sorted(kept), dtype=np.intp)]


def evenly(count: int, most: int) -> Indices:
    """Indices of at most `most` of `count` dates at even distances, the first and the last among them."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.intp))

"""Correlations as a heat map in the order of a tree, with the tree above it."""

import json

import numpy as np

from domain.charts.specification import Row, Specification, number_tooltip, single_view, text_tooltip
from domain.charts.theme import Theme
from domain.checks import Matrix
from domain.estimation.clustering import Tree

MOST_DRAWN = 60
"""Assets of a heat map: it has the square of them as cells."""

TREE_PART = 0.3
"""Height of the tree as a fraction of the heat map."""


def correlation_chart(symbols: tuple[str, ...], correlation: Matrix, tree: Tree, theme: Theme) -> Specification:
    """Of N assets in the order of the leaves of `tree`; one asset has a tree without merges.

    The tree is drawn in the same coordinates: asset number k of the order has the cell from k to k + 1.
    """
    size = len(symbols)
    order = tree.order.tolist() if size > 1 else list(range(size))
    names = [symbols[i] for i in order]
    rows = _cells(names, correlation[np.ix_(order, order)]) + _branches(tree, order)
    labels = f"{json.dumps(names)}[floor(datum.value)]"
    ticks = [k + 0.5 for k in range(size)]
    axis = {"title": None, "values": ticks, "labelExpr": labels, "grid": False, "ticks": False, "domain": False}
    top = size * (1.0 + TREE_PART) if size > 1 else 1.0
    # Rows are counted downwards, the first asset of the order on top and the tree above it.
    scale_x, scale_y = (
        {"domain": [0, size], "nice": False},
        {"domain": [size - top, size], "nice": False, "reverse": True},
    )
    x = {"type": "quantitative", "scale": scale_x, "axis": {**axis, "labelAngle": -90, "orient": "bottom"}}
    y = {"type": "quantitative", "scale": scale_y, "axis": axis}
    colour = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [-1, 0, 1], "range": "diverging", "interpolate": "rgb"},
        "legend": {"title": "Correlation", "gradientLength": 160},
    }
    tooltip = [text_tooltip("Asset", "one"), text_tooltip("Asset", "other"), number_tooltip("Correlation", ".3f")]
    cells = {
        "transform": [{"filter": "isValid(datum.value)"}],
        "mark": {"type": "rect"},
        "encoding": {
            "x": {**x, "field": "x"},
            "x2": {"field": "x2"},
            "y": {**y, "field": "y"},
            "y2": {"field": "y2"},
            "color": colour,
            "tooltip": tooltip,
        },
    }
    branches = {
        "transform": [{"filter": "isValid(datum.distance)"}],
        "mark": {"type": "rule"},
        "encoding": {
            "x": {**x, "field": "x"},
            "x2": {"field": "x2"},
            "y": {**y, "field": "y"},
            "y2": {"field": "y2"},
            "tooltip": [number_tooltip("Distance", ".3f", "distance")],
        },
    }
    subtitle = "ordered by their tree; distance is the root of (1 - correlation) / 2" if size > 1 else ""
    height = max(200, min(640, 22 * size) * (1.0 + TREE_PART))
    return single_view("Correlation of the assets", subtitle, theme, rows, {"layer": [cells, branches]}, height=height)


def _cells(names: list[str], correlation: Matrix) -> list[Row]:
    return [
        {"one": one, "other": other, "x": j, "x2": j + 1, "y": i, "y2": i + 1, "value": float(correlation[i, j])}
        for i, one in enumerate(names)
        for j, other in enumerate(names)
    ]


def _branches(tree: Tree, order: list[int]) -> list[Row]:
    """Three rules for each merge: up from both clusters to the distance at which they merge, and across."""
    size = len(order)
    if size < 2:
        return []
    place = {asset: k for k, asset in enumerate(order)}
    centres = [place[asset] + 0.5 for asset in range(size)]
    heights = [0.0] * size
    unit = TREE_PART * size / (max(float(tree.merges[:, 2].max()), 1e-12) * 1.05)
    rows: list[Row] = []
    for left, right, distance, _ in tree.merges.tolist():
        a, b = int(left), int(right)
        height = float(distance) * unit
        for child in (a, b):
            rows.append(_rule(centres[child], -heights[child], centres[child], -height, distance))
        rows.append(_rule(centres[a], -height, centres[b], -height, distance))
        centres.append(0.5 * (centres[a] + centres[b]))
        heights.append(height)
    return rows


def _rule(x: float, y: float, x2: float, y2: float, distance: float) -> Row:
    return {"x": x, "y": y, "x2": x2, "y2": y2, "distance": float(distance)}

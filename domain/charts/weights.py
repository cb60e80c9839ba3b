"""Weights: over time as stacked areas, and of one or several portfolios as bars."""

from collections.abc import Sequence

import numpy as np

from domain.charts.specification import (
    Specification,
    bar_axis,
    colour_by,
    date_tooltip,
    dated_rows,
    number_tooltip,
    single_view,
    text_tooltip,
    time_axis,
    value_axis,
)
from domain.charts.theme import MOST_COLOURS, Theme
from domain.charts.thinning import evenly, points_of_each
from domain.checks import Matrix, Vector
from domain.market_data.panel import Days
from domain.records import dataclass

CASH, REST = "cash", "all others"
CASH_SHOWN = 1e-6
"""Largest weight of cash from which it is drawn."""

ROUNDING = 1e-12
"""Weight of cash below which it is the rounding of a sum; an axis would begin below 0 for it."""

MOST_BARS = 30
"""Assets with a bar of their own."""


@dataclass(frozen=True, slots=True)
class NamedWeights:
    """Weights of one portfolio."""

    name: str
    by_symbol: dict[str, float]


def weights_chart(symbols: tuple[str, ...], days: Days, weights: Matrix, theme: Theme) -> Specification:
    """Weights (T, N) over time; the assets of the largest mean absolute weight, all others together, and cash.

    Dates are thinned evenly: what is stacked needs the same ones.
    """
    kept = evenly(len(days), points_of_each(MOST_COLOURS))
    days, weights = days[kept], weights[kept]
    cash = 1.0 - weights.sum(axis=1)
    cash[np.abs(cash) < ROUNDING] = 0.0
    columns = {CASH: cash} if float(np.abs(cash).max()) > CASH_SHOWN else {}
    order = np.argsort(-np.abs(weights).mean(axis=0), kind="stable")
    order = order[np.abs(weights[:, order]).max(axis=0) > 0.0]
    room = MOST_COLOURS - len(columns)
    if len(order) > room:
        columns = {REST: weights[:, order[room - 1 :]].sum(axis=1), **columns}
        order = order[: room - 1]
    parts = {**{symbols[j]: weights[:, j] for j in order.tolist()}, **_told_apart(columns, symbols)}
    rows = [
        row
        for place, (label, values) in enumerate(parts.items())
        for row in dated_rows(days, values, label=label, place=place)
    ]
    encoding = {
        "x": time_axis(),
        "y": {**value_axis("Weight, % of net asset value", ".0%", nice=False), "stack": "zero"},
        "color": colour_by("label", list(parts)),
        "order": {"field": "place", "type": "quantitative"},
        "tooltip": [text_tooltip("Asset", "label"), date_tooltip(), number_tooltip("Weight")],
    }
    subtitle = f"{len(order)} largest of {len(symbols)} assets" if len(order) < len(symbols) else "after trading"
    return single_view("Weights over time", subtitle, theme, rows, {"mark": {"type": "area"}, "encoding": encoding})


def weight_bars(portfolios: Sequence[NamedWeights], theme: Theme, title: str = "Weights") -> Specification:
    """Weights of several portfolios as bars beside each other, the assets of the largest ones."""
    size: dict[str, float] = {}
    for portfolio in portfolios:
        for symbol, weight in portfolio.by_symbol.items():
            size[symbol] = max(size.get(symbol, 0.0), abs(weight))
    held = sorted((symbol for symbol in size if size[symbol] > 0.0), key=lambda symbol: -size[symbol])
    shown = held[:MOST_BARS]
    rows = [
        {"symbol": symbol, "portfolio": portfolio.name, "value": portfolio.by_symbol.get(symbol, 0.0)}
        for symbol in shown
        for portfolio in portfolios
    ]
    names = [portfolio.name for portfolio in portfolios]
    encoding = {
        "y": {"field": "symbol", "type": "nominal", "sort": shown, "axis": {"title": None}},
        "x": bar_axis("Weight, % of net asset value"),
        "color": colour_by("portfolio", names),
        "tooltip": [text_tooltip("Asset", "symbol"), text_tooltip("Portfolio", "portfolio"), number_tooltip("Weight")],
    }
    if len(names) > 1:
        encoding["yOffset"] = {"field": "portfolio", "type": "nominal", "sort": names}
    left_out = f"the {len(shown)} largest of {len(held)} assets" if len(held) > len(shown) else ""
    step = {"step": 18 if len(names) == 1 else 8}
    return single_view(title, left_out, theme, rows, {"mark": {"type": "bar"}, "encoding": encoding}, height=step)


def _told_apart(columns: dict[str, Vector], symbols: tuple[str, ...]) -> dict[str, Vector]:
    """Columns that are no assets, by names that no asset has."""
    return {f"({name})" if name in symbols else name: values for name, values in columns.items()}

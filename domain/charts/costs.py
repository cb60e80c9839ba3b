"""Trading costs and turnover by month or year."""

from typing import Any

import numpy as np

from domain.charts.specification import (
    LOW_HEIGHT,
    SHORT_NUMBER,
    SHORT_PERCENT,
    Specification,
    low_axis,
    number_tooltip,
    stacked_views,
    text_tooltip,
)
from domain.charts.theme import Theme
from domain.checks import Vector
from domain.market_data.panel import Days

YEARS_FROM = 37
"""Months from which bars are of years."""


def costs_chart(days: Days, costs: Vector, turnovers: Vector, theme: Theme, subtitle: str = "") -> Specification:
    """Sums by month, or by year where there are many, of dates (T,).

    `costs` (T,) are fractions of the net asset value before each trade, `turnovers` (T,) one-way, likewise. Turnovers
    alone where nothing was paid.
    """
    dates = days.astype("datetime64[D]")
    months = int((dates[-1].astype("datetime64[M]") - dates[0].astype("datetime64[M]")).astype(int)) + 1
    unit = "Y" if months >= YEARS_FROM else "M"
    periods = dates.astype(f"datetime64[{unit}]")
    found, place = np.unique(periods, return_inverse=True)
    names = np.datetime_as_string(found).tolist()
    sums = [np.bincount(place, values, len(found)).tolist() for values in (costs, turnovers)]
    rows = [
        {"period": name, "cost": 1e4 * cost, "turnover": turnover}
        for name, cost, turnover in zip(names, *sums, strict=True)
    ]
    word = "year" if unit == "Y" else "month"
    turnover = _bars(low_axis("One-way turnover, %", SHORT_PERCENT, "turnover"), "turnover", ".1%")
    cost = _bars(low_axis("Costs, bps", SHORT_NUMBER, "cost"), "cost", ",.2f")
    title, views = ("Trading costs and turnover", [cost, turnover]) if costs.any() else ("Turnover", [turnover])
    basis = f"sums by {word}, of net asset value"
    return stacked_views(title, f"{basis}; {subtitle}" if subtitle else basis, theme, rows, views)


def _bars(y: dict[str, Any], field: str, shown: str) -> dict[str, Any]:
    x = {"field": "period", "type": "ordinal", "axis": {"title": None, "labelAngle": 0, "labelOverlap": True}}
    tooltip = [text_tooltip("Period", "period"), number_tooltip(field.capitalize(), shown, field)]
    encoding = {"x": x, "y": y, "tooltip": tooltip}
    return {"height": LOW_HEIGHT, "mark": {"type": "bar"}, "encoding": encoding}

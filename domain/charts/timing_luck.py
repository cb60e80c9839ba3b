"""What the choice of rebalancing dates alone makes of a strategy."""

import numpy as np

from domain.charts.specification import (
    SHORT_PERCENT,
    Row,
    Specification,
    bar_axis,
    colour_by,
    date_texts,
    date_tooltip,
    finite_rows,
    number_tooltip,
    single_view,
    text_tooltip,
    time_axis,
    value_axis,
)
from domain.charts.theme import Theme
from domain.significance.timing_luck import LuckBand, TimingLuck

SIMULATED, SHIFTED, SUMMARY = "as simulated", "shifted calendar", "of all calendars"
ALL = "from the lowest to the highest of all calendars"
PALE = 0.35
"""Opacity of the area."""

_TITLES = {"chosen": "As simulated", "lowest": "Lowest", "highest": "Highest"}


def timing_luck_chart(found: TimingLuck, theme: Theme) -> Specification:
    """A fan over time, from the lowest to the highest of all calendars.

    Bars of total returns where the calendar of the request has none, so that nothing can be drawn beside it.
    """
    return _bars(found, theme) if found.band is None else _fan(found.band, theme)


def _fan(band: LuckBand, theme: Theme) -> Specification:
    """Values over the median of all calendars: an area from the lowest to the highest, and the request's as a line."""
    median = np.asarray(band.median)
    known = median > 0.0
    curves = {"lowest": band.lowest, "highest": band.highest, "chosen": band.chosen}
    ratios = {name: (np.asarray(curve)[known] / median[known] - 1.0).tolist() for name, curve in curves.items()}
    dates = date_texts(np.asarray(band.days, np.int32)[known])
    rows: list[Row] = [{"date": date, **{name: ratios[name][i] for name in curves}} for i, date in enumerate(dates)]
    tips = [date_tooltip(), *(number_tooltip(title, field=name) for name, title in _TITLES.items())]
    shared = {"x": time_axis(), "tooltip": tips}
    area = {**shared, "y": value_axis("Value over the median, %", SHORT_PERCENT, "lowest"), "y2": {"field": "highest"}}
    line = {**shared, "y": value_axis("Value over the median, %", SHORT_PERCENT, "chosen")}
    layers = [
        {"mark": {"type": "area"}, "encoding": {**area, "color": {"datum": ALL}, "opacity": {"datum": ALL}}},
        {
            "mark": {"type": "line", "strokeWidth": 1.5},
            "encoding": {**line, "color": {"datum": SIMULATED}, "opacity": {"datum": SIMULATED}},
        },
    ]
    subtitle = "the same strategy where it decides on other dates, beside the median of all calendars"
    # By default the end of the second label is cut off, and both symbols are as pale as the area. Opacities are said
    # here, since newer versions of Vega-Lite do not merge their legend with that of the colours.
    pale = {"expr": f"datum.index == 0 ? 1 : {PALE}"}
    legend = {"title": None, "labelLimit": 300, "symbolType": "square", "symbolOpacity": pale}
    colour = {"type": "nominal", "scale": {"domain": [SIMULATED, ALL]}, "legend": legend}
    opacity = {"type": "nominal", "scale": {"domain": [SIMULATED, ALL], "range": [1.0, PALE]}, "legend": None}
    view = {"layer": layers, "encoding": {"color": colour, "opacity": opacity}}
    return single_view("Timing luck", subtitle, theme, finite_rows(rows), view)


def _bars(found: TimingLuck, theme: Theme) -> Specification:
    """A bar for each calendar that has a total return, then lowest, median and highest of them."""
    rows: list[Row] = [
        {"name": f"{offset} date{'s' if offset > 1 else ''} later", "kind": SHIFTED, "value": value}
        for offset, value in found.outcomes
    ]
    summary = {"lowest": found.lowest, "median": found.median, "highest": found.highest}
    rows += [{"name": name, "kind": SUMMARY, "value": value} for name, value in summary.items()]
    encoding = {
        "y": {"field": "name", "type": "nominal", "sort": [row["name"] for row in rows], "axis": {"title": None}},
        "x": bar_axis("Total return, %"),
        "color": colour_by("kind", [SUMMARY, SHIFTED]),
        "tooltip": [text_tooltip("Calendar", "name"), number_tooltip("Total return")],
    }
    view = {"mark": {"type": "bar"}, "encoding": encoding}
    subtitle = "total returns where the same strategy decides on other dates"
    return single_view("Timing luck", subtitle, theme, finite_rows(rows), view, height={"step": 18})

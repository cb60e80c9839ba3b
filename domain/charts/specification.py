"""What all charts share: the frame of a specification, its rows of data, axes and tooltips.

Specifications are of Vega-Lite 6 (https://vega.github.io/vega-lite/). Data are in them, as rows; nothing is loaded
from elsewhere. Dates are drawn in UTC: in local time, west of Greenwich, each would be a day early. A number
that is not finite is never written, since JSON has none.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from domain.charts.theme import Theme
from domain.checks import Vector
from domain.market_data.panel import Days

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

Specification = dict[str, Any]
"""A Vega-Lite specification, of the types that JSON has."""

Row = dict[str, Any]

HEIGHT = 280
"""Height of a chart in pixels; its width is that of its container."""

LOW_HEIGHT = 140
"""Height in pixels of a view that has others below it."""

PERCENT = ".1%"
FINE_PERCENT = ".2%"
SHORT_PERCENT, SHORT_NUMBER = ",.2~%", ",.4~f"
"""Decimals without zeros at the end: of labels of an axis, which show small steps and have little room."""

DATE_LABELS = {
    **dict.fromkeys(("quarter", "month"), "%b %Y"),
    **dict.fromkeys(("date", "day"), "%d %b"),
    **dict.fromkeys(("hours", "minutes", "seconds"), " "),
    "year": "%Y",
    "week": "%d %b %Y",
}
"""Labels of dates, by the longest unit of time that begins there. A month has its year: the label of January, which
alone would have it by default, is one of those that are left out where they are too close. Hours have none."""


def single_view(
    title: str, subtitle: str, theme: Theme, rows: Sequence[Row], view: Mapping[str, Any], height: Any = HEIGHT
) -> Specification:
    """A chart of one view, plain or in layers, as wide as its container."""
    return {
        **_frame(title, subtitle, rows),
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        **view,
        "config": theme.config,
    }


def stacked_views(
    title: str, subtitle: str, theme: Theme, rows: Sequence[Row], views: Sequence[Mapping[str, Any]]
) -> Specification:
    """Views below each other, as wide as `config.view` says: here Vega-Lite knows no container."""
    return {**_frame(title, subtitle, rows), "vconcat": list(views), "config": theme.config}


def _frame(title: str, subtitle: str, rows: Sequence[Row]) -> Specification:
    return {
        "$schema": SCHEMA,
        "title": {"text": title, "subtitle": subtitle} if subtitle else {"text": title},
        "data": {"values": list(rows)},
    }


def date_texts(days: Days) -> list[str]:
    """Dates as YYYY-MM-DD, (K,)."""
    texts: list[str] = np.datetime_as_string(days.astype("datetime64[D]")).tolist()
    return texts


def dated_rows(days: Days, values: Vector, **constant: Any) -> list[Row]:
    """A row for each date (K,) whose value is finite; `constant` is in all of them."""
    finite = np.isfinite(values)
    dates = date_texts(days[finite])
    return [
        {**constant, "date": date, "value": value} for date, value in zip(dates, values[finite].tolist(), strict=True)
    ]


def finite_rows(rows: Iterable[Row]) -> list[Row]:
    """Rows without the numbers that are not finite."""
    return [
        {name: value for name, value in row.items() if not isinstance(value, float) or math.isfinite(value)}
        for row in rows
    ]


def time_axis(title: str | None = None) -> dict[str, Any]:
    """The horizontal axis of dates."""
    axis = {"title": title, "grid": False, "format": DATE_LABELS}
    return {"field": "date", "type": "temporal", "scale": {"type": "utc"}, "axis": axis}


def value_axis(title: str, shown: str = PERCENT, field: str = "value", **scale: Any) -> dict[str, Any]:
    """An axis of numbers; the title has the unit."""
    encoding: dict[str, Any] = {"field": field, "type": "quantitative", "axis": {"title": title, "format": shown}}
    return {**encoding, "scale": scale} if scale else encoding


def bar_axis(title: str, shown: str = SHORT_PERCENT, field: str = "value") -> dict[str, Any]:
    """The horizontal axis of bars: moved inwards, the first and the last label would touch those beside them."""
    encoding = value_axis(title, shown, field)
    return {**encoding, "axis": {**encoding["axis"], "labelFlush": False}}


def low_axis(title: str, shown: str = PERCENT, field: str = "value", **scale: Any) -> dict[str, Any]:
    """A vertical axis of numbers of a view that is LOW_HEIGHT high."""
    encoding = value_axis(title, shown, field, **scale)
    return {**encoding, "axis": {**encoding["axis"], "tickCount": 5}}


def date_tooltip(title: str = "Date") -> dict[str, Any]:
    """A date in a tooltip."""
    return {"field": "date", "type": "temporal", "timeUnit": "utcyearmonthdate", "format": "%Y-%m-%d", "title": title}


def number_tooltip(title: str, shown: str = FINE_PERCENT, field: str = "value") -> dict[str, Any]:
    """A number in a tooltip."""
    return {"field": field, "type": "quantitative", "format": shown, "title": title}


def text_tooltip(title: str, field: str) -> dict[str, Any]:
    """A name in a tooltip."""
    return {"field": field, "type": "nominal", "title": title}


def colour_by(field: str, names: Sequence[str], title: str | None = None) -> dict[str, Any]:
    """A colour for each name, in their order; without a legend for a single one."""
    legend = None if len(names) < 2 else {"title": title}
    return {"field": field, "type": "nominal", "scale": {"domain": list(names)}, "legend": legend}

"""The fan of curves that the choice of rebalancing dates alone makes."""

import numpy as np

from domain.charts.lines import Line
from domain.charts.specification import (
    Specification,
    colour_by,
    date_texts,
    date_tooltip,
    dated_rows,
    finite_rows,
    number_tooltip,
    single_view,
    text_tooltip,
    time_axis,
    value_axis,
)
from domain.charts.theme import Theme
from domain.charts.thinning import evenly, points_of_each
from domain.checks import Matrix
from domain.market_data.panel import Days

BAND, MEDIAN, CHOSEN = "all offsets", "median", "as simulated"


def timing_luck_chart(days: Days, values: Matrix, chosen: Line, theme: Theme) -> Specification:
    """Values of 1 invested over dates (T,) with each offset of the rebalancing dates, (T, O), and as it was simulated.

    The band reaches from the lowest to the highest value of each date, which is no path of one offset.
    """
    kept = evenly(len(days), points_of_each(2))
    shown = values[kept]
    own = np.interp(days[kept], chosen.days, chosen.values / chosen.values[0])
    dates = date_texts(days[kept])
    middle = np.median(shown, axis=1)
    rows = finite_rows(
        {"label": BAND, "date": date, "lowest": lowest, "highest": highest}
        for date, lowest, highest in zip(dates, shown.min(axis=1).tolist(), shown.max(axis=1).tolist(), strict=True)
    )
    rows += dated_rows(days[kept], middle, label=MEDIAN) + dated_rows(days[kept], own, label=CHOSEN)
    band = {
        "transform": [{"filter": {"field": "label", "equal": BAND}}],
        "mark": {"type": "area", "opacity": 0.25},
        "encoding": {
            "y": value_axis("Value of 1 invested", ",.2f", "lowest", zero=False),
            "y2": {"field": "highest"},
            "tooltip": [
                date_tooltip(),
                *(number_tooltip(name, ",.3f", name.lower()) for name in ("Lowest", "Highest")),
            ],
        },
    }
    lines = {
        "transform": [{"filter": {"field": "label", "oneOf": [MEDIAN, CHOSEN]}}],
        "mark": {"type": "line", "strokeWidth": 1.5},
        "encoding": {
            "y": {"field": "value", "type": "quantitative"},
            "tooltip": [text_tooltip("Curve", "label"), date_tooltip(), number_tooltip("Value", ",.3f")],
        },
    }
    shared = {"x": time_axis(), "color": colour_by("label", [BAND, MEDIAN, CHOSEN])}
    subtitle = f"the same strategy on {values.shape[1]} shifted rebalancing calendars"
    return single_view("Timing luck", subtitle, theme, rows, {"encoding": shared, "layer": [band, lines]})

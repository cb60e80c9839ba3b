"""Returns by year and month as a heat map, with the return of each year beside them."""

from collections.abc import Sequence

from domain.charts.specification import Row, Specification, number_tooltip, single_view, text_tooltip
from domain.charts.theme import Theme

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
YEAR = "Year"
ROW_HEIGHT = 20

TEXT_SIZE = 9
"""Of the numbers in cells, in pixels."""


def monthly_returns_chart(
    months: Sequence[tuple[int, int, float]], years: Sequence[tuple[int, float]], subtitle: str, theme: Theme
) -> Specification:
    """A cell for each month, (year, month from 1 to 12, return), and for each year, (year, return).

    The subtitle has their unit, per cent.

    Colours end at the largest absolute return of a month: those of years, which are larger, have none.
    """
    rows: list[Row] = [
        {"year": year, "month": MONTHS[month - 1], "value": value, "shade": value} for year, month, value in months
    ]
    rows += [{"year": year, "month": YEAR, "value": value, "shade": 0.0} for year, value in years]
    largest = max((abs(value) for _, _, value in months), default=0.0) or 1.0
    columns = [*MONTHS, YEAR]
    place = {
        "x": {
            "field": "month",
            "type": "ordinal",
            "sort": columns,
            "scale": {"domain": columns},
            "axis": {"title": None, "labelAngle": 0, "orient": "top"},
        },
        "y": {"field": "year", "type": "ordinal", "axis": {"title": None}},
    }
    tooltip = [text_tooltip("Year", "year"), text_tooltip("Month", "month"), number_tooltip("Return")]
    colour = {
        "field": "shade",
        "type": "quantitative",
        "scale": {"domain": [-largest, 0.0, largest], "range": "diverging", "interpolate": "rgb"},
        "legend": None,
    }
    cells = {"mark": {"type": "rect"}, "encoding": {**place, "color": colour, "tooltip": tooltip}}
    # Without a sign of per cent, which the subtitle has: on a phone a cell is as wide as four digits.
    number = {"field": "percent", "type": "quantitative", "format": ".1f"}
    texts = {
        "transform": [{"calculate": "100 * datum.value", "as": "percent"}],
        "mark": {"type": "text", "fontSize": TEXT_SIZE},
        "encoding": {**place, "text": number, "tooltip": tooltip},
    }
    view = {"layer": [cells, texts]}
    return single_view("Returns by month", subtitle, theme, rows, view, height={"step": ROW_HEIGHT})

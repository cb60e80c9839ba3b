"""Parts of a whole as bars: contributions to risk or return, and segments of an attribution."""

from collections.abc import Mapping

from domain.charts.specification import (
    Specification,
    bar_axis,
    colour_by,
    finite_rows,
    number_tooltip,
    single_view,
    text_tooltip,
)
from domain.charts.theme import Theme

MOST_BARS = 30
"""Parts with a bar of their own."""

ROUNDING = 1e-14
"""Of the largest part: what is smaller is the rounding of sums."""

ADDS, TAKES = "adds", "takes away"


def contributions_chart(
    title: str, subtitle: str, unit: str, parts: Mapping[str, float], theme: Theme, *, sort: bool = True
) -> Specification:
    """A bar for each part that is not 0 to rounding, the largest amount first; `unit` is the title of the axis.

    Where there are too many, the smallest are one bar together, so that all bars sum to the whole.
    """
    least = ROUNDING * max(map(abs, parts.values()), default=0.0)
    found = {name: value for name, value in parts.items() if abs(value) > least}
    names = sorted(found, key=lambda name: -abs(found[name])) if sort else list(found)
    shown = {name: found[name] for name in names}
    if len(names) > MOST_BARS:
        largest = set(sorted(found, key=lambda name: -abs(found[name]))[: MOST_BARS - 1])
        rest = [name for name in names if name not in largest]
        shown = {name: found[name] for name in names if name in largest}
        shown[f"{len(rest)} others"] = sum(found[name] for name in rest)
    rows = [{"name": name, "value": value, "sign": ADDS if value >= 0.0 else TAKES} for name, value in shown.items()]
    encoding = {
        "y": {"field": "name", "type": "nominal", "sort": list(shown), "axis": {"title": None}},
        "x": bar_axis(unit),
        "color": {**colour_by("sign", [ADDS, TAKES]), "legend": None},
        "tooltip": [text_tooltip("Part", "name"), number_tooltip(unit, ".3%")],
    }
    view = {"mark": {"type": "bar"}, "encoding": encoding}
    return single_view(title, subtitle, theme, finite_rows(rows), view, height={"step": 18})

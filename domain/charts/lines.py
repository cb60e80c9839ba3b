"""Lines over time: the value of one unit invested, and what is lost from its peak."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.charts.specification import (
    Specification,
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
from domain.charts.thinning import extremes, points_of_each
from domain.checks import Vector
from domain.market_data.panel import Days
from domain.risk.measures.drawdown import level_drawdowns

LOGARITHMIC_FROM = 10.0
"""Ratio of the highest to the lowest value from which an axis of values is logarithmic."""


@dataclass(frozen=True, slots=True)
class Line:
    """A curve over time."""

    label: str
    days: Days  # (K,)
    values: Vector  # (K,), NaN where there is none
    is_benchmark: bool = False


def drawn_lines(lines: Sequence[Line]) -> tuple[list[Line], str]:
    """The lines that colours can tell apart, in their order, and a note about those left out."""
    left_out = len(lines) - MOST_COLOURS
    note = f"{left_out} more of {len(lines)} curves are not drawn" if left_out > 0 else ""
    return list(lines[:MOST_COLOURS]), note


def line_rows(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Rows of several lines, thinned."""
    most = points_of_each(len(lines))
    rows = []
    for line in lines:
        kept = extremes(line.values, most)
        kind = "benchmark" if line.is_benchmark else "strategy"
        rows += dated_rows(line.days[kept], line.values[kept], label=line.label, kind=kind)
    return rows


def line_encoding(lines: Sequence[Line], y: dict[str, Any], tooltip: dict[str, Any]) -> dict[str, Any]:
    """The encoding of several lines: a colour for each, benchmarks dashed."""
    return {
        "x": time_axis(),
        "y": y,
        "color": colour_by("label", [line.label for line in lines]),
        "strokeDash": {
            "field": "kind",
            "type": "nominal",
            "scale": {"domain": ["strategy", "benchmark"], "range": [[1, 0], [5, 3]]},
            "legend": None,
        },
        "tooltip": [text_tooltip("Curve", "label"), date_tooltip(), tooltip],
    }


def equity_chart(lines: Sequence[Line], theme: Theme) -> Specification:
    """The value of 1 invested on the first date of each line, of values above 0 there."""
    drawn, note = drawn_lines(lines)
    scaled = [Line(line.label, line.days, line.values / line.values[0], line.is_benchmark) for line in drawn]
    lowest = min(float(np.nanmin(line.values)) for line in scaled)
    highest = max(float(np.nanmax(line.values)) for line in scaled)
    logarithmic = lowest > 0.0 and highest / lowest >= LOGARITHMIC_FROM
    scale = {"type": "log", "nice": False} if logarithmic else {"zero": False}
    subtitle = "after costs; external cash flows taken out" + ("; logarithmic axis" if logarithmic else "")
    y = value_axis("Value of 1 invested", ",.2f", **scale)
    view = {"mark": {"type": "line", "strokeWidth": 1.5}}
    encoding = line_encoding(scaled, y, number_tooltip("Value", ",.4f"))
    return single_view(
        "Value over time", _joined(subtitle, note), theme, line_rows(scaled), {**view, "encoding": encoding}
    )


def drawdown_chart(lines: Sequence[Line], theme: Theme) -> Specification:
    """What each line of values has lost from its highest value so far, drawn downwards."""
    drawn, note = drawn_lines(lines)
    falls = [Line(line.label, line.days, -level_drawdowns(line.values), line.is_benchmark) for line in drawn]
    y = value_axis("Loss from the peak, %", ".0%")
    area = {"type": "area", "line": {"strokeWidth": 1.2}, "opacity": 0.35}
    mark = area if len(falls) == 1 else {"type": "line", "strokeWidth": 1}
    encoding = line_encoding(falls, y, number_tooltip("Loss from the peak"))
    if len(falls) == 1:
        del encoding["strokeDash"]
    return single_view("Drawdown", note, theme, line_rows(falls), {"mark": mark, "encoding": encoding}, height=200)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)

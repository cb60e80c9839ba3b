"""Lines over time: the value of one unit invested, and what is lost from its peak."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from domain.charts.specification import (
    SHORT_NUMBER,
    SHORT_PERCENT,
    Row,
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
from domain.records import dataclass
from domain.risk.measures.drawdown import level_drawdowns

LOGARITHMIC_FROM = 10.0
"""Ratio of the highest to the lowest value from which an axis of values is logarithmic."""

STRATEGY, BENCHMARK = "strategy", "benchmark"
SOLID, DASHED = [1, 0], [5, 3]
LEGEND_SYMBOL = {"symbolSize": 160, "symbolStrokeWidth": 3}
"""Long enough for two dashes, and so thick that it has its colour: a thin line is drawn paler."""

NET = "after costs; external cash flows taken out"
"""Of the values of a strategy's account."""


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


def line_rows(lines: Sequence[Line], most: int) -> list[Row]:
    """Rows of several lines, each thinned to `most`."""
    rows: list[Row] = []
    for line in lines:
        kept = extremes(line.values, most)
        rows += dated_rows(line.days[kept], line.values[kept], label=line.label, kind=_kind(line))
    return rows


def line_view(lines: Sequence[Line], y: dict[str, Any], tooltip: dict[str, Any], stroke_width: float) -> dict[str, Any]:
    """Several lines, a colour for each: benchmarks dashed, in the legend too, and strategies drawn over them."""
    colour = colour_by("label", [line.label for line in lines])
    if colour["legend"] is not None:
        colour["legend"] |= LEGEND_SYMBOL
    dashes = [DASHED if line.is_benchmark else SOLID for line in lines]
    encoding = {
        "x": time_axis(),
        "y": y,
        "color": colour,
        "strokeDash": {**colour, "scale": {**colour["scale"], "range": dashes}},
        "tooltip": [text_tooltip("Curve", "label"), date_tooltip(), tooltip],
    }
    mark = {"type": "line", "strokeWidth": stroke_width}
    kinds = [kind for kind in (BENCHMARK, STRATEGY) if kind in {_kind(line) for line in lines}]
    layers = [{"transform": [{"filter": {"field": "kind", "equal": kind}}], "mark": mark} for kind in kinds]
    return {"encoding": encoding, "layer": layers}


def _kind(line: Line) -> str:
    return BENCHMARK if line.is_benchmark else STRATEGY


def equity_chart(lines: Sequence[Line], theme: Theme, basis: str = NET) -> Specification:
    """The value of 1 invested on the first date of each line, of values above 0 there; `basis` says what they are."""
    drawn, note = drawn_lines(lines)
    scaled = [Line(line.label, line.days, line.values / line.values[0], line.is_benchmark) for line in drawn]
    lowest = min(float(np.nanmin(line.values)) for line in scaled)
    highest = max(float(np.nanmax(line.values)) for line in scaled)
    logarithmic = lowest > 0.0 and highest / lowest >= LOGARITHMIC_FROM
    scale = {"type": "log", "nice": False} if logarithmic else {"zero": False}
    subtitle = _joined(basis, "logarithmic axis" if logarithmic else "", note)
    y = value_axis("Value of 1 invested", SHORT_NUMBER, **scale)
    view = line_view(scaled, y, number_tooltip("Value", ",.4f"), 1.5)
    return single_view("Value over time", subtitle, theme, _thinned(scaled), view)


def drawdown_chart(lines: Sequence[Line], theme: Theme) -> Specification:
    """What each line of values has lost from its highest value so far, drawn downwards."""
    drawn, note = drawn_lines(lines)
    falls = [Line(line.label, line.days, -level_drawdowns(line.values), line.is_benchmark) for line in drawn]
    y = value_axis("Loss from the peak, %", SHORT_PERCENT)
    view = line_view(falls, y, number_tooltip("Loss from the peak"), 1.0)
    if len(falls) == 1:
        del view["encoding"]["strokeDash"], view["layer"]
        view["mark"] = {"type": "area", "line": {"strokeWidth": 1.2}, "opacity": 0.35}
    return single_view("Drawdown", note, theme, _thinned(falls), view, height=200)


def _thinned(lines: Sequence[Line]) -> list[Row]:
    return line_rows(lines, points_of_each(len(lines)))


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)

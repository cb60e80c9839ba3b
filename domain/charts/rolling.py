"""Figures over a moving window: one view for each figure, below each other."""

from collections.abc import Sequence
from typing import Any

from domain.charts.lines import Line, drawn_lines, line_rows, line_view
from domain.charts.specification import LOW_HEIGHT, Specification, low_axis, number_tooltip, stacked_views
from domain.charts.theme import Theme
from domain.charts.thinning import points_of_each
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class RollingView:
    """One figure of several curves."""

    title: str  # with the unit
    lines: tuple[Line, ...]  # values at the end of each window; NaN where the figure is not defined
    shown: str = ".1%"  # format of a number


def rolling_chart(title: str, subtitle: str, views: Sequence[RollingView], theme: Theme) -> Specification:
    """Each figure over time; lines of the same label have one colour."""
    labels: dict[str, Line] = {line.label: line for view in views for line in view.lines}
    drawn, note = drawn_lines(list(labels.values()))
    names = {line.label for line in drawn}
    kept = [[line for line in view.lines if line.label in names] for view in views]
    most = points_of_each(sum(map(len, kept)))
    rows = [{**row, "view": k} for k, lines in enumerate(kept) for row in line_rows(lines, most)]
    shown = [_view(k, view, drawn) for k, view in enumerate(views)]
    return stacked_views(title, f"{subtitle}; {note}" if note else subtitle, theme, rows, shown)


def _view(k: int, view: RollingView, drawn: Sequence[Line]) -> dict[str, Any]:
    y = low_axis(view.title, view.shown, zero=False)
    lines = line_view(drawn, y, number_tooltip(view.title, view.shown), 1.3)
    return {"height": LOW_HEIGHT, "transform": [{"filter": {"field": "view", "equal": k}}], **lines}

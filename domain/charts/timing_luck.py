"""What the choice of rebalancing dates alone makes of a strategy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.charts.specification import (
    Row,
    Specification,
    colour_by,
    finite_rows,
    number_tooltip,
    single_view,
    text_tooltip,
    value_axis,
)
from domain.charts.theme import Theme

SIMULATED, SHIFTED, SUMMARY = "as simulated", "shifted calendar", "of all calendars"


@dataclass(frozen=True, slots=True)
class TimingLuck:
    """Total returns of one strategy over shifted rebalancing calendars and its own."""

    lowest: float
    median: float
    highest: float
    simulated: float  # by its own calendar
    by_offset: Mapping[int, float] = field(default_factory=dict)  # by dates that decisions are later, if known


def timing_luck_chart(found: TimingLuck, theme: Theme) -> Specification:
    """A bar for each calendar, its own first, then lowest, median and highest of all."""
    rows: list[Row] = [{"name": SIMULATED, "kind": SIMULATED, "value": found.simulated}]
    rows += [
        {"name": f"{offset} date{'s' if offset > 1 else ''} later", "kind": SHIFTED, "value": value}
        for offset, value in sorted(found.by_offset.items())
        if offset > 0
    ]
    summary = {"lowest": found.lowest, "median": found.median, "highest": found.highest}
    rows += [{"name": name, "kind": SUMMARY, "value": value} for name, value in summary.items()]
    encoding = {
        "y": {"field": "name", "type": "nominal", "sort": [row["name"] for row in rows], "axis": {"title": None}},
        "x": value_axis("Total return, %", ".0%"),
        "color": colour_by("kind", [SIMULATED, SUMMARY, SHIFTED]),
        "tooltip": [text_tooltip("Calendar", "name"), number_tooltip("Total return")],
    }
    view = {"mark": {"type": "bar"}, "encoding": encoding}
    subtitle = "total returns where the same strategy decides on other dates"
    return single_view("Timing luck", subtitle, theme, finite_rows(rows), view, height={"step": 18})

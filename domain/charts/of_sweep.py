"""The charts of a sweep."""

from collections.abc import Mapping, Sequence

from domain.charts.chart import Builder, Chart, DrawnChart, draw
from domain.charts.sweep_surface import SweptScores, sweep_surface_chart
from domain.charts.theme import Theme


def sweep_charts(swept: SweptScores, requested: Sequence[Chart], theme: Theme) -> tuple[DrawnChart, ...]:
    """The requested charts, or all that there is data for. Raises InvalidInput for one that there is none for."""
    return draw(swept, _BUILDERS, requested, theme, "a sweep")


_BUILDERS: Mapping[Chart, Builder[SweptScores]] = {Chart.SWEEP_SURFACE: sweep_surface_chart}

"""Charts of a result, as a request names them."""

from domain.charts.chart import Chart
from domain.charts.theme import Theme
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class ChartsCommand:
    """Which charts, and how."""

    charts: tuple[Chart, ...]  # none for all that there is data for
    theme: Theme
    label: str = ""  # of a strategy

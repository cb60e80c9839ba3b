"""The charts, and the error where a result has no data for one."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from domain.cancellation import CancellationCheck, never_cancelled
from domain.charts.specification import Specification
from domain.charts.theme import Theme
from domain.errors import InvalidInput
from domain.records import dataclass
from domain.risk.figure import Absent

S = TypeVar("S")


class Chart(StrEnum):
    """A chart, by the name the contract gives it."""

    EQUITY = "EQUITY"
    DRAWDOWN = "DRAWDOWN"
    ROLLING_RISK = "ROLLING_RISK"
    WEIGHTS = "WEIGHTS"
    MONTHLY_RETURNS = "MONTHLY_RETURNS"
    CONTRIBUTIONS = "CONTRIBUTIONS"
    FRONTIER = "FRONTIER"
    CORRELATION = "CORRELATION"
    TIMING_LUCK = "TIMING_LUCK"
    SWEEP_SURFACE = "SWEEP_SURFACE"
    COSTS = "COSTS"
    ATTRIBUTION = "ATTRIBUTION"
    LIQUIDITY = "LIQUIDITY"
    ROLLING_RETURNS = "ROLLING_RETURNS"


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """A chart with its specification."""

    chart: Chart
    specification: Specification


Builder = Callable[[S, Theme], Specification | Absent]


def draw(
    source: S,
    builders: Mapping[Chart, Builder[S]],
    requested: Sequence[Chart],
    theme: Theme,
    kind: str,
    check_cancelled: CancellationCheck = never_cancelled,
) -> tuple[DrawnChart, ...]:
    """The requested charts in their order, or all that the source has data for where none is requested.

    `kind` names the source, such as "a backtest". Raises InvalidInput, naming the place in the request, for a chart of
    another kind of result and for one that the source has no data for.
    """
    drawn = []
    for i, chart in enumerate(requested or builders):
        check_cancelled()
        if chart not in builders:
            known = ", ".join(f"CHART_{one}" for one in builders)
            raise InvalidInput(f"charts[{i}]", f"CHART_{chart} is no chart of {kind}, which has {known}")
        specification = builders[chart](source, theme)
        if not isinstance(specification, Absent):
            drawn.append(DrawnChart(chart, specification))
        elif requested:
            raise InvalidInput(f"charts[{i}]", f"CHART_{chart} {specification.reason}")
    return tuple(drawn)

"""What a figure was computed from: its returns, their number, and the convention."""

from domain.records import dataclass

EXCESS = "excess"
"""Returns less the risk-free ones, the same that the Sharpe ratio of the metrics has."""

NET = "net"
"""Returns after all costs."""

ACTIVE = "active"
"""Returns less those of the benchmark, or the returns where there is none."""

GIVEN = "given"
"""Returns as the caller gave them."""


@dataclass(frozen=True, slots=True)
class FigureBasis:
    """The basis of one figure."""

    figure: str  # name of the field
    returns: str
    observations: int  # T
    convention: str

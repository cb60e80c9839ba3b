"""How far a result depends on the dates of rebalancing that happened to be chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from domain.risk.figure import Absent, Figure


@dataclass(frozen=True, slots=True)
class TimingLuck:
    """Total returns with the chosen dates and with later ones; the median of an even number is the mean of two."""

    outcomes: tuple[tuple[int, float], ...]  # dates by which decisions are later, 0 for the chosen ones; total return
    undefined: Mapping[int, str]  # offsets whose simulation has no total return, with the reason

    @property
    def lowest(self) -> float:
        """The lowest total return."""
        return min(value for _, value in self.outcomes)

    @property
    def median(self) -> float:
        """The median."""
        return median(value for _, value in self.outcomes)

    @property
    def highest(self) -> float:
        """The highest."""
        return max(value for _, value in self.outcomes)


def timing_luck(returns: Mapping[int, Figure]) -> TimingLuck | Absent:
    """From total returns by offset; absent where none is known."""
    known = tuple((offset, one) for offset, one in returns.items() if not isinstance(one, Absent))
    undefined = {offset: one.reason for offset, one in returns.items() if isinstance(one, Absent)}
    return TimingLuck(known, undefined) if known else Absent(next(iter(undefined.values())))

"""How the trades of a reallocation are spread over its horizon."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from absfinance.v1 import reallocation_pb2 as pb


@dataclass(frozen=True, slots=True)
class AlmgrenChriss:
    """The schedule of least expected cost + `risk_aversion` x variance (Almgren and Chriss 2000), for several assets.

    The periods divide the horizon of the reallocation into equal parts, and are the unit of time.
    """

    risk_aversion: float  # per unit of money
    periods: int
    temporary: float  # change of the price per unit traded in a period
    _: KW_ONLY
    permanent: float = 0.0  # change of the price per unit traded
    fixed: float = 0.0  # money per unit, such as half the spread
    volatilities: Sequence[float] = ()  # money per period, in the order of the quotes; those of the quotes if empty
    correlation: Sequence[Sequence[float]] = ()  # of price changes, in the order of the quotes; none if empty
    hedge: bool = False  # positions that the plan does not want may be held as a hedge

    def to_proto(self) -> pb.TradeSchedule:
        """The message."""
        return pb.TradeSchedule(
            almgren_chriss=pb.TradeSchedule.AlmgrenChriss(
                risk_aversion=self.risk_aversion,
                periods=self.periods,
                temporary=self.temporary,
                permanent=self.permanent,
                fixed=self.fixed,
                volatilities=self.volatilities,
                correlation=[figure for row in self.correlation for figure in row],
                hedge=self.hedge,
            )
        )

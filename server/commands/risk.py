"""Commands of RiskService."""

from dataclasses import dataclass

from domain.market_data.panel import PricePanel, ReturnPanel
from domain.market_data.source import MarketInput
from domain.risk.estimate import RiskModelSpecification
from domain.risk.specification import RiskSpecification
from server.ports.market_data import PriceSelection

Benchmark = PricePanel | ReturnPanel | PriceSelection


@dataclass(frozen=True, slots=True)
class RiskCommand:
    """What to analyse."""

    data: MarketInput | PriceSelection
    specification: RiskSpecification
    benchmark: Benchmark | None = None
    stored_groups: tuple[str, ...] = ()
    drawdown_series: bool = False


@dataclass(frozen=True, slots=True)
class RiskModelCommand:
    """What to estimate."""

    data: PricePanel | ReturnPanel | PriceSelection
    specification: RiskModelSpecification

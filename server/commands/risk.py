"""Commands of RiskService."""

from domain.attribution.attribute import AttributedWeights
from domain.attribution.factors import FactorExposures
from domain.attribution.settings import AttributionSettings
from domain.market_data.panel import Panel, PricePanel, ReturnPanel
from domain.market_data.source import MarketInput
from domain.records import dataclass
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


@dataclass(frozen=True, slots=True)
class AttributeCommand:
    """What to attribute, and how."""

    weights: AttributedWeights
    settings: AttributionSettings
    with_periods: bool
    factors: FactorExposures | None
    regression_factors: Panel | None

"""Command of CompareStrategies."""

from domain.market_data.panel import ReturnPanel
from domain.records import dataclass
from domain.significance.comparison import ComparisonSettings


@dataclass(frozen=True, slots=True)
class ComparisonCommand:
    """What to compare."""

    returns: ReturnPanel
    benchmark: ReturnPanel | None
    settings: ComparisonSettings

"""Command of CompareStrategies."""

from dataclasses import dataclass

from domain.market_data.panel import ReturnPanel
from domain.significance.comparison import ComparisonSettings


@dataclass(frozen=True, slots=True)
class ComparisonCommand:
    """What to compare."""

    returns: ReturnPanel
    benchmark: ReturnPanel | None
    settings: ComparisonSettings

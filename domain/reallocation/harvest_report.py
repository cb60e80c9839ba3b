"""Which trades of a plan are harvests, what they replace, and how much less tax they make."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import Decimal

from domain.exact import ZERO, exact, exact_arithmetic
from domain.reallocation.harvest import Harvest
from domain.reallocation.schedule import Trade
from domain.records import dataclass
from domain.warnings import ResultWarning


@dataclass(frozen=True, slots=True)
class HarvestReport:
    """By the step of a trade: units sold beyond the need, and the assets that a purchase replaces. Benefit in money.

    `target` is that of the request with the substitutes, to which the residual drift is.
    """

    target: Mapping[str, float] = field(default_factory=dict)
    harvested: Mapping[int, float] = field(default_factory=dict)
    substitutes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    benefit: float = 0.0
    warnings: tuple[ResultWarning, ...] = ()


def harvest_report(harvest: Harvest, trades: Sequence[Trade]) -> HarvestReport:
    """What came of a harvest; of an asset that is sold on several days, what is needed is sold first."""
    harvested: dict[int, float] = {}
    sold = dict.fromkeys(harvest.needed, ZERO)
    with exact_arithmetic():
        for trade in trades:
            if trade.symbol in sold and trade.quantity < 0.0:
                before = sold[trade.symbol]
                sold[trade.symbol] = after = before - exact(trade.quantity)
                if (beyond := after - max(before, harvest.needed[trade.symbol])) > ZERO:
                    harvested[trade.step] = float(beyond)
        benefit = sum((_benefit(harvest, symbol, units) for symbol, units in sold.items()), ZERO)
    bought = {t.step: harvest.replaced[t.symbol] for t in trades if t.symbol in harvest.replaced and t.quantity > 0.0}
    return HarvestReport(harvest.target, harvested, bought, float(benefit), harvest.warnings)


def _benefit(harvest: Harvest, symbol: str, sold: Decimal) -> Decimal:
    curve, needed = harvest.curves[symbol], harvest.needed[symbol]
    return curve.gain(needed) - curve.gain(sold) if sold > needed else ZERO

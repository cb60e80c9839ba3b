"""Taxes on the gains of a reallocation: rates, the choice of lots, and wash sales."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date

from absfinance.v1 import reallocation_pb2

from absfin.choices import LotMethod, choice
from absfin.data import date_to_proto


@dataclass(frozen=True, slots=True)
class TaxLimits:
    """Which lots are sold first, and what taxes allow; rates are fractions of a gain, the rest is money."""

    lot_method: LotMethod = "fifo"
    _: KW_ONLY
    short_term_rate: float | None = None
    long_term_rate: float | None = None
    long_term_after_days: int | None = None  # more than a year if None
    carry_forward: float | None = None  # losses of earlier years, as a positive number
    gain_budget: float | None = None  # most that gains less losses of the plan may be
    wash_sale_days: int = 0  # days before and after a sale; 30 if 0
    forbid_wash_sales: bool = False
    identical_groups: Sequence[Iterable[str]] = ()  # symbols that count as one
    harvest_losses: bool = False  # realise losses where the benefit exceeds the cost, and buy the substitute
    substitutes: Mapping[str, str | Sequence[str]] = field(default_factory=dict)  # asset -> what may replace it

    def to_proto(self) -> reallocation_pb2.TaxLimits:
        """The message."""
        return reallocation_pb2.TaxLimits(
            lot_method=choice(reallocation_pb2.TaxLimits.LotMethod, "lot_method", self.lot_method),
            short_term_rate=self.short_term_rate,
            long_term_rate=self.long_term_rate,
            long_term_after_days=self.long_term_after_days,
            carry_forward=self.carry_forward,
            gain_budget=self.gain_budget,
            wash_sale_days=self.wash_sale_days,
            forbid_wash_sales=self.forbid_wash_sales,
            identical_groups=[
                reallocation_pb2.TaxLimits.IdenticalGroup(symbols=symbols) for symbols in self.identical_groups
            ],
            harvest_losses=self.harvest_losses,
            substitutes=[
                reallocation_pb2.TaxLimits.Substitute(symbol=symbol, by=by)
                for symbol, several in self.substitutes.items()
                for by in ([several] if isinstance(several, str) else several)
            ],
        )


@dataclass(frozen=True, slots=True)
class RecentTrade:
    """A trade of the portfolio in the last days; `quantity` in units, negative for a sale."""

    symbol: str
    quantity: float
    date: date
    realized_gain: float | None = None  # of a sale, in money; without it a sale counts as one at a loss
    price: float = 0.0  # of one unit

    def to_proto(self) -> reallocation_pb2.RecentTrade:
        """The message."""
        return reallocation_pb2.RecentTrade(
            symbol=self.symbol,
            quantity=self.quantity,
            date=date_to_proto(self.date),
            realized_gain=self.realized_gain,
            price=self.price,
        )


@dataclass(frozen=True, slots=True)
class OtherPurchase:
    """Units bought in another account of the owner or of a spouse."""

    symbol: str
    quantity: float
    date: date
    retirement_account: bool = False

    def to_proto(self) -> reallocation_pb2.OtherPurchase:
        """The message."""
        return reallocation_pb2.OtherPurchase(
            symbol=self.symbol,
            quantity=self.quantity,
            date=date_to_proto(self.date),
            retirement_account=self.retirement_account,
        )

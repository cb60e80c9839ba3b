"""An account and its fills, as the record of fills has them. Money and units are decimals, times are in UTC."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import Decimal

from domain.errors import InvalidInput
from domain.exact import ZERO
from domain.records import dataclass
from domain.taxes.gains import RealizedGain
from domain.taxes.lots import TaxLot
from domain.taxes.wash_sales import OpenLoss


@dataclass(frozen=True, slots=True)
class Execution:
    """Units of one asset that were traded at one price."""

    fill_id: str
    symbol: str
    quantity: Decimal  # negative for a sale
    price: Decimal
    fee: Decimal  # in money; negative for a rebate
    time: dt.datetime
    lot_id: str = ""  # of the lot that is sold, or that the purchase makes; chosen if empty
    arrival_price: Decimal | None = None  # when the order arrived at the market
    previous_close: Decimal | None = None  # of the day before, where it came on a later day than the decision
    path: str = "fill"  # field path, such as fills[2]

    def __post_init__(self) -> None:
        if self.quantity == ZERO:
            raise InvalidInput(f"{self.path}.quantity", "must not be 0")

    @property
    def units(self) -> Decimal:
        """Without sign."""
        return abs(self.quantity)

    @property
    def date(self) -> dt.date:
        """The date in UTC, which is that of its taxes."""
        return self.time.date()


@dataclass(frozen=True, slots=True)
class GainKey:
    """A realised gain: the fill that sold, and its number among the gains of that fill, from 0."""

    fill_id: str
    number: int


@dataclass(frozen=True, slots=True)
class GainRecord:
    """A realised gain, and what of its loss a purchase may still disallow."""

    key: GainKey
    gain: RealizedGain
    open_loss: OpenLoss | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Units of one asset; those of its lots where there are any."""

    quantity: Decimal = ZERO
    lots: tuple[TaxLot, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """What is held, and what is remembered of fills that are recorded."""

    positions: Mapping[str, Position]
    cash: Decimal
    open_losses: Sequence[GainRecord] = ()  # each with its open loss
    last_dates: Mapping[str, dt.date] = field(default_factory=dict)  # of the last fill of each asset that is recorded

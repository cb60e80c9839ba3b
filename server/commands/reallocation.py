"""Commands of ReallocationService and what comes of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import date

from domain.costs.fees import Fees
from domain.costs.impact import AlmgrenImpact
from domain.costs.linear import LinearCost
from domain.market_data.currencies import Currencies
from domain.market_data.snapshot import Snapshot
from domain.optimization.request.specification import Specification
from domain.portfolio import Portfolio
from domain.reallocation.modes import Modes
from domain.reallocation.optimal_execution.planned_schedule import ScheduleTerms
from domain.reallocation.request import ImpactTerms, Limits, Thresholds
from domain.reallocation.result import Reallocation
from domain.reallocation.tax_terms import TaxTerms
from domain.reallocation.tracking_error import ActiveRisk
from domain.reallocation.volatility import Volatilities
from domain.records import dataclass
from domain.taxes.lots import TaxLot
from domain.warnings import ResultWarning
from server.ports.market_data import PriceSelection


@dataclass(frozen=True, slots=True)
class OptimizedTarget:
    """A target by an optimisation over stored prices."""

    specification: Specification
    lookback: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteTarget:
    """A target that a service outside decides."""

    address: str  # "host:port"
    timeout_seconds: float
    label: str = ""


Target = Mapping[str, float] | OptimizedTarget | RemoteTarget

Lots = Mapping[str, tuple[TaxLot, ...]]
"""Tax lots by symbol, as they were sent."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """A portfolio with what it is run for."""

    portfolio: Portfolio
    target: Target | None
    thresholds: Thresholds | None
    lots: Lots = field(default_factory=dict)
    currency: str = ""  # ISO 4217; "" is not known


@dataclass(frozen=True, slots=True)
class ReallocateCommand:
    """What to reallocate, and how the answer is kept."""

    portfolio: Mandate | str  # the id of a stored one
    market: Snapshot | PriceSelection
    target: Target | None  # None is that of the mandate
    thresholds: Thresholds | None  # likewise
    limits: Limits
    costs: LinearCost
    fees: Fees
    impact: ImpactTerms | None
    schedule: ScheduleTerms | None
    horizon_days: int
    settlement_days: int
    body: bytes  # hash of the request without its id
    request_id: str | None = None
    validate_only: bool = False
    content: bytes = b""  # hash of what determines the answer
    id: str | None = None  # the caller's choice
    label: str = ""
    as_of_date: date | None = None  # None is today
    taxes: TaxTerms = field(default_factory=TaxTerms)
    modes: Modes = field(default_factory=Modes)
    disabled_constraints: tuple[str, ...] = ()  # labels
    currencies: Currencies = field(default_factory=Currencies)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # beside those of the target
    active_risk: ActiveRisk | None = None  # of a snapshot with a correlation
    own_costs: tuple[str, ...] = ()  # assets that costs.by_asset names, in its order

    def named_assets(self) -> Iterator[tuple[str, Iterable[str]]]:
        """Symbols of assets with figures of their own, and the path of the i-th with {} instead of i."""
        yield "costs.by_asset[{}].symbol", self.own_costs
        if self.impact is not None:
            yield "costs.liquidity[{}].symbol", self.impact.liquidity
            if isinstance(self.impact.law, AlmgrenImpact):
                yield "costs.impact.almgren.shares_outstanding[{}].symbol", self.impact.law.shares_outstanding


@dataclass(frozen=True, slots=True)
class Planned:
    """An answer before it is written down."""

    reallocation: Reallocation
    volatilities: Volatilities
    warnings: tuple[ResultWarning, ...] = ()  # about an optimised target, or a harvest

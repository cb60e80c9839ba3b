"""What a monitor knows, and nothing else: two equal states answer every event alike."""

from collections.abc import Mapping
from dataclasses import field, replace

import numpy as np

from domain.checks import Vector, positive
from domain.errors import InvalidInput
from domain.monitoring.alarms import Alarms
from domain.monitoring.instruments import Instruments
from domain.monitoring.levels import Levels
from domain.monitoring.members import WeightMembers
from domain.monitoring.positions import Positions
from domain.monitoring.rows import OF_WEIGHTS, Family, PortfolioRows
from domain.monitoring.rules import MOST_RETURNS
from domain.monitoring.segments import Indices
from domain.monitoring.timestamps import day_of
from domain.monitoring.watches import Watches
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """What all portfolios share."""

    most_prices: int = 253  # dates of each asset that are kept: one more than the longest lookback
    value_tolerance: float = 0.01  # change of net asset value after which risk is measured before the date ends

    def __post_init__(self) -> None:
        if not 2 <= self.most_prices <= MOST_RETURNS + 1:
            raise InvalidInput("most_prices", f"must be from 2 to {MOST_RETURNS + 1:,}, is {self.most_prices}")
        positive("value_tolerance", self.value_tolerance)


@dataclass(frozen=True)
class MonitorState:
    """A monitor of some portfolios; `MonitorState()` knows none. Arrays are never written to."""

    settings: MonitorSettings = field(default_factory=MonitorSettings)
    time: int | None = None  # of the latest event, microseconds since 1970-01-01
    instruments: Instruments = field(default_factory=Instruments)
    watches: Watches = field(default_factory=dict)
    rows: Mapping[str, PortfolioRows] = field(default_factory=dict)  # of each portfolio with holdings
    positions: Positions = field(default_factory=Positions)
    members: Mapping[Family, WeightMembers] = field(
        default_factory=lambda: {family: WeightMembers() for family in OF_WEIGHTS}
    )
    alarms: Mapping[Family, Alarms] = field(default_factory=lambda: {family: Alarms() for family in Family})
    levels: Levels = field(default_factory=Levels)

    @property
    def now(self) -> int:
        """Time of the latest event."""
        if self.time is None:
            raise InvalidInput("time", "must be known: the state has seen no event")
        return self.time

    @property
    def today(self) -> int:
        """Its date in UTC, in days since 1970-01-01."""
        return day_of(self.now)

    def with_alarms(self, family: Family, alarms: Alarms) -> "MonitorState":
        """With other alarms of a family."""
        return replace(self, alarms={**self.alarms, family: alarms})

    def values(self) -> dict[str, float]:
        """Net asset value of each portfolio; NaN where a holding has no price."""
        valuation = self.positions.valued(self.positions.all, self.instruments.values)
        return dict(zip(self.positions.names, valuation.net.tolist(), strict=True))

    def weights(self, portfolio: str) -> dict[str, float]:
        """Weight of each asset that a portfolio holds or wants; NaN where they are not known."""
        place = np.array([self.positions.places[portfolio]], np.int64)
        weights: Vector = self.positions.valued(place, self.instruments.values).weights
        return dict(zip(self.rows[portfolio].symbols, weights.tolist(), strict=True))

    def holders(self, symbol: str) -> tuple[str, ...]:
        """Portfolios that hold or want an asset."""
        slot = self.instruments.slots.get(symbol)
        if slot is None:
            return ()
        items = self.positions.of_slots(np.array([slot], np.int64))
        return tuple(self.positions.names[place] for place in np.unique(self.positions.owners[items]).tolist())

    def portfolios_of(self, items: Indices) -> Indices:
        """Portfolios of some positions, in order."""
        owners = self.positions.owners[items]
        changes = np.ones(len(owners), np.bool_)
        changes[1:] = owners[1:] != owners[:-1]
        result: Indices = owners[changes]
        return result

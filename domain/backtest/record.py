"""What a simulation has done so far: plain arrays that grow, can be cut into parts, and joined again."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, Vector


@dataclass(frozen=True, slots=True)
class FailedRebalance:
    """A decision that could not be made or filled; the holdings drifted on."""

    day: int  # since 1970-01-01
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RecordPart:
    """A stretch of a record: net asset values of K dates and the F fills on them."""

    nav: Vector  # (K,), after trading; the first of all is the initial capital
    fill_indices: NDArray[np.int64]  # (F,), dates since the start of the simulation
    units: Matrix  # (F, N), after each fill
    cash: Vector  # (F,), after each fill
    cost_fractions: Vector  # (F,), of the net asset value before the fill
    cost_money: Matrix  # (F, 2), commission and half-spread
    turnovers: Vector  # (F,), one-way, as fractions of the net asset value
    failures: tuple[FailedRebalance, ...] = ()
    exhausted: bool = False  # the net asset value is used up: nothing follows

    @classmethod
    def empty(cls, assets: int) -> "RecordPart":
        """A record of no dates."""
        none = np.zeros(0)
        return cls(none, np.zeros(0, np.int64), np.zeros((0, assets)), none, none, np.zeros((0, 2)), none)

    @classmethod
    def joined(cls, parts: "list[RecordPart]") -> "RecordPart":
        """The parts in order, as one."""
        return cls(
            np.concatenate([part.nav for part in parts]),
            np.concatenate([part.fill_indices for part in parts]),
            np.concatenate([part.units for part in parts]),
            np.concatenate([part.cash for part in parts]),
            np.concatenate([part.cost_fractions for part in parts]),
            np.concatenate([part.cost_money for part in parts]),
            np.concatenate([part.turnovers for part in parts]),
            tuple(failure for part in parts for failure in part.failures),
            any(part.exhausted for part in parts),
        )


@dataclass(frozen=True, slots=True)
class FillRecord:
    """One fill."""

    index: int  # date since the start of the simulation
    units: Vector  # (N,), after the fill
    cash: float  # after the fill
    cost_fraction: float  # of the net asset value before the fill
    cost_money: tuple[float, float]  # commission and half-spread
    turnover: float  # one-way, as a fraction of the net asset value


@dataclass(slots=True)
class Record:
    """Collects what happens in a simulation; `cut` returns what was added since the last cut."""

    assets: int
    nav: list[Vector] = field(default_factory=list)
    fills: list[FillRecord] = field(default_factory=list)
    failures: list[FailedRebalance] = field(default_factory=list)
    exhausted: bool = False

    def cut(self) -> RecordPart:
        """What was added since the last cut."""
        count = len(self.fills)
        part = RecordPart(
            nav=np.concatenate(self.nav) if self.nav else np.zeros(0),
            fill_indices=np.array([fill.index for fill in self.fills], np.int64),
            units=np.array([fill.units for fill in self.fills]).reshape(count, self.assets),
            cash=np.array([fill.cash for fill in self.fills]),
            cost_fractions=np.array([fill.cost_fraction for fill in self.fills]),
            cost_money=np.array([fill.cost_money for fill in self.fills]).reshape(count, 2),
            turnovers=np.array([fill.turnover for fill in self.fills]),
            failures=tuple(self.failures),
            exhausted=self.exhausted,
        )
        self.nav, self.fills, self.failures = [], [], []
        return part

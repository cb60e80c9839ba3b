"""What a simulation has done so far: plain arrays that grow, can be cut into pieces, and put together again."""

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
    """A stretch of a record: wealth at some dates and what was filled on them."""

    wealth: Vector  # (K,), after trading; the first of all is the initial capital
    fill_places: NDArray[np.int64]  # (F,), dates since the start of the simulation
    units: Matrix  # (F, N), after each fill
    cash: Vector  # (F,), after each fill
    cost_fractions: Vector  # (F,), of wealth before the fill
    cost_money: Matrix  # (F, 2), commission and half-spread
    turnovers: Vector  # (F,), one-way, as fractions of wealth
    failures: tuple[FailedRebalance, ...] = ()
    exhausted: bool = False  # wealth is used up: nothing follows

    @classmethod
    def empty(cls, assets: int) -> "RecordPart":
        """Nothing yet."""
        none = np.zeros(0)
        return cls(none, np.zeros(0, np.int64), np.zeros((0, assets)), none, none, np.zeros((0, 2)), none)

    @classmethod
    def joined(cls, parts: "list[RecordPart]") -> "RecordPart":
        """The parts in order, as one."""
        return cls(
            np.concatenate([part.wealth for part in parts]),
            np.concatenate([part.fill_places for part in parts]),
            np.concatenate([part.units for part in parts]),
            np.concatenate([part.cash for part in parts]),
            np.concatenate([part.cost_fractions for part in parts]),
            np.concatenate([part.cost_money for part in parts]),
            np.concatenate([part.turnovers for part in parts]),
            tuple(failure for part in parts for failure in part.failures),
            any(part.exhausted for part in parts),
        )


@dataclass(slots=True)
class Record:
    """Collects what happens; `cut` hands over what was added since the last cut."""

    assets: int
    wealth: list[Vector] = field(default_factory=list)
    fills: list[tuple[int, Vector, float, float, tuple[float, float], float]] = field(default_factory=list)
    failures: list[FailedRebalance] = field(default_factory=list)
    exhausted: bool = False

    def cut(self) -> RecordPart:
        """What was added since the last cut."""
        count = len(self.fills)
        part = RecordPart(
            wealth=np.concatenate(self.wealth) if self.wealth else np.zeros(0),
            fill_places=np.array([fill[0] for fill in self.fills], np.int64),
            units=np.array([fill[1] for fill in self.fills]).reshape(count, self.assets),
            cash=np.array([fill[2] for fill in self.fills]),
            cost_fractions=np.array([fill[3] for fill in self.fills]),
            cost_money=np.array([fill[4] for fill in self.fills]).reshape(count, 2),
            turnovers=np.array([fill[5] for fill in self.fills]),
            failures=tuple(self.failures),
            exhausted=self.exhausted,
        )
        self.wealth, self.fills, self.failures = [], [], []
        return part

"""What a simulation has done so far: plain arrays that grow, can be cut into parts, and joined again."""

from dataclasses import field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.backtest.simulation.arrays import ACCOUNT, FILL, WEIGHED
from domain.checks import Matrix, Vector
from domain.records import dataclass

EVENT_COLUMNS = 6
"""Date since the start, asset, kind, units before, units after, cash."""


@dataclass(frozen=True, slots=True)
class FailedRebalance:
    """A decision that could not be made or filled, so that the holdings drifted on.

    FLOOR_BROKEN is a warning: the decision was made. Where a part of the account that decides on dates of its own has
    no weights, what this part holds drifts on, and the others go on.
    """

    day: int  # since 1970-01-01
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RecordPart:
    """A stretch of a record: net asset values of K dates, and R changes of holdings on them."""

    nav: Vector  # (K,), after trading; the first of all is the value at the start
    flow_start: Vector  # (K,), external cash flows before the return of each date; no entries without flows
    flow_end: Vector  # (K,), likewise after it
    indices: NDArray[np.int64]  # (R,), dates since the start of the simulation
    kinds: NDArray[np.int64]  # (R,), FILL or ASSET_EVENT
    units: Matrix  # (R, N), after each change
    cash: Vector  # (R,), after each change
    cost_fractions: Vector  # (R,), of the net asset value before the fill, or the margin call
    turnovers: Vector  # (R,), one-way, as fractions of the net asset value
    # (A, EVENT_COLUMNS), what corporate actions and margin calls did to positions; see `weighed` for rows of no asset
    events: Matrix
    account: NDArray[Any]  # (1,) of type ACCOUNT, at the end; no entries where nothing has happened
    gains: Vector  # (N,), of prices since the start, in money, at the end
    failures: tuple[FailedRebalance, ...] = ()
    exhausted: bool = False  # the net asset value is used up: nothing follows

    @classmethod
    def empty(cls, assets: int) -> "RecordPart":
        """A record of no dates."""
        none, no_indices = np.zeros(0), np.zeros(0, np.int64)
        return cls(
            nav=none,
            flow_start=none,
            flow_end=none,
            indices=no_indices,
            kinds=no_indices,
            units=np.zeros((0, assets)),
            cash=none,
            cost_fractions=none,
            turnovers=none,
            events=np.zeros((0, EVENT_COLUMNS)),
            account=np.zeros(0, ACCOUNT),
            gains=np.zeros(assets),
        )

    @classmethod
    def joined(cls, parts: "list[RecordPart]") -> "RecordPart":
        """The parts in order, as one."""

        def column(name: str) -> Any:
            return np.concatenate([getattr(part, name) for part in parts])

        lists = ("nav", "flow_start", "flow_end", "indices", "kinds", "units", "cash", "cost_fractions", "turnovers")
        latest = next((part for part in reversed(parts) if len(part.account)), parts[-1])
        return cls(
            **{name: column(name) for name in (*lists, "events")},
            account=latest.account,
            gains=latest.gains,
            failures=tuple(failure for part in parts for failure in part.failures),
            exhausted=any(part.exhausted for part in parts),
        )

    def path_only(self) -> "RecordPart":
        """The same without holdings, trades and events: what unit values need."""
        bare = RecordPart.empty(self.units.shape[1])
        return replace(
            bare,
            nav=self.nav,
            flow_start=self.flow_start,
            flow_end=self.flow_end,
            account=self.account,
            exhausted=self.exhausted,
        )

    @property
    def unit_values(self) -> Vector:
        """Value of the units that the account has at the start, (K,): external cash flows change none of them.

        It is the first net asset value times the value of one unit, which is 1 then. The return of a date is
        (nav - flow at its end) / (nav of the date before + flow at its start) - 1, and -1 where the net asset value is
        used up; that of the first date has the cost of trades at the start in it.
        """
        if not len(self.flow_end):
            return self.nav
        before = self.capital
        alive = (before > 0.0) & (self.nav[1:] > 0.0)  # used up: nothing is left of a unit
        growth = np.where(alive, (self.nav[1:] - self.flow_end[1:]) / np.where(alive, before, 1.0), 0.0)
        result: Vector = self.nav[0] * np.append(1.0, np.maximum(growth, 0.0).cumprod())
        return result

    @property
    def capital(self) -> Vector:
        """Net asset value at the start of each period with the external flow then, (K - 1,): what its return is of."""
        if not len(self.flow_end):
            return self.nav[:-1]
        before: Vector = self.nav[:-1] + self.flow_start[1:]
        known = len(self.account) and "first_nav" in (self.account.dtype.names or ())  # stored ones may be older
        first = float(self.account["first_nav"][0]) if known else 0.0
        if len(before) and first > 0.0:  # money of the next morning has paid no part of that cost
            before[0] = self.nav[0] * ((first + self.flow_start[1]) / first)  # the product may be too large a number
        return before

    @property
    def weighed(self) -> Matrix:
        """Decisions by the cost-benefit trigger, (W, 3): date since the start, benefit and cost of a trade per year."""
        result: Matrix = self.events[self.events[:, 2] == WEIGHED][:, [0, 3, 4]]
        return result

    @property
    def fills(self) -> NDArray[np.bool_]:
        """Which changes of holdings are fills, (R,)."""
        result: NDArray[np.bool_] = self.kinds == FILL
        return result


@dataclass(slots=True)
class Record:
    """Collects what happens in a simulation; `cut` returns what was added since the last cut."""

    assets: int
    parts: list[RecordPart] = field(default_factory=list)
    failures: list[FailedRebalance] = field(default_factory=list)
    exhausted: bool = False

    @property
    def nav(self) -> list[Vector]:
        """Net asset values since the last cut."""
        return [part.nav for part in self.parts]

    def cut(self) -> RecordPart:
        """What was added since the last cut."""
        part = (
            self.parts[0] if len(self.parts) == 1 else RecordPart.joined([RecordPart.empty(self.assets), *self.parts])
        )
        failures, self.parts, self.failures = tuple(self.failures), [], []
        if not failures and not self.exhausted:
            return part
        return RecordPart(
            **{name: getattr(part, name) for name in RecordPart.__slots__ if name not in ("failures", "exhausted")},
            failures=failures,
            exhausted=self.exhausted,
        )

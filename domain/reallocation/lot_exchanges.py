"""A choice of options that keeps the limits, by changing those of one asset, or of two at once.

At prices of the limits a choice is worse than the bound by the sum of the regrets of its options, and by what it leaves
of the limits times their prices. What exceeds a limit counts more than its price. The sum of all is lowered by the
change of one asset or of two that lowers it most, as long as one does; where a limit is exceeded still, what exceeds
counts even more and the search goes on.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.reallocation.lot_options import LotOptions
from domain.records import dataclass

EXCEEDED = (1.5, 6.0, 50.0, 1e3)
"""What exceeds a limit counts so many times its price, one after the other."""

CHEAPEST = 1e-3
"""Part of the highest price of a limit that what exceeds it counts at least."""

PAIRED = 400
"""Options that are tried in pairs: those with the least regrets."""

ROUNDS = 60
"""At one count, each with all changes that do not share an asset."""

TRIED = 100
"""Changes of a round that are looked at, the best first."""

BETTER = 1e-9
"""Part of the sum of all that a change must lower it by."""

ROUNDING = 1e-12
"""Part of a limit by which floating-point sums may exceed it; plans are checked in decimals afterwards."""


def exchanged(
    options: LotOptions, total: Vector, prices: Vector, choice: NDArray[np.intp], check_cancelled: Callable[[], None]
) -> NDArray[np.intp]:
    """The option of each asset, (P,), from some; `total` (T,) are the values at the prices.

    They may exceed limits still where no change is found that gives back.
    """
    state = _State.of(options, total, prices, choice)
    for factor in EXCEEDED:
        state.weigh(factor)
        for _ in range(ROUNDS):
            check_cancelled()
            if not state.one() and not state.two():
                break
        if state.kept:
            break
    return state.choice


@dataclass(slots=True)
class _State:
    """A choice, and what is left of the limits."""

    options: LotOptions
    regrets: Vector  # (T,)
    prices: Vector  # (M,)
    dear: Vector  # (M,) of what exceeds a limit
    choice: NDArray[np.intp]
    slack: Vector  # (M,)
    over: Vector  # (M,) by what a limit may seem to be exceeded

    @classmethod
    def of(cls, options: LotOptions, total: Vector, prices: Vector, choice: NDArray[np.intp]) -> "_State":
        used = options.uses[:, choice]
        over = ROUNDING * (np.abs(options.limits) + np.abs(used).sum(axis=1))
        slack = options.limits - used.sum(axis=1)
        regrets = total - total[options.of_best(total)][options.assets]
        return cls(options, regrets, prices, prices, choice.copy(), slack, over)

    @property
    def kept(self) -> bool:
        """Whether all limits are."""
        return bool((self.slack >= -self.over).all())

    def weigh(self, factor: float) -> None:
        """Lets what exceeds a limit count so many times its price."""
        self.dear = factor * np.maximum(self.prices, CHEAPEST * self.options.dearest)

    def _left(self, slack: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is left of the limits, (M, ...), and what exceeds them, at their prices."""
        found = np.zeros(slack.shape[1:])
        for row, price, dear, over in zip(slack, self.prices, self.dear, self.over, strict=True):
            found += np.maximum(price * row, -dear * (row + over))
        return found

    def _changes(self) -> tuple[Vector, NDArray[np.float64]]:
        """What each option adds to the regrets and leaves of the limits, instead of that of its asset."""
        now = self.choice[self.options.assets]
        return self.regrets - self.regrets[now], self.options.uses[:, now] - self.options.uses

    @property
    def _least(self) -> float:
        return BETTER * (float(self.regrets[self.choice].sum()) + float(self._left(self.slack[:, None])[0]))

    def one(self) -> bool:
        """Whether changes of one asset lower the sum; makes them."""
        added, left = self._changes()
        change = added + self._left(self.slack[:, None] + left) - self._left(self.slack[:, None])
        places = np.flatnonzero(change < -self._least)
        ranked = places[np.argsort(change[places], kind="stable")][:TRIED]
        return self._apply([(place,) for place in ranked.tolist()])

    def two(self) -> bool:
        """The same of two assets."""
        added, left = self._changes()
        other = self.regrets.copy()
        other[self.choice] = np.inf
        count = min(PAIRED, len(other))
        near = np.argpartition(other, count - 1)[:count]
        near = near[np.isfinite(other[near])]
        both = self._left(self.slack[:, None, None] + left[:, near, None] + left[:, None, near])
        both += added[near][:, None] + added[near][None, :] - self._left(self.slack[:, None])
        assets = self.options.assets[near]
        both[assets[:, None] >= assets[None, :]] = np.inf
        first, second = np.nonzero(both < -self._least)
        change = both[first, second]
        if len(change) > TRIED:
            best = np.argpartition(change, TRIED)[:TRIED]
            first, second, change = first[best], second[best], change[best]
        ranked = np.argsort(change, kind="stable")
        return self._apply(list(zip(near[first[ranked]].tolist(), near[second[ranked]].tolist(), strict=True)))

    def _apply(self, changes: list[tuple[int, ...]]) -> bool:
        """Those that lower the sum one after the other, each asset once."""
        changed: set[int] = set()
        least = self._least
        for places in changes:
            chosen = list(places)
            assets = self.options.assets[chosen]
            if changed.intersection(assets.tolist()):
                continue
            before = self.choice[assets]
            slack = self.slack + (self.options.uses[:, before] - self.options.uses[:, chosen]).sum(axis=1)
            change = float((self.regrets[chosen] - self.regrets[before]).sum())
            change += float(self._left(slack[:, None])[0] - self._left(self.slack[:, None])[0])
            if change < -least:
                changed.update(assets.tolist())
                self.choice[assets], self.slack = chosen, slack
        return bool(changed)

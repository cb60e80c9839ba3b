"""Combinations of the options that are nearly as good as the best ones at the prices of the limits.

At these prices a plan is worse than the bound by the sum of the regrets of its options, each against the best of its
asset, and by what it leaves of the limits times their prices. So a plan that is better than a known one has no option
whose regret is as large as the difference between the known one and the bound: few assets have another option at all,
the core of the knapsack problem (Balas and Zemel 1980), and their combinations are tried with all whose sum of regrets
is smaller (Nemhauser and Ullmann 1969, with the bound of Pisinger 1997). What is left out has a least regret, so that a
search that ends early still proves a bound.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.reallocation.lot_options import LotOptions
from domain.records import dataclass

ROUNDING = 1e-12
"""Part of a limit by which floating-point sums may exceed it; plans are checked in decimals afterwards."""

LOOKED_AT = 64
"""Combinations that are looked at exactly."""

EXCEEDED = 4.0
"""What exceeds a limit counts so much more than what is left of it."""


@dataclass(frozen=True, slots=True)
class SearchSize:
    """How much is tried: assets whose option may be another than the best, and combinations at once."""

    assets: int
    combinations: int
    options: int = 12  # of an asset


@dataclass(frozen=True, slots=True)
class Start:
    """The option of each asset, (P,), from which combinations differ, and assets that are tried first.

    Where it is not the best at the prices, its own regrets can be replaced by smaller ones, and nothing is left out for
    the sum of regrets.
    """

    choice: NDArray[np.intp]
    first: Sequence[int] = ()
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class Combinations:
    """Those that keep the limits, the least first: the option of each asset (B, P), and what it exceeds the bound by.

    No other combination exceeds the bound by less than `others`.
    """

    choices: NDArray[np.intp]
    excess: Vector  # (B,)
    others: float

    def joined(self, more: "Combinations") -> "Combinations":
        """Those of two searches."""
        return Combinations(
            np.concatenate([self.choices, more.choices]),
            np.concatenate([self.excess, more.excess]),
            max(self.others, more.others),
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """The options of one asset that were tried beside the best, and by combination where it comes from."""

    asset: int
    options: NDArray[np.intp]  # the best first
    parents: NDArray[np.intp]
    chosen: NDArray[np.intp]  # place in options


def combinations(
    options: LotOptions,
    values: Vector,
    prices: Vector,
    excess: float,
    start: Start | None,
    size: SearchSize,
    check_cancelled: Callable[[], None],
) -> Combinations:
    """Those with an excess below that of a known plan; `values` (T,) are those at the prices. Without a start they
    differ from the best options."""
    best = options.of_best(values)
    regrets = values - values[best][options.assets]
    start = start or Start(best, is_best=True)
    base = start.choice
    others = min(excess, float(options.between(regrets).min()))
    core, left_out = _core(options, regrets, prices, start, others, size)
    others = min(others, left_out)
    sums = np.array([float(regrets[base].sum())])
    slack = (options.limits - options.uses[:, base].sum(axis=1))[:, None]
    steps = []
    for asset, alternatives in core:
        check_cancelled()
        tried = np.concatenate([[base[asset]], alternatives])
        moved = options.uses[:, tried] - options.uses[:, base[asset]][:, None]
        total = (sums[None, :] + (regrets[tried] - regrets[base[asset]])[:, None]).ravel()
        kept = np.flatnonzero(total < excess) if start.is_best else np.arange(len(total))
        chosen, parents = np.divmod(kept, len(sums))
        left = slack[:, parents] - moved[:, chosen]
        if len(kept) > size.combinations:
            near = np.argpartition(total[kept] + _far(options, prices, left), size.combinations)
            others = min(others, float(total[kept[near[size.combinations :]]].min()))
            near = near[: size.combinations]
            kept, chosen, parents, left = kept[near], chosen[near], parents[near], left[:, near]
        sums, slack = total[kept], left
        steps.append(_Step(asset, tried, parents, chosen))
    over = ROUNDING * (np.abs(options.limits) + np.abs(options.uses[:, base]).sum(axis=1))
    allowed = np.flatnonzero((slack >= -over[:, None]).all(axis=0))
    total = sums[allowed] + prices @ slack[:, allowed]
    ranked = np.argsort(total, kind="stable")
    if len(ranked) > LOOKED_AT:
        others = min(others, float(total[ranked[LOOKED_AT]]))
    ranked = ranked[:LOOKED_AT]
    return Combinations(_choices(base, steps, allowed[ranked]), total[ranked], others)


def _far(options: LotOptions, prices: Vector, slack: NDArray[np.float64]) -> Vector:
    """What is left of the limits at their prices; what exceeds them counts more."""
    exceeded = np.maximum(EXCEEDED * prices, options.dearest)
    far: Vector = prices @ np.maximum(slack, 0.0) + exceeded @ np.maximum(-slack, 0.0)
    return far


def _core(
    options: LotOptions, regrets: Vector, prices: Vector, start: Start, excess: float, size: SearchSize
) -> tuple[list[tuple[int, NDArray[np.intp]]], float]:
    """Assets with their other options, and the least regret of an option that is left out."""
    near = regrets < (excess if start.is_best else np.inf)
    near[start.choice] = False
    places = np.flatnonzero(near)
    places = places[np.argsort(regrets[places], kind="stable")]
    assets = options.assets[places]
    chosen = _assets(options, places, prices, start, size.assets)
    core, left_out = [], np.inf
    outside = places[~np.isin(assets, chosen)]
    if len(outside):
        left_out = float(regrets[outside[0]])
    for asset in chosen:
        own = places[assets == asset]
        most = len(own) if asset in start.first else size.options
        left_out = min(left_out, float(regrets[own[most]])) if len(own) > most else left_out
        core.append((asset, own[:most]))
    return core, left_out


def _assets(options: LotOptions, places: NDArray[np.intp], prices: Vector, start: Start, most: int) -> list[int]:
    """Those of the start, then in turn for each limit that has a price those that use it otherwise, by their regret."""
    chosen = dict.fromkeys(start.first)
    ranked = []
    for uses in options.uses[prices > 0.0] if (prices > 0.0).any() else options.uses:
        other = places[uses[places] != uses[start.choice][options.assets[places]]]
        assets, first = np.unique(options.assets[other], return_index=True)
        ranked.append(assets[np.argsort(first, kind="stable")][:most].tolist())
    for row in itertools.zip_longest(*ranked):
        chosen.update(dict.fromkeys(asset for asset in row if asset is not None))
    return list(chosen)[:most]


def _choices(base: NDArray[np.intp], steps: list[_Step], places: NDArray[np.intp]) -> NDArray[np.intp]:
    """The option of each asset, (B, P), of some combinations of the last step."""
    found = np.tile(base, (len(places), 1))
    for step in reversed(steps):
        found[:, step.asset] = step.options[step.chosen[places]]
        places = step.parents[places]
    return found

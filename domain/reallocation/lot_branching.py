"""The best options beside one another, as a mixed-integer program with few columns.

Only what can be in a plan that is better than the known one has a column: at the prices of the limits an option whose
regret is what the known plan exceeds the bound by, or more, is in none of them. Of an asset whose gain or tax falls in
the order of sale one option is chosen, or one pair of neighbours and a part between them, where more lots lie between.
Of the others options are mixed: their terms are convex, so that whole numbers are near and only what they leave over
is lost. It is the multiple-choice knapsack problem (Sinha and Zoltners 1979): at a vertex of it no more assets are
mixed than there are limits.
"""

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.errors import SolverTimedOut
from domain.optimization.programs.mixed_integer import LinearModel, SearchLimits
from domain.optimization.programs.solver_control import SolverControl
from domain.reallocation.lot_options import LotOptions
from domain.records import dataclass

MANY = 2_000
"""Options beside three of each asset of which a program is solved in some seconds."""

NODES = 2_000
"""Of the tree; what is found until then is taken."""

SMALLEST = 1e-5
"""Part of the largest value that the objective must be, so that the tolerances of the solver are little beside it."""

NONE = 1e-9
"""A smaller part is rounding."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Lots of each order, (J,), also parts of one, and the assets that have such.

    No sum of values that keeps the limits is below `bound`, but for plans with an option of a regret of `left_out`.
    """

    lots: Vector
    mixed: NDArray[np.intp]
    bound: float
    left_out: float


@dataclass(frozen=True, slots=True)
class _Columns:
    """(C,) Options, and by how much of the way to another option a column goes; pairs come twice, start and way."""

    options: NDArray[np.intp]
    ways: NDArray[np.intp]  # the option to which the column leads from the one before it; -1 for none
    whole: NDArray[np.bool_]

    def of(self, figures: Vector) -> Vector:
        """What each column adds of figures of the options, (T,)."""
        found: Vector = figures[self.options]
        leads = self.ways >= 0
        found[leads] = figures[self.ways[leads]] - figures[self.options[leads]]
        return found


def best_mixture(
    options: LotOptions,
    values: Vector,
    regrets: Vector,
    excess: float,
    nonconvex: NDArray[np.bool_],
    count: int,
    size: float,
    gap: float,
    most: int,
    control: SolverControl,
) -> Mixture | None:
    """From `values` without prices and `regrets` at prices, (T,), and `nonconvex`, (P,); None where nothing is found.

    `excess` is that of a known plan over the bound, `size` its objective, in money; the search ends at a `gap` of it.
    Of more than `most` options those with the least regrets are columns.
    """
    if size <= SMALLEST * float(np.abs(values).max(initial=0.0)):
        return None
    if len(regrets) > most:
        excess = min(excess, float(np.partition(regrets, most)[most]))
    columns = _columns(options, regrets, excess, nonconvex)
    model = _model(options, columns, values / size)
    try:
        found = model.solve(limits=SearchLimits(absolute_gap=gap, nodes=NODES), control=control)
    except SolverTimedOut:
        control.check_cancelled()
        return None
    if found is None:
        return None
    orders, assets = options.orders[columns.options], options.assets[columns.options]
    leads = columns.ways >= 0
    orders[leads] = options.orders[columns.ways[leads]]
    lots = np.zeros(count)
    traded = orders >= 0
    np.add.at(lots, orders[traded], (found.point * columns.of(options.lots))[traded])
    parts = (found.point > NONE) & (found.point < 1.0 - NONE)
    return Mixture(lots, np.unique(assets[parts]), found.bound * size, excess)


def _columns(options: LotOptions, regrets: Vector, excess: float, nonconvex: NDArray[np.bool_]) -> _Columns:
    near = regrets < excess
    near[options.starts] = True  # no trade keeps all limits
    apart = np.flatnonzero(options.between(regrets) < excess)
    pairs = apart[nonconvex[options.assets[apart]]]
    straight = apart[~nonconvex[options.assets[apart]]]
    near[straight] = near[straight - 1] = True
    points = np.flatnonzero(near)
    none = np.full(len(points) + len(pairs), -1)
    return _Columns(
        options=np.concatenate([points, pairs - 1, pairs - 1]),
        ways=np.concatenate([none, pairs]),
        whole=np.concatenate(
            [
                nonconvex[options.assets[points]],
                np.ones(len(pairs), dtype=np.bool_),
                np.zeros(len(pairs), dtype=np.bool_),
            ]
        ),
    )


def _model(options: LotOptions, columns: _Columns, values: Vector) -> LinearModel:
    count, leads = len(columns.options), columns.ways >= 0
    model = LinearModel(cost=columns.of(values), lower=np.zeros(count), upper=np.ones(count), integer=columns.whole)
    chosen = np.flatnonzero(~leads)
    assets = options.assets[columns.options[chosen]]
    sequence = np.argsort(assets, kind="stable")
    ends = np.searchsorted(assets[sequence], np.arange(len(options.starts) + 1))
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        own = chosen[sequence[start:end]].tolist()
        model.add_row(own, [1.0] * len(own), 1.0, 1.0)
    ways = np.flatnonzero(leads)
    for way, start in zip(ways.tolist(), (ways - len(ways)).tolist(), strict=True):
        model.add_row([way, start], [1.0, -1.0], -np.inf, 0.0)
    for uses, limit in zip(options.uses, options.limits.tolist(), strict=True):
        used = columns.of(uses)
        places = np.flatnonzero(used)
        unit = float(np.abs(used).max(initial=0.0)) or 1.0
        model.add_row(places.tolist(), (used[places] / unit).tolist(), -np.inf, limit / unit)
    return model

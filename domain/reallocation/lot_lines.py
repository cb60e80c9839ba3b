"""Rows that keep the distance of an asset above the line through its values at the whole numbers next to the wish.

The wish depends on the cost C of all trades: lambda C, where lambda is the place between the two numbers, is replaced
by the envelope of McCormick (1976) over the costs that plans can have.
"""

import math
from collections.abc import Mapping

import numpy as np

from domain.optimization.programs.mixed_integer import LinearModel
from domain.reallocation.gain_columns import SaleColumns
from domain.reallocation.lots import ROUNDING
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """The trade of one asset that ends at its target where the costs are those of the known plan, in money."""

    order: int  # in the direction of the trade
    sign: float
    target: float
    money: float
    value: float  # of a lot
    below: int  # the numbers of lots next to it
    above: int

    @property
    def distances(self) -> tuple[float, float]:
        """To the target, at the numbers of lots next to it."""
        return self.money - self.below * self.value, self.above * self.value - self.money


@dataclass(frozen=True, slots=True)
class LineColumns:
    """What a line is written in: the columns of the distance and of the cost, and by order of the asset its trade."""

    distance: int
    cost: int
    trades: Mapping[int, float]  # value of a lot, negative to sell
    usual_cost: float  # of the known plan
    reach: float  # how far the cost of other plans is from it


def add_line(model: LinearModel, wish: Wish, on: LineColumns, sale: SaleColumns | None) -> None:
    """At `below` lots the distance is wish - below value, at `above` it is above value - wish.

    A cost that is higher by e lowers the wish by tilt e. A sale whose gain or tax per unit falls is written in its
    parts.
    """
    middle, tilt = on.usual_cost, wish.sign * wish.target
    width, moved = wish.above - wish.below, 2.0 * wish.target * on.reach
    slope = (wish.distances[1] - wish.distances[0]) / width
    if sale is None:
        columns = [on.distance, *on.trades, on.cost]
        lots = [wish.sign * trade / wish.value for trade in on.trades.values()]
        start = wish.distances[0] - slope * wish.below
        more, less = ([(moved / width - slope) * n for n in lots], [(-moved / width - slope) * n for n in lots])
        model.add_row(columns, [1.0, *more, tilt], start + tilt * middle + moved / width * wish.below, math.inf)
        model.add_row(columns, [1.0, *less, -tilt], start - tilt * middle - moved / width * wish.above, math.inf)
        return
    ends = sale.ends
    within = (ends > wish.below + ROUNDING) & (ends - sale.widths < wish.above - ROUNDING)
    slopes = np.where(within, slope, np.where(ends <= wish.below + ROUNDING, -wish.value, wish.value))
    share = np.where(within, moved / width, 0.0)
    others = {j: wish.sign * trade for j, trade in on.trades.items() if j != wish.order}
    columns = [on.distance, *sale.columns, *others, on.cost]
    apart = list(others.values())
    model.add_row(columns, [1.0, *(share - slopes), *apart, tilt], wish.money + tilt * middle, math.inf)
    model.add_row(columns, [1.0, *(-share - slopes), *apart, -tilt], wish.money - tilt * middle - moved, math.inf)


def next_counts(wish: float, least: int) -> tuple[int, int]:
    """The numbers of lots next to a wish, none being below the least."""
    below = math.floor(wish)
    return (below, below + 1) if below >= least else (0, least)

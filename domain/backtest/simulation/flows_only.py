"""Trades that only invest or raise money: buy what is below its target, or sell what is above."""

import numpy as np

from domain.backtest.simulation.arrays import Flags, Floats
from domain.backtest.simulation.compiled import compiled


@compiled
def weights_with_money_invested(weights: Floats, target: Floats, movable: Flags) -> Floats:
    """Weights (N,) after the cash beyond its target is invested where weights are short of theirs, in proportion.

    Where there is too little cash it is raised from what is above its target, in proportion. All are fractions of the
    net asset value.
    """
    count = len(weights)
    missing = target.sum() - weights.sum()
    sign = 1.0 if missing > 0.0 else -1.0
    gaps = np.zeros(count)
    for i in range(count):
        if movable[i]:
            gaps[i] = max(sign * (target[i] - weights[i]), 0.0)
    total = gaps.sum()
    if total <= 0.0 or missing == 0.0:
        return weights.copy()
    moved: Floats = weights + sign * gaps * min(abs(missing) / total, 1.0)
    return moved

"""Strategies choose weights from a `MarketHistory` and nothing else, so that they cannot see later prices.

Start reading at `protocol`, what a simulation asks of a strategy, and `history`, what a strategy knows. `static` holds
those that depend on no price, `optimized` those that solve a problem, `momentum` a ranking by past returns. `overlays`
scale another strategy, `blend` adds several up and `select` follows the best one of several, all by the calls of
`inside`; `nesting` walks through strategies inside strategies. `sleeves` are parts of one account that decide on dates
of their own, with what each of them holds in `sleeve_state`. `remote` is decided by a service outside, whose answers
`decision_log` keeps.
"""

from domain.backtest.strategies.blend import Blend, Part
from domain.backtest.strategies.history import MarketHistory
from domain.backtest.strategies.momentum import Momentum
from domain.backtest.strategies.optimized import Optimized, inverse_volatility
from domain.backtest.strategies.overlays import Cppi, VolatilityTarget
from domain.backtest.strategies.protocol import LookbackWindow, PlannedWeights, Strategy
from domain.backtest.strategies.remote import Remote
from domain.backtest.strategies.select import BeforeSelection, Select, SelectionScore
from domain.backtest.strategies.static import EqualWeightStrategy, FixedWeights, WeightSchedule

__all__ = [
    "BeforeSelection",
    "Blend",
    "Cppi",
    "EqualWeightStrategy",
    "FixedWeights",
    "LookbackWindow",
    "MarketHistory",
    "Momentum",
    "Optimized",
    "Part",
    "PlannedWeights",
    "Remote",
    "Select",
    "SelectionScore",
    "Strategy",
    "VolatilityTarget",
    "WeightSchedule",
    "inverse_volatility",
]

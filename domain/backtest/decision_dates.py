"""On which dates each strategy of a backtest decides."""

import math

import numpy as np
from numpy.typing import NDArray

from domain.backtest.rebalancing import RebalancingDates
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import Blend, FixedWeights, Remote, Strategy, WeightSchedule
from domain.backtest.strategies.nesting import inner, path_of_first_date, with_inner
from domain.backtest.strategies.protocol import DecisionDates
from domain.backtest.strategies.sleeves import Sleeves
from domain.backtest.strategy_run import StrategyRun
from domain.backtest.tranches import tranche_runs
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel


def first_decision(specification: BacktestSpecification, panel: PricePanel) -> int:
    """Index of the first date on which all strategies can decide. Raises InvalidInput with the field where none is."""
    start = max(_first_of(path, strategy, panel) for path, strategy in specification.outer_strategies())
    return start if specification.universe is None else max(start, specification.universe.first_index(panel))


def _first_of(path: str, strategy: Strategy, panel: PricePanel) -> int:
    window = strategy.lookback_window
    needed = window.fewest_dates
    if needed > len(panel.dates):
        raise InvalidInput(
            f"{path}.{window.field}",
            f"needs {needed} dates before the first decision, the input has {len(panel.dates)}",
        )
    own = strategy.own_dates()
    if not own:
        return needed - 1
    first = int(np.searchsorted(panel.dates, own[0]))
    if first >= len(panel.dates):
        raise InvalidInput(f"{path}.{path_of_first_date(strategy)}", "is after the last date of the input")
    return max(needed - 1, first)


def strategy_run(
    strategy: Strategy, specification: BacktestSpecification, panel: PricePanel, start: int
) -> StrategyRun:
    """A strategy with the dates of its decisions, the first at date number `start`."""
    rebalancing, delay = specification.rebalancing, specification.delay
    if isinstance(strategy, Blend) and strategy.has_sleeves:
        return _sleeves_run(strategy, rebalancing.schedule, delay, panel, start)
    own = np.searchsorted(panel.dates, np.array(strategy.own_dates(), dtype=np.int64))
    if rebalancing.band is not None or rebalancing.flows_only:
        # They trade to the weights of the latest decision, on any date: those must not hold what has left, and must
        # hold what has come.
        own = np.union1d(own, _changes_of_assets(strategy, specification, panel))
    decisions = []
    for tranche in range(rebalancing.tranches):
        indices = np.append(start, rebalancing.tranche_indices(panel.dates, start, tranche))
        if len(own):
            indices = np.union1d(indices, own[own > start])
        # No decision is made that would be filled after the last date.
        decisions.append(indices[indices + delay < len(panel.dates)])
    tranches = tranche_runs(strategy, decisions, delay) if len(decisions) > 1 else ()
    return StrategyRun(strategy, decisions[0], delay, tranches)


def _changes_of_assets(
    strategy: Strategy, specification: BacktestSpecification, panel: PricePanel
) -> NDArray[np.int64]:
    """Dates on which the universe steps, or other assets than on the date before can have a weight.

    Fixed and scheduled weights do not depend on what is listed. Another strategy gives weight to members that are
    listed, on all dates that it looks at; a remote one to those that it chooses among the listed ones.
    """
    universe, found = specification.universe, np.zeros(0, np.int64)
    if universe is not None:
        found = universe.change_indices(panel)
    if panel.least > 0.0:
        return found
    held = panel.values > 0.0
    numbers = np.arange(len(panel.dates))[:, None]
    listed_for = numbers - np.maximum.accumulate(np.where(held, -1, numbers), axis=0)  # dates in a row
    if universe is not None:
        held &= universe.members(panel.symbols, panel.dates)
    for window in {_dates_seen(one) for _, one in with_inner(strategy) if not inner(one)} - {0}:
        eligible = held & (listed_for >= np.minimum(window, numbers + 1))
        changed = (eligible[1:] != eligible[:-1]).any(axis=1) & eligible[1:].any(axis=1)
        found = np.union1d(found, np.flatnonzero(changed) + 1)
    return found


def _dates_seen(strategy: Strategy) -> float:
    """How many dates an asset must be listed for a weight; 0 where that makes no difference."""
    match strategy:
        case FixedWeights() | WeightSchedule():
            return 0
        case Remote():
            return 1
    most = strategy.lookback_window.most_dates
    return math.inf if most is None else most


def _sleeves_run(blend: Blend, schedule: RebalancingDates, delay: int, panel: PricePanel, start: int) -> StrategyRun:
    """A blend that decides on the dates of any of its parts and on its own; those without a rule have the schedule."""

    def decisions(rule: DecisionDates | None, own: tuple[int, ...]) -> NDArray[np.int64]:
        days = np.searchsorted(panel.dates, np.array(own, dtype=np.int64))
        indices = np.union1d(np.append(start, (rule or schedule).decision_indices(panel.dates, start)), days)
        result: NDArray[np.int64] = indices[(indices >= start) & (indices + delay < len(panel.dates))]
        return result

    of_parts = [decisions(part.rebalancing, part.strategy.own_dates()) for part in blend.parts]
    of_blend = decisions(blend.rebalancing, ())
    days = [frozenset(panel.dates[one].tolist()) for one in (*of_parts, of_blend)]
    sleeves = Sleeves(blend, tuple(days[:-1]), days[-1])
    return StrategyRun(blend, np.unique(np.concatenate([*of_parts, of_blend])), delay, sleeves=sleeves)

"""On which dates each strategy of a backtest decides."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import Blend, FixedWeights, Remote, Strategy, WeightSchedule
from domain.backtest.strategies.nesting import inner, path_of_first_date, replaced, with_inner
from domain.backtest.strategies.protocol import DecisionDates
from domain.backtest.strategies.sleeves import Sleeve, Sleeves
from domain.backtest.strategy_run import StrategyRun
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel

_NO_DATES = np.zeros(0, np.int64)


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
    if isinstance(strategy, Blend) and strategy.has_sleeves:
        return _blend_run(strategy, specification, panel, start)
    rebalancing, delay = specification.rebalancing, specification.delay
    own = _NO_DATES
    if days := strategy.own_dates():
        own = panel.dates.searchsorted(np.array(days, dtype=np.int64))
    if rebalancing.band is not None or rebalancing.flows_only:
        # They trade to the weights of the latest decision, on any date: those must not hold what has left, and must
        # hold what has come.
        own = np.union1d(own, _changes_of_assets(strategy, specification, panel))
    decisions = []
    for tranche in range(rebalancing.tranches):
        indices = np.concatenate(([start], rebalancing.tranche_indices(panel.dates, start, tranche)))
        if len(own):
            indices = np.union1d(indices, own[own > start])
        # No decision is made that would be filled after the last date.
        decisions.append(indices[: int(indices.searchsorted(len(panel.dates) - delay))])
    if len(decisions) == 1:
        return StrategyRun(strategy, decisions[0], delay)
    sleeves = _tranches(strategy, specification, [_days(panel, dates) for dates in decisions])
    return StrategyRun(strategy, np.unique(np.concatenate(decisions)), delay, sleeves)


def _tranches(strategy: Strategy, specification: BacktestSpecification, days: list[frozenset[int]]) -> Sleeves:
    """Equal parts of the account, by the days of their decisions."""
    return Sleeves(
        tuple(Sleeve(_of_tranche(strategy, j), own) for j, own in enumerate(days)),
        shares=(1.0 / len(days),) * len(days),
        share_days=frozenset(),
        delay=specification.delay,
        fills_at_open=specification.fill is Fill.NEXT_OPEN,
        are_tranches=True,
        least_between=specification.rebalancing.min_periods_between,
    )


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


def _of_tranche(strategy: Strategy, tranche: int) -> Strategy:
    """The strategy of a tranche: decisions of a service outside are kept for each."""

    def named(_: str, one: Strategy) -> Strategy:
        if tranche == 0 or not isinstance(one, Remote) or one.decisions is None:
            return one
        return replace(one, decisions=replace(one.decisions, path=f"{one.decisions.path}.tranches[{tranche}]"))

    return replaced(strategy, named)


def _days(panel: PricePanel, indices: NDArray[np.int64]) -> frozenset[int]:
    return frozenset(panel.dates[indices].tolist())


def _blend_run(blend: Blend, specification: BacktestSpecification, panel: PricePanel, start: int) -> StrategyRun:
    """A blend that decides on the dates of any of its parts and on its own; those without a rule have the schedule."""
    schedule, delay = specification.rebalancing.schedule, specification.delay

    def decisions(rule: DecisionDates | None, own: tuple[int, ...]) -> NDArray[np.int64]:
        days = np.searchsorted(panel.dates, np.array(own, dtype=np.int64))
        indices = np.union1d(np.append(start, (rule or schedule).decision_indices(panel.dates, start)), days)
        result: NDArray[np.int64] = indices[(indices >= start) & (indices + delay < len(panel.dates))]
        return result

    of_parts = [decisions(part.rebalancing, part.strategy.own_dates()) for part in blend.parts]
    of_blend = decisions(blend.rebalancing, ())
    sleeves = Sleeves(
        tuple(
            Sleeve(part.strategy, _days(panel, dates), blend.path_of(i), f"parts[{i}], {part.strategy.label}")
            for i, (part, dates) in enumerate(zip(blend.parts, of_parts, strict=True))
        ),
        shares=tuple(part.weight for part in blend.parts),
        share_days=_days(panel, of_blend),
        delay=delay,
        fills_at_open=specification.fill is Fill.NEXT_OPEN,
    )
    return StrategyRun(blend, np.unique(np.concatenate([*of_parts, of_blend])), delay, sleeves)

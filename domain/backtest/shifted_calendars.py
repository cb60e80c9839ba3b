"""The same strategies with later dates of rebalancing, for the luck in the choice of dates (Hoffstein et al. 2019)."""

from dataclasses import replace
from typing import TypeVar

from domain.backtest.decision_dates import strategy_run
from domain.backtest.rebalancing import BuyAndHold, Calendar, EveryPeriods
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import Blend, Remote, Select, Strategy
from domain.backtest.strategies.nesting import with_inner
from domain.backtest.strategies.protocol import DecisionDates
from domain.backtest.strategy_run import StrategyRun
from domain.calendar import Frequency
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel
from domain.records import dataclass

MOST_SHIFTED = 256
"""Shifted simulations of one backtest, of all strategies together."""

NO_DATES = "there are no dates of rebalancing to shift"
EVERY_DATE = "every date is a date of rebalancing: there is nothing to shift"
DECIDED_OUTSIDE = "a service outside decides on the dates of the request alone"
SELECTS = "the accounts of the candidates of a selection are simulated on the dates of the request alone"
NOT_ASKED = "needs analysis.statistical_validation.timing_luck_offsets"

T = TypeVar("T", bound=DecisionDates)


@dataclass(frozen=True, slots=True)
class ShiftedRun:
    """A strategy whose dates of rebalancing, the first included, are some dates later; its first purchase is not."""

    strategy_index: int
    offset: int  # dates
    run: StrategyRun


def shifted_runs(specification: BacktestSpecification, panel: PricePanel, start: int) -> tuple[ShiftedRun, ...]:
    """The shifted runs of every strategy that has some, in the order of strategies and offsets.

    Raises InvalidInput for more than `MOST_SHIFTED`.
    """
    found: list[ShiftedRun] = []
    for i, strategy in enumerate(specification.strategies):
        if reason_not_shifted(specification, strategy) is not None:
            continue
        for offset in range(1, _offsets(specification) + 1):
            shifted = _shifted_blend(strategy, offset) if isinstance(strategy, Blend) else strategy
            rules = replace(specification.rebalancing, schedule=_later(specification.rebalancing.schedule, offset))
            later = strategy_run(shifted, replace(specification, rebalancing=rules), panel, start)
            dates = "date" if offset == 1 else "dates"
            named = replace(later.strategy, label=f"{strategy.label}, {offset} {dates} later")  # type: ignore[type-var]  # every strategy is a dataclass
            found.append(ShiftedRun(i, offset, replace(later, strategy=named)))
    if len(found) > MOST_SHIFTED:
        rule = f"must leave at most {MOST_SHIFTED} shifted simulations of all strategies together, leaves {len(found)}"
        raise InvalidInput("analysis.statistical_validation.timing_luck_offsets", rule)
    return tuple(found)


def reason_not_shifted(specification: BacktestSpecification, strategy: Strategy) -> str | None:
    """Why a strategy has no shifted runs; None where it has some."""
    if specification.validation.timing_luck_offsets == 0:
        return NOT_ASKED
    if any(isinstance(one, Remote) for _, one in with_inner(strategy)):
        return DECIDED_OUTSIDE
    if isinstance(strategy, Select):
        return SELECTS
    rules: list[DecisionDates] = [specification.rebalancing.schedule]
    if isinstance(strategy, Blend):
        rules += [rule for rule in (strategy.rebalancing, *(p.rebalancing for p in strategy.parts)) if rule is not None]
    if all(isinstance(rule, BuyAndHold) for rule in rules):
        return NO_DATES
    if all(isinstance(rule, BuyAndHold) or _is_every_date(rule) for rule in rules):
        return EVERY_DATE
    return None


def _offsets(specification: BacktestSpecification) -> int:
    """How many calendars: a rule of every n dates has n - 1 that differ from it."""
    wanted, schedule = specification.validation.timing_luck_offsets, specification.rebalancing.schedule
    return min(wanted, schedule.n - 1) if isinstance(schedule, EveryPeriods) and schedule.n > 1 else wanted


def _is_every_date(rule: DecisionDates) -> bool:
    match rule:
        case Calendar():
            return rule.frequency is Frequency.DAILY
        case EveryPeriods():
            return rule.n == 1
    return False


def _later(rule: T, offset: int) -> T:
    """The rule with every date but that of the first purchase later."""
    match rule:
        case Calendar() | EveryPeriods():
            return replace(rule, offset=rule.offset + offset)
    return rule


def _shifted_blend(blend: Blend, offset: int) -> Blend:
    """The blend with the rules of its own and of its parts later."""
    parts = tuple(
        part if part.rebalancing is None else replace(part, rebalancing=_later(part.rebalancing, offset))
        for part in blend.parts
    )
    rule = blend.rebalancing
    return replace(blend, parts=parts, rebalancing=None if rule is None else _later(rule, offset))

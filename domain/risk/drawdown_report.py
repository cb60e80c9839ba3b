"""The drawdowns of a report: figures of all dates, and the worst falls with their dates."""

import numpy as np

from domain.checks import Vector
from domain.market_data.panel import Days, civil_date
from domain.risk.figure import NO_TIME, Absent
from domain.risk.measures.drawdown import (
    START,
    Drawdown,
    compounded_drawdowns,
    deepest,
    episode_depths,
    ulcer_index,
    worst_drawdowns,
)
from domain.risk.measures.tail import conditional_value_at_risk
from domain.risk.report import DatedDrawdown, DrawdownFigures

_NONE = Absent(NO_TIME)
NO_DRAWDOWNS = DrawdownFigures(_NONE, _NONE, _NONE, _NONE, _NONE, None, (), np.zeros(0))


def drawdown_figures(
    returns: Vector, days: Days, start: int | None, confidence_level: float, most: int
) -> DrawdownFigures:
    """Of T simple returns dated at their end; `start` is the date of the starting capital, where it is known."""
    depths = compounded_drawdowns(returns)
    falls = episode_depths(depths)
    worst = tuple(_dated(fall, days, start) for fall in worst_drawdowns(depths, max(most, 1)))
    return DrawdownFigures(
        max_drawdown=float(deepest(depths)),
        average_drawdown=float(falls.mean()) if len(falls) else 0.0,
        conditional_drawdown_at_risk=float(conditional_value_at_risk(-depths, confidence_level)),
        ulcer_index=float(ulcer_index(depths)),
        pain_index=float(depths.mean()),
        deepest=worst[0] if worst else None,
        worst=worst[:most],
        depths=depths,
    )


def _dated(fall: Drawdown, days: Days, start: int | None) -> DatedDrawdown:
    if fall.peak is None or fall.trough is None:
        raise ValueError("what never fell has no dates")
    first = start if fall.peak == START else int(days[fall.peak])
    end = len(days) - 1 if fall.recovery is None else fall.recovery
    return DatedDrawdown(
        depth=fall.depth,
        peak=None if first is None else civil_date(first),
        trough=civil_date(days[fall.trough]),
        recovery=None if fall.recovery is None else civil_date(days[fall.recovery]),
        periods=end - fall.peak,
        periods_to_trough=fall.trough - fall.peak,
        periods_to_recovery=None if fall.recovery is None else fall.recovery - fall.trough,
    )

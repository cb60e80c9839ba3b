"""Which trial is best by a score. Trials without one, because they failed or it is not defined, are never ranked."""

from collections.abc import Mapping
from enum import StrEnum

from domain.backtest.metrics import Performance
from domain.records import dataclass
from domain.risk.figure import Figure


class Score(StrEnum):
    """A figure of a backtest that trials are compared by; the value is its name in the contract."""

    SHARPE = "sharpe"
    SORTINO = "sortino"
    CALMAR = "calmar"
    CAGR = "cagr"
    INFORMATION_RATIO = "information_ratio"
    TOTAL_RETURN = "total_return"
    VOLATILITY_ANNUAL = "volatility_annual"
    MAX_DRAWDOWN = "max_drawdown"
    VALUE_AT_RISK = "value_at_risk"
    CONDITIONAL_VALUE_AT_RISK = "conditional_value_at_risk"
    TURNOVER_ANNUAL = "turnover_annual"
    COST_TOTAL = "cost_total"
    TRACKING_ERROR_ANNUAL = "tracking_error_annual"

    @property
    def higher_is_better(self) -> bool:
        """Its direction; losses are positive, so that lower is better."""
        return self in _HIGHER

    def of(self, figures: Performance) -> Figure:
        """The score of a backtest."""
        figure: Figure = getattr(figures, self.value)
        return figure

    def is_better(self, score: float, other: float) -> bool:
        """Whether one score is better than another."""
        return score > other if self.higher_is_better else score < other


_HIGHER = frozenset(
    {Score.SHARPE, Score.SORTINO, Score.CALMAR, Score.CAGR, Score.INFORMATION_RATIO, Score.TOTAL_RETURN}
)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Trials with a score, best first; of equal ones the first in the sweep comes first."""

    order: tuple[int, ...]
    tied: tuple[int, ...] = ()  # those whose score equals the best one, without the first of them

    @property
    def best(self) -> int | None:
        """The first of the best trials; None where no trial has a score."""
        return self.order[0] if self.order else None


def ranking(scores: Mapping[int, float], score: Score) -> Ranking:
    """Ranks trials by their scores, whatever the order in which they ended."""
    sign = -1.0 if score.higher_is_better else 1.0
    order = tuple(sorted(scores, key=lambda trial: (sign * scores[trial], trial)))
    if not order:
        return Ranking(())
    return Ranking(order, tuple(trial for trial in order[1:] if scores[trial] == scores[order[0]]))

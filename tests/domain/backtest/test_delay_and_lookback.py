"""When a decision becomes a position, and how much of the past it has seen: against loops written for these tests."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import EqualWeightStrategy, LookbackWindow, MarketHistory, Optimized, Strategy
from domain.checks import Vector
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.moments import Moments
from domain.market_data.panel import PricePanel
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import Specification
from domain.optimization.solve import solve

COUNT = 40
RNG = np.random.default_rng(7)
PRICES = 20.0 * np.cumprod(1.0 + RNG.normal(0.0, 0.02, (COUNT, 3)), axis=0)
PANEL = PricePanel.of("ABC", range(COUNT), PRICES)


@dataclass(frozen=True)
class LatestWinner:
    """All in the asset that gained most on the day of the decision; it remembers what it was shown."""

    shown: int = 2
    label: str = "winner"
    kind: str = "equal_weight"
    seen: list[list[int]] = field(default_factory=list)

    @property
    def lookback_window(self) -> LookbackWindow:
        return LookbackWindow(self.shown, self.shown)

    def own_dates(self) -> tuple[int, ...]:
        return ()

    def planned(self, symbols: object, dates: object, listed: object) -> None:
        return None

    def check(self, history: MarketHistory, check_cancelled: Callable[[], None] = lambda: None) -> tuple[()]:
        return ()

    def decide(self, history: MarketHistory, check_cancelled: Callable[[], None]) -> Vector:
        self.seen.append(history.dates.tolist())
        return winner(history.prices)


def winner(prices: np.ndarray) -> Vector:
    gains = prices[-1] / prices[-2]
    return np.where(gains == gains.max(), 1.0, 0.0)


def walked(strategies: tuple[Strategy, ...], n: int, **more: object) -> list[np.ndarray]:
    """Net asset value of each strategy from the first decision on."""
    specification = BacktestSpecification(strategies, Rebalancing(EveryPeriods(n)), **more)  # type: ignore[arg-type]
    opens = PANEL if specification.fill is Fill.NEXT_OPEN else None
    outcome = run(prepare(specification, PANEL, opens=opens), lambda walk: None, lambda: None)
    return [one.record.nav for one in outcome.strategies if one.record is not None]


@pytest.mark.parametrize("fill", list(Fill))
@pytest.mark.parametrize("lag", [0, 1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_a_decision_is_filled_its_delay_later_to_the_day(n: int, lag: int, fill: Fill) -> None:
    """NAV of every date by a loop over dates; what is held on each is what was decided `delay` dates before."""
    (found,) = walked((LatestWinner(),), n, lag_periods=lag, fill=fill)
    delay = lag + (0 if fill is Fill.SAME_CLOSE else 1)
    nav, units, cash = [1.0], np.zeros(3), 1.0
    for place in range(1, COUNT):
        now = float(units @ PRICES[place]) + cash
        made = place - delay
        if made >= 1 and (made - 1) % n == 0:
            units, cash = winner(PRICES[: made + 1]) * now / PRICES[place], 0.0
        nav.append(now)
    assert found == pytest.approx(np.array(nav[1:]), rel=1e-12)


@pytest.mark.parametrize("shown", [2, 3, 11])
def test_a_strategy_is_shown_so_many_dates_and_no_more(shown: int) -> None:
    """Also where another strategy begins later, so that there would be more to show."""
    short, long = LatestWinner(shown), LatestWinner(20, "late")
    walked((short, long), 5)
    assert [dates[-1] for dates in short.seen] == [dates[-1] for dates in long.seen] == [19, 24, 29, 34]
    assert short.seen == [list(range(day - shown + 1, day + 1)) for day in (19, 24, 29, 34)]


@pytest.mark.parametrize("lookback", [5, 12])
def test_an_optimised_portfolio_is_that_of_its_lookback_alone(lookback: int) -> None:
    """The least variance of the last `lookback` returns, estimated here; a second leg keeps the start far from it."""
    late = LatestWinner(20, "late")
    found, _ = walked((Optimized(Specification(MinRisk()), lookback), late), 6, fill=Fill.SAME_CLOSE)
    nav, units = [1.0], np.zeros(3)
    for place in range(19, COUNT):
        now = float(units @ PRICES[place]) if units.any() else 1.0
        if (place - 19) % 6 == 0:
            window = PRICES[place - lookback : place + 1]
            returns = window[1:] / window[:-1] - 1.0
            assert len(returns) == lookback
            weights = solve(
                Problem(Moments.of("ABC", returns.mean(axis=0), np.cov(returns.T), 252.0), MinRisk())
            ).weights
            units = weights * now / PRICES[place]
        nav.append(now)
    assert found == pytest.approx(np.array(nav[1:]), rel=1e-7)


def test_costs_are_paid_on_the_day_of_the_fill() -> None:
    """At 1 % of what is traded, one purchase of everything leaves 1 / 1.01 of it from its day on."""
    free, paying = (
        walked((EqualWeightStrategy(),), 1000, lag_periods=3, costs=CostModel(LinearCost(bps)))[0]
        for bps in (0.0, 100.0)
    )
    assert (free[:4] == 1.0).all()
    assert (paying[:4] == 1.0).all()
    assert paying[4:] / free[4:] == pytest.approx(np.full(COUNT - 4, 1 / 1.01), rel=1e-12)

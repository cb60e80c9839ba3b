"""Volatility targets and portfolio insurance: the figures of example K, and loops written for these tests."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest.flow import BacktestRun, Checkpoint, run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import Cppi, FixedWeights, MarketHistory, Optimized, Strategy, VolatilityTarget
from domain.cancellation import never_cancelled
from domain.errors import InvalidInput, MissingMarketData
from domain.market_data.panel import PricePanel
from domain.optimization.request.objectives import MinRisk
from domain.optimization.request.specification import Specification

RISKY = FixedWeights({"A": 1.0}, "risky")
NAN = float("nan")


def history(prices: np.ndarray, unit_value: float = 1.0) -> MarketHistory:
    dates, count = prices.shape
    days = np.arange(dates, dtype=np.int32)
    return MarketHistory(tuple("ABC"[:count]), days, prices, np.zeros(count), 252.0, unit_value=unit_value)


def outcome(strategy: Strategy, prices: Sequence[float], n: int = 1) -> StrategyOutcome:
    """Of a strategy that decides every n dates, at the close it is filled at."""
    specification = BacktestSpecification((strategy,), Rebalancing(EveryPeriods(n)), Fill.SAME_CLOSE)
    panel = PricePanel.of("AB", range(len(prices)), np.column_stack([prices, np.ones(len(prices))]))
    return run(prepare(specification, panel), lambda _: None, never_cancelled).strategies[0]


def record_of(one: StrategyOutcome) -> RecordPart:
    assert one.record is not None
    return one.record


@pytest.mark.parametrize(
    ("realised", "cap", "factor"),
    [(0.16, 1.0, 0.625), (0.05, 1.5, 1.5), (0.05, 1.0, 1.0), (0.08, 1.5, 1.25), (0.0, 1.5, 1.5)],
)
def test_the_factor_of_a_volatility_target(realised: float, cap: float, factor: float) -> None:
    """Prices whose two returns have exactly this sample volatility: +s and -s have one of s sqrt(2)."""
    step = realised / np.sqrt(252.0) / np.sqrt(2.0)
    prices = np.array([[7.0, 1.0], [1.0, 1.0], [1.0 + step, 1.0], [(1.0 + step) * (1.0 - step), 1.0]])
    strategy = VolatilityTarget(RISKY, 0.10, 2, cap)
    assert strategy.decide(history(prices), never_cancelled) == pytest.approx([factor, 0.0], rel=1e-9)


@given(st.integers(0, 10_000), st.integers(2, 9), st.floats(0.5, 3.0))
def test_realised_is_that_of_the_weights_of_the_base_held_constant(seed: int, lookback: int, cap: float) -> None:
    generator = np.random.default_rng(seed)
    prices = generator.uniform(1.0, 1.1, (10, 3)).cumprod(axis=0)
    weights = dict(zip("ABC", generator.dirichlet(np.ones(3)).tolist(), strict=True))
    returns = [sum(w * (prices[t, j] / prices[t - 1, j] - 1.0) for j, w in enumerate(weights.values()))
               for t in range(10 - lookback, 10)]  # fmt: skip
    mean = sum(returns) / lookback
    realised = (252.0 * sum((r - mean) ** 2 for r in returns) / (lookback - 1)) ** 0.5
    found = VolatilityTarget(FixedWeights(weights), 0.2, lookback, cap).decide(history(prices), never_cancelled)
    assert found == pytest.approx(np.array(list(weights.values())) * min(0.2 / realised, cap), rel=1e-9)


def test_dates_before_an_asset_is_listed_do_not_count() -> None:
    """B is listed from the third date on: only two returns of both are known, and those of the start are not."""
    known = np.array([[1.0, 2.0], [1.1, 2.0], [1.0, 2.1]])
    prices = np.vstack([[[3.0, NAN], [9.0, NAN]], known])
    base = FixedWeights({"A": 0.5, "B": 0.5})
    expected = VolatilityTarget(base, 0.1, 2).decide(history(known), never_cancelled)
    assert VolatilityTarget(base, 0.1, 4).decide(history(prices), never_cancelled).tolist() == expected.tolist()
    with pytest.raises(MissingMarketData, match="fewer than 2 of the last 2 periods"):
        VolatilityTarget(base, 0.1, 2).decide(history(prices[:-1]), never_cancelled)


def test_the_base_sees_its_own_lookback() -> None:
    """A longer lookback of the target does not change what an optimised base decides."""
    prices = np.exp(np.cumsum(np.random.default_rng(2).normal(0.0, 0.01, (40, 3)), axis=0))
    base = Optimized(Specification(MinRisk()), 10)
    alone = base.decide(history(prices[-11:]), never_cancelled)
    overlay = VolatilityTarget(base, 100.0, 30)
    assert overlay.lookback_window.fewest_dates == 31
    assert overlay.decide(history(prices[-31:]), never_cancelled).tolist() == alone.tolist()


@pytest.mark.parametrize(
    ("unit_value", "exposure"), [(1.0, 0.8), (0.92, 0.48), (0.8, 0.0), (0.76, 0.0), (1.1, 1.1), (2.0, 2.0)]
)
def test_the_exposure_of_portfolio_insurance(unit_value: float, exposure: float) -> None:
    """min(4 x (V - 0.8), V), as a fraction of V."""
    found = Cppi(RISKY, 0.8, 4.0).decide(history(np.ones((1, 2)), unit_value), never_cancelled)
    assert found * unit_value == pytest.approx([exposure, 0.0], abs=1e-12)


def test_insurance_from_day_to_day() -> None:
    """-10 %: 100 -> 92 with 48 at risk."""
    record = record_of(outcome(Cppi(RISKY, 0.8, 4.0), [10.0, 9.0, 9.0]))
    assert record.nav == pytest.approx([1.0, 0.92, 0.92])
    assert record.units[:2, 0] * [10.0, 9.0] == pytest.approx([0.8, 0.48])


def test_a_loss_of_one_over_the_multiplier_ends_at_the_floor() -> None:
    done = outcome(Cppi(RISKY, 0.8, 4.0), [10.0, 7.5, 15.0, 15.0])
    assert record_of(done).nav == pytest.approx([1.0, 0.8, 0.8, 0.8])
    assert done.failures == ()


def test_a_larger_loss_breaks_the_floor_and_is_told_once() -> None:
    """-30 %: 76, nothing is held afterwards although prices double."""
    done = outcome(Cppi(RISKY, 0.8, 4.0), [10.0, 7.0, 14.0, 14.0, 14.0])
    assert record_of(done).nav == pytest.approx([1.0, 0.76, 0.76, 0.76, 0.76])
    assert record_of(done).units[-1].tolist() == [0.0, 0.0]
    assert [(failure.day, failure.reason) for failure in done.failures] == [(1, "FLOOR_BROKEN")]


@settings(deadline=None)
@given(st.lists(st.floats(0.75, 1.3), min_size=3, max_size=25), st.floats(0.5, 0.95), st.floats(1.0, 4.0))
def test_insurance_by_a_loop_over_dates(growth: list[float], floor: float, multiplier: float) -> None:
    prices = 10.0 * np.append(1.0, np.cumprod(growth))
    value, nav = 1.0, [1.0]
    for one in growth:
        risky = max(min(multiplier * (value - floor), value), 0.0)
        value += risky * (one - 1.0)
        nav.append(value)
        assert value >= floor - 1e-9  # no loss is larger than 1 / 4
    done = outcome(Cppi(RISKY, floor, multiplier), prices.tolist())
    assert record_of(done).nav == pytest.approx(nav, rel=1e-9)
    assert done.failures == ()


def test_the_floor_is_told_once_where_a_run_is_continued() -> None:
    """From every checkpoint on, with the parts before it, the record is the same."""
    panel = PricePanel.of("AB", range(6), np.column_stack([[10.0, 7.0, 9.0, 8.0, 9.0, 9.0], np.ones(6)]))
    specification = BacktestSpecification((Cppi(RISKY, 0.8, 4.0),), Rebalancing(EveryPeriods(1)), Fill.SAME_CLOSE)
    plan = prepare(specification, panel)
    saved: list[tuple[Checkpoint, list[RecordPart]]] = []

    def save(backtest: BacktestRun) -> None:
        checkpoint = backtest.checkpoint()
        saved.append((checkpoint, list(backtest.records[0])))

    whole = run(plan, save, never_cancelled).strategies[0]
    assert len(saved) == 7
    for checkpoint, parts in saved:
        again = run(plan, lambda _: None, never_cancelled, checkpoint, [parts]).strategies[0]
        assert again.failures == whole.failures
        assert [failure.reason for failure in again.failures] == ["FLOOR_BROKEN"]
        assert record_of(again).nav.tolist() == record_of(whole).nav.tolist()


def test_overlays_of_overlays() -> None:
    """Insurance of a target: both factors."""
    prices = np.array([[1.0, 1.0], [1.1, 1.0], [1.0, 1.0]])
    target = VolatilityTarget(RISKY, 0.1, 2)
    alone = target.decide(history(prices), never_cancelled)
    assert Cppi(target, 0.8, 4.0).decide(history(prices), never_cancelled) == pytest.approx(0.8 * alone)


def test_errors_of_the_base_name_its_path() -> None:
    strategy = VolatilityTarget(Cppi(FixedWeights({"Z": 1.0}), 0.8, 4.0), 0.1, 2)
    with pytest.raises(InvalidInput) as raised:
        outcome(strategy, [1.0, 2.0, 3.0, 4.0])
    assert raised.value.field == "strategy.volatility_target.base.cppi.base.fixed_weights.weights[0].symbol"
    with pytest.raises(InvalidInput) as raised:
        outcome(Cppi(VolatilityTarget(RISKY, 0.1, 90), 0.8, 4.0), [1.0, 2.0, 3.0, 4.0])
    assert raised.value.field == "strategy.cppi.base.volatility_target.lookback_periods"


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: VolatilityTarget(RISKY, 0.0, 2), "target_annual"),
        (lambda: VolatilityTarget(RISKY, 0.1, 1), "lookback_periods"),
        (lambda: VolatilityTarget(RISKY, 0.1, 2, 0.0), "max_leverage"),
        (lambda: Cppi(RISKY, 1.0, 4.0), "floor"),
        (lambda: Cppi(RISKY, 0.8, 0.5), "multiplier"),
        (lambda: Cppi(RISKY, 0.8, float("inf")), "multiplier"),
    ],
)
def test_figures_out_of_range(make: object, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        make()  # type: ignore[operator]
    assert raised.value.field == field

"""Liquidity of required trades: figures worked out by hand, and what a service outside says of them."""

import pytest

from domain.errors import InvalidInput
from domain.market_data.snapshot import LARGEST_AMOUNT, Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.liquidity import AssetLiquidity, LiquidityAssessment, LiquidityState, assess
from domain.reallocation.needs import trades_to_assess
from domain.reallocation.request import Limits, ReallocationRequest, Thresholds

MARKET = Snapshot({"A": Quote(10.0, 100.0), "B": Quote(10.0), "H": Quote(10.0, 100.0, halted=True)})


def test_a_score_is_the_part_that_can_be_done() -> None:
    found = assess({"A": -300.0}, MARKET, 0.2, 5)
    assert found.assets == (AssetLiquidity("A", LiquidityState.PARTIAL, 100.0, 100.0, 3.0, 15.0, 1.0 / 3.0),)
    assert found.score == 1.0 / 3.0
    assert assess({"A": 50.0}, MARKET, None, 1).score == 1.0
    assert assess({"H": 1.0}, MARKET, None, 1).score == 0.0
    assert assess({}, MARKET, None, 1).score == 1.0


def test_a_score_of_all_is_not_known_where_one_is_not() -> None:
    found = assess({"A": 50.0, "B": 1.0, "X": 1.0}, MARKET, None, 1)
    assert [asset.state for asset in found.assets] == [LiquidityState.SUFFICIENT] + [LiquidityState.UNKNOWN] * 2
    assert found.score is None
    assert found.state is LiquidityState.UNKNOWN


def test_a_trade_of_nothing_can_be_done() -> None:
    (found,) = assess({"A": 0.0}, MARKET, 0.1, 1).assets
    assert (found.state, found.days_to_trade, found.score) == (LiquidityState.SUFFICIENT, 0.0, 1.0)


def request(**more: object) -> ReallocationRequest:
    """100 A and 20 of an asset without a price become half A, half B: 50 A, 50 B and 20 X are to be traded."""
    return ReallocationRequest(
        Portfolio({"A": 100.0, "X": 20.0}),
        MARKET,
        {"A": 0.5, "B": 0.5},
        **more,  # type: ignore[arg-type]  # fields of the request
    )


def test_trades_of_assets_with_a_price_are_assessed() -> None:
    assert trades_to_assess(request()) == {"A": -50.0, "B": 50.0}
    assert trades_to_assess(request(thresholds=Thresholds(drift_band=0.6))) == {}
    with pytest.raises(InvalidInput, match="no price"):
        trades_to_assess(ReallocationRequest(Portfolio({}, 1.0), MARKET, {"Z": 1.0}))


def service(available: float | None) -> LiquidityAssessment:
    state = LiquidityState.UNKNOWN if available is None else LiquidityState.PARTIAL
    return LiquidityAssessment(tuple(AssetLiquidity(symbol, state, available) for symbol in "AB"), remote=True)


def test_the_assessment_of_a_service_is_that_of_the_answer_and_limits_the_plan() -> None:
    """30 units within 3 days: 10 a day at any participation, in spite of the volumes of the market."""
    found = reallocate(request(liquidity=service(30.0), limits=Limits(max_participation=0.05), horizon_days=3))
    assert found.liquidity.remote
    assert [asset.symbol for asset in found.liquidity.assets] == ["A", "B", "X"]
    assert found.liquidity.assets[2].state is LiquidityState.UNKNOWN
    traded = [(trade.symbol, trade.quantity, trade.day) for trade in found.plan.trades]
    assert traded == [(symbol, sign * 10.0, day) for day in (1, 2, 3) for symbol, sign in (("A", -1), ("B", 1))]


@pytest.mark.parametrize("participation", [0.05, 0.07, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("days", [1, 3, 7, 11])
def test_no_lot_is_lost_to_rounding(participation: float, days: int) -> None:
    """What is available in whole lots for each day is traded in full."""
    limits = Limits(max_participation=participation)
    found = reallocate(request(liquidity=service(3.0 * days), limits=limits, horizon_days=days))
    assert sum(trade.quantity for trade in found.plan.trades if trade.symbol == "B") == 3.0 * days


def test_more_that_is_available_never_leaves_more_drift() -> None:
    left = [
        reallocate(request(liquidity=service(available), limits=Limits(max_participation=0.1))).summary.residual_drift
        for available in (0.0, 1.0, 10.0, 25.0, 50.0, 1e6)
    ]
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(0.5)
    assert left[-1] == pytest.approx(0.0)


def test_a_service_that_does_not_know_leaves_the_plan_without_a_limit_and_with_a_warning() -> None:
    found = reallocate(request(liquidity=service(None), limits=Limits(max_participation=0.01)))
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": -50.0, "B": 50.0}
    assert "LIQUIDITY_UNKNOWN" in {warning.code for warning in found.plan.warnings}


@pytest.mark.parametrize(("available", "volume"), [(1e-30, 0.0), (LARGEST_AMOUNT, LARGEST_AMOUNT), (6.0, 30.0)])
def test_a_volume_that_is_implied_is_one_that_a_quote_may_have(available: float, volume: float) -> None:
    quotes = service(available).volumes_of(MARKET, 0.1, 2).quotes
    assert quotes["A"].average_daily_volume == volume
    assert quotes["H"] == MARKET.quotes["H"]

"""Whole lots beside the best that there are: a table worked out by hand, and every combination of small accounts."""

import gc
import itertools
import math
import random
import time

import pytest

from domain.costs.linear import LinearCost
from domain.errors import Cancelled
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.plan import ReallocationPlan
from domain.reallocation.request import Limits, ReallocationRequest, Thresholds
from domain.reallocation.result import Failure, Reallocation, Unchanged
from tests.domain.reallocation.execution import carry_out

TEN = {f"S{i}": 950.0 + i for i in range(10)}


def planned(
    held: dict[str, float],
    cash: float,
    target: dict[str, float],
    prices: dict[str, float],
    lots: dict[str, float] | None = None,
    **more: object,
) -> Reallocation:
    market = Snapshot({s: Quote(price, lot_size=(lots or {}).get(s, 1.0)) for s, price in prices.items()})
    request = ReallocationRequest(Portfolio(held, cash), market, target, **more)  # type: ignore[arg-type]
    found = reallocate(request)
    carry_out(request, found)
    return found


# Every row is reached: the procedure is exact on all of them.
@pytest.mark.parametrize(
    ("held", "cash", "floor", "target", "prices", "best", "cash_after"),
    [
        (
            {}, 10_000.0, 0.0, {"A": 0.5, "B": 0.3, "C": 0.2}, {"A": 37.0, "B": 112.0, "C": 254.0},
            {"A": 135.0, "B": 26.0, "C": 8.0}, 61.0,
        ),
        (
            {"Z": 3.0}, 0.0, 0.0, {"Z": 0.34, "A": 0.33, "B": 0.33}, {"Z": 500.0, "A": 490.0, "B": 495.0},
            {"Z": -2.0, "A": 1.0, "B": 1.0}, 15.0,
        ),
        ({}, 1000.0, 0.0, {"A": 0.585, "B": 0.415}, {"A": 300.0, "B": 10.0}, {"A": 2.0, "B": 40.0}, 0.0),
        (
            {}, 5000.0, 0.0, {"A": 0.45, "B": 0.35, "C": 0.2}, {"A": 1190.0, "B": 880.0, "C": 410.0},
            {"A": 2.0, "B": 2.0, "C": 2.0}, 40.0,
        ),
        (
            {}, 10_000.0, 600.0, dict.fromkeys(TEN, 0.1), TEN,
            {f"S{i}": 1.0 for i in range(1, 10)}, 1405.0,
        ),
        ({}, 68_862.65, 0.0, {"A": 1.0}, {"A": 398.05}, {"A": 173.0}, 0.0),
        ({}, 99.3, 0.0, {"A": 1.0}, {"A": 33.1}, {"A": 3.0}, 0.0),
    ],
)  # fmt: skip
def test_the_best_lots(
    held: dict[str, float],
    cash: float,
    floor: float,
    target: dict[str, float],
    prices: dict[str, float],
    best: dict[str, float],
    cash_after: float,
) -> None:
    found = planned(held, cash, target, prices, limits=Limits(cash_floor=floor))
    assert {t.symbol: t.quantity for t in found.plan.trades} == best
    assert found.summary.cash_after == cash_after


@pytest.mark.parametrize(("cash", "lot", "bought"), [(390.0, 0.1, 3.9), (30.0, 0.1, 0.3), (0.07, 1e-8, 0.0007)])
def test_parts_of_a_unit_are_decimals(cash: float, lot: float, bought: float) -> None:
    """39 x 0.1 and 3 x 0.1 are 3.9000000000000004 and 0.30000000000000004 in binary."""
    found = planned({}, cash, {"X": 1.0}, {"X": 100.0}, {"X": lot})
    (trade,) = found.plan.trades
    assert repr(trade.quantity) == repr(bought)
    assert (trade.cash_after, found.summary.cash_after, found.plan.shortfalls) == (0.0, 0.0, ())


def test_fractions_are_planned_to_the_digits_of_a_float() -> None:
    found = planned({}, 99.3, {"A": 1.0}, {"A": 33.1}, limits=Limits(fractional=True))
    assert [trade.quantity for trade in found.plan.trades] == [3.0]


def test_the_last_cent_pays_for_the_commission() -> None:
    # 10 x 10 at 25 bps is 100.25.
    enough = planned({}, 100.25, {"A": 1.0}, {"A": 10.0}, costs=LinearCost(25.0))
    assert enough.plan.trades[0].quantity == 10.0
    assert enough.summary.cash_after == 0.0
    short = planned({}, 100.24, {"A": 1.0}, {"A": 10.0}, costs=LinearCost(25.0))
    assert short.plan.trades[0].quantity == 9.0


def test_the_last_lot_may_use_all_of_the_turnover() -> None:
    """A is 1.4 lots too much. With one sold, B lacks 2 of its 12; a second takes the trades to 32."""
    target, prices = {"A": 0.86, "B": 0.14}, {"A": 10.0, "B": 6.0}
    enough = planned({"A": 10.0}, 0.0, target, prices, limits=Limits(max_turnover=0.16))
    assert {t.symbol: t.quantity for t in enough.plan.trades} == {"A": -2.0, "B": 2.0}
    assert enough.summary.turnover_one_way == 0.16
    short = planned({"A": 10.0}, 0.0, target, prices, limits=Limits(max_turnover=0.1599))
    assert {t.symbol: t.quantity for t in short.plan.trades} == {"A": -1.0, "B": 1.0}


def _best_drift(cash: int, floor: int, target: dict[str, float], cents: dict[str, int]) -> float:
    """The least drift of all combinations of whole shares; money in cents."""
    *first, last = cents
    best = 2.0
    for shares in itertools.product(*(range(int(target[s] * cash / cents[s]) + 2) for s in first)):
        left = cash - floor - sum(n * cents[s] for n, s in zip(shares, first, strict=True))
        if left >= 0:
            drift = sum(abs(n * cents[s] / cash - target[s]) for n, s in zip(shares, first, strict=True))
            wanted = target[last] * cash / cents[last]
            for n in {min(left // cents[last], math.floor(wanted)), min(left // cents[last], math.ceil(wanted))}:
                best = min(best, drift + abs(n * cents[last] / cash - target[last]))
    return 0.5 * best


def test_small_accounts_beside_every_combination() -> None:
    """All are the best there is, and say so."""
    draw = random.Random(7)
    gaps: list[float] = []
    truncated: list[float] = []
    for _ in range(250):
        prices = {f"S{i}": round(math.exp(draw.uniform(2.5, 6.2)), 2) for i in range(draw.choice([2, 3, 4]))}
        cash, floor = round(draw.uniform(1000.0, 5000.0), 2), draw.choice([0.0, 0.0, 200.0])
        parts = [draw.random() for _ in prices]
        target = {s: part / sum(parts) for s, part in zip(prices, parts, strict=True)}
        found = planned({}, cash, target, prices, limits=Limits(cash_floor=floor))
        cents = {s: round(100.0 * price) for s, price in prices.items()}
        best = _best_drift(round(100.0 * cash), round(100.0 * floor), target, cents)
        gaps.append(found.summary.residual_drift - best)
        assert found.optimal
        assert found.gap < 1e-5
        cut = {s: math.floor(target[s] * (cash - floor) / prices[s]) * prices[s] / cash for s in prices}
        truncated.append(0.5 * sum(abs(cut[s] - target[s]) for s in prices) - best)
    assert min(gaps) >= -1e-12
    assert max(gaps) < 1e-9
    assert min(truncated) >= -1e-12


def test_everything_that_is_not_wanted_is_sold_odd_lots_too() -> None:
    found = planned({"A": 250.0, "B": 7.3}, 0.0, {"C": 0.5}, {"A": 3.0, "B": 11.0, "C": 5.0}, {"A": 100.0, "B": 1.0})
    assert {t.symbol: t.quantity for t in found.plan.trades if t.quantity < 0.0} == {"A": -250.0, "B": -7.3}


def test_an_odd_lot_waits_for_the_last_day() -> None:
    market = Snapshot({"A": Quote(10.0, 1000.0, lot_size=100.0)})
    limits = Limits(max_participation=0.1)
    request = ReallocationRequest(Portfolio({"A": 250.0}), market, {"A": 0.0}, limits=limits, horizon_days=5)
    found = reallocate(request)
    carry_out(request, found)
    assert [trade.quantity for trade in found.plan.trades] == [-100.0, -100.0, -50.0]


def test_the_least_trade_is_made_where_it_comes_nearer_than_none() -> None:
    limits = Limits(min_trade_value=600.0)
    found = planned({"A": 100.0}, 0.0, {"A": 0.5, "B": 0.5}, {"A": 10.0, "B": 20.0}, limits=limits)
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": -60.0, "B": 30.0}


def test_the_least_trade_is_not_made_where_it_leads_further_away() -> None:
    limits = Limits(min_trade_value=1000.1)
    found = planned({"A": 1000.0}, 0.0, {"A": 0.95, "B": 0.05}, {"A": 10.0, "B": 20.0}, limits=limits)
    assert found.plan.trades == ()
    codes = {shortfall.symbol: [cause.code.value for cause in shortfall.causes] for shortfall in found.plan.shortfalls}
    assert codes == {"A": ["MIN_TRADE"], "B": ["MIN_TRADE"]}


def test_nine_of_ten_orders_that_fit_are_done() -> None:
    prices = dict.fromkeys((f"S{i}" for i in range(9)), 90.0) | {"DEAR": 5000.0}
    found = planned({}, 1000.0, dict.fromkeys(prices, 0.1), prices)
    assert isinstance(found.outcome, ReallocationPlan)
    assert len(found.plan.trades) == 9
    assert found.summary.cash_after == 190.0
    (dear,) = [shortfall for shortfall in found.plan.shortfalls if shortfall.symbol == "DEAR"]
    assert [cause.code.value for cause in dear.causes] == ["LOT_SIZE"]


def test_less_than_a_lot_is_unchanged_only_within_the_thresholds() -> None:
    prices, lots = {"A": 10.0, "B": 20.0}, {"A": 100.0, "B": 100.0}
    held, target = {"A": 50.0, "B": 25.0}, {"A": 0.52, "B": 0.48}
    free = planned(held, 0.0, target, prices, lots)
    within = planned(held, 0.0, target, prices, lots, thresholds=Thresholds(drift_band=0.05))
    beyond = planned(held, 0.0, target, prices, lots, thresholds=Thresholds(drift_band=0.01))
    assert isinstance(free.outcome, Unchanged)
    assert isinstance(within.outcome, Unchanged)
    assert isinstance(beyond.outcome, Failure)
    assert "LOT_SIZE" in beyond.outcome.message


def test_negative_cash_is_raised_whatever_the_thresholds_say() -> None:
    found = planned({"A": 10.0}, -35.0, {"A": 1.0}, {"A": 10.0}, thresholds=Thresholds(drift_band=0.9))
    assert [(t.quantity, t.cash_after) for t in found.plan.trades] == [(-4.0, 5.0)]


def test_negative_cash_is_raised_by_what_is_wanted_where_nothing_else_can_be_sold() -> None:
    market = Snapshot({"A": Quote(10.0, halted=True), "B": Quote(10.0)})
    request = ReallocationRequest(Portfolio({"A": 10.0, "B": 5.0}, -20.0), market, {"B": 1.0})
    found = reallocate(request)
    assert carry_out(request, found).cash == 0
    assert [(t.symbol, t.quantity) for t in found.plan.trades] == [("B", -2.0)]


def test_negative_cash_that_cannot_be_raised_is_a_failure_with_its_amount() -> None:
    market = Snapshot({"A": Quote(10.0, halted=True), "B": Quote(10.0)})
    found = reallocate(ReallocationRequest(Portfolio({"A": 100.0, "B": 1.0}, -20.0), market, {"A": 1.0}))
    assert isinstance(found.outcome, Failure)
    assert found.outcome.reason == "CASH_NOT_RAISED"
    assert "10" in found.outcome.message
    assert found.plan.trades == ()
    assert [(t.symbol, t.quantity, t.cash_after) for t in found.outcome.nearest] == [("B", -1.0, -10.0)]


def test_holdings_whose_sale_raises_nothing_are_not_sold_for_cash() -> None:
    """Commission and half-spread are exactly 10,000 bps together, which a sum of floats takes for less."""
    quotes = {"COSTLY": Quote(10.0), "FREE": Quote(5.0), "HALTED": Quote(5.0, halted=True)}
    costs = LinearCost(9522.46, 477.54, by_symbol_bps={"FREE": 0.0, "HALTED": 0.0})
    portfolio = Portfolio({"COSTLY": 1.0, "FREE": 7.0, "HALTED": 5.0}, -28.0)
    target = {"COSTLY": 0.2, "FREE": 0.3, "HALTED": 0.3}
    request = ReallocationRequest(portfolio, Snapshot(quotes), target, costs=costs)
    found = reallocate(request)
    assert carry_out(request, found).cash == 2
    assert [(t.symbol, t.quantity) for t in found.plan.trades] == [("FREE", -6.0)]


def test_purchases_that_cannot_all_be_paid_share_the_cash() -> None:
    prices = {"HALTED": 100.0, **{f"S{i}": 1.0 for i in range(4)}}
    market = Snapshot({s: Quote(price, halted=s == "HALTED") for s, price in prices.items()})
    target = {f"S{i}": 0.25 for i in range(4)}
    found = reallocate(ReallocationRequest(Portfolio({"HALTED": 9.0}, 100.0), market, target))
    assert {t.symbol: t.quantity for t in found.plan.trades} == {f"S{i}": 25.0 for i in range(4)}


def _large(count: int, *, fractional: bool = False) -> ReallocationRequest:
    draw = random.Random(1)
    quotes = {f"S{i}": Quote(round(draw.uniform(1, 900), 2), spread_bps=draw.choice([1.0, 3.0])) for i in range(count)}
    parts = [draw.random() for _ in quotes]
    target = {s: part / sum(parts) for s, part in zip(quotes, parts, strict=True)}
    held = {symbol: float(draw.randrange(2000)) for symbol in quotes}
    limits = Limits(fractional=fractional)
    return ReallocationRequest(Portfolio(held, 1e6), Snapshot(quotes), target, limits=limits, costs=LinearCost(5.0))


def _timed(request: ReallocationRequest) -> tuple[float, float]:
    """CPU seconds of a plan, and the longest time between two cancellation checks."""
    gc.collect()
    gc.disable()  # a collection goes over what all earlier tests of the process have left
    try:
        calls = [time.thread_time()]
        reallocate(request, lambda: calls.append(time.thread_time()))
        calls.append(time.thread_time())
    finally:
        gc.enable()
    return calls[-1] - calls[0], max(after - before for before, after in itertools.pairwise(calls))


@pytest.mark.parametrize("fractional", [False, True])
def test_the_work_grows_with_the_number_of_positions_and_can_be_stopped(fractional: bool) -> None:
    # The best of three: other tests share the machine.
    small, large = (
        [min(column) for column in zip(*(_timed(request) for _ in range(3)), strict=True)]
        for request in (_large(1500, fractional=fractional), _large(6000, fractional=fractional))
    )
    assert large[1] < 0.05
    # Four times the positions: 4 to 5 times the work, where a scan per position makes it 16 times.
    assert large[0] < 9.0 * small[0]


def test_a_cancellation_ends_the_work() -> None:
    left = iter(range(20))

    def check() -> None:
        if next(left, None) is None:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        reallocate(_large(3000), check)


def test_cheap_lots_are_counted_in_steps_that_double() -> None:
    """A trillion lots of the cheaper trade go before one of the others; singly that would take days."""
    quotes = {"A": Quote(1e-6, spread_bps=500.0), "B": Quote(1e6), "C": Quote(1.0, halted=True)}
    request = ReallocationRequest(Portfolio({"C": 2e6}, 1.5e6), Snapshot(quotes), {"A": 0.5, "B": 0.5})
    found = reallocate(request)
    carry_out(request, found)
    assert {t.symbol for t in found.plan.trades} == {"A", "B"}
    assert found.summary.cash_after < 1e-6


@pytest.mark.parametrize(("target", "sold"), [(0.0, 105.0), (0.02, 100.0)])
def test_an_odd_lot_is_sold_with_all_of_a_holding_that_is_not_wanted(target: float, sold: float) -> None:
    """Of 105 units in lots of 100, 2.1 are wanted: selling all would be nearer than keeping 5, and is not allowed."""
    found = planned({"A": 105.0}, 0.0, {"A": target}, {"A": 1.0}, {"A": 100.0})
    assert {trade.symbol: -trade.quantity for trade in found.plan.trades} == {"A": sold}


def test_a_part_of_a_holding_is_sold_in_whole_lots_of_every_day() -> None:
    """107 units may be sold in a day, in lots of 10: of 103.95 that are not wanted, 100 on the first day."""
    market = Snapshot({"A": Quote(1.0, average_daily_volume=107.0, lot_size=10.0)})
    request = ReallocationRequest(
        Portfolio({"A": 105.0}, 0.0), market, {"A": 0.01}, limits=Limits(max_participation=1.0)
    )
    found = reallocate(request)
    carry_out(request, found)
    (shortfall,) = found.plan.shortfalls
    assert "PARTICIPATION" in [cause.code for cause in shortfall.causes]

"""Plans of random accounts: each can be carried out, and none is further from its target than truncation."""

import math
from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from domain.costs.linear import LinearCost
from domain.market_data.snapshot import Quote, Snapshot
from domain.optimization.programs.solver_control import SolverControl
from domain.portfolio import Portfolio
from domain.reallocation.cash_program import most_cash
from domain.reallocation.flow import reallocate
from domain.reallocation.lots import Budgets, LotOrder, keeps
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.result import Failure
from tests.domain.reallocation.execution import carry_out, cost_rate, fraction
from tests.families import generated

CENTS = st.integers(1, 60_000).map(lambda cents: cents / 100)
LOTS = st.sampled_from([1.0, 1.0, 5.0, 100.0, 0.1, 0.001, 0.3])


@st.composite
def requests(draw: st.DrawFn, *, overdrawn: bool = False, one_day: bool = False) -> ReallocationRequest:
    symbols = [f"S{i}" for i in range(draw(st.integers(1, 6)))]
    quotes: dict[str, Quote] = {}
    for symbol in symbols:
        quotes[symbol] = Quote(
            draw(CENTS),
            average_daily_volume=draw(st.sampled_from([None, 0.0, 50.0, 777.7, 1e9])),
            spread_bps=draw(st.sampled_from([None, 0.0, 3.0, 80.0])),
            lot_size=draw(LOTS),
            halted=draw(st.integers(0, 9)) == 0,
        )
    held = {s: draw(st.integers(0, 20_000)) / draw(st.sampled_from([1, 1, 10, 1000])) for s in symbols}
    # Weights of a few decimals, some of them 0: what is held there is sold.
    parts = [draw(st.sampled_from([0, 0, 1, 5, 17, 100])) for _ in symbols]
    whole = max(sum(parts), 1) * draw(st.sampled_from([1.0, 1.0, 1.3]))
    worth = sum(held[s] * quotes[s].price for s in symbols)
    cash = draw(st.integers(1, 5_000_000)) / 100
    if overdrawn:
        cash = -round(worth * draw(st.floats(0.0, 0.9)), 2) - 0.01
        held[symbols[0]] += math.ceil(1.0 / quotes[symbols[0]].price)
    return ReallocationRequest(
        Portfolio({s: q for s, q in held.items() if q}, cash),
        Snapshot(quotes),
        {s: part / whole for s, part in zip(symbols, parts, strict=True)},
        limits=Limits(
            max_participation=draw(st.sampled_from([None, None, 0.1, 1.0])),
            min_trade_value=draw(st.sampled_from([0.0, 0.0, 100.0, 512.34])),
            cash_floor=draw(st.sampled_from([0.0, 0.0, 500.0, 123.45, -100.0])),
            max_turnover=draw(st.sampled_from([None, None, 0.05, 0.3])),
            fractional=draw(st.integers(0, 4)) == 0,
        ),
        costs=LinearCost(draw(st.sampled_from([0.0, 7.0, 12.5, 250.0])), draw(st.sampled_from([0.0, 1.1]))),
        horizon_days=1 if one_day else draw(st.integers(1, 4)),
    )


@given(requests())
@generated(400)
def test_a_plan_can_be_carried_out_line_by_line(request: ReallocationRequest) -> None:
    found = reallocate(request)
    done = carry_out(request, found)
    minimum = fraction(request.limits.min_trade_value)
    left = {shortfall.symbol for shortfall in found.plan.shortfalls}
    for symbol, units in request.portfolio.quantities.items():
        if request.target[symbol] == 0.0 and symbol not in left:
            assert done.held[symbol] * fraction(request.market.quotes[symbol].price) <= done.nav_before / 10**9, units
    if request.horizon_days == 1:
        for trade in found.plan.trades:
            assert abs(fraction(trade.quantity)) * fraction(trade.price) >= minimum


@given(requests(overdrawn=True))
@generated(300)
def test_negative_cash_is_raised_first_or_the_answer_says_that_it_cannot_be(request: ReallocationRequest) -> None:
    found = reallocate(request)
    done = carry_out(request, found)
    level = min(fraction(request.limits.cash_floor), Fraction(0))
    if isinstance(found.outcome, Failure) and found.outcome.reason == "CASH_NOT_RAISED":
        assert not found.plan.trades
        if request.limits.max_turnover is None and request.limits.min_trade_value == 0.0:
            assert fraction(request.portfolio.cash) + _most_proceeds(request) < level
    else:
        assert done.cash >= level


def _most_proceeds(request: ReallocationRequest) -> Fraction:
    """Of selling every whole lot there is, and every odd lot of what is not wanted."""
    total = Fraction(0)
    for symbol, units in request.portfolio.quantities.items():
        quote, limits = request.market.quotes[symbol], request.limits
        most, lot = fraction(units), fraction(quote.lot_size)
        whole = most if limits.fractional else most // lot * lot
        if quote.halted:
            continue
        if limits.max_participation is not None and quote.average_daily_volume is not None:
            daily = fraction(limits.max_participation) * fraction(quote.average_daily_volume)
            within = (daily if limits.fractional else daily // lot * lot) * request.horizon_days
        else:
            within = most
        sold = most if request.target[symbol] == 0.0 and within >= most else min(whole, within)
        total += sold * fraction(quote.price) * (1 - cost_rate(request, symbol))
    # Fractions of shares are planned to 15 digits.
    return total * (1 - Fraction(1, 10**13)) if request.limits.fractional else total


def _odd_lot_within_a_turnover_limit() -> ReallocationRequest:
    """All of S3 is sold, one lot and a fifth: what the limit leaves of both is more than the one lot."""
    quotes = {
        "S0": Quote(1.56),
        "S1": Quote(0.35),
        "S2": Quote(0.01, halted=True),
        "S3": Quote(0.01, lot_size=5.0),
    }
    return ReallocationRequest(
        Portfolio({"S0": 36.0, "S1": 9361.0, "S3": 6.0}, 0.01),
        Snapshot(quotes),
        {"S0": 1 / 61, "S1": 20 / 61, "S2": 40 / 61, "S3": 0.0},
        limits=Limits(max_turnover=0.3),
        costs=LinearCost(250.0),
    )


def _a_target_that_is_halted() -> ReallocationRequest:
    """The cost of buying S1 is not paid: less of S0 is sold."""
    quotes = {"S0": Quote(18.34), "S1": Quote(0.01, halted=True)}
    return ReallocationRequest(
        Portfolio({"S0": 3321.0}, 11879.47),
        Snapshot(quotes),
        {"S0": 5 / 6, "S1": 1 / 6},
        limits=Limits(fractional=True),
        costs=LinearCost(250.0),
    )


@given(requests(one_day=True))
@generated(400)
@example(_odd_lot_within_a_turnover_limit())
@example(_a_target_that_is_halted())
def test_no_plan_is_further_from_its_target_than_truncation(request: ReallocationRequest) -> None:
    found = reallocate(request)
    assert found.summary.residual_drift <= _drift_of_truncation(request) + 1e-12


def _drift_of_truncation(request: ReallocationRequest) -> float:
    """Every wish cut to its limits, then to whole lots towards 0; purchases share what cash there is."""
    limits, quotes = request.limits, request.market.quotes
    price = {s: quote.price for s, quote in quotes.items()}
    rate = {s: float(cost_rate(request, s)) for s in quotes}
    held = {s: request.portfolio.quantities.get(s, 0.0) for s in quotes}
    nav = request.portfolio.cash + sum(held[s] * price[s] for s in quotes)
    kept = 1.0
    for _ in range(400):
        kept = 1.0 - sum(rate[s] * abs(request.target[s] * kept - held[s] * price[s] / nav) for s in quotes)
    wish = {s: request.target[s] * nav * kept / price[s] - held[s] for s in quotes}

    def cut(symbol: str, units: float) -> float:
        lot = quotes[symbol].lot_size
        whole = units if limits.fractional else math.floor(abs(units) / lot + 1e-9) * lot
        if not limits.fractional and units < 0.0 and request.target[symbol] == 0.0 and units == -held[symbol]:
            whole = abs(units)
        kept_ = 0.0 if whole * price[symbol] < limits.min_trade_value else whole
        return math.copysign(kept_, units)

    for s, quote in quotes.items():
        most = math.inf
        if limits.max_participation is not None and quote.average_daily_volume is not None:
            most = limits.max_participation * quote.average_daily_volume
        wish[s] = 0.0 if quote.halted else math.copysign(min(abs(wish[s]), most), wish[s])
    traded = sum(abs(wish[s]) * price[s] for s in quotes)
    if limits.max_turnover is not None and traded > 2.0 * limits.max_turnover * nav:
        wish = {s: wish[s] * 2.0 * limits.max_turnover * nav / traded for s in quotes}
    trade = {s: cut(s, units) if units < 0.0 else 0.0 for s, units in wish.items()}
    cash = request.portfolio.cash - limits.cash_floor - sum(trade[s] * price[s] * (1.0 - rate[s]) for s in quotes)
    wanted = sum(units * price[s] * (1.0 + rate[s]) for s, units in wish.items() if units > 0.0)
    share = min(1.0, max(cash, 0.0) / wanted) if wanted else 1.0
    trade |= {s: cut(s, units * share) for s, units in wish.items() if units > 0.0}
    after = nav - sum(abs(trade[s]) * price[s] * rate[s] for s in quotes)
    return 0.5 * sum(abs((held[s] + trade[s]) * price[s] / after - request.target[s]) for s in quotes)


def test_costs_of_sales_count_where_cash_is_raised() -> None:
    """101 shares of A may be sold, worth 101 and 98.98 after costs: 100 are owed, so two of B are sold, not bought."""
    request = ReallocationRequest(
        Portfolio({"A": 300.0, "B": 100.0}, -100.0),
        Snapshot({"A": Quote(1.0, average_daily_volume=101.0), "B": Quote(1.0)}),
        {"B": 1.0},
        limits=Limits(max_participation=1.0),
        costs=LinearCost(200.0),
    )
    found = reallocate(request)
    done = carry_out(request, found)
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": -101.0, "B": -2.0}
    assert done.cash == Fraction("0.94")


def test_cash_from_lots_that_a_solver_cannot_tell_apart() -> None:
    """With fractions sales can have 1e15 lots. The solver did not end within its time on these."""
    sales = [
        (730, "8.12e-12", "7.9161068e-12"), (482, "1.543e-11", "1.50425527e-11"),
        (273, "1.8282e-9", "1.782495e-9"), (180, "6.347e-10", "6.18737295e-10"),
    ]  # fmt: skip
    orders = [
        LotOrder(0.0, 0.0, most * 10**12, 1, buys=False, value=Decimal(value), cash=Decimal(cash))
        for most, value, cash in sales
    ]
    budgets = Budgets(cash=Decimal("-213250.68"), required=Decimal(0), turnover=Decimal("41377.613"))
    control = SolverControl.for_seconds(5.0, lambda: None)
    assert most_cash(orders, [0, 1, 2, 3], budgets, control) is None  # the turnover does not allow so much
    enough = Budgets(cash=Decimal("-40000"), required=Decimal(0), turnover=Decimal("41377.613"))
    found = most_cash(orders, [0, 1, 2, 3], enough, control)
    assert found is not None
    assert keeps(orders, enough, found)

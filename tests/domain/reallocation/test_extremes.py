"""Numbers that no market has: a typed error that names the field, or a plan; never an overflow or an endless loop."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.costs.linear import LinearCost
from domain.errors import InvalidInput
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.request import Limits, ReallocationRequest, Thresholds
from tests.domain.reallocation.execution import carry_out
from tests.families import generated

MARKET = Snapshot({"A": Quote(10.0), "B": Quote(20.0)})


@pytest.mark.parametrize(
    ("held", "cash", "target", "more", "field"),
    [
        ({"A": 1e308}, 1.0, {"A": 1.0}, {}, "portfolio.holdings[0].quantity"),
        ({"B": 1.0, "A": 3e20}, 1.0, {"A": 1.0}, {}, "portfolio.holdings[1].quantity"),
        ({"A": 1.0}, 1e308, {"A": 1.0}, {}, "portfolio.cash"),
        ({"A": 1.0}, -1e308, {"A": 1.0}, {}, "portfolio.cash"),
        ({"A": 1.0}, 0.0, {"A": -1e308}, {}, "target_weights.weights[0].weight"),
        ({"A": 1.0}, 0.0, {"A": 1e308, "B": 1e308}, {}, "target_weights.weights"),
        ({"A": 1.0}, 0.0, {"B": 1.0}, {"costs": LinearCost(1e308)}, "costs"),
        ({"A": 1.0}, 0.0, {"B": 1.0}, {"costs": LinearCost(10_000.0)}, "costs"),
        ({"A": 1.0}, 0.0, {"B": 1.0}, {"costs": LinearCost(0.0, 0.0, {"B": 1e308})}, "costs"),
    ],
)
def test_requests_out_of_bounds(
    held: dict[str, float], cash: float, target: dict[str, float], more: dict[str, LinearCost], field: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        reallocate(ReallocationRequest(Portfolio(held, cash), MARKET, target, **more))  # type: ignore[arg-type]
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("field", "quote"),
    [
        ("price", {"price": 1e-300}),
        ("price", {"price": 1e300}),
        ("lot_size", {"price": 1.0, "lot_size": 1e-300}),
        ("lot_size", {"price": 1.0, "lot_size": 1e300}),
        ("average_daily_volume", {"price": 1.0, "average_daily_volume": 5e-324}),
        ("average_daily_volume", {"price": 1.0, "average_daily_volume": 1e308}),
    ],
)
def test_quotes_out_of_bounds(field: str, quote: dict[str, float]) -> None:
    with pytest.raises(InvalidInput) as raised:
        Quote(**quote)  # type: ignore[arg-type]
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("lot", "held", "cash", "step"),
    [
        (1e-12, 0.0, 1e6, "1e-9"),  # more than 2^53 lots
        # Less than that, but the multiples have more digits than floats tell apart.
        (1.7e-16, 1.0, 1.0, "1e-15"),  # sold
        (1.7e-17, 0.017, 3.3, "1e-15"),  # bought
        (2.5, 0.0, 9e15, "1e+0"),  # 3.6e15 lots of which every other one has a fraction
    ],
)
def test_more_lots_than_a_float_counts(lot: float, held: float, cash: float, step: str) -> None:
    market = Snapshot({"A": Quote(1.0), "B": Quote(1.0, lot_size=lot)})
    request = ReallocationRequest(Portfolio({"A": 1.0, "B": held}, cash), market, {"B": 0.3 if held == 1.0 else 1.0})
    with pytest.raises(InvalidInput, match="fractional") as raised:
        reallocate(request)
    assert raised.value.field == "snapshot.assets[1].lot_size"
    assert f"a multiple of {step} " in str(raised.value)


@pytest.mark.parametrize(
    ("lot", "held"), [(1e-15, 1.0), (1e-14, 50.0), (1.0, 2.0**53 - 2.0), (2.5, 5e14), (100.0, 1e16)]
)
def test_as_many_lots_as_a_float_counts(lot: float, held: float) -> None:
    market = Snapshot({"A": Quote(3.3, spread_bps=3.3, lot_size=lot), "B": Quote(1.0)})
    request = ReallocationRequest(Portfolio({"A": held, "B": 1.0}, 1.0), market, {"A": 0.3})
    found = reallocate(request)
    assert found.plan.trades[0].quantity < -0.5 * held
    carry_out(request, found)


def test_a_lot_that_is_a_rounded_number() -> None:
    market = Snapshot({"A": Quote(3.0, lot_size=0.1 + 0.2), "B": Quote(1.0)})
    found = reallocate(ReallocationRequest(Portfolio({}, 100.0), market, {"A": 1.0}))
    assert [trade.quantity for trade in found.plan.trades] == [pytest.approx(33.3, rel=1e-15)]


def test_parts_of_a_holding_that_are_worth_less_than_the_least_float() -> None:
    """One is worth 0 as a float, the other so little that no float says how many of it a portfolio is worth."""
    market = Snapshot({"A": Quote(1.0), "B": Quote(3.3), "C": Quote(1.0)})
    for cash in (-1.0, 1.0):
        request = ReallocationRequest(
            Portfolio({"A": 17000.0, "B": 5e-324, "C": 1e-300}, cash),
            market,
            {"A": 0.5, "B": 1e-9, "C": 1e-9},
            limits=Limits(cash_floor=-1.0, fractional=True),
        )
        carry_out(request, reallocate(request))


def test_what_is_bought_beside_sales_for_a_negative_cash_is_told() -> None:
    """Within the band nothing is required, and the purchase is a difference to that."""
    request = ReallocationRequest(
        Portfolio({"A": 1.0, "B": 3.3}, -1.0),
        Snapshot({"A": Quote(1.0), "B": Quote(1.0)}),
        {"A": 0.5, "B": 5e-324},
        thresholds=Thresholds(drift_band=1.0),
        limits=Limits(cash_floor=-1.0),
    )
    found = reallocate(request)
    carry_out(request, found)
    assert [(short.symbol, short.requested, short.planned) for short in found.plan.shortfalls] == [("A", 0.0, 1.0)]
    parts = replace(request, limits=Limits(cash_floor=-1.0, fractional=True))
    carry_out(parts, reallocate(parts))


@pytest.mark.parametrize(("quantity", "cash"), [(5e-324, 0.0), (1e-300, 0.0), (5e-324, 5e-324)])
def test_a_portfolio_worth_almost_nothing(quantity: float, cash: float) -> None:
    market = Snapshot({"A": Quote(1.0), "B": Quote(0.17)})
    with pytest.raises(InvalidInput, match="worth at least") as raised:
        reallocate(ReallocationRequest(Portfolio({"B": quantity}, cash), market, {"A": 0.0}))
    assert raised.value.field == "portfolio"


def test_more_trades_than_are_sent() -> None:
    market = Snapshot({"A": Quote(1.0, 10.0), "B": Quote(1.0)})
    limits = Limits(max_participation=0.1)
    request = ReallocationRequest(Portfolio({"A": 1e6}), market, {"B": 1.0}, limits=limits, horizon_days=2**31 - 1)
    with pytest.raises(InvalidInput) as raised:
        reallocate(request)
    assert raised.value.field == "horizon_days"


def test_a_horizon_without_end_ends_where_nothing_more_is_done() -> None:
    market = Snapshot({"A": Quote(1.0, halted=True), "B": Quote(3.0, 100.0)})
    request = ReallocationRequest(
        Portfolio({"A": 50.0}, 7.0), market, {"B": 1.0}, limits=Limits(max_participation=0.01), horizon_days=2**31 - 1
    )
    found = reallocate(request)
    carry_out(request, found)
    assert [(trade.day, trade.quantity) for trade in found.plan.trades] == [(1, 1.0), (2, 1.0)]


def test_a_utilization_beyond_floats_is_absent() -> None:
    found = reallocate(ReallocationRequest(Portfolio({"A": 1.0}), MARKET, {"A": 5e-324, "B": 0.5}))
    used = {asset.symbol: asset.utilization for asset in found.utilization.assets}
    assert used == {"A": None, "B": 0.0}


def test_money_for_more_lots_than_a_float_counts() -> None:
    market = Snapshot({"A": Quote(1.0), "B": Quote(1.0)})
    limits = Limits(min_trade_value=1.0, cash_floor=-1e300, fractional=True)
    request = ReallocationRequest(Portfolio({"A": 1.0, "B": 1.0}, 1.0), market, {"A": 0.5}, limits=limits)
    carry_out(request, reallocate(request))


WITHIN = st.integers(-20, 20).map(lambda exponent: float(f"1.7e{exponent}"))
ANY = st.one_of(
    st.sampled_from([1.0, 3.3, 100.0]),
    WITHIN,
    WITHIN,
    st.sampled_from([0.0, 5e-324, 1e-300, 1e-21, 1e21, 1e300, 1e308]),
)
OPTIONAL = st.one_of(st.none(), ANY)


@given(data=st.data())
@generated(500)
def test_any_finite_numbers_make_a_plan_or_an_error_that_names_a_field(data: st.DataObject) -> None:
    def draw(strategy: st.SearchStrategy[float] = ANY) -> float:
        return data.draw(strategy)

    try:
        quotes = {
            symbol: Quote(
                draw(),
                average_daily_volume=data.draw(OPTIONAL),
                spread_bps=data.draw(OPTIONAL),
                lot_size=data.draw(st.one_of(st.just(1.0), ANY)),
            )
            for symbol in "AB"
        }
        request = ReallocationRequest(
            Portfolio({"A": draw(), "B": draw()}, draw() * data.draw(st.sampled_from([1.0, 1.0, -1.0]))),
            Snapshot(quotes),
            {"A": draw(st.floats(0.0, 0.5)), "B": draw(st.sampled_from([0.0, 5e-324, 1e-9, 0.5]))},
            thresholds=Thresholds(data.draw(st.sampled_from([None, 1e-300, 1e308])), data.draw(OPTIONAL)),
            limits=Limits(
                data.draw(st.sampled_from([None, 1e-300, 1.0])),
                draw(),
                draw() * data.draw(st.sampled_from([1.0, -1.0])),
                data.draw(OPTIONAL),
                data.draw(st.booleans()),
            ),
            costs=LinearCost(draw(st.sampled_from([0.0, 5e-324, 1e-300, 5.0, 9999.0]))),
            horizon_days=data.draw(st.sampled_from([1, 2, 2**31 - 1])),
        )
        found = reallocate(request)
    except InvalidInput:
        return  # it is not made without the name of a field
    carry_out(request, found)
    numbers = [
        *(getattr(found.summary, name) for name in ("nav_before", "nav_after", "cash_after", "cost", "cost_bps")),
        found.summary.residual_drift,
        found.summary.turnover_one_way,
        *(number for trade in found.plan.trades for number in (trade.quantity, trade.cost, trade.cash_after)),
        *(asset.participation or 0.0 for asset in found.liquidity.assets),
        *(asset.days_to_trade or 0.0 for asset in found.liquidity.assets),
        *(asset.utilization or 0.0 for asset in found.utilization.assets),
    ]
    assert all(map(math.isfinite, numbers))


def test_a_least_trade_of_more_lots_than_a_float_can_count_is_not_made() -> None:
    market = Snapshot({"A": Quote(1e-20, lot_size=1e10), "B": Quote(1.0)})
    request = ReallocationRequest(
        Portfolio({"B": 10.0}, 1.0), market, {"A": 0.5, "B": 0.5}, limits=Limits(min_trade_value=1e300)
    )
    assert reallocate(request).plan.trades == ()

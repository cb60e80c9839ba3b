"""Plans with market impact: what is charged is the simulated cost, and cash pays for it."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.costs.impact import AlmgrenImpact, Liquidity, SquareRootImpact
from domain.errors import InvalidInput
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.impact import PlannedValues, ThreeHalvesImpact, simulate_impact
from domain.reallocation.request import ImpactTerms, Limits, ReallocationRequest
from domain.reallocation.result import Failure
from domain.reallocation.schedule import Trade
from domain.reallocation.trade_impact import impact_of
from tests.domain.reallocation.execution import fraction
from tests.domain.reallocation.test_plans import requests
from tests.families import generated

YEAR = 252.0


@st.composite
def with_impact(draw: st.DrawFn) -> ReallocationRequest:
    request = draw(requests())
    quotes = {
        symbol: replace(
            quote,
            average_daily_volume=draw(st.sampled_from([None, 777.7, 1e5, 1e9])),
            volatility_annual=draw(st.sampled_from([None, 0.1, 0.8])),
        )
        for symbol, quote in request.market.quotes.items()
    }
    shares = dict.fromkeys(list(quotes)[: draw(st.integers(0, 6))], 1000000000.0)
    law = draw(st.sampled_from([SquareRootImpact(1.0), AlmgrenImpact(shares_outstanding=shares)]))
    return replace(
        request,
        market=Snapshot(quotes),
        impact=ImpactTerms(law, {"S0": Liquidity(1e6, 0.3)}),
        settlement_days=draw(st.integers(0, 2)),
    )


@given(with_impact())
@generated(200)
def test_cash_pays_for_the_impact_of_every_trade(request: ReallocationRequest) -> None:
    try:
        found = reallocate(request)
    except InvalidInput as error:
        if error.field not in ("costs.impact", "costs"):
            raise
        return
    assert found.impact is not None
    assert len(found.impact.charges) == len(found.plan.trades)
    settled, due, total = fraction(request.portfolio.cash), dict[int, Fraction](), Fraction(0)
    for trade, charge in zip(found.plan.trades, found.impact.charges, strict=True):
        for day in [day for day in due if day <= trade.day]:
            settled += due.pop(day)
        linear = fraction(abs(trade.quantity)) * fraction(trade.price) * _rate(request, trade.symbol)
        assert trade.cost == pytest.approx(float(linear + Fraction(charge)), rel=1e-12, abs=1e-12)
        total += linear + Fraction(charge)
        paid = fraction(trade.quantity) * fraction(trade.price) + linear + Fraction(charge)
        if paid < 0 and request.settlement_days:
            day = trade.day + request.settlement_days
            due[day] = due.get(day, Fraction(0)) - paid
        else:
            settled -= paid
        assert trade.cash_after == pytest.approx(float(settled + sum(due.values())), rel=1e-12, abs=1e-9)
        assert trade.quantity < 0.0 or settled >= fraction(request.limits.cash_floor)
    summary = found.summary
    assert summary.cost == pytest.approx(float(total), rel=1e-12, abs=1e-12)
    kinds = summary.costs
    assert kinds.impact is not None
    assert kinds.commission + kinds.spread + kinds.impact == pytest.approx(summary.cost, abs=1e-9)
    assert summary.nav_after == pytest.approx(summary.nav_before - summary.cost)
    expected = sum(asset.expected_cost for asset in found.impact.assets)
    assert found.impact.expected_cost == pytest.approx(expected, rel=1e-9, abs=1e-9)


def _rate(request: ReallocationRequest, symbol: str) -> Fraction:
    costs, spread = request.costs, request.market.quotes[symbol].spread_bps
    half = fraction(costs.half_spread_bps) if spread is None else fraction(spread) / 2
    return (fraction(costs.commission_bps) + half) / 10_000


def trade(symbol: str, quantity: float, price: float, day: int) -> Trade:
    return Trade(1, symbol, quantity, price, 0.0, 0.0, day)


MARKET = Snapshot({s: Quote(10.0, 1e4, volatility_annual=0.3) for s in ("A", "B", "C")})


def test_groups_of_assets_have_the_impact_of_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    trades = [trade(s, 100.0 * (i + 1), 10.0, day) for i, s in enumerate("ABC") for day in (1, 2)]
    whole = impact_of(trades, MARKET, ImpactTerms(SquareRootImpact(1.0)))
    monkeypatch.setattr("domain.reallocation.trade_impact.MOST_ENTRIES", 2)
    parts = impact_of(trades, MARKET, ImpactTerms(SquareRootImpact(1.0)))
    assert parts.assets == whole.assets
    assert parts.charges == whole.charges
    assert parts.variance == pytest.approx(whole.variance)


def test_a_day_that_is_traded_in_half_a_day_waits_for_the_rest() -> None:
    values = np.array([[3e4], [1e4]])
    planned = PlannedValues(("A",), values, np.ones(1), np.array([0.3]), np.array([1e6]), day_length=0.5)
    daily = 0.3**2 / YEAR
    # 4 falls to 1 in half a day, waits for the other half, then falls to 0 in half a day; in tens of thousands.
    expected = daily * 1e8 * (0.5 * (16 + 4 + 1) / 3.0 + 0.5 * 1 + 0.5 * 1 / 3.0)
    assert simulate_impact(planned, ThreeHalvesImpact(1.0)).variance == pytest.approx(expected)


def test_trades_of_several_days_pay_half_of_the_move_of_all() -> None:
    law = AlmgrenImpact(shares_outstanding={"A": 1e8})
    days = [trade("A", -300.0, 10.0, 1), trade("A", -100.0, 10.0, 2)]
    found = impact_of(days, MARKET, ImpactTerms(law))
    sigma = 0.3 / math.sqrt(YEAR)
    # Almgren et al. 2005: I = gamma sigma (X / V) (S / V)^(1/4), J = I / 2 + eta sigma (X / (V T))^(3/5).
    move = 0.314 * sigma * (400.0 / 1e4) * (1e8 / 1e4) ** 0.25
    for charge, units in zip(found.charges, (300.0, 100.0), strict=True):
        expected = units * 10.0 * (move / 2.0 + 0.142 * sigma * (units / 1e4) ** 0.6)
        assert float(charge) == pytest.approx(expected)
    assert found.assets[0].permanent_bps == pytest.approx(move * 1e4)


def test_what_is_not_known_is_named() -> None:
    quotes = {"A": Quote(10.0, 1e4), "B": Quote(10.0, 0.0, volatility_annual=0.3), "C": Quote(10.0, 1e4, None, 0.3)}
    trades = [trade(s, 10.0, 10.0, 1) for s in quotes]
    found = impact_of(trades, Snapshot(quotes), ImpactTerms(AlmgrenImpact()))
    assert (found.assets, found.unknown, found.expected_cost) == ((), ("A", "B", "C"), 0.0)
    (note,) = found.warnings
    assert note.message.endswith(": A, B, C")
    square = impact_of(trades, Snapshot(quotes), ImpactTerms(SquareRootImpact(1.0)))
    assert [asset.symbol for asset in square.assets] == ["C"]
    assert square.unknown == ("A", "B")


def test_an_impact_of_the_whole_account_is_refused() -> None:
    market = Snapshot({"A": Quote(10.0, 1.0, volatility_annual=0.3)})
    request = ReallocationRequest(
        Portfolio({}, 1e7), market, {"A": 1.0}, limits=Limits(), impact=ImpactTerms(SquareRootImpact(1.0))
    )
    with pytest.raises(InvalidInput, match="below the net asset value") as caught:
        reallocate(request)
    assert caught.value.field == "costs.impact"


def test_a_negative_cash_is_raised_with_the_impact_of_raising_it() -> None:
    market = Snapshot({"A": Quote(10.0, 1_000.0, volatility_annual=0.4)})
    request = ReallocationRequest(
        Portfolio({"A": 1000.0}, -100.0), market, {"A": 1.0}, impact=ImpactTerms(SquareRootImpact(1.0))
    )
    found = reallocate(request)
    (sale,) = found.plan.trades
    # Ten units would be enough without impact.
    assert sale.quantity == -11.0
    assert found.summary.cash_after >= 0.0


@pytest.mark.parametrize(("execution_days", "nearest"), [(1.0, [(1, -100.0), (2, -100.0)]), (2.0, [])])
def test_nearest_sales_whose_impact_cannot_be_known_are_left_out(
    execution_days: float, nearest: list[tuple[int, float]]
) -> None:
    """Sales of two days that would each take two are refused; the cash that is missing is the reason to tell."""
    market = Snapshot({"A": Quote(10.0, 1_000.0, volatility_annual=0.4)})
    request = ReallocationRequest(
        Portfolio({"A": 1000.0}, -5000.0),
        market,
        {"A": 1.0},
        limits=Limits(max_participation=0.1),
        horizon_days=2,
        impact=ImpactTerms(AlmgrenImpact(shares_outstanding={"A": 1e6}, execution_days=execution_days)),
    )
    found = reallocate(request)
    assert isinstance(found.outcome, Failure)
    assert [(trade.day, trade.quantity) for trade in found.outcome.nearest] == nearest
    assert found.plan.trades == ()
    assert found.plan.unraised_cash == 3000.0


def test_sales_that_raise_a_negative_cash_and_the_impact_of_their_days_are_not_planned_anew() -> None:
    """Of the 15 that are left on the first day its own impact takes 10; kept for both days, one unit less is bought."""
    market = Snapshot(
        {"A": Quote(10.0, 1_000.0, volatility_annual=0.4), "B": Quote(10.0, 900.0, volatility_annual=0.4)}
    )
    request = ReallocationRequest(
        Portfolio({"A": 1000.0}, -85.0),
        market,
        {"A": 0.8, "B": 0.19},
        limits=Limits(max_participation=0.1),
        horizon_days=2,
        impact=ImpactTerms(SquareRootImpact(1.0)),
    )
    trades = reallocate(request).plan.trades
    assert [(trade.day, trade.symbol, trade.quantity) for trade in trades] == [
        (1, "A", -100.0),
        (1, "B", 90.0),
        (2, "A", -100.0),
        (2, "B", 90.0),
    ]
    assert 0.0 <= trades[1].cash_after < 10.0

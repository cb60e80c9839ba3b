"""Plans of small random accounts beside every combination of whole lots, in both directions and under every limit."""

import datetime as dt
import random

import pytest

from domain.costs.linear import LinearCost
from domain.exact import exact
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.modes import Direction, Modes
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.tax_terms import TaxAccount, TaxLimits
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot
from tests.domain.reallocation.every_combination import least_objective
from tests.domain.reallocation.execution import carry_out

LIMITS = [
    {"lots", "least trade", "floor", "turnover", "cost", "aversion", "modes"},
    {"odd lots", "lots", "least trade", "floor"},
    {"negative cash", "least trade", "floor"},
    {"negative cash", "lots", "odd lots", "turnover", "cost"},
    {"settlement", "floor"},
    {"volume", "halted", "unpriced", "lots", "odd lots"},
    {"gains"},
    {"gains", "lots", "odd lots", "floor", "least trade"},
    {"gains", "turnover", "negative cash", "near the target"},
    {"tax"},
    {"tax", "lots", "odd lots", "least trade"},
    {"tax", "gains", "aversion", "near the target"},
    {"tax", "negative cash", "turnover", "cost", "settlement", "floor"},
    {"near the target", "floor", "settlement"},
    {"odd lots", "turnover", "cost", "aversion", "lots"},
    {"least trade", "floor", "near the target", "negative cash", "lots"},
]


def account(seed: int, has: set[str]) -> ReallocationRequest:
    """Two or three assets of which up to twelve units are held."""
    draw = random.Random(seed)
    symbols = ["A", "B", "C"][: draw.choice([2, 3, 3])]
    quotes = {s: _quote(draw, has) for s in symbols}
    held = {s: draw.randint(0, 12) + (draw.choice([0.0, 0.5, 0.7, 0.1]) if "odd lots" in has else 0.0) for s in symbols}
    parts = [draw.choice([0, *range(10)]) for _ in symbols]
    whole = max(sum(parts), 1) * draw.choice([1.0, 1.0, 1.25])
    worth = sum(held[s] * quotes[s].price for s in symbols)
    target = {s: part / whole for s, part in zip(symbols, parts, strict=True)}
    if "near the target" in has and draw.random() < 0.6:
        target = {s: held[s] * quotes[s].price / (1.1 * worth + 50.0) for s in symbols}
    cash = float(draw.randint(1, 1500))
    if "negative cash" in has and draw.random() < 0.6 and worth > 10.0:
        cash = -float(draw.randint(1, int(0.8 * worth)))
    quantities = {s: units for s, units in held.items() if units}
    if "unpriced" in has and draw.random() < 0.2:
        quantities["U"] = 5.0
    return ReallocationRequest(
        Portfolio(quantities, cash),
        Snapshot(quotes),
        target,
        limits=Limits(
            max_participation=1.0 if "volume" in has else None,
            min_trade_value=draw.choice([0.0, 150.0, 400.0, 700.0]) if "least trade" in has else 0.0,
            cash_floor=draw.choice([0.0, 100.0, 600.0, -80.0]) if "floor" in has else 0.0,
            max_turnover=draw.choice([None, 0.1, 0.2, 0.4]) if "turnover" in has else None,
            max_cost_bps=draw.choice([None, 2.0, 5.0, 50.0]) if "cost" in has else None,
        ),
        costs=LinearCost(draw.choice([0.0, 10.0, 10.0, 200.0, 200.0, 1500.0])),
        horizon_days=draw.choice([1, 2, 3]) if "settlement" in has else 1,
        settlement_days=draw.choice([0, 1, 2]) if "settlement" in has else 0,
        modes=_modes(draw, has, cash),
        taxes=_taxes(draw, quotes, quantities, has) if has & {"gains", "tax"} else TaxAccount(),
    )


def _quote(draw: random.Random, has: set[str]) -> Quote:
    return Quote(
        draw.randint(1000, 3000) / 100 if draw.random() < 0.15 else draw.randint(2000, 40_000) / 100,
        draw.choice([None, 1.0, 2.0, 3.0, 7.5]) if "volume" in has else None,
        lot_size=draw.choice([1.0, 1.0, 5.0, 2.0]) if "lots" in has else 1.0,
        halted="halted" in has and draw.random() < 0.12,
    )


def _modes(draw: random.Random, has: set[str], cash: float) -> Modes:
    free = "modes" not in has or cash < 0.0 or draw.random() < 0.5
    return Modes(
        direction=Direction.BOTH if free else draw.choice(list(Direction)),
        no_new_names="modes" in has and draw.random() < 0.3,
        retain_cash="modes" in has and draw.random() < 0.3,
        cost_aversion=draw.choice([0.0, 1.0, 20.0, 40.0]) if "aversion" in has else 0.0,
        tax_aversion=draw.choice([0.3, 1.0, 2.0, 5.0, 20.0]) if "tax" in has else 0.0,
    )


def _taxes(draw: random.Random, quotes: dict[str, Quote], held: dict[str, float], has: set[str]) -> TaxAccount:
    lots, dates = {}, [dt.date(2016, 1, 5), *([dt.date(2024, 1, 15)] if "tax" in has else [])]
    for symbol, units in held.items():
        first = exact(float(draw.randint(0, int(units))))
        costs = [exact(round(quotes[symbol].price * draw.uniform(0.3, 1.6), 2)) for _ in range(2)]
        both = [
            TaxLot(f"{symbol}1", first, costs[0], dt.date(2015, 1, 5)),
            TaxLot(f"{symbol}2", exact(units) - first, costs[1], draw.choice(dates)),
        ]
        lots[symbol] = tuple(lot for lot in both if lot.quantity)
    more = [LotMethod.TAX_OPTIMAL] if "tax" in has else []
    limits = TaxLimits(
        method=draw.choice([LotMethod.FIFO, LotMethod.LIFO, LotMethod.HIFO, *more]),
        gain_budget=draw.choice([0.0, 50.0, 300.0]) if "gains" in has else None,
        short_term_rate=0.4 if "tax" in has else None,
        long_term_rate=0.2 if "tax" in has else None,
    )
    return TaxAccount(lots=lots, limits=limits, as_of_date=dt.date(2024, 6, 3))


@pytest.mark.parametrize("has", LIMITS, ids=lambda has: " ".join(sorted(has)))
def test_no_combination_is_nearer_and_none_is_below_the_bound(has: set[str]) -> None:
    compared = 0
    for seed in range(25):
        request = account(seed, has)
        found, best = reallocate(request), least_objective(request)
        carry_out(request, found)
        if best is None:
            assert found.plan.unraised_cash > 0.0, seed
            continue
        compared += 1
        assert not found.plan.unraised_cash, seed
        assert found.plan.least_drift <= best + 1e-9, seed
        assert found.objective == pytest.approx(best, abs=1e-9), seed
        assert found.optimal, seed
    assert compared > 12


def test_a_lot_that_is_not_to_be_sold_pays_for_lots_of_another_asset() -> None:
    """Of A, wanted 642 and held 636, one lot of 212 is sold: with 4 that are left over it pays for 11 more of B."""
    request = ReallocationRequest(
        Portfolio({"S0": 9.0, "S1": 3.0, "S2": 2.0}, 428.0),
        Snapshot({"S0": Quote(20.0, 1.0), "S1": Quote(212.0), "S2": Quote(20.0)}),
        {"S0": 0.0, "S1": 0.5, "S2": 0.5},
        limits=Limits(max_participation=1.0, cash_floor=100.0),
        horizon_days=2,
        settlement_days=1,
    )
    found = reallocate(request)
    carry_out(request, found)
    traded: dict[str, float] = {}
    for trade in found.plan.trades:
        traded[trade.symbol] = traded.get(trade.symbol, 0.0) + trade.quantity
    assert found.optimal
    # 140 of S0, 212 below the target of S1 and 6 before, nothing or 20 of S2: (140 + 218 + 20) / 2 / 1284, or less.
    assert traded["S1"] == -1.0
    assert found.summary.residual_drift == pytest.approx(0.15576323987538943, abs=1e-12)
    sold = next(shortfall for shortfall in found.plan.shortfalls if shortfall.symbol == "S1")
    assert sold.planned == -1.0
    assert [cause.code.value for cause in sold.causes] == ["CASH"]


def test_an_odd_lot_is_sold_where_the_turnover_allows_it() -> None:
    """Of 7.5 B all are sold though the lot is 5; the bound knows of the odd lot."""
    request = ReallocationRequest(
        Portfolio({"A": 10.0, "B": 7.5}, 0.0),
        Snapshot({"A": Quote(100.0), "B": Quote(40.0, lot_size=5.0)}),
        {"A": 1.0, "B": 0.0},
        limits=Limits(max_turnover=0.2),
    )
    found = reallocate(request)
    carry_out(request, found)
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": 2.0, "B": -7.5}
    assert found.plan.least_drift <= found.summary.residual_drift
    assert found.optimal


def test_a_loss_makes_room_for_a_gain() -> None:
    """Of A 10 are to be sold, each with a gain of 60, and none may be; one B, to be bought, has a loss of 80."""
    lots = {
        "A": (TaxLot("a", exact(20.0), exact(40.0), dt.date(2015, 1, 5)),),
        "B": (TaxLot("b", exact(5.0), exact(90.0), dt.date(2015, 1, 5)),),
    }
    request = ReallocationRequest(
        Portfolio({"A": 20.0, "B": 5.0}, 0.0),
        Snapshot({"A": Quote(100.0), "B": Quote(10.0), "C": Quote(50.0)}),
        {"A": 0.5, "B": 0.05, "C": 0.45},
        taxes=TaxAccount(lots=lots, limits=TaxLimits(gain_budget=0.0), as_of_date=dt.date(2024, 6, 3)),
    )
    found = reallocate(request)
    carry_out(request, found)
    traded = {trade.symbol: trade.quantity for trade in found.plan.trades}
    assert found.optimal
    # All of B make room for 400 of gains: 6 of A, of 60 each.
    assert traded == {"A": -6.0, "B": -5.0, "C": 13.0}
    assert found.objective == pytest.approx(least_objective(request), abs=1e-9)

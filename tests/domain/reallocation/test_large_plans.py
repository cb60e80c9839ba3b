"""Plans of hundreds of assets under several limits: near their bound, and carried out trade by trade."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from domain.costs.linear import LinearCost
from domain.exact import exact
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.modes import Deviation, Modes
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.tax_terms import TaxAccount, TaxLimits
from domain.reallocation.tracking_error import ActiveRisk
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot
from tests.domain.reallocation.execution import carry_out, fraction

DATE = dt.date(2024, 6, 3)
WORTH = 1e7


def account(assets: int, method: LotMethod) -> ReallocationRequest:
    """About half of what the target needs is within the turnover; three tax lots each, the oldest first, most gains."""
    draw = np.random.default_rng(assets)
    prices = np.round(np.exp(draw.normal(4.0, 0.8, assets)), 2)
    target = draw.dirichlet(np.full(assets, 3.0))
    share = target * np.exp(draw.normal(0.0, 0.4, assets))
    held = np.floor(0.97 * WORTH * share / share.sum() / prices)
    symbols = [f"S{i}" for i in range(assets)]
    lots = {}
    for symbol, units, price in zip(symbols, held.tolist(), prices.tolist(), strict=True):
        costs = np.round(price * draw.uniform(0.5, 1.3, 3), 2).tolist()
        parts = [units // 3, units // 3, units - 2 * (units // 3)]
        lots[symbol] = tuple(
            TaxLot(f"{symbol}-{k}", exact(part), exact(cost), dt.date(2021 + k, 3, 1))
            for k, (part, cost) in enumerate(zip(parts, costs, strict=True))
            if part
        )
    limits = TaxLimits(method=method, gain_budget=0.002 * WORTH, short_term_rate=0.37, long_term_rate=0.2)
    return ReallocationRequest(
        Portfolio(dict(zip(symbols, held.tolist(), strict=True)), round(WORTH - float(held @ prices), 2)),
        Snapshot({s: Quote(p) for s, p in zip(symbols, prices.tolist(), strict=True)}),
        dict(zip(symbols, target.tolist(), strict=True)),
        limits=Limits(cash_floor=0.005 * WORTH, max_turnover=0.12),
        costs=LinearCost(8.0),
        taxes=TaxAccount(lots=lots, limits=limits, as_of_date=DATE),
    )


@pytest.mark.parametrize("assets", [150, 650])
@pytest.mark.parametrize("method", [LotMethod.FIFO, LotMethod.HIFO])
def test_a_gain_budget_and_a_turnover_limit(assets: int, method: LotMethod) -> None:
    request = account(assets, method)
    found = reallocate(request)
    done = carry_out(request, found)
    assert done.traded <= fraction(0.24) * done.nav_before
    gains = sum(float(lot.gain) for sold in found.taxes.sold.values() for lot in sold)
    assert gains <= 0.002 * WORTH + 1e-6
    assert found.objective == pytest.approx(float(done.drift(request)), abs=1e-12)
    assert found.gap <= 1e-3


@pytest.mark.parametrize("assets", [150, 650])
def test_tax_that_is_weighed_by_first_in_first_out(assets: int) -> None:
    request = account(assets, LotMethod.FIFO)
    free = replace(request.taxes, limits=replace(request.taxes.limits, gain_budget=None))
    found = reallocate(replace(request, taxes=free, modes=Modes(tax_aversion=2.0)))
    carry_out(request, found)
    assert found.gap <= 1e-3


@pytest.mark.parametrize("assets", [150, 650])
@pytest.mark.parametrize("flow", [0.0, -0.06 * WORTH], ids=["below its floor", "negative"])
def test_cash_that_sales_raise(assets: int, flow: float) -> None:
    """Cash of 3 % of the portfolio: below a floor of 6 %, or more than taken out of it."""
    request = account(assets, LotMethod.FIFO)
    limits = Limits(cash_floor=0.0 if flow else 0.06 * WORTH)
    gains = replace(request.taxes, limits=replace(request.taxes.limits, gain_budget=0.004 * WORTH))
    found = reallocate(replace(request, limits=limits, taxes=gains, modes=Modes(cash_flow=flow)))
    carry_out(replace(request, limits=limits, modes=Modes(cash_flow=flow)), found)
    assert found.summary.cash_after >= limits.cash_floor
    assert found.gap <= 1e-3


def test_a_turnover_limit_above_what_a_whole_program_is_searched_for() -> None:
    request = replace(account(650, LotMethod.FIFO), taxes=TaxAccount())
    found = reallocate(request)
    carry_out(request, found)
    assert found.gap <= 1e-3


@pytest.mark.parametrize(("floor", "gap"), [(0.005, 1e-2), (0.0, 0.7)])
def test_a_tracking_error_of_fifty_assets(floor: float, gap: float) -> None:
    """With cash that is kept the error has a part that all plans have; else whole lots alone make it up."""
    request = account(50, LotMethod.FIFO)
    draw = np.random.default_rng(50)
    loads, own = draw.normal(0.15, 0.08, (50, 5)), draw.uniform(0.1, 0.3, 50)
    covariance = loads @ loads.T + np.diag(own**2)
    volatilities = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(volatilities, volatilities)
    risk = ActiveRisk.of_volatilities(tuple(request.market.quotes), volatilities, 0.5 * (correlation + correlation.T))
    request = replace(
        request,
        limits=Limits(cash_floor=floor * WORTH),
        taxes=TaxAccount(),
        modes=Modes(deviation=Deviation.TRACKING_ERROR),
        active_risk=risk,
    )
    found = reallocate(request)
    carry_out(request, found)
    after = np.array([found.summary.weights_after[s] for s in request.market.quotes])
    away = after - np.array([request.target[s] for s in request.market.quotes])
    assert found.objective == pytest.approx(float(np.sqrt(away @ covariance @ away)), rel=1e-6)
    assert found.plan.least_drift <= found.objective
    assert found.gap <= gap

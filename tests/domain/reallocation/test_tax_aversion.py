"""The tax beside the distance to the target: against every combination of whole lots, and what an aversion may do."""

import datetime as dt
import itertools
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.costs.linear import LinearCost
from domain.errors import InvalidInput
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.modes import Modes
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.result import Reallocation, Unchanged
from domain.reallocation.tax_terms import TaxLimits, TaxTerms, tax_account
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot
from tests.domain.reallocation.execution import carry_out
from tests.families import generated

TODAY = dt.date(2024, 6, 3)
RATES = {"short_term_rate": 0.4, "long_term_rate": 0.2}
Lots = list[tuple[int, int, int]]
"""Units, unit cost, days held."""

lots = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 30), st.integers(40, 800)), min_size=1, max_size=3)


def request_of(
    held: dict[str, Lots], prices: dict[str, float], target: dict[str, float], limits: TaxLimits, modes: Modes,
    cash: float = 0.0, **more: object,
) -> ReallocationRequest:  # fmt: skip
    found = {
        symbol: tuple(
            TaxLot(str(i), Decimal(n), Decimal(cost), TODAY - dt.timedelta(days))
            for i, (n, cost, days) in enumerate(own)
        )
        for symbol, own in held.items()
    }
    quantities = {symbol: float(sum(n for n, _, _ in one)) for symbol, one in held.items()}
    return ReallocationRequest(
        Portfolio(quantities, cash),
        Snapshot({symbol: Quote(price) for symbol, price in prices.items()}),
        target,
        taxes=tax_account(quantities, found, TODAY, TaxTerms(limits)),
        modes=modes,
        **more,  # type: ignore[arg-type]
    )


def gain_and_tax(one: Lots, method: LotMethod, price: int, units: int) -> tuple[int, Fraction]:
    """At 40 % up to a year and 20 % beyond, from the definitions of the methods."""
    taxed = [(n, cost, days, (price - cost) * Fraction(4 if days <= 366 else 2, 10)) for n, cost, days in one]
    order = {
        LotMethod.FIFO: lambda lot: -lot[2],
        LotMethod.HIFO: lambda lot: (-lot[1], -lot[2]),
        LotMethod.TAX_OPTIMAL: lambda lot: (lot[3], -lot[2]),
    }[method]
    gain, total = 0, Fraction(0)
    for n, cost, _, tax in sorted(taxed, key=order):
        gain += min(n, units) * (price - cost)
        total += min(n, units) * tax
        units -= min(n, units)
    return gain, total


def best_objective(request: ReallocationRequest, held: dict[str, Lots]) -> float:
    """Of every combination of units, each asset bought or sold."""
    quotes, rate = request.market.quotes, request.costs.commission_bps / 10_000
    units = {s: int(request.portfolio.quantities.get(s, 0.0)) for s in quotes}
    nav = request.portfolio.cash + sum(units[s] * q.price for s, q in quotes.items())
    counts, gains, taxes = [], [], []
    for s, quote in quotes.items():
        numbers = np.arange(-units[s], int(nav / quote.price) + 1)
        sold = [max(-int(n), 0) for n in numbers]
        method = request.taxes.limits.method
        found = [gain_and_tax(held[s], method, int(quote.price), n) if n else (0, Fraction(0)) for n in sold]
        gains.append(np.array([gain for gain, _ in found]))
        taxes.append(np.array([float(tax) for _, tax in found]))
        counts.append(numbers)
    grid = np.meshgrid(*counts, indexing="ij")
    tax = sum(np.meshgrid(*taxes, indexing="ij"))
    prices = [quote.price for quote in quotes.values()]
    cost = rate * sum(np.abs(n) * p for n, p in zip(grid, prices, strict=True))
    values = [(units[s] + n) * p for s, n, p in zip(quotes, grid, prices, strict=True)]
    left = nav - cost
    drift = sum(np.abs(v / left - request.target[s]) for s, v in zip(quotes, values, strict=True)) / 2.0
    affordable = (left - sum(values) >= -1e-9) | np.all([n <= 0 for n in grid], axis=0)
    weighed = (request.modes.cost_aversion * cost + request.modes.tax_aversion * tax) / left
    if (budget := request.taxes.limits.gain_budget) is not None:
        affordable &= sum(np.meshgrid(*gains, indexing="ij")) <= budget
    return float((drift + weighed)[affordable].min())


def objective_of(request: ReallocationRequest, found: Reallocation) -> float:
    """From the trades and the tax of the answer."""
    done = carry_out(request, found)
    nav = done.nav_before - done.cost
    tax = found.taxes.summary.tax if found.taxes.summary else 0.0
    assert tax is not None
    weighed = Fraction(request.modes.cost_aversion) * done.cost + Fraction(request.modes.tax_aversion) * Fraction(tax)
    return float(done.drift(request) + weighed / nav)


cases = st.tuples(
    lots,
    lots,
    st.tuples(st.integers(4, 20), st.integers(4, 20)),
    st.sampled_from([(0.0, 0.0), (0.1, 0.3), (0.4, 0.0), (0.25, 0.25), (0.8, 0.1)]),
    st.sampled_from([LotMethod.FIFO, LotMethod.HIFO, LotMethod.TAX_OPTIMAL]),
    st.sampled_from([0.3, 1.0, 2.0, 5.0, 40.0]),
    st.sampled_from([0.0, 0.0, 10.0]),
    st.sampled_from([0.0, 100.0]),
    st.sampled_from([None, None, 17.0]),
)


def request_and_lots(case: tuple) -> tuple[ReallocationRequest, dict[str, Lots]]:  # type: ignore[type-arg]
    first, second, (price, other), weights, method, aversion, cost_aversion, commission, budget = case
    held = {"A": first, "B": second}
    target = {**dict(zip("AB", weights, strict=True)), "C": 1.0 - sum(weights)}
    prices = {"A": float(price), "B": float(other), "C": 5.0}
    modes = Modes(tax_aversion=aversion, cost_aversion=cost_aversion)
    costs = LinearCost(commission)
    limits = TaxLimits(method, **RATES, gain_budget=budget)
    return request_of(held, prices, target, limits, modes, costs=costs), held


FALLING = (
    ([(4, 1, 718), (1, 15, 710)], [(4, 18, 125), (3, 11, 275)], (20, 13), (0.0, 0.0), LotMethod.FIFO, 40.0, 0.0, 100.0),
    ([(3, 11, 261), (4, 19, 226)], [(1, 13, 567), (4, 21, 258), (1, 25, 444)], (4, 7), (0.8, 0.1), LotMethod.FIFO,
     1.0, 0.0, 100.0),
)  # fmt: skip
"""Accounts of lots whose tax per unit falls in the order of sale."""


@example((*FALLING[0], None))
@example((*FALLING[1], None))
@given(cases)
@generated(200)
def test_no_combination_of_lots_has_a_lower_objective(case: tuple) -> None:  # type: ignore[type-arg]
    request, held = request_and_lots(case)
    found = reallocate(request)
    best = best_objective(request, held)
    assert found.objective == pytest.approx(objective_of(request, found), abs=1e-12)
    assert found.objective == pytest.approx(best, abs=1e-9)
    assert found.plan.least_drift <= best + 1e-9
    assert found.optimal


@given(cases)
@generated(60)
def test_a_higher_aversion_never_raises_the_tax(case: tuple) -> None:  # type: ignore[type-arg]
    request, _ = request_and_lots(case)
    taxes = []
    for aversion in (0.0, 0.5, 2.0, 10.0, 500.0):
        found = reallocate(replace(request, modes=Modes(tax_aversion=aversion)))
        assert found.taxes.summary is not None
        # The tax is weighed by the net asset value after costs, so it is this quotient that never rises.
        taxes.append((found.taxes.summary.tax or 0.0) / found.summary.nav_after)
    assert all(less <= more + 1e-9 for more, less in itertools.pairwise(taxes))
    assert taxes[-1] <= 1e-9


@given(cases)
@generated(40)
def test_without_an_aversion_the_rates_change_nothing(case: tuple) -> None:  # type: ignore[type-arg]
    request, held = request_and_lots(case)
    request = replace(request, modes=Modes())
    method = LotMethod.HIFO  # the least tax needs rates
    limits = TaxLimits(method, **RATES)
    target, prices = dict(request.target), {s: q.price for s, q in request.market.quotes.items()}
    known = reallocate(request_of(held, prices, target, limits, Modes(tax_aversion=0.0), costs=request.costs))
    unknown = reallocate(request_of(held, prices, target, TaxLimits(method), Modes(), costs=request.costs))
    assert known.plan == unknown.plan
    assert known.objective == unknown.objective


@given(cases)
@generated(60)
def test_the_multiplier_of_cash_proves_a_bound_with_taxes(case: tuple) -> None:  # type: ignore[type-arg]
    """As for accounts of thousands of assets."""
    request, held = request_and_lots(case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("domain.reallocation.lot_program.MOST_ASSETS", 0)
        found = reallocate(request)
    assert found.plan.least_drift <= best_objective(request, held) + 1e-9
    assert found.objective == pytest.approx(objective_of(request, found), abs=1e-12)


def test_gains_too_dear_are_not_realised_and_the_answer_says_so() -> None:
    """Ten units at 10, bought at 2: 20 % of a gain of 8 is 0.16 of the value, and a sale brings half of it."""
    for aversion, sold in ((3.0, 5.0), (3.2, 0.0)):
        request = request_of(
            {"A": [(10, 2, 700)]}, {"A": 10.0}, {"A": 0.5}, TaxLimits(**RATES), Modes(tax_aversion=aversion)
        )
        found = reallocate(request)
        assert sum(-trade.quantity for trade in found.plan.trades) == sold
    assert isinstance(found.outcome, Unchanged)
    assert "tax weighs" in found.outcome.reason
    assert [cause.code.value for cause in found.plan.shortfalls[0].causes] == ["TAX"]


def test_a_full_exit_is_worth_its_tax_or_not() -> None:
    """All of 10 at 10 that is not wanted: the older half is a gain of 0.16 of its value in tax, the newer one none."""
    held = {"A": [(5, 2, 700), (5, 10, 600)]}
    for aversion, method, sold in ((3.0, LotMethod.FIFO, 10), (3.2, LotMethod.HIFO, 5)):
        request = request_of(
            held, {"A": 10.0}, {}, TaxLimits(method, **RATES), Modes(tax_aversion=aversion), cash=100.0
        )
        found = reallocate(request)
        assert sum(-trade.quantity for trade in found.plan.trades) == sold
        assert found.optimal


def test_a_benefit_of_losses_can_make_the_objective_negative() -> None:
    """Ten units at 10, bought at 30. One sold is a benefit of 4, times 2, and takes away 5 of half the distance."""
    held: dict[str, Lots] = {"A": [(10, 30, 700)]}
    request = request_of(held, {"A": 10.0}, {"A": 0.25}, TaxLimits(**RATES), Modes(tax_aversion=2.0), cash=100.0)
    found = reallocate(request)
    assert sum(-trade.quantity for trade in found.plan.trades) == 10.0
    assert found.objective == pytest.approx(0.125 - 2.0 * 40.0 / 200.0)
    assert found.objective == pytest.approx(best_objective(replace(request, target={"A": 0.25}), held))
    assert found.optimal
    assert found.gap == pytest.approx(0.0, abs=1e-9)


def test_a_loss_is_realised_away_from_the_target_where_its_tax_is_worth_it() -> None:
    """Of ten A at 10, bought at 30, twelve are wanted: one sold is a benefit of 4 for 5 of half a distance."""
    held: dict[str, Lots] = {"A": [(10, 30, 700)]}
    for aversion, traded in ((1.0, 2.0), (2.0, -10.0)):
        request = request_of(
            held, {"A": 10.0, "B": 10.0}, {"A": 0.6, "B": 0.4}, TaxLimits(**RATES), Modes(tax_aversion=aversion),
            cash=100.0,
        )  # fmt: skip
        found = reallocate(request)
        carry_out(request, found)
        assert {t.symbol: t.quantity for t in found.plan.trades} == {"A": traded, "B": 8.0}
        assert found.objective == pytest.approx(best_objective(request, held))
        assert found.optimal


def test_an_exit_with_its_odd_lot_is_weighed_by_its_whole_tax() -> None:
    """25 A at 10 in lots of 10: the odd 5, bought at 1, are a tax of 9 in 50 of value, the others none."""
    for aversion, sold in ((2.0, 25.0), (3.0, 20.0)):
        request = request_of(
            {"A": [(20, 10, 700), (5, 1, 600)]}, {"A": 10.0}, {}, TaxLimits(**RATES), Modes(tax_aversion=aversion),
            cash=100.0,
        )  # fmt: skip
        found = reallocate(replace(request, market=Snapshot({"A": Quote(10.0, lot_size=10.0)})))
        assert [trade.quantity for trade in found.plan.trades] == [-sold]
        assert found.optimal


def test_lots_that_are_no_decimal_part_of_a_tax_lot() -> None:
    """Seven A in lots of three: a third of a unit of the first tax lot has no end as a decimal number."""
    request = request_of({"A": [(7, 9, 700)]}, {"A": 10.0}, {"A": 0.2}, TaxLimits(**RATES), Modes(tax_aversion=1.0))
    found = reallocate(replace(request, market=Snapshot({"A": Quote(10.0, lot_size=3.0)})))
    assert [trade.quantity for trade in found.plan.trades] == [-6.0]
    assert found.optimal


def test_a_sale_that_must_raise_cash_takes_the_lots_with_the_least_tax() -> None:
    held: dict[str, Lots] = {"A": [(10, 2, 700)], "B": [(10, 10, 700)]}
    for aversion, expected in ((0.0, {"A": 1.0, "B": 1.0}), (10.0, {"B": 2.0})):
        request = request_of(
            held, {"A": 10.0, "B": 10.0}, {"A": 0.5, "B": 0.5}, TaxLimits(**RATES),
            Modes(tax_aversion=aversion), cash=-20.0,
        )  # fmt: skip
        found = reallocate(request)
        assert {trade.symbol: -trade.quantity for trade in found.plan.trades} == expected


def test_an_odd_lot_goes_with_the_exit_where_tax_is_weighed() -> None:
    request = request_of(
        {"A": [(25, 9, 700)]}, {"A": 10.0}, {}, TaxLimits(**RATES), Modes(tax_aversion=1.0), cash=100.0
    )
    request = replace(request, market=Snapshot({"A": Quote(10.0, lot_size=10.0)}))
    found = reallocate(request)
    assert [trade.quantity for trade in found.plan.trades] == [-25.0]
    assert found.objective == pytest.approx(25 * 0.2 / 350.0)


def test_an_aversion_to_tax_needs_rates() -> None:
    with pytest.raises(InvalidInput) as refused:
        request_of({"A": [(1, 1, 1)]}, {"A": 1.0}, {}, TaxLimits(), Modes(tax_aversion=1.0))
    assert refused.value.field == "trade_off.tax_aversion"
    with pytest.raises(InvalidInput, match="at most 1e"):
        Modes(tax_aversion=1e7)


@pytest.mark.parametrize("assets", [20, 650])
def test_many_assets_with_lots(assets: int) -> None:
    """Three lots each; the plan that is found is near the bound, below 600 assets by the program."""
    generator = np.random.default_rng(3)
    symbols = [f"S{i}" for i in range(assets)]
    held = {
        s: [(int(generator.integers(5, 60)), int(generator.integers(5, 90)), int(generator.integers(40, 900)))
            for _ in range(3)]
        for s in symbols
    }  # fmt: skip
    prices = {s: float(generator.integers(10, 80)) for s in symbols}
    weights = generator.dirichlet(np.ones(assets))
    request = request_of(
        held, prices, dict(zip(symbols, weights.tolist(), strict=True)), TaxLimits(LotMethod.TAX_OPTIMAL, **RATES),
        Modes(tax_aversion=2.0), costs=LinearCost(10.0),
    )  # fmt: skip
    request = replace(request, limits=Limits(max_turnover=0.4))
    found = reallocate(request)
    carry_out(request, found)
    assert found.objective == pytest.approx(objective_of(request, found), abs=1e-12)
    assert found.plan.least_drift <= found.objective + 1e-12
    indifferent = reallocate(replace(request, modes=Modes()))
    assert found.objective < indifferent.objective + 2.0 * indifferent_tax(indifferent)
    assert found.gap <= 1e-3


def indifferent_tax(found: Reallocation) -> float:
    assert found.taxes.summary is not None
    return (found.taxes.summary.tax or 0.0) / found.summary.nav_after


@pytest.mark.parametrize(("cost", "sold"), [(1, -10.0), (10, -10.5)])
def test_an_odd_lot_whose_tax_outweighs_it_is_kept_where_no_time_is_left(
    monkeypatch: pytest.MonkeyPatch, cost: int, sold: float
) -> None:
    """Half a unit of 10 that cost 1 for each: tax of 0.9, times 10, is more than half of the 5 that it is worth."""
    monkeypatch.setattr("domain.reallocation.plan.SECONDS", 0.0)
    held: dict[str, Lots] = {"A": [(10, 10, 700), (0.5, cost, 600)]}  # type: ignore[list-item]  # half a unit
    request = request_of(held, {"A": 10.0, "B": 10.0}, {"B": 0.0}, TaxLimits(**RATES), Modes(tax_aversion=10.0))
    found = reallocate(request)
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": sold}

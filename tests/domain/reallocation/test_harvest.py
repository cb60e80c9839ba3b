"""Harvests over histories of plans: an independent ledger, exposure that stays, and benefits above their cost."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.costs.linear import LinearCost
from domain.market_data.panel import PricePanel
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.cost_benefit import CostBenefitRule
from domain.reallocation.flow import reallocate
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.harvest import Harvest
from domain.reallocation.harvest_report import harvest_report
from domain.reallocation.modes import Modes
from domain.reallocation.request import Limits, ReallocationRequest, Thresholds
from domain.reallocation.result import Reallocation
from domain.reallocation.schedule import Trade
from domain.reallocation.tax_report import trade_date
from domain.reallocation.tax_terms import TaxLimits, TaxTerms, tax_account
from domain.reallocation.tracking_error import ActiveRisk
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot
from tests.domain.reallocation.execution import carry_out, cost_rate
from tests.domain.reallocation.test_tax_aversion import RATES, Lots, gain_and_tax, request_of
from tests.domain.reallocation.test_taxes import IDENTICAL, SYMBOLS, TODAY, Account
from tests.families import generated

SUBSTITUTES = (("A", "C"), ("B", "C"), ("C", "B"))


def histories(seeds: range, *, horizon: int, tax_aversion: float) -> Iterator[tuple[Account, Reallocation]]:
    """Plans of random accounts, each carried out before the next; A and B count as one."""
    for seed in seeds:
        draw = random.Random(seed)
        account, today = Account(cash=300.0), TODAY
        prices = [draw.randint(6, 20) for _ in SYMBOLS]
        for _ in range(8):
            today += dt.timedelta(draw.choice([1, 5, 12, 20, 31]))
            prices = [max(2, price + draw.randint(-3, 2)) for price in prices]
            method = draw.choice([LotMethod.HIFO, LotMethod.TAX_OPTIMAL, LotMethod.FIFO, LotMethod.LIFO])
            limits = TaxLimits(
                method, 0.4, 0.2, identical_groups=IDENTICAL, harvest_losses=True, substitutes=SUBSTITUTES
            )
            lots = {symbol: tuple(lots) for symbol, lots in account.lots.items()}
            quantities = account.quantities
            request = ReallocationRequest(
                Portfolio(quantities, account.cash),
                Snapshot({s: Quote(float(p), average_daily_volume=40.0) for s, p in zip(SYMBOLS, prices, strict=True)}),
                {s: draw.choice([0.0, 0.2, 0.4]) for s in SYMBOLS[:2]} | {"C": draw.choice([0.1, 0.2])},
                limits=Limits(max_participation=None if horizon == 1 else 0.25),
                horizon_days=horizon,
                taxes=tax_account(quantities, lots, today, TaxTerms(limits, tuple(account.trades))),
                modes=Modes(tax_aversion=tax_aversion),
            )
            found = reallocate(request)
            account.carry_out(found, today)
            today = trade_date(today, horizon)
            yield account, found


@pytest.mark.parametrize(("horizon", "tax_aversion"), [(1, 0.0), (3, 0.0), (1, 3.0)])
def test_no_harvested_loss_is_disallowed(horizon: int, tax_aversion: float) -> None:
    """The ledger of single units knows nothing of plans, and there are many harvests among them."""
    harvested = substitutes = 0.0
    for account, found in histories(range(25), horizon=horizon, tax_aversion=tax_aversion):
        assert [ledger.disallowed for ledger in account.ledgers.values()] == [Fraction(0)] * 2
        assert found.taxes.summary is None or found.taxes.summary.disallowed_loss == 0.0
        harvested += sum(found.harvest.harvested.values())
        substitutes += len(found.harvest.substitutes)
    assert harvested > 100.0
    assert substitutes > 10


cases = st.tuples(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 30), st.integers(40, 800)), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 30), st.integers(40, 800)), min_size=1, max_size=3),
    st.tuples(st.integers(4, 20), st.integers(4, 20), st.integers(1, 9)),
    st.sampled_from([(0.0, 0.0), (0.1, 0.3), (0.4, 0.0), (0.25, 0.25), (0.8, 0.1)]),
    st.sampled_from([LotMethod.FIFO, LotMethod.HIFO, LotMethod.TAX_OPTIMAL]),
    st.sampled_from([0.0, 100.0, 500.0]),
    st.sampled_from([0.0, 50.0]),
)


@given(cases)
@generated(150)
def test_a_harvest_pays_and_keeps_the_exposure(case: tuple) -> None:  # type: ignore[type-arg]
    """A may be replaced by D, whose lots are small; B has no substitute, and cash pays for the costs."""
    first, second, (price, other, small), weights, method, commission, cash = case
    held: dict[str, Lots] = {"A": first, "B": second}
    limits = TaxLimits(method, **RATES, harvest_losses=True, substitutes=(("A", "D"),))
    prices = {"A": float(price), "B": float(other), "C": 5.0, "D": float(small)}
    target = {**dict(zip("AB", weights, strict=True)), "C": 0.8 * (1.0 - sum(weights))}
    request = request_of(held, prices, target, limits, Modes(), cash, costs=LinearCost(commission))
    found = reallocate(request)
    plain = reallocate(replace(request, taxes=replace(request.taxes, limits=TaxLimits(method, **RATES))))
    sold = sum(int(-t.quantity) for t in found.plan.trades if t.symbol == "A" and t.quantity < 0.0)
    beyond = int(sum(found.harvest.harvested.values()))
    benefit = gain_and_tax(first, method, price, sold - beyond)[1] - gain_and_tax(first, method, price, sold)[1]
    assert found.harvest.benefit == pytest.approx(float(benefit), abs=1e-9)
    carry_out(replace(request, target=found.harvest.target), found)
    assert sum(found.harvest.target.values()) == pytest.approx(sum(request.target.values()))
    if not beyond:
        assert found.plan.trades == plain.plan.trades
        return
    assert benefit > 2 * beyond * price * cost_rate(request, "A")
    # One lot of each asset that is traded may not fit.
    lot = max(prices.values()) / found.summary.nav_after
    assert found.summary.residual_drift <= plain.summary.residual_drift + 2.0 * lot
    exposure = [sum(v for s, v in one.summary.weights_after.items() if s in {"A", "D"}) for one in (found, plain)]
    assert exposure[0] == pytest.approx(exposure[1], abs=2.0 * lot)


@given(cases)
@generated(60)
def test_no_other_number_of_units_has_more_benefit_for_its_cost(case: tuple) -> None:  # type: ignore[type-arg]
    """Of an account at its target that is not limited by anything."""
    first, _, (price, _, _), _, method, commission, _ = case
    limits = TaxLimits(method, **RATES, harvest_losses=True, substitutes=(("A", "D"),))
    units = sum(n for n, _, _ in first)
    request = request_of(
        {"A": first}, {"A": float(price), "D": 1.0}, {"A": 0.5}, limits, Modes(), float(units * price),
        costs=LinearCost(commission),
    )  # fmt: skip
    found = reallocate(request)
    rate = 2 * cost_rate(request, "A")
    net = [-gain_and_tax(first, method, price, n)[1] - n * price * rate for n in range(units + 1)]
    sold = sum(int(-t.quantity) for t in found.plan.trades if t.symbol == "A" and t.quantity < 0.0)
    assert net[sold] == max(net)


def test_whole_units_of_fractional_tax_lots_are_the_best_ones() -> None:
    """At 10, a loss of 20 on 2.5 units, of 2 on 1.25 short-term ones, and a gain of 9 on the others.

    The fourth unit is 0.75 of the second lot, a benefit of 0.6, and 0.25 of the third, a tax of 0.45; the fifth 1.8.
    """
    lots = [("2.5", 30, 700), ("1.25", 12, 100), ("3.75", 1, 700)]
    own = tuple(TaxLot(str(c), Decimal(n), Decimal(c), TODAY - dt.timedelta(d)) for n, c, d in lots)
    limits = TaxLimits(LotMethod.HIFO, **RATES, harvest_losses=True, substitutes=(("A", "B"),))
    request = ReallocationRequest(
        Portfolio({"A": 7.5}, 0.0),
        Snapshot({"A": Quote(10.0), "B": Quote(5.0)}),
        {"A": 1.0},
        taxes=tax_account({"A": 7.5}, {"A": own}, TODAY, TaxTerms(limits)),
    )
    found = reallocate(request)
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": -4.0, "B": 8.0}
    assert found.harvest.benefit == pytest.approx(10.0 + 1.0 - 0.45)


def test_what_is_needed_is_sold_first() -> None:
    """Of 5 units on each of three days 7 are needed: the harvest is 3 of the second day and all of the third."""
    trades = [Trade(day, "A", -5.0, 10.0, 0.0, 0.0, day) for day in (1, 2, 3)]
    curve = GainCurve((Decimal(15),), (Decimal(-2),))
    found = harvest_report(Harvest({}, {"A": Decimal(7)}, {"A": curve}), trades)
    assert found.harvested == {2: 3.0, 3: 5.0}
    assert found.benefit == 16.0


def test_within_the_thresholds_nothing_but_the_harvest_is_traded() -> None:
    """Two S are nearer to what A was than one, and a B, above its target, would pay for the second."""
    held: dict[str, Lots] = {"A": [(10, 30, 700)], "B": [(4, 20, 700)]}
    limits = TaxLimits(**RATES, harvest_losses=True, substitutes=(("A", "S"),))
    request = request_of(held, {"A": 10.0, "B": 25.0, "S": 60.0}, {"A": 0.5, "B": 0.375}, limits, Modes())
    for thresholds, also in ((Thresholds(drift_band=0.3), {"S": 1.0}), (Thresholds(), {"B": -1.0, "S": 2.0})):
        found = reallocate(replace(request, thresholds=thresholds))
        assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": -10.0, **also}
        assert found.optimal


@pytest.mark.parametrize("harvests", [False, True])
def test_a_harvest_is_not_weighed_by_the_tracking_error(harvests: bool) -> None:
    """A of 200 cost 400. No trade is worth its cost by the rule; the loss is realised all the same."""
    steps = np.array([[0.01, -0.02], [-0.02, 0.01], [0.03, 0.02], [-0.01, 0.01]])
    panel = PricePanel.of(("A", "C"), range(20000, 20005), np.vstack([[1.0, 1.0], np.cumprod(1.0 + steps, axis=0)]))
    limits = TaxLimits(LotMethod.FIFO, 0.4, 0.2, harvest_losses=harvests, substitutes=(("A", "C"),) * harvests)
    lots = {"A": (TaxLot("1", Decimal(20), Decimal(20), TODAY - dt.timedelta(400)),)}
    found = reallocate(
        ReallocationRequest(
            Portfolio({"A": 20.0}, 200.0),
            Snapshot({"A": Quote(10.0), "C": Quote(10.0)}),
            {"A": 0.6},
            thresholds=Thresholds(cost_benefit=CostBenefitRule(1e-9, 1)),
            costs=LinearCost(10.0),
            taxes=tax_account({"A": 20.0}, lots, TODAY, TaxTerms(limits)),
            active_risk=ActiveRisk.of(panel),
        )
    )
    assert {trade.symbol for trade in found.plan.trades} == ({"A", "C"} if harvests else set())
    assert (found.cost_benefit is None) is harvests


@pytest.mark.parametrize(("cost", "sold"), [(20, {"C": -6.0}), (5, {"A": -10.0, "C": 4.0})])
def test_a_substitute_that_is_itself_sold_at_a_loss_is_not_bought(cost: int, sold: dict[str, float]) -> None:
    """The target sells 6 of 10 C: where that realises a loss, the loss of A waits; else C takes the place of A too."""
    held: dict[str, Lots] = {"A": [(10, 20, 700)], "C": [(10, cost, 700)]}
    limits = TaxLimits(**RATES, harvest_losses=True, substitutes=(("A", "C"),))
    request = request_of(held, {"A": 10.0, "C": 10.0}, {"A": 0.5, "C": 0.2}, limits, Modes())
    found = reallocate(request)
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == sold

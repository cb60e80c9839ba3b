"""Whole batches: random accounts that want the same scarce assets, carried out by the books of the test."""

import itertools
import random
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import pytest

from domain.costs.linear import LinearCost
from domain.errors import InvalidInput
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.batch_account import (
    Consent,
    SharedTerms,
    market_of,
    traded_first,
    wants_of,
    with_crosses,
    with_shares,
)
from domain.reallocation.batch_division import AccountState, divide_all, settle_all
from domain.reallocation.flow import reallocate
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.result import Reallocation
from domain.reallocation.shared_liquidity import SharingRule
from domain.reallocation.shortfall import ShortfallCode
from domain.reallocation.volume_shares import Market, Want
from tests.domain.reallocation.execution import fraction

ROUNDS = 3
Requests = dict[str, tuple[ReallocationRequest, Consent]]


def nothing() -> None:
    """A caller that never cancels."""


def planned(requests: Requests, terms: SharedTerms) -> dict[str, Reallocation]:
    """Plans accounts together, step by step as the service does."""
    first = {key: reallocate(request) for key, (request, _) in requests.items()}
    accounts: dict[str, AccountState] = {}
    for key, (request, consent) in requests.items():
        wants = wants_of(request, first[key], consent)
        markets = {s: market_of(request.market.quotes[s], request.horizon_days, terms) for s in wants}
        accounts[key] = AccountState(consent.may_cross, wants, markets, traded_first(first[key]))
    found = dict(first)
    accounts = divide_all(accounts, nothing)
    again = [key for key, account in accounts.items() if not account.fits]
    for number in range(ROUNDS + 1):
        for key in again:
            account = accounts[key]
            found[key] = reallocate(with_shares(requests[key][0], account.wants, account.shares))
            accounts[key] = replace(account, traded=traded_first(found[key]))
        accounts, smaller = settle_all(accounts, nothing, last=number == ROUNDS - 1)
        again = list(smaller)
        if not again:
            return {key: with_crosses(requests[key][0], found[key], a.crossed, nothing) for key, a in accounts.items()}
    raise AssertionError("crosses are not settled")


def batch(seed: int) -> tuple[Requests, SharedTerms]:
    rng = random.Random(seed)  # a test case
    names = "ABCD"[: rng.randint(2, 4)]
    quotes = {
        name: Quote(
            rng.choice([5.0, 10.0, 33.1]),
            rng.choice([None, 0.0, 40.0, 200.0, 1000.0]),
            rng.choice([None, 20.0]),
            lot_size=rng.choice([1.0, 1.0, 5.0]),
        )
        for name in names
    }
    days, settles = rng.choice([1, 1, 3]), rng.choice([0, 0, 1])
    requests: Requests = {}
    for i in range(rng.randint(2, 8)):
        held = {name: float(rng.randint(0, 40)) for name in names if rng.random() < 0.6}
        parts = [rng.random() if rng.random() < 0.7 else 0.0 for _ in names]
        target = {name: part / (sum(parts) or 1.0) for name, part in zip(names, parts, strict=True)}
        request = ReallocationRequest(
            Portfolio({name: units for name, units in held.items() if units}, rng.choice([10.0, 100.0, 500.0])),
            Snapshot(quotes),
            target,
            limits=Limits(
                max_participation=rng.choice([None, None, 0.1]),
                cash_floor=rng.choice([0.0, 5.0]),
                fractional=rng.random() < 0.15,
                max_turnover=rng.choice([None, None, 0.3]),
            ),
            costs=LinearCost(commission_bps=rng.choice([0.0, 10.0])),
            horizon_days=days,
            settlement_days=settles,
        )
        requests[f"k{i}"] = (request, Consent(rng.random() < 0.7, rng.randint(0, 2)))
    rule = rng.choice(list(SharingRule))
    return requests, SharedTerms(rng.choice([0.25, 0.5]), rule)


@pytest.mark.parametrize("seed", range(40))
def test_random_batches_keep_volume_cash_and_each_other(seed: int) -> None:
    requests, terms = batch(seed)
    found = planned(requests, terms)
    volume: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
    net_crossed: dict[str, Fraction] = defaultdict(Fraction)
    for key, (request, consent) in requests.items():
        book_account(request, found[key])
        for trade in found[key].plan.trades:
            units, crossed = fraction(trade.quantity), fraction(trade.crossed)
            volume[trade.symbol, trade.day] += abs(units - crossed)
            net_crossed[trade.symbol] += crossed
            if crossed:
                assert consent.may_cross
                assert trade.day == 1
                assert 0 < crossed / units <= 1
                assert crossed % fraction(request.market.quotes[trade.symbol].lot_size) == 0
    assert not any(net_crossed.values())
    quotes = next(iter(requests.values()))[0].market.quotes
    for (symbol, _), used in volume.items():
        daily = quotes[symbol].average_daily_volume
        assert daily is None or used <= fraction(daily) * fraction(terms.max_participation or 1.0)
    keys = list(requests)[::-1]
    backwards = planned({key: requests[key] for key in keys}, terms)
    assert {key: one.plan.trades for key, one in backwards.items()} == {k: one.plan.trades for k, one in found.items()}


def book_account(request: ReallocationRequest, found: Reallocation) -> None:
    """Carries out the plan: what is crossed pays the commission alone, and cash is what the plan says."""
    cash = fraction(request.portfolio.cash)
    for trade in found.plan.trades:
        price, units = fraction(trade.price), fraction(trade.quantity)
        spread = fraction(request.market.quotes[trade.symbol].spread_bps or 0.0) / 20_000
        commission = fraction(request.costs.commission_bps) / 10_000
        cost = abs(units) * price * commission + abs(units - fraction(trade.crossed)) * price * spread
        cash -= units * price + cost
        assert trade.cost == pytest.approx(float(cost), abs=1e-9)
        assert trade.cash_after == pytest.approx(float(cash), abs=1e-9)
        assert units < 0 or cash >= fraction(request.limits.cash_floor)
    assert found.summary.cash_after == pytest.approx(float(cash), abs=1e-9)
    costs = found.summary.costs
    assert costs.commission + costs.spread == pytest.approx(found.summary.cost, abs=1e-9)


def test_the_random_batches_have_what_is_tested() -> None:
    """Crosses, shortfalls for want of volume, and plans that are made again more than once."""
    crossed = short = 0
    for seed in range(40):
        for one in planned(*batch(seed)).values():
            crossed += any(trade.crossed for trade in one.plan.trades)
            causes = (cause.code for shortfall in one.plan.shortfalls for cause in shortfall.causes)
            short += ShortfallCode.LIQUIDITY in causes
    assert crossed > 20
    assert short > 20


def test_crosses_that_cannot_be_paid_for_are_given_up() -> None:
    """A chain: each pays by selling to the one before, and the first can sell to nobody; a ring has no first one."""
    names = "ABCDEFGHIJ"
    prices = {name: Quote(10.0, 0.0) for name in names}
    requests: Requests = {}
    for i, (sold, bought) in enumerate(itertools.pairwise(names)):
        request = ReallocationRequest(Portfolio({sold: 9.0}), Snapshot(prices), {bought: 1.0})
        requests[f"k{i}"] = (request, Consent(may_cross=True))
    found = planned(requests, SharedTerms(1.0))
    assert all(not one.plan.trades for one in found.values())
    ring = ReallocationRequest(Portfolio({"J": 9.0}), Snapshot(prices), {"A": 1.0})
    around = planned({**requests, "k9": (ring, Consent(may_cross=True))}, SharedTerms(1.0))
    assert all([t.crossed for t in one.plan.trades] == [-9.0, 9.0] for one in around.values())


def test_more_than_can_be_divided_is_refused_by_name() -> None:
    wants = {f"S{i}": Want(()) for i in range(101)}
    markets = dict.fromkeys(wants, Market(None, lot=market_of(Quote(1.0), 1, SharedTerms(None)).lot, days=100_000))
    with pytest.raises(InvalidInput) as caught:
        divide_all({"k": AccountState(wants=wants, markets=markets)}, nothing)
    assert caught.value.field == "shared.horizon_days"

"""Idle cash and drift of small accounts, beside allocations that others publish.

Greedy and linear-program allocation are those of PyPortfolioOpt, written from its description: "Post-processing
weights", https://pyportfolioopt.readthedocs.io/en/latest/Postprocessing.html
"""

import random
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.result import Reallocation
from tests.domain.reallocation.execution import carry_out

Allocation = Mapping[str, int]
Allocate = Callable[[Mapping[str, float], Mapping[str, float], float], Allocation]
"""Whole shares by prices, target weights and the money that may be spent."""


@cache
def small_accounts() -> tuple[ReallocationRequest, ...]:
    """100 accounts of 1 000 to 10 000 in cash, in whole shares, fully invested but for a floor of some of them."""
    draw, made = random.Random(20), []
    for _ in range(100):
        prices = {f"S{i}": round(draw.uniform(5.0, 400.0), 2) for i in range(draw.randint(2, 10))}
        parts = {symbol: draw.uniform(0.2, 1.0) for symbol in prices}
        cash = round(draw.uniform(1000.0, 10_000.0), 2)
        request = ReallocationRequest(
            Portfolio({}, cash),
            Snapshot({symbol: Quote(price) for symbol, price in prices.items()}),
            {symbol: part / sum(parts.values()) for symbol, part in parts.items()},
            limits=Limits(cash_floor=draw.choice([0.0, 0.0, round(0.03 * cash, 2)])),
        )
        made.append(request)
    return tuple(made)


@cache
def accounts() -> tuple[tuple[ReallocationRequest, Reallocation], ...]:
    """The small accounts with their plans."""
    return tuple((request, reallocate(request)) for request in small_accounts())


def test_little_cash_is_idle() -> None:
    idle = []
    for request, found in accounts():
        done = carry_out(request, found)
        idle.append(float(done.cash) - request.limits.cash_floor)
        idle[-1] /= request.portfolio.cash
    assert min(idle) >= 0.0
    assert np.mean(idle) < 0.05


def greedy(prices: Mapping[str, float], target: Mapping[str, float], money: float) -> Allocation:
    """Whole shares below each weight, the largest weight first; then one share after the other where weight lacks most.

    An asset that the money left does not pay for is passed over; there are ten such passes at most.
    """
    symbols = sorted(target, key=lambda s: -target[s])
    shares = {s: int(target[s] * money / prices[s]) for s in symbols}
    left, passed = money - sum(shares[s] * prices[s] for s in symbols), 0
    while left > 0.0 and passed < 10:
        spent = sum(shares[s] * prices[s] for s in symbols)
        lacking = {s: target[s] - (shares[s] * prices[s] / spent if spent else 0.0) for s in symbols}
        chosen = max(symbols, key=lacking.__getitem__)
        while prices[chosen] > left and passed < 10:
            lacking[chosen] = 0.0
            chosen = max(symbols, key=lacking.__getitem__)
            if lacking[chosen] <= 0.0:
                return shares
            passed += 1
        if prices[chosen] > left:
            break
        shares[chosen] += 1
        left -= prices[chosen]
    return shares


def by_linear_program(prices: Mapping[str, float], target: Mapping[str, float], money: float) -> Allocation:
    """Minimises the money left and the sum of absolute differences to the wished values, in whole shares."""
    price = np.array(list(prices.values()))
    wished = np.array([target[s] for s in prices]) * money
    count = len(price)
    # Columns: shares, differences, money left.
    eye, spent = np.eye(count), np.diag(price)
    column = np.zeros((count, 1))
    rows = np.vstack([np.hstack([spent, eye, column]), np.hstack([-spent, eye, column])])
    budget = np.concatenate([price, np.zeros(count), [1.0]])
    found = milp(
        np.concatenate([np.zeros(count), np.ones(count + 1)]),
        constraints=[
            LinearConstraint(rows, np.concatenate([wished, -wished]), np.inf),
            LinearConstraint(budget, money, money),
        ],
        integrality=np.concatenate([np.ones(count), np.zeros(count + 1)]),
        bounds=Bounds(0.0, np.inf),
    )
    return dict(zip(prices, np.rint(found.x[:count]).astype(int).tolist(), strict=True))


def nearest_then_repair(prices: Mapping[str, float], target: Mapping[str, float], money: float) -> Allocation:
    """The nearest number of shares; then those given up that raise the differences least for the cash they free."""
    wish = {s: target[s] * money / prices[s] for s in prices}
    shares = {s: round(wish[s]) for s in prices}
    while sum(shares[s] * prices[s] for s in prices) > money:
        held = [s for s in prices if shares[s]]
        shares[min(held, key=lambda s: abs(shares[s] - 1 - wish[s]) - abs(shares[s] - wish[s]))] -= 1
    return shares


ALLOCATIONS: tuple[Allocate, ...] = (greedy, by_linear_program, nearest_then_repair)


@pytest.mark.parametrize("allocate", ALLOCATIONS)
def test_no_allocation_of_others_is_nearer(allocate: Allocate) -> None:
    nearer = 0
    for request, found in accounts():
        prices = {s: quote.price for s, quote in request.market.quotes.items()}
        cash, floor = request.portfolio.cash, request.limits.cash_floor
        shares = allocate(prices, request.target, cash - floor)
        assert sum(shares[s] * prices[s] for s in prices) <= cash - floor + 1e-6, "the allocation costs too much"
        drift = 0.5 * sum(abs(shares[s] * prices[s] / cash - request.target[s]) for s in prices)
        assert found.summary.residual_drift <= drift + 1e-9
        nearer += found.summary.residual_drift < drift - 1e-9
    assert nearer > 0, "it was the same each time: nothing was compared"

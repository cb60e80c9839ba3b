"""A strategy traded day by day through Reallocate and RecordFills holds what the simulator says it does.

In fractions of a unit, and where the target is a whole number of units, both are the same to rounding. Else they
differ by definition: the simulator rounds positions towards zero, Reallocate chooses the best whole lots.
"""

import itertools
from datetime import date
from typing import Any

import numpy as np
import pytest

from tests.conftest import Wire
from tests.e2e.test_fills import created, fill, record
from tests.e2e.test_reallocation import REALLOCATE
from tests.e2e.test_simulation import days, first_strategy, fixed, holdings, result

Prices = dict[str, list[float]]
DATES = days(date(2024, 1, 8), 8)


def simulated(
    wire: Wire, prices: Prices, target: dict[str, float], cash: float, costs: dict[str, Any], *, fractional: bool
) -> list[tuple[dict[str, float], float]]:
    """Units and cash after the fills of each date from the second on, each by a backtest that ends on it."""
    found = []
    for last in range(1, len(next(iter(prices.values())))):
        answer = result(
            wire,
            DATES[: last + 1],
            {name: levels[: last + 1] for name, levels in prices.items()},
            strategy=fixed(**target),
            rebalancing={"everyPeriods": {"n": 1}},
            execution={"fill": "FILL_SAME_CLOSE"},
            initialCapital=cash,
            costs=costs,
            fractionalHoldings=fractional,
        )
        strategy = first_strategy(answer)
        found.append((holdings(strategy), strategy.get("finalCash", 0.0)))
    return found


def planned(
    wire: Wire, subject: dict[str, Any], prices: dict[str, float], target: dict[str, float], **more: Any
) -> dict[str, Any]:
    request = {
        **subject,
        "snapshot": {"assets": [{"symbol": name, "price": price} for name, price in prices.items()]},
        "targetWeights": {"weights": [{"symbol": name, "weight": weight} for name, weight in target.items()]},
        **more,
    }
    return wire.call(REALLOCATE, request)


def traded(
    wire: Wire, prices: Prices, target: dict[str, float], cash: float, costs: dict[str, Any], *, fractional: bool
) -> list[tuple[dict[str, float], float]]:
    """The same by plans of a stored portfolio, whose trades are filled as planned."""
    name, found = created(wire, cash=cash), []
    for t in range(len(next(iter(prices.values())))):
        today = {symbol: levels[t] for symbol, levels in prices.items()}
        limits = {"fractional": fractional}
        answer = planned(wire, {"portfolioName": name}, today, target, costs=costs, limits=limits)
        fills = [
            fill(
                f"{t}-{trade['step']}",
                trade["quantity"],
                trade["price"],
                DATES[t].isoformat(),
                trade["symbol"],
                fee=trade.get("cost", 0.0),
            )
            for trade in answer.get("plan", {}).get("trades", [])
        ]
        if fills:
            record(wire, answer["name"], *fills)
        portfolio = wire.call("PortfolioService/GetPortfolio", {"name": name})
        units = {one["symbol"]: one["quantity"] for one in portfolio.get("holdings", [])}
        found.append((units, portfolio.get("cash", 0.0)))
    return found


def test_whole_units_costs_and_cash_are_those_of_the_simulator(wire: Wire) -> None:
    # 400 400 buy 200 000 of each at 10 bps. At 16 for both, 2001 x 5 units too many of A pay for 1999 x 5 of B and the
    # costs of both: 5005 x 16 x 0.999 = 4995 x 16 x 1.001. Then only prices move, and both alike.
    prices = {"A": [10.0, 16.0, 20.0, 12.5], "B": [20.0, 16.0, 20.0, 12.5]}
    target, costs = {"A": 0.5, "B": 0.5}, {"commissionBps": 6, "halfSpreadBps": 4}
    by_hand = [({"A": 20_000.0, "B": 10_000.0}, 0.0), *[({"A": 14_995.0, "B": 14_995.0}, 0.0)] * 3]
    assert traded(wire, prices, target, 400_400.0, costs, fractional=False) == by_hand
    for found, expected in zip(
        simulated(wire, prices, target, 400_400.0, costs, fractional=False), by_hand[1:], strict=True
    ):
        assert found[0] == expected[0]
        assert found[1] == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_fractions_of_units_are_those_of_the_simulator(wire: Wire, seed: int) -> None:
    prices, target, cash, costs = account(seed)
    there = simulated(wire, prices, target, cash, costs, fractional=True)
    here = traded(wire, prices, target, cash, costs, fractional=True)[1:]
    for (units, left), (expected, rest) in zip(here, there, strict=True):
        assert units == pytest.approx(expected, rel=1e-9)
        assert left == pytest.approx(rest, abs=1e-9 * cash)


@pytest.mark.parametrize("seed", range(4))
def test_whole_lots_are_never_further_from_the_target_than_rounding_towards_zero(wire: Wire, seed: int) -> None:
    prices, target, cash, costs = account(seed)
    there = simulated(wire, prices, target, cash, costs, fractional=False)
    for t, ((before, money), (after, rest)) in enumerate(itertools.pairwise(there), start=2):
        today = {symbol: levels[t] for symbol, levels in prices.items()}
        portfolio = {"holdings": [{"symbol": s, "quantity": q} for s, q in before.items()], "cash": money}
        answer = planned(wire, {"portfolio": portfolio}, today, target, costs=costs, validateOnly=True)
        ours = answer["summary"].get("residualDrift", 0.0)
        worth = rest + sum(units * today[symbol] for symbol, units in after.items())
        drift = 0.5 * sum(abs(after.get(s, 0.0) * today[s] / worth - weight) for s, weight in target.items())
        assert ours <= drift * (1.0 + answer.get("plan", {}).get("gap", 0.0)) + 1e-12
        # The same law of costs: the trades of the plan pay what the simulator charges for their value.
        for trade in answer.get("plan", {}).get("trades", []):
            paid = 1e-4 * rate(costs, trade["symbol"]) * abs(trade["quantity"]) * trade["price"]
            assert trade.get("cost", 0.0) == pytest.approx(paid, rel=1e-12)


def account(seed: int) -> tuple[Prices, dict[str, float], float, dict[str, Any]]:
    """Prices, target, cash and costs at random; a part of the target is cash."""
    rng = np.random.default_rng(seed)
    names = "ABC"[: 2 + seed % 2]
    walks = 30.0 * np.exp(np.cumsum(rng.normal(0.0, 0.05, (6, len(names))), axis=0))
    weights = rng.dirichlet(np.ones(len(names))) * rng.choice([0.9, 1.0])
    costs = {"commissionBps": 10, "halfSpreadBps": 5, "byAsset": [{"symbol": "B", "costBps": 40}]}
    prices = {name: [round(float(price), 2) for price in walks[:, i]] for i, name in enumerate(names)}
    target = {name: float(weight) for name, weight in zip(names, weights, strict=True)}
    return prices, target, round(float(rng.uniform(5_000, 50_000)), 2), costs


def rate(costs: dict[str, Any], symbol: str) -> float:
    """Basis points of a trade."""
    own = {one["symbol"]: one["costBps"] for one in costs["byAsset"]}
    return float(own.get(symbol, costs["commissionBps"] + costs["halfSpreadBps"]))

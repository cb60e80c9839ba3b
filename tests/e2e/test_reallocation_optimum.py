"""Plans over the wire beside computations that know nothing of plans: all combinations of lots, taxes, wash sales."""

import datetime as dt
import random
from fractions import Fraction
from typing import Any

import pytest

from domain.reallocation.request import ReallocationRequest
from domain.taxes.lots import TaxLot
from tests.conftest import Wire
from tests.domain.reallocation.every_combination import least_objective
from tests.domain.reallocation.test_allocations import ALLOCATIONS, Allocation, small_accounts
from tests.domain.reallocation.test_every_combination import LIMITS, account
from tests.domain.reallocation.test_random_accounts import ACCOUNTS, optimum
from tests.domain.reallocation.test_random_accounts import account as account_of_shares
from tests.domain.taxes.unit_ledger import UnitLedger
from tests.e2e.test_reallocation import REALLOCATE
from tests.families import blocks

RATES = {"shortTermRate": 0.4, "longTermRate": 0.2}


def day(date: dt.date) -> dict[str, int]:
    return {"year": date.year, "month": date.month, "day": date.day}


def lot_message(lot: TaxLot) -> dict[str, Any]:
    return {
        "lotId": lot.lot_id,
        "quantity": float(lot.quantity),
        "unitCost": float(lot.unit_cost),
        "purchaseDate": day(lot.purchase_date),
    }


def message(request: ReallocationRequest) -> dict[str, Any]:
    """An account of the domain as a caller sends it; an aversion to costs only where there are some."""
    limits, modes, taxes = request.limits, request.modes, request.taxes
    sent: dict[str, Any] = {"cashFloor": limits.cash_floor, "minTradeValue": limits.min_trade_value}
    sent |= {} if limits.max_participation is None else {"maxParticipation": limits.max_participation}
    sent |= {} if limits.max_turnover is None else {"maxTurnover": limits.max_turnover}
    sent |= {} if limits.max_cost_bps is None else {"maxCostBps": limits.max_cost_bps}
    tax: dict[str, Any] = {"lotMethod": f"LOT_METHOD_{taxes.limits.method.name}"}
    tax |= {} if taxes.limits.gain_budget is None else {"gainBudget": taxes.limits.gain_budget}
    tax |= {} if taxes.limits.short_term_rate is None else RATES
    weighed = {"taxAversion": modes.tax_aversion} if modes.tax_aversion else {}
    weighed |= {"costAversion": modes.cost_aversion} if modes.cost_aversion and request.costs.commission_bps else {}
    return {
        "portfolio": {
            "holdings": [
                {"symbol": s, "quantity": units, "lots": [lot_message(lot) for lot in taxes.lots.get(s, ())]}
                for s, units in request.portfolio.quantities.items()
            ],
            "cash": request.portfolio.cash,
        },
        "snapshot": {
            "assets": [
                {"symbol": s, "price": quote.price, "lotSize": quote.lot_size, "halted": quote.halted}
                | ({} if quote.average_daily_volume is None else {"averageDailyVolume": quote.average_daily_volume})
                for s, quote in request.market.quotes.items()
            ]
        },
        "targetWeights": {"weights": [{"symbol": s, "weight": w} for s, w in request.target.items()]},
        "limits": sent | ({"tax": tax} if taxes.lots else {}),
        "costs": {"commissionBps": request.costs.commission_bps},
        "horizonDays": request.horizon_days,
        "settlementDays": request.settlement_days,
        "direction": f"DIRECTION_{modes.direction.value}",
        "noNewNames": modes.no_new_names,
        "retainCash": modes.retain_cash,
        "tradeOff": weighed,
        "validateOnly": True,
        **({"asOfDate": day(taxes.as_of_date)} if taxes.lots else {}),
    }


@pytest.mark.parametrize("has", LIMITS, ids=lambda has: " ".join(sorted(has)))
def test_no_combination_of_lots_is_better(wire: Wire, has: set[str]) -> None:
    compared = 0
    for seed in range(100, 106):
        request = account(seed, has)
        best, sent = least_objective(request), message(request)
        answer = wire.call(REALLOCATE, sent)
        if best is None:
            assert answer["failure"]["reason"] == "CASH_NOT_RAISED", seed
            continue
        compared += 1
        summary, weighed = answer["summary"], sent["tradeOff"]
        cost = weighed.get("costAversion", 0.0) * summary.get("cost", 0.0)
        tax = weighed.get("taxAversion", 0.0) * summary.get("tax", 0.0)
        found = summary.get("residualDrift", 0.0) + (cost + tax) / summary["navAfter"]
        assert found == pytest.approx(best, abs=1e-9), seed
        assert answer.get("plan", {"optimal": True})["optimal"], seed
    assert compared >= 3


QUICK = (2, 22, 52, 99, 104)
"""Seeds of random accounts whose reference computations take least time: they run always."""

SEEDS = (*QUICK, *(seed for seed in range(ACCOUNTS) if seed not in QUICK))


def nav_of(request: ReallocationRequest) -> float:
    quotes = request.market.quotes
    return request.portfolio.cash + sum(n * quotes[s].price for s, n in request.portfolio.quantities.items())


def is_allowed(request: ReallocationRequest, shares: Allocation) -> bool:
    """Whether each trade to some shares is as large as the least that the request allows."""
    held, quotes = request.portfolio.quantities, request.market.quotes
    values = [abs(n - held.get(s, 0.0)) * quotes[s].price for s, n in shares.items()]
    return all(not value or value >= request.limits.min_trade_value for value in values)


def drift_of(request: ReallocationRequest, shares: Allocation) -> float:
    """Residual drift of shares that are bought without costs."""
    nav, quotes = nav_of(request), request.market.quotes
    return 0.5 * sum(abs(shares.get(s, 0) * quotes[s].price / nav - w) for s, w in request.target.items())


def check_beside_allocations(request: ReallocationRequest, found: float) -> int:
    """That no allocation of others is nearer to the target; the number of those that the request allows."""
    prices = {s: quote.price for s, quote in request.market.quotes.items()}
    spendable = nav_of(request) - request.limits.cash_floor
    others = [allocate(prices, request.target, spendable) for allocate in ALLOCATIONS]
    allowed = [shares for shares in others if is_allowed(request, shares)]
    for shares in allowed:
        assert found <= drift_of(request, shares) + 1e-9
    return len(allowed)


@pytest.mark.parametrize("place", blocks(len(QUICK), 20, ACCOUNTS))
def test_accounts_of_2_to_10_assets_are_within_a_hundredth_of_the_optimum(wire: Wire, place: int) -> None:
    """And no further from the target than allocations by other rules, of all money, where these are allowed."""
    request = account_of_shares(SEEDS[place])
    best, answer = optimum(request), wire.call(REALLOCATE, message(request))
    found = answer["summary"].get("residualDrift", 0.0)
    assert best.bound - 1e-8 <= found <= 1.01 * best.found + 1e-6
    assert check_beside_allocations(request, found) or request.limits.min_trade_value


def test_little_cash_of_small_accounts_is_idle(wire: Wire) -> None:
    """Beyond the floor, of 1 000 to 10 000 in cash."""
    idle = []
    for request in small_accounts():
        summary = wire.call(REALLOCATE, message(request))["summary"]
        idle.append((summary.get("cashAfter", 0.0) - request.limits.cash_floor) / request.portfolio.cash)
    assert min(idle) >= 0.0
    assert sum(idle) / len(idle) < 0.05


TODAY = dt.date(2024, 6, 3)
METHODS = ("FIFO", "LIFO", "HIFO", "SPECIFIED", "TAX_OPTIMAL")


def test_no_method_has_less_tax_than_the_least_tax(wire: Wire) -> None:
    """Sales of the same units by every method, from random lots."""
    different = 0
    for seed in range(12):
        draw = random.Random(seed)
        lots = [
            {
                "lotId": str(i),
                "quantity": draw.randint(1, 30),
                "unitCost": draw.randint(1, 30),
                "purchaseDate": day(TODAY - dt.timedelta(draw.randint(31, 800))),
            }
            for i in range(draw.randint(2, 6))
        ]
        held = {"symbol": "A", "quantity": sum(lot["quantity"] for lot in lots), "lots": lots}
        tax = {method: _tax(wire, held, 8 + seed, method) for method in METHODS}
        assert tax["TAX_OPTIMAL"] == min(tax.values()), seed
        different += tax["TAX_OPTIMAL"] < min(tax["FIFO"], tax["LIFO"])
    assert different


def _tax(wire: Wire, held: dict[str, Any], price: int, method: str) -> float:
    request = {
        "portfolio": {"holdings": [held]},
        "snapshot": {"assets": [{"symbol": "A", "price": price}]},
        "targetWeights": {"weights": [{"symbol": "A", "weight": 0.6}]},
        "limits": {"tax": {"lotMethod": f"LOT_METHOD_{method}", **RATES}},
        "asOfDate": day(TODAY),
        "validateOnly": True,
    }
    return float(wire.call(REALLOCATE, request)["summary"].get("tax", 0.0))


SYMBOLS = ("A", "B", "C")


class History:
    """An account that carries out its plans, and ledgers of single units, of A and B as one and of C."""

    def __init__(self) -> None:
        self.cash, self.purchases = 300.0, 0
        self.lots: dict[str, dict[str, dict[str, Any]]] = {symbol: {} for symbol in SYMBOLS}
        self.trades: list[dict[str, Any]] = []
        common = UnitLedger()
        self.ledgers = {"A": common, "B": common, "C": UnitLedger()}

    @property
    def portfolio(self) -> dict[str, Any]:
        """As it is sent."""
        holdings = [
            {"symbol": s, "quantity": sum(lot["quantity"] for lot in own.values()), "lots": list(own.values())}
            for s, own in self.lots.items()
            if own
        ]
        return {"holdings": holdings, "cash": self.cash}

    def carry_out(self, trade: dict[str, Any], today: dt.date) -> None:
        symbol, units, ledger = trade["symbol"], int(trade["quantity"]), self.ledgers[trade["symbol"]]
        self.cash = trade.get("cashAfter", 0.0)
        if units > 0:
            self.purchases += 1
            bought = {"quantity": units, "unitCost": trade["price"], "purchaseDate": day(today)}
            self.lots[symbol][str(self.purchases)] = {"lotId": str(self.purchases), **bought}
            self.trades.append({"symbol": symbol, "quantity": units, "price": trade["price"], "date": day(today)})
            ledger.buy(self.purchases, units, int(trade["price"]), today)
            return
        chosen = []
        for sold in trade["lots"]:
            # A part of a lot that has replaced a loss of the same plan is "7~1".
            own, name = int(sold["quantity"]), sold["lotId"].partition("~")[0]
            chosen += [u for u in ledger.held if u.purchase == int(name) and not any(u is one for one in chosen)][:own]
            kept = self.lots[symbol].pop(name)
            if kept["quantity"] > own:
                self.lots[symbol][name] = {**kept, "quantity": kept["quantity"] - own}
            past = {"symbol": symbol, "quantity": -own, "price": trade["price"], "date": day(today)}
            self.trades.append({**past, "realizedGain": sold.get("gain", 0.0)})
        # The units that the plan names are put in front, where the ledger takes them.
        ledger.held = chosen + [unit for unit in ledger.held if not any(unit is one for one in chosen)]
        ledger.sell(-units, int(trade["price"]), today)


@pytest.mark.parametrize("forbidden", [True, False])
def test_no_history_of_plans_has_a_wash_sale_where_they_are_forbidden(wire: Wire, forbidden: bool) -> None:
    """The ledger was written from the regulation; where they are allowed it finds some."""
    washed, losses = Fraction(0), 0
    for seed in range(10):
        draw, history, today = random.Random(seed), History(), TODAY
        for _ in range(6):
            today += dt.timedelta(draw.randint(0, 25))
            request = {
                "portfolio": history.portfolio,
                "snapshot": {"assets": [{"symbol": s, "price": draw.randint(1, 12)} for s in SYMBOLS]},
                "targetWeights": {"weights": [{"symbol": s, "weight": draw.randint(0, 3) / 10} for s in SYMBOLS]},
                "limits": {
                    "tax": {
                        "lotMethod": f"LOT_METHOD_{draw.choice(METHODS)}",
                        "forbidWashSales": forbidden,
                        "identicalGroups": [{"symbols": ["A", "B"]}],
                        **RATES,
                    }
                },
                "recentTrades": history.trades,
                "asOfDate": day(today),
                "validateOnly": True,
            }
            for trade in wire.call(REALLOCATE, request).get("plan", {}).get("trades", []):
                history.carry_out(trade, today)
                losses += sum(sold.get("gain", 0.0) < 0.0 for sold in trade.get("lots", []))
        washed += sum(ledger.disallowed for ledger in {id(one): one for one in history.ledgers.values()}.values())
    assert losses > 5
    assert (washed == 0) is forbidden

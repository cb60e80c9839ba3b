"""Tax lots of plans: wash sales that are forbidden, the gain budget, and the least tax, against other computations."""

import datetime as dt
import itertools
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exact import exact_arithmetic
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.flow import reallocate
from domain.reallocation.gain_curve import GainCurve
from domain.reallocation.request import Limits, ReallocationRequest
from domain.reallocation.result import Reallocation
from domain.reallocation.tax_report import trade_date
from domain.reallocation.tax_terms import RecentTrade, TaxAccount, TaxLimits, TaxTerms, tax_account
from domain.taxes.lot_selection import LotMethod
from domain.taxes.lots import TaxLot
from tests.domain.reallocation.execution import carry_out
from tests.domain.taxes.unit_ledger import UnitLedger
from tests.families import generated

TODAY = dt.date(2024, 6, 3)
SYMBOLS = ("A", "B", "C")
IDENTICAL = (("A", "B"),)


@dataclass
class Account:
    """An account that carries out its plans, and a ledger of single units for each group of identical assets."""

    cash: float
    lots: dict[str, list[TaxLot]] = field(default_factory=lambda: {symbol: [] for symbol in SYMBOLS})
    trades: list[RecentTrade] = field(default_factory=list)
    ledgers: dict[str, UnitLedger] = field(default_factory=lambda: {"A": UnitLedger(), "C": UnitLedger()})
    purchases: int = 0

    @property
    def quantities(self) -> dict[str, float]:
        return {symbol: float(sum(lot.quantity for lot in lots)) for symbol, lots in self.lots.items() if lots}

    def carry_out(self, found: Reallocation, as_of: dt.date) -> None:
        for trade in found.plan.trades:
            self.cash = trade.cash_after
            on = trade_date(as_of, trade.day)
            ledger = self.ledgers["C" if trade.symbol == "C" else "A"]
            if trade.quantity > 0.0:
                self.purchases += 1
                name = f"p{self.purchases}"
                self.lots[trade.symbol].append(TaxLot(name, Decimal(trade.quantity), Decimal(trade.price), on))
                self.trades.append(RecentTrade(trade.symbol, trade.quantity, on))
                ledger.buy(self.purchases, int(trade.quantity), int(trade.price), on)
                continue
            sold = found.taxes.sold[trade.step]
            assert sum(gain.quantity for gain in sold) == -Decimal(trade.quantity)
            first = {int(gain.lot_id[1:]): int(gain.quantity) for gain in sold}
            # The units that the plan names are put in front, where the ledger takes them.
            chosen = [u for n, units in first.items() for u in [u for u in ledger.held if u.purchase == n][:units]]
            ledger.held = chosen + [unit for unit in ledger.held if not any(unit is one for one in chosen)]
            ledger.sell(int(-trade.quantity), int(trade.price), on)
            for gain in sold:
                self.trades.append(RecentTrade(trade.symbol, -float(gain.quantity), on, float(gain.gain)))
                lots = self.lots[trade.symbol]
                place = next(i for i, lot in enumerate(lots) if lot.lot_id == gain.lot_id)
                rest = lots[place].quantity - gain.quantity
                lots[place : place + 1] = [replace(lots[place], quantity=rest)] if rest else []


plans = st.lists(
    st.tuples(
        st.integers(0, 25),  # days since the last plan
        st.tuples(*[st.integers(1, 12)] * 3),  # prices
        st.tuples(*[st.integers(0, 3)] * 3),  # parts of the target
        st.sampled_from(LotMethod),
        st.sampled_from([None, 0.0, 20.0]),  # gain budget
        st.sampled_from([1, 1, 3]),  # days
    ),
    min_size=2,
    max_size=7,
)


@given(plans)
@generated(150)
def test_no_history_of_plans_has_a_wash_sale_where_they_are_forbidden(
    history: list[tuple[int, tuple[int, ...], tuple[int, ...], LotMethod, float | None, int]],
) -> None:
    """The ledger of single units knows nothing of plans; A and B count as one."""
    account, today = Account(cash=300.0), TODAY
    for days, prices, parts, method, budget, horizon in history:
        today += dt.timedelta(days)
        limits = TaxLimits(method, 0.4, 0.2, gain_budget=budget, forbid_wash_sales=True, identical_groups=IDENTICAL)
        terms = TaxTerms(limits, tuple(account.trades))
        lots = {symbol: tuple(lots) for symbol, lots in account.lots.items()}
        quantities = account.quantities
        request = ReallocationRequest(
            Portfolio(quantities, account.cash),
            Snapshot({s: Quote(float(p), average_daily_volume=40.0) for s, p in zip(SYMBOLS, prices, strict=True)}),
            {s: part / 10.0 for s, part in zip(SYMBOLS, parts, strict=True)},
            limits=Limits(max_participation=None if horizon == 1 else 0.25),
            horizon_days=horizon,
            taxes=tax_account(quantities, lots, today, terms),
        )
        found = reallocate(request)
        carry_out(request, found)
        account.carry_out(found, today)
        today = trade_date(today, horizon)
        gains = [gain for sold in found.taxes.sold.values() for gain in sold]
        assert budget is None or sum(gain.gain for gain in gains) <= budget
        assert found.taxes.summary is None or found.taxes.summary.disallowed_loss == 0.0
    assert [ledger.disallowed for ledger in account.ledgers.values()] == [Fraction(0)] * 2


old_lots = st.lists(
    st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(31, 800)), min_size=1, max_size=5
)  # units, unit cost, days held


def request_of(
    held: dict[str, list[tuple[int, int, int]]], prices: dict[str, float], target: dict[str, float], limits: TaxLimits
) -> ReallocationRequest:
    lots = {
        symbol: tuple(
            TaxLot(str(i), Decimal(n), Decimal(cost), TODAY - dt.timedelta(days))
            for i, (n, cost, days) in enumerate(own)
        )
        for symbol, own in held.items()
    }
    quantities = {symbol: float(sum(n for n, _, _ in own)) for symbol, own in held.items()}
    return ReallocationRequest(
        Portfolio(quantities, 0.0),
        Snapshot({symbol: Quote(price) for symbol, price in prices.items()}),
        target,
        taxes=tax_account(quantities, lots, TODAY, TaxTerms(limits)),
    )


@given(old_lots, old_lots, st.integers(1, 30), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
@generated(100)
def test_no_method_has_less_tax_than_the_least_tax(
    first: list[tuple[int, int, int]],
    second: list[tuple[int, int, int]],
    price: int,
    short: float,
    long: float,
    weight: float,
) -> None:
    held = {"A": first, "B": second}
    taxes = {}
    for method in LotMethod:
        request = request_of(
            held, {"A": price, "B": 7.0, "C": 1.0}, {"A": weight / 2, "C": 0.4}, TaxLimits(method, short, long)
        )
        summary = reallocate(request).taxes.summary
        assert summary is not None
        assert summary.tax is not None
        taxes[method] = summary.tax
    assert taxes[LotMethod.TAX_OPTIMAL] <= min(taxes.values())


def gain_of(lots: list[tuple[int, int, int]], price: int, units: int) -> int:
    """First in, first out."""
    gain = 0
    for n, cost, _ in sorted(lots, key=lambda lot: -lot[2]):
        gain += min(n, units) * (price - cost)
        units -= min(n, units)
    return gain


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 30), st.integers(31, 800)), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 30), st.integers(31, 800)), min_size=1, max_size=3),
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from([0, 5, 17, 60]),
    st.sampled_from([(0.0, 0.0), (0.1, 0.3), (0.4, 0.0), (0.25, 0.25)]),
)
@generated(150)
def test_no_combination_within_the_gain_budget_is_nearer_to_the_target(
    first: list[tuple[int, int, int]],
    second: list[tuple[int, int, int]],
    price: int,
    other: int,
    budget: int,
    weights: tuple[float, float],
) -> None:
    """Against every combination of units sold of A and B, where more is held than wanted, and of C bought."""
    prices, weight = {"A": float(price), "B": float(other), "C": 5.0}, dict(zip("AB", weights, strict=True))
    target = {**weight, "C": 1.0 - sum(weights)}
    request = request_of({"A": first, "B": second}, prices, target, TaxLimits(gain_budget=float(budget)))
    found = reallocate(request)
    done = carry_out(request, found)
    units = [sum(n for n, _, _ in first), sum(n for n, _, _ in second)]
    nav = units[0] * price + units[1] * other
    best = 2.0
    above = [n * prices[s] > target[s] * nav for s, n in zip("AB", units, strict=True)]
    for a, b in itertools.product(*(range(n + 1 if sells else 1) for n, sells in zip(units, above, strict=True))):
        if gain_of(first, price, a) + gain_of(second, other, b) <= budget:
            bought = (a * price + b * other) // 5
            for c in {max(min(bought, round(target["C"] * nav / 5.0)), 0), bought}:
                values = {"A": (units[0] - a) * price, "B": (units[1] - b) * other, "C": 5 * c}
                best = min(best, sum(abs(values[s] / nav - target[s]) for s in target) / 2.0)
    gain = sum(gain.gain for sold in found.taxes.sold.values() for gain in sold)
    assert gain <= budget
    assert float(done.drift(request)) <= best + 1e-9
    assert found.plan.least_drift <= best + 1e-9


def test_an_exit_leaves_a_gain_where_that_makes_room_in_the_budget() -> None:
    """All of B is a loss of 3 in sum, 8 of its 9 units one of 6: then A may realise a gain of 22 instead of 10."""
    held = {"A": [(5, 19, 735), (4, 7, 774), (2, 14, 113)], "B": [(3, 2, 552), (3, 2, 177), (3, 12, 385)]}
    limits = TaxLimits(LotMethod.HIFO, gain_budget=17.0)
    found = reallocate(request_of(held, {"A": 19.0, "B": 5.0, "C": 5.0}, {"C": 1.0}, limits))
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": -8.0, "B": -8.0, "C": 38.0}
    assert sum(gain.gain for sold in found.taxes.sold.values() for gain in sold) == 16
    assert found.optimal


def test_the_gain_of_a_sale_by_its_size() -> None:
    curve = GainCurve((Decimal(10), Decimal(5)), (Decimal(2), Decimal(-3)))
    with exact_arithmetic():
        assert [curve.gain(Decimal(n)) for n in (0, 4, 10, 12, 99)] == [0, 8, 20, 14, 5]
        assert [curve.largest(Decimal(n)) for n in (0, 4, 12)] == [0, 8, 20]
    assert not curve.convex
    assert curve.total == 15


@pytest.mark.parametrize(("day", "date"), [(1, "2024-06-07"), (2, "2024-06-10"), (7, "2024-06-17")])
def test_the_days_of_a_plan_are_weekdays(day: int, date: str) -> None:
    assert trade_date(dt.date(2024, 6, 7), day) == dt.date.fromisoformat(date)
    assert trade_date(dt.date.max, day + 1) == dt.date.max


def test_the_largest_lot_takes_the_rounding_of_a_sum() -> None:
    lots = (TaxLot("a", Decimal("0.1"), Decimal(1), TODAY), TaxLot("b", Decimal("0.2"), Decimal(1), TODAY))
    account = tax_account({"A": 0.1 + 0.2}, {"A": lots}, TODAY, TaxTerms())
    assert [str(lot.quantity) for lot in account.lots["A"]] == ["0.1", "0.20000000000000004"]


def test_an_account_without_lots_and_trades_is_not_known() -> None:
    assert not TaxAccount().known
    assert (
        reallocate(ReallocationRequest(Portfolio({}, 10.0), Snapshot({"A": Quote(1.0)}), {"A": 1.0})).taxes.sold == {}
    )


def test_a_search_that_runs_out_of_time_keeps_what_it_has_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.reallocation.plan.SECONDS", 0.0)
    held = {"A": [(100, 10, 400)], "B": [(100, 30, 400)]}
    limits = TaxLimits(gain_budget=40.0)
    request = request_of(held, {"A": 20.0, "B": 20.0, "C": 7.0}, {"A": 0.1, "B": 0.5, "C": 0.4}, limits)
    found = reallocate(request)
    carry_out(request, found)
    assert 0 < sum(gain.gain for sold in found.taxes.sold.values() for gain in sold) <= 40
    # The first prices may prove it at once; then more time finds nothing better.
    monkeypatch.undo()
    longer = reallocate(request)
    assert longer.summary.residual_drift <= found.summary.residual_drift
    assert not found.optimal or longer.summary.residual_drift == pytest.approx(found.summary.residual_drift, rel=1e-12)


def test_identical_assets_that_are_both_sold_are_no_purchases_of_one_another() -> None:
    """Both have old lots with losses, and wash sales are forbidden: only a purchase would make one."""
    limits = TaxLimits(LotMethod.FIFO, 0.4, 0.2, forbid_wash_sales=True, identical_groups=IDENTICAL)
    lots = {symbol: (TaxLot("1", Decimal(10), Decimal(20), TODAY - dt.timedelta(400)),) for symbol in ("A", "B")}
    quantities = {"A": 10.0, "B": 10.0}
    request = ReallocationRequest(
        Portfolio(quantities, 0.0),
        Snapshot({symbol: Quote(10.0) for symbol in SYMBOLS}),
        {"A": 0.2, "B": 0.2, "C": 0.6},
        taxes=tax_account(quantities, lots, TODAY, TaxTerms(limits)),
    )
    found = reallocate(request)
    assert {trade.symbol: trade.quantity for trade in found.plan.trades} == {"A": -6.0, "B": -6.0, "C": 12.0}

"""Portfolios of a batch that share the volume of their assets, and trade with each other."""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import grpc
import pytest
from absfinance.v1.reallocation_pb2 import PlannedTrade, Reallocation, ShortfallCode
from absfinance.v1.reallocation_service_pb2 import ReallocateBatchRequest
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceStub
from google.protobuf.json_format import MessageToDict, ParseDict

from tests.conftest import Wire, refusal_of
from tests.e2e.test_reallocate_batch import account, batch, reason

PRICE = 50


def market(volume: float | None = None, lot: float = 1, spread: float = 10) -> dict[str, Any]:
    asset: dict[str, Any] = {"symbol": "A", "price": PRICE, "lotSize": lot, "spreadBps": spread}
    return {"assets": [asset if volume is None else {**asset, "averageDailyVolume": volume}]}


ALL_A = {"weights": [{"symbol": "A", "weight": 1}]}
NOTHING = {"weights": [{"symbol": "A", "weight": 0}]}


def shared(volume: float | None, participation: float | None = 1.0, **more: Any) -> dict[str, Any]:
    limits = {} if participation is None else {"limits": {"maxParticipation": participation}}
    found = {"snapshot": market(volume, more.pop("lot", 1), more.pop("spread", 0)), "targetWeights": ALL_A, **limits}
    return {"shared": {**found, **more}}


def buyer(key: str, units: float, **more: Any) -> dict[str, Any]:
    return account(key, PRICE * units, **more)


def seller(key: str, units: float, **more: Any) -> dict[str, Any]:
    held = {"holdings": [{"symbol": "A", "quantity": units}]}
    return {"account": {"key": key, "portfolio": held, "targetWeights": NOTHING, **more}}


def quantity(result: Reallocation) -> float:
    return sum(trade.quantity for trade in result.plan.trades)


def trade_of(result: Reallocation) -> PlannedTrade:
    (trade,) = result.plan.trades
    return trade


@pytest.mark.parametrize(
    ("rule", "volume", "lot", "expected"),
    [
        ("PRO_RATA", 10_000, 100, [6700, 2500, 800]),
        ("PRO_RATA", 10_000, 0.01, [6666.67, 2500, 833.33]),
        ("PRO_RATA", 6000, 1, [4000, 1500, 500]),
        ("MAX_MIN", 10_000, 1, [6000, 3000, 1000]),
        ("MAX_MIN", 6000, 1, [2500, 2500, 1000]),
        ("PRIORITY", 6000, 100, [2700, 3000, 300]),
        ("UNSPECIFIED", 10_000, 100, [6700, 2500, 800]),
    ],
)
def test_published_divisions_of_volume(
    channel: grpc.Channel, rule: str, volume: float, lot: float, expected: list[float]
) -> None:
    """8000, 3000 and 1000 units are wanted; the numbers are those of `docs/reallocation.md`, worked out by hand."""
    accounts = [buyer("a", 8000, priority=2), buyer("b", 3000, priority=1), buyer("c", 1000, priority=2)]
    rules = {"liquidityAllocation": f"LIQUIDITY_ALLOCATION_{rule}"}
    found = batch(channel, shared(2 * volume, 0.5, lot=lot, **rules), *accounts)
    assert [quantity(found[key].result) for key in "abc"] == expected
    for key, wanted, got in zip("abc", (8000, 3000, 1000), expected, strict=True):
        shortfalls = [
            (one.requested, one.planned, [(reason.code, reason.limit) for reason in one.reasons])
            for one in found[key].result.shortfalls
        ]
        code = ShortfallCode.SHORTFALL_CODE_LIQUIDITY
        assert shortfalls == ([] if got == wanted else [(wanted, got, [(code, got)])])


def test_enough_volume_leaves_every_portfolio_as_it_is_alone(channel: grpc.Channel, wire: Wire) -> None:
    accounts = [buyer(f"k{i}", 10 + i) for i in range(3)]
    found = batch(channel, shared(1000, 0.1), *accounts)
    for one in accounts:
        fields = {name: value for name, value in one["account"].items() if name != "key"}
        request = {**shared(1000, 0.1)["shared"], **fields, "validateOnly": True}
        assert MessageToDict(found[one["account"]["key"]].result) == wire.call(
            "ReallocationService/Reallocate", request
        )


def test_what_a_day_leaves_is_traded_on_the_next(channel: grpc.Channel) -> None:
    accounts = [buyer(f"k{i}", 1) for i in range(6)]
    found = batch(channel, shared(2, horizonDays=2), *accounts)
    days = [[(t.day, t.quantity) for t in found[f"k{i}"].result.plan.trades] for i in range(6)]
    assert days == [[(1, 1)], [(1, 1)], [(2, 1)], [(2, 1)], [], []]
    assert found["k5"].result.failure.reason == "NOTHING_TRADABLE"
    assert [r.limit for s in found["k5"].result.shortfalls for r in s.reasons] == [0]


def test_an_account_keeps_its_own_limit_too(channel: grpc.Channel) -> None:
    own = {"limits": {"maxParticipation": 0.1}}
    found = batch(channel, shared(100, 0.5, horizonDays=3), buyer("a", 1000, **own), buyer("b", 1000))
    by_day = {key: [(t.day, t.quantity) for t in found[key].result.plan.trades] for key in "ab"}
    # 30 and 1000 are wanted: at most 10 a day, and 50 of both together; 10/1010 of 50 is less than half a lot.
    assert sum(q for _, q in by_day["a"]) <= 30
    assert max(q for _, q in by_day["a"]) <= 10
    for day in (1, 2, 3):
        assert sum(q for some in by_day.values() for d, q in some if d == day) == 50


def test_a_cross_saves_half_of_the_spread_on_each_side(channel: grpc.Channel) -> None:
    """A buys 500 and B sells 300 at 50 with a spread of 10 bps: 300 are crossed, 7.50 saved by each."""
    accounts = [account("A", 25_025), seller("B", 300)]
    terms = {"snapshot": market(spread=10), "targetWeights": ALL_A}
    apart = batch(channel, {"shared": terms}, *accounts)
    found = batch(channel, {"shared": {**terms, "allowCrossing": True}}, *accounts)
    assert [(trade_of(found[key].result).quantity, trade_of(found[key].result).crossed_quantity) for key in "AB"] == [
        (500, 300),
        (-300, -300),
    ]
    for key in "AB":
        before, after = apart[key].result, found[key].result
        assert before.summary.cost - after.summary.cost == pytest.approx(7.5, abs=1e-9)
        assert after.summary.cash_after - before.summary.cash_after == pytest.approx(7.5, abs=1e-9)
        assert trade_of(after).cash_after == after.summary.cash_after
        assert trade_of(after).cost == after.summary.cost == after.summary.costs.spread
        assert not trade_of(before).HasField("crossed_quantity")


def test_a_cross_pays_commission_and_no_impact(channel: grpc.Channel) -> None:
    costs = {"commissionBps": 20, "impact": {"squareRoot": {"coefficient": 0.5}}}
    snapshot = market(1000, spread=10)
    snapshot["assets"][0]["volatilityAnnual"] = 0.3
    terms = {"snapshot": snapshot, "targetWeights": ALL_A, "costs": costs, "allowCrossing": True}
    found = batch(channel, {"shared": terms}, seller("S", 300), account("B", 16_000))
    assert trade_of(found["S"].result).crossed_quantity == -300
    summary = found["S"].result.summary
    assert (summary.cost, summary.costs.commission) == (30, 30)
    assert (summary.costs.spread, summary.costs.impact) == (0, 0)
    rest = trade_of(found["B"].result)
    assert rest.crossed_quantity == 300
    assert 0 < rest.quantity - 300 < 20
    # What is left to the market has the impact of an account that trades only that.
    held = {"holdings": [{"symbol": "A", "quantity": 300}], "cash": 920}
    alone = batch(channel, {"shared": terms}, account("R", portfolio=held))["R"].result
    assert trade_of(alone).quantity == rest.quantity - 300
    assert found["B"].result.summary.costs.impact == pytest.approx(alone.summary.costs.impact, rel=1e-12)
    assert alone.summary.costs.impact > 0


@pytest.mark.parametrize(("first", "second", "crossed"), [(True, False, 0), (False, True, 0), (True, True, 300)])
def test_both_must_allow_a_cross(channel: grpc.Channel, first: bool, second: bool, crossed: float) -> None:
    accounts = [buyer("A", 500, allowCrossing=first), seller("B", 300, allowCrossing=second)]
    found = batch(channel, shared(400), *accounts)
    trades = [trade_of(found[key].result) for key in "AB"]
    assert [trade.crossed_quantity for trade in trades] == [crossed, -crossed]
    in_market = [abs(trade.quantity - trade.crossed_quantity) for trade in trades]
    assert in_market == ([200, 0] if crossed else [250, 150])


def test_crosses_balance_where_a_buyer_lacks_the_cash_that_sales_would_bring(channel: grpc.Channel) -> None:
    """B would pay for A by selling Z, which no volume lets it sell: so much less is crossed on both sides."""
    assets = [
        {"symbol": "A", "price": 10, "averageDailyVolume": 0},
        {"symbol": "Z", "price": 10, "averageDailyVolume": 30},
    ]
    terms = {"snapshot": {"assets": assets}, "limits": {"maxParticipation": 1}, "allowCrossing": True}
    holds = {"holdings": [{"symbol": "Z", "quantity": 100}]}
    buys = {"account": {"key": "B", "portfolio": holds, "targetWeights": ALL_A}}
    sells = seller("S", 100)
    found = batch(channel, {"shared": {**terms, "targetWeights": ALL_A}}, buys, sells)
    by_symbol = {t.symbol: (t.quantity, t.crossed_quantity) for t in found["B"].result.plan.trades}
    assert by_symbol == {"Z": (-30, 0), "A": (30, 30)}
    assert [(t.quantity, t.crossed_quantity) for t in found["S"].result.plan.trades] == [(-30, -30)]
    assert found["B"].result.plan.trades[-1].cash_after == 0


def fifty() -> list[dict[str, Any]]:
    """Buyers and sellers of two assets, one of which is scarce, and one account that is wrong."""
    found = []
    for i in range(49):
        held = {"holdings": [{"symbol": "A", "quantity": 7 * i % 40}, {"symbol": "B", "quantity": 5 * i % 30}]}
        cash = {"cash": 100.0 * (i % 6)} if i else {"cash": 500}
        target = [{"symbol": "A", "weight": (i % 5) / 5}, {"symbol": "B", "weight": 1 - (i % 5) / 5}]
        one = {"key": f"k{i:02}", "portfolio": {**held, **cash}, "targetWeights": {"weights": target}}
        found.append({"account": {**one, "priority": i % 3, "allowCrossing": i % 4 != 0}})
    return [*found[:20], account("bad", targetWeights={"weights": [{"symbol": "A", "weight": 2}]}), *found[20:]]


FIFTY = {
    "snapshot": {
        "assets": [
            {"symbol": "A", "price": 10, "averageDailyVolume": 200, "spreadBps": 20},
            {"symbol": "B", "price": 20, "averageDailyVolume": 1000, "spreadBps": 20},
        ]
    },
    "limits": {"maxParticipation": 0.25, "cashFloor": 5},
    "costs": {"commissionBps": 5},
    "horizonDays": 2,
}


@pytest.mark.parametrize(
    "rule", ["PRO_RATA", *(pytest.param(rule, marks=pytest.mark.exhaustive) for rule in ("MAX_MIN", "PRIORITY"))]
)
def test_fifty_portfolios_of_which_one_is_wrong(channel: grpc.Channel, rule: str) -> None:
    terms = {"shared": {**FIFTY, "liquidityAllocation": f"LIQUIDITY_ALLOCATION_{rule}"}}
    found = batch(channel, terms, *fifty())
    assert len(found) == 50
    assert reason(found["bad"]) == "INVALID_INPUT"
    volume: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
    crossed: dict[tuple[str, int], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for key, one in found.items():
        for trade in one.result.plan.trades:
            units, own = Fraction(trade.quantity), Fraction(trade.crossed_quantity)
            volume[trade.symbol, trade.day] += abs(units - own)
            crossed[trade.symbol, trade.day][own < 0] += abs(own)
            assert trade.cash_after >= 5
            assert own == 0 or (abs(own) <= abs(units) and own * units > 0 and int(key[1:]) % 4 != 0)
    assert all(used <= {"A": 50, "B": 250}[symbol] for (symbol, _), used in volume.items())
    assert volume["A", 1] == 50, "what is scarce is used up"
    assert all(bought == sold for bought, sold in crossed.values())
    assert crossed["A", 1][0] > 0
    backwards = batch(channel, terms, *reversed(fifty()))
    assert {key: one.result for key, one in backwards.items()} == {key: one.result for key, one in found.items()}


def test_nothing_is_answered_before_the_half_close(channel: grpc.Channel) -> None:
    closed = []

    def sent() -> Iterator[ReallocateBatchRequest]:
        for part in (shared(600), *(buyer(f"k{i}", 5) for i in range(120))):
            yield ParseDict(part, ReallocateBatchRequest())
        closed.append(True)

    answers = ReallocationServiceStub(channel).ReallocateBatch(sent(), timeout=60)
    first = next(answers)
    assert closed == [True]
    assert first.key == "k0"
    assert len(list(answers)) == 119


def test_a_stream_without_accounts_has_no_answers(channel: grpc.Channel) -> None:
    assert batch(channel, shared(400)) == {}


def test_a_caller_that_cancels_leaves_the_server_as_it_was(channel: grpc.Channel, wire: Wire) -> None:
    def sent() -> Iterator[ReallocateBatchRequest]:
        for part in (shared(400), *(buyer(f"k{i}", 5) for i in range(60))):
            yield ParseDict(part, ReallocateBatchRequest())
        answers.cancel()

    answers = ReallocationServiceStub(channel).ReallocateBatch(sent(), timeout=60)
    with pytest.raises(grpc.RpcError) as raised:
        list(answers)
    assert raised.value.code() is grpc.StatusCode.CANCELLED
    assert quantity(batch(channel, shared(400), buyer("a", 5))["a"].result) == 5


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([shared(1, None, liquidityAllocation="LIQUIDITY_ALLOCATION_MAX_MIN")], "shared.liquidity_allocation"),
        ([{"shared": {**shared(1)["shared"], "liquidityAllocation": 9}}], "shared.liquidity_allocation"),
    ],
)
def test_terms_that_do_not_fit_are_refused_by_name(
    channel: grpc.Channel, parts: list[dict[str, Any]], field: str
) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        batch(channel, *parts, buyer("a", 5))
    assert refusal_of(raised.value).fields == (field,)


def test_what_is_wrong_with_one_account_is_its_outcome(channel: grpc.Channel) -> None:
    alone = batch(channel, shared(400, None), buyer("a", 5, allowCrossing=True), buyer("b", 5))
    assert reason(alone["a"]) == "INVALID_INPUT"
    assert "account.allow_crossing" in alone["a"].error.message
    assert quantity(alone["b"].result) == 5
    parts = [ParseDict(part, ReallocateBatchRequest()) for part in (shared(400), buyer("a", 5), buyer("a", 6))]
    first, second = ReallocationServiceStub(channel).ReallocateBatch(iter(parts), timeout=60)
    assert quantity(first.result) == 5
    assert (second.key, reason(second)) == ("a", "INVALID_INPUT")
    assert "account.key" in second.error.message

"""Over the wire: tax beside the distance to the target, and losses that are harvested."""

from typing import Any

import pytest

from tests.conftest import Wire
from tests.e2e.test_reallocation_taxes import RATES, REALLOCATE, ask, causes, day, holding, lot, sold, traded

LOSING = holding("A", lot(60, 50, "2022-01-03", "dear"), lot(40, 30, "2021-01-04", "cheap"))
"""60 units bought at 50 and 40 at 30, long-term; at a price of 40 the first are a loss of 600."""

PRICES = {"A": 40.0, "B": 20.0}
PAIR = [{"symbol": "A", "by": "B"}]


def harvest(target: dict[str, float], *holdings: dict[str, Any], tax: dict[str, Any] | None = None, **more: Any) -> Any:
    limits = {"lotMethod": "LOT_METHOD_HIFO", **RATES, "harvestLosses": True, "substitutes": PAIR, **(tax or {})}
    return ask(list(holdings) or [LOSING], target, {**PRICES, **more.pop("prices", {})}, limits, **more)


def until(answer: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {
        one["symbol"]: (one["date"]["year"], one["date"]["month"], one["date"]["day"])
        for one in answer.get("restrictedUntil", [])
    }


def test_an_aversion_to_tax_keeps_what_is_dear_to_sell(wire: Wire) -> None:
    """Ten units of each at 10, A bought at 2 and B at 10, all to be halved: a unit of A is 1.6 of tax, and 5 of drift.

    At an aversion of 3 that is 4.8 and it is sold; at 3.2 it is 5.12 and it is kept.
    """
    holdings = [holding("A", lot(10, 2, "2020-01-02")), holding("B", lot(10, 10, "2020-01-02"))]
    target, prices = {"A": 0.25, "B": 0.25}, {"A": 10.0, "B": 10.0}
    dear = wire.call(REALLOCATE, ask(holdings, target, prices, RATES, tradeOff={"taxAversion": 3.2}))
    assert traded(dear) == {"B": -5.0}
    assert causes(dear) == {"A": [("TAX", 0.0)]}
    assert dear["plan"]["optimal"]
    assert dear["summary"].get("tax", 0.0) == 0.0
    cheap = wire.call(REALLOCATE, ask(holdings, target, prices, RATES, tradeOff={"taxAversion": 3.0}))
    assert traded(cheap) == {"A": -5.0, "B": -5.0}
    assert cheap["summary"]["tax"] == 8.0
    assert wire.call(REALLOCATE, ask(holdings, target, prices, RATES, tradeOff={"taxAversion": 0.0})) == wire.call(
        REALLOCATE, ask(holdings, target, prices, RATES)
    )


def test_where_tax_outweighs_everything_nothing_is_traded(wire: Wire) -> None:
    gaining = holding("A", lot(10, 2, "2020-01-02"))
    answer = wire.call(REALLOCATE, ask([gaining], {"A": 0.5}, {"A": 10.0}, RATES, tradeOff={"taxAversion": 4.0}))
    assert answer["unchanged"]["reason"] == (
        "no trade brings the portfolio nearer to its target by as much as its tax weighs"
    )


def test_a_loss_is_a_benefit_in_the_objective(wire: Wire) -> None:
    """Of ten units at 10, bought at 30, five are to be sold: each more brings 4 x 2 of benefit and costs 5 of drift."""
    losing = holding("A", lot(10, 30, "2020-01-02"))
    request = ask([losing], {"A": 0.25}, {"A": 10.0}, RATES, cash=100.0, tradeOff={"taxAversion": 2.0})
    answer = wire.call(REALLOCATE, request)
    assert traded(answer) == {"A": -10.0}
    assert answer["summary"]["tax"] == -40.0
    assert answer["plan"]["optimal"]
    assert answer["plan"]["gap"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"tax": {}, "tradeOff": {"taxAversion": 1.0}}, "trade_off.tax_aversion"),
        ({"tax": RATES, "tradeOff": {"taxAversion": -1.0}}, "trade_off.tax_aversion"),
        ({"tax": RATES, "tradeOff": {"taxAversion": 1e9}}, "trade_off.tax_aversion"),
        ({"tax": None, "tradeOff": {"taxAversion": 1.0}}, "trade_off.tax_aversion"),
        ({"tax": {"harvestLosses": True}}, "limits.tax.short_term_rate"),
        ({"tax": {**RATES, "substitutes": [{"symbol": "A", "by": "A"}]}}, "limits.tax.substitutes[0].by"),
        (
            {"tax": {**RATES, "substitutes": PAIR, "identicalGroups": [{"symbols": ["A", "B"]}]}},
            "limits.tax.substitutes[0].by",
        ),
        ({"tax": {**RATES, "substitutes": [*PAIR, {"symbol": "A", "by": "X"}]}}, "limits.tax.substitutes[1].by"),
        ({"tax": {**RATES, "substitutes": [{"symbol": "", "by": "B"}]}}, "limits.tax.substitutes[0].symbol"),
    ],
)
def test_what_is_refused(wire: Wire, more: dict[str, Any], field: str) -> None:
    request = ask([LOSING], {"A": 0.5}, PRICES, more.pop("tax"), **more)
    assert wire.refused(REALLOCATE, request).fields == (field,)


def test_a_loss_is_realised_and_the_substitute_is_bought(wire: Wire) -> None:
    """The account is at its target. The loss of 600 is worth 20 % of it, and 2400 of A become 2400 of B."""
    answer = wire.call(REALLOCATE, harvest({"A": 1.0}))
    assert traded(answer) == {"A": -60.0, "B": 120.0}
    assert sold(answer) == {"dear": 60}
    sale, purchase = answer["plan"]["trades"]
    assert sale["harvestedQuantity"] == 60.0
    assert purchase["substituteFor"] == ["A"]
    summary = answer["summary"]
    assert summary["tax"] == -120.0
    assert summary["taxSummary"]["harvestBenefit"] == 120.0
    assert summary["taxSummary"].get("disallowedLoss", 0.0) == 0.0
    assert summary.get("residualDrift", 0.0) == pytest.approx(0.0, abs=1e-12)
    assert until(answer) == {"A": (2024, 7, 3)}


@pytest.mark.parametrize(("bps", "units"), [(240.0, 60.0), (260.0, 0.0)])
def test_a_loss_is_realised_where_the_benefit_exceeds_the_cost(wire: Wire, bps: float, units: float) -> None:
    """A unit is a benefit of 2; the sale and the purchase of its value of 40 cost 40 x 2 x 2.4 % = 1.92, or 2.08."""
    request = harvest({"A": 0.9}, cash=4000 / 9, costs={"commissionBps": bps})
    answer = wire.call(REALLOCATE, request)
    assert sum(trade.get("harvestedQuantity", 0.0) for trade in answer.get("plan", {}).get("trades", [])) == units


def test_what_the_target_needs_sold_is_no_harvest(wire: Wire) -> None:
    """Half of A is to go into C: 50 units with the highest cost. The last ten of the lot are sold for B as well."""
    answer = wire.call(REALLOCATE, harvest({"A": 0.5, "C": 0.5}, prices={"C": 10.0}))
    assert traded(answer) == {"A": -60.0, "B": 20.0, "C": 200.0}
    (sale,) = [trade for trade in answer["plan"]["trades"] if trade["symbol"] == "A"]
    assert sale["harvestedQuantity"] == 10.0
    assert answer["summary"]["taxSummary"]["harvestBenefit"] == 20.0
    assert answer["summary"]["tax"] == -120.0


def test_what_the_target_wants_more_of_is_bought_of_the_substitute(wire: Wire) -> None:
    """A is at half and wanted at 0.75: its loss is realised, and B takes its place for both."""
    answer = wire.call(REALLOCATE, harvest({"A": 0.75}, cash=4000.0))
    assert traded(answer) == {"A": -60.0, "B": 220.0}
    assert answer["summary"].get("residualDrift", 0.0) == pytest.approx(0.0, abs=1e-12)


def test_a_harvest_within_the_thresholds_trades_nothing_else(wire: Wire) -> None:
    """C is off by 2 %, which the band allows, and stays."""
    holdings = [LOSING, holding("C", lot(200, 10, "2020-01-02"))]
    target = {"A": 4000 / 6000, "C": 2000 / 6000 - 0.02}
    answer = wire.call(REALLOCATE, harvest(target, *holdings, prices={"C": 10.0}, thresholds={"driftBand": 0.05}))
    assert traded(answer) == {"A": -60.0, "B": 120.0}
    assert not answer["utilization"].get("exceeded", False)


@pytest.mark.parametrize(
    "more",
    [
        {"otherPurchases": [{"symbol": "A", "quantity": 1, "date": day("2024-05-04")}]},
        {"otherPurchases": [{"symbol": "A2", "quantity": 1, "date": day("2024-06-03"), "retirementAccount": True}]},
        # B was sold at a loss: it is not bought.
        {"recentTrades": [{"symbol": "B", "quantity": -5, "price": 20, "date": day("2024-05-04")}]},
        {"direction": "DIRECTION_SELL_ONLY"},
        {"direction": "DIRECTION_BUY_ONLY"},
        {"noNewNames": True},
        {"retainCash": True},
        {"settlementDays": 1},
        {"limits": {"maxTurnover": 0.0001}},
    ],
)
def test_what_prevents_a_harvest(wire: Wire, more: dict[str, Any]) -> None:
    request = harvest({"A": 1.0}, tax={"identicalGroups": [{"symbols": ["A", "A2"]}]})
    limits = {**request["limits"], **more.pop("limits", {})}
    answer = wire.call(REALLOCATE, {**request, **more, "limits": limits})
    assert traded(answer) == {}
    assert "unchanged" in answer


def test_lots_whose_loss_is_at_risk_are_not_harvested(wire: Wire) -> None:
    """The two purchases of May replace one another; what is older than 30 days is at risk through them as well."""
    lots = holding("A", lot(60, 50, "2022-01-03"), lot(10, 50, "2024-05-10"), lot(10, 50, "2024-05-20"))
    assert traded(wire.call(REALLOCATE, harvest({"A": 1.0}, lots))) == {}
    later = harvest({"A": 1.0}, lots, asOfDate=day("2024-06-20"))
    assert traded(wire.call(REALLOCATE, later)) == {"A": -80.0, "B": 160.0}


def test_after_a_harvest_the_substitute_stays_until_the_asset_may_be_bought(wire: Wire) -> None:
    """60 of A were sold at a loss on 3 June: on 3 July 1200 of new money buys B; on the day after, A is bought back."""
    rest = holding("A", lot(40, 30, "2021-01-04"))
    held = holding("B", lot(120, 20, "2024-06-03"))
    trades = [{"symbol": "A", "quantity": -60, "price": 40, "realizedGain": -600, "date": day("2024-06-03")}]
    last = harvest({"A": 1.0}, rest, held, recentTrades=trades, asOfDate=day("2024-07-03"), cash=1200.0)
    answer = wire.call(REALLOCATE, last)
    assert traded(answer) == {"B": 60.0}
    assert answer["plan"]["trades"][0]["substituteFor"] == ["A"]
    none = {**last, "portfolio": {**last["portfolio"], "cash": 0.0}}
    assert "unchanged" in wire.call(REALLOCATE, none)
    over = wire.call(REALLOCATE, {**last, "asOfDate": day("2024-07-04")})
    assert traded(over) == {"A": 90.0, "B": -120.0}


def test_the_first_substitute_that_can_be_bought_is_taken(wire: Wire) -> None:
    pairs = [{"symbol": "A", "by": "B"}, {"symbol": "A", "by": "C"}]
    request = harvest({"A": 1.0}, tax={"substitutes": pairs}, prices={"C": 10.0})
    request["snapshot"]["assets"][1]["halted"] = True
    assert traded(wire.call(REALLOCATE, request)) == {"A": -60.0, "C": 240.0}


def test_two_assets_are_not_harvested_into_one_another(wire: Wire) -> None:
    """Both have a loss; the larger one is realised, and the other asset is bought, so its loss would be washed."""
    other = holding("B", lot(100, 22, "2022-01-03"))
    pairs = [{"symbol": "A", "by": "B"}, {"symbol": "B", "by": "A"}]
    target = {"A": 4000 / 6000, "B": 2000 / 6000}
    answer = wire.call(REALLOCATE, harvest(target, LOSING, other, tax={"substitutes": pairs}))
    assert traded(answer) == {"A": -60.0, "B": 120.0}


def test_volume_limits_a_harvest(wire: Wire) -> None:
    """Of B no more than 50 units are bought, 1000 in money: 25 units of A."""
    request = harvest({"A": 1.0})
    request["snapshot"]["assets"][1]["averageDailyVolume"] = 500.0
    request["limits"]["maxParticipation"] = 0.1
    assert traded(wire.call(REALLOCATE, request)) == {"A": -25.0, "B": 50.0}


def test_without_a_substitute_the_objective_decides(wire: Wire) -> None:
    """A unit brings 2 of tax and takes away 20 of half the distance: an aversion of 10 is the edge."""
    for aversion, units in ((9.0, {}), (11.0, {"A": -60.0})):
        request = harvest({"A": 1.0}, tax={"substitutes": []}, tradeOff={"taxAversion": aversion})
        answer = wire.call(REALLOCATE, request)
        assert traded(answer) == units
    assert answer["plan"]["trades"][0]["harvestedQuantity"] == 60.0
    assert answer["summary"]["taxSummary"]["harvestBenefit"] == 120.0
    idle = wire.call(REALLOCATE, harvest({"A": 1.0}, tax={"substitutes": []}))
    assert [warning["code"] for warning in idle["warnings"]] == ["NO_SUBSTITUTE"]
    assert idle["warnings"][0]["field"] == "limits.tax.harvest_losses"


def test_a_purchase_that_the_target_wants_comes_before_a_harvest(wire: Wire) -> None:
    """A is at its target, and an identical asset is to be bought: the loss of A would be washed, so it is kept."""
    request = harvest({"A": 0.5, "A2": 0.5}, prices={"A2": 10.0}, cash=4000.0)
    request["limits"]["tax"]["identicalGroups"] = [{"symbols": ["A", "A2"]}]
    assert traded(wire.call(REALLOCATE, request)) == {"A2": 400.0}


def test_lots_are_harvested_to_the_unit_in_large_accounts_with_costs(wire: Wire) -> None:
    """60 000 units are a loss. Costs take 1 % of the net asset value, and the weight of A that stays is of the rest.

    A unit more would be one with a gain, and 20 % of it in tax.
    """
    holdings = [
        holding("A", lot(60_000, 50, "2022-01-03", "dear"), lot(40_000, 30, "2021-01-04", "cheap")),
        holding("C", lot(400_000, 10, "2020-01-02")),
    ]
    request = harvest({"A": 0.5, "C": 0.3, "E": 0.2}, *holdings, prices={"C": 10.0, "E": 10.0})
    answer = wire.call(REALLOCATE, request | {"costs": {"commissionBps": 100}})
    assert sold(answer) == {"dear": 60_000}
    assert answer["plan"]["gap"] == pytest.approx(0.0, abs=1e-5)


def test_a_cash_below_zero_is_raised_and_nothing_is_harvested(wire: Wire) -> None:
    """100 is missing: A is sold from 4000 to the 3900 that are left, in whole units at 40."""
    answer = wire.call(REALLOCATE, harvest({"A": 1.0}, cash=-100.0))
    assert traded(answer) == {"A": -3.0}
    assert "harvestedQuantity" not in answer["plan"]["trades"][0]


def test_an_asset_that_was_bought_elsewhere_replaces_and_is_not_harvested(wire: Wire) -> None:
    """B was bought in another account three days ago: a loss of it would be disallowed, but A can still become B."""
    others = [{"symbol": "B", "quantity": 3, "date": day("2024-05-31")}]
    held = [LOSING, holding("B", lot(100, 30, "2022-01-03"))]
    target = {"A": 4000 / 6000, "B": 2000 / 6000}
    pairs = [*PAIR, {"symbol": "B", "by": "A"}]
    answer = wire.call(REALLOCATE, harvest(target, *held, tax={"substitutes": pairs}, otherPurchases=others))
    assert traded(answer) == {"A": -60.0, "B": 120.0}

"""Settlement, schedules and market impact of a reallocation, over the wire."""

import math
from typing import Any

import pytest
from scipy.stats import norm

from tests.conftest import Wire
from tests.e2e.test_reallocation import REALLOCATE, ask, asset, trades_of

YEAR = 252.0


def steps(answer: dict[str, Any]) -> list[tuple[int, str, float, float]]:
    return [(t["day"], t["symbol"], t["quantity"], t.get("cashAfter", 0.0)) for t in trades_of(answer)]


@pytest.mark.parametrize(
    ("settlement", "days", "expected"),
    [
        (0, 1, [(1, "S", -50.0, 6000.0), (1, "B", 40.0, 2000.0)]),
        (1, 1, [(1, "S", -50.0, 6000.0), (1, "B", 5.0, 5500.0)]),
        (1, 2, [(1, "S", -50.0, 6000.0), (1, "B", 5.0, 5500.0), (2, "B", 35.0, 2000.0)]),
        (2, 2, [(1, "S", -50.0, 6000.0), (1, "B", 5.0, 5500.0)]),
        (2, 5, [(1, "S", -50.0, 6000.0), (1, "B", 5.0, 5500.0), (3, "B", 35.0, 2000.0)]),
    ],
)
def test_purchases_wait_for_the_proceeds_of_sales(
    wire: Wire, settlement: int, days: int, expected: list[tuple[int, str, float, float]]
) -> None:
    # Cash 1000, floor 500; net asset value 6000, of which two thirds are to be in B.
    request = ask({"S": 50}, 1000.0, {"S": 0.0, "B": 2.0 / 3.0}, [asset("S", 100.0), asset("B", 100.0)])
    request |= {"limits": {"cashFloor": 500.0}, "settlementDays": settlement, "horizonDays": days}
    answer = wire.call(REALLOCATE, request)
    assert steps(answer) == expected
    missing = 40.0 - sum(t["quantity"] for t in trades_of(answer) if t["symbol"] == "B")
    if missing:
        (short,) = answer["shortfalls"]
        assert short["symbol"] == "B"
        assert short["requested"] - short["planned"] == pytest.approx(missing)
        assert {"code": "SHORTFALL_CODE_CASH", "limit": 500.0} in short["reasons"]
    assert answer["plan"]["optimal"]


def test_lots_are_chosen_for_the_cash_that_settles(wire: Wire) -> None:
    # A can be sold by 10 a day; with T+1 in 3 days the proceeds of 20 can be used, 2000 in all.
    assets = [asset("A", 100.0, averageDailyVolume=10.0), asset("B", 100.0), asset("C", 90.0)]
    request = ask({"A": 30}, 0.0, {"A": 0.0, "B": 0.5, "C": 0.5}, assets)
    request |= {"limits": {"maxParticipation": 1.0}, "settlementDays": 1, "horizonDays": 3}
    answer = wire.call(REALLOCATE, request)
    bought = {s: sum(t["quantity"] for t in trades_of(answer) if t["symbol"] == s) for s in "ABC"}
    # Of b units of B and c of C with 100 b + 90 c <= 2000, 15 and 16 wanted, none comes nearer.
    left = min(
        abs(1500 - 100 * b) + abs(1500 - 90 * c) for b in range(31) for c in range(34) if 100 * b + 90 * c <= 2000
    )
    assert bought["A"] == -30.0
    assert abs(1500 - 100 * bought["B"]) + abs(1500 - 90 * bought["C"]) == left
    assert answer["plan"]["optimal"]


def test_settlement_takes_at_most_30_days(wire: Wire) -> None:
    refusal = wire.refused(REALLOCATE, ask({"A": 1}, 0.0, {"A": 1.0}, [asset("A", 1.0)], settlementDays=31))
    assert refusal.fields == ("settlement_days",)


# Almgren and Chriss 2000, section 4: eta = 2.5e-6, gamma = 2.5e-7, epsilon = 0.0625, sigma = 0.95, lambda = 1e-6, five
# days; the figures of one asset are those of the paper, of two assets from the block-tridiagonal linear system.
PUBLISHED = {"riskAversion": 1e-6, "periods": 5, "temporary": 2.5e-6, "permanent": 2.5e-7, "fixed": 0.0625}
FIFTY = [asset("A", 50.0), asset("B", 50.0)]
MILLION = 1_000_000.0


def scheduled(
    wire: Wire, held: dict[str, float], target: dict[str, float], rho: float | None = None, **more: Any
) -> dict[str, Any]:
    terms = PUBLISHED | {"volatilities": [0.95, 0.95]} | more
    if rho is not None:
        terms["correlation"] = [1.0, rho, rho, 1.0]
    request = ask(held, 0.0, target, FIFTY, horizonDays=5, schedule={"almgrenChriss": terms}, validateOnly=True)
    return dict(wire.call(REALLOCATE, request)["plan"])


def remaining(plan: dict[str, Any]) -> dict[str, list[float]]:
    return {entry["symbol"]: entry["remaining"] for entry in plan["schedule"]}


@pytest.mark.parametrize(
    ("held", "target", "rho", "after", "cost", "deviation"),
    [
        ({"A": MILLION}, {"A": 0.0}, None, [541_956, 289_854, 147_897, 62_142, 0], 911_227, 603_431),
        ({"A": MILLION, "B": MILLION}, {"A": 0.0}, 0.0, [541_956, 289_854, 147_897, 62_142, 0], 1_822_454, 853_380),
        ({"A": MILLION, "B": MILLION}, {"A": 0.0}, 0.8, [446_463, 198_308, 85_795, 31_965, 0], 2_201_672, 895_894),
        ({"A": MILLION}, {"B": 1.0}, 0.8, [721_627, 498_097, 312_423, 150_493, 0], 1_376_307, 566_538),
    ],
)
def test_the_published_schedules(
    wire: Wire,
    held: dict[str, float],
    target: dict[str, float],
    rho: float | None,
    after: list[int],
    cost: int,
    deviation: int,
) -> None:
    plan = scheduled(wire, held, target, rho)
    # What is bought has no sign either.
    assert remaining(plan) == dict.fromkeys(sorted({*held, *(s for s, w in target.items() if w)}), after)
    assert plan["expectedCost"] == pytest.approx(cost, abs=3.0)
    assert plan["costStandardDeviation"] == pytest.approx(deviation, abs=3.0)
    # The trades are the whole plan, as without a schedule.
    assert {t["symbol"]: t["quantity"] for t in plan["trades"]} == {
        **dict.fromkeys(held, -MILLION),
        **{s: MILLION for s, w in target.items() if w},
    }


def test_a_hedge_is_opened_only_where_it_is_asked_for(wire: Wire) -> None:
    plain = scheduled(wire, {"A": MILLION}, {"A": 0.0}, 0.8)
    assert list(remaining(plain)) == ["A"]
    hedged = scheduled(wire, {"A": MILLION}, {"A": 0.0}, 0.8, hedge=True)
    short = remaining(hedged)["B"]
    # A is sold, and B is sold short meanwhile; at the end nothing is left of it.
    assert (short[0], short[-1]) == (-137_582.0, 0.0)
    assert all(left < 0.0 for left in short[:-1])
    assert hedged["costStandardDeviation"] < plain["costStandardDeviation"]


def test_volume_limits_every_period_of_the_horizon(wire: Wire) -> None:
    assets = [asset("A", 50.0, averageDailyVolume=1000.0, lotSize=10.0)]
    request = ask({"A": 400}, 0.0, {"A": 0.0}, assets, horizonDays=2, limits={"maxParticipation": 0.2})
    request["schedule"] = {"almgrenChriss": PUBLISHED | {"periods": 4, "volatilities": [50.0]}}
    # 200 a day are 100 in each half of a day.
    assert remaining(wire.call(REALLOCATE, request)["plan"]) == {"A": [300.0, 200.0, 100.0, 0.0]}


def test_volatilities_of_the_snapshot_are_for_a_period_of_the_horizon(wire: Wire) -> None:
    terms = {key: figure for key, figure in PUBLISHED.items() if key != "volatilities"}
    annual = 0.95 / 50.0 * math.sqrt(YEAR)

    def after(days: int, volatility: float) -> list[float]:
        request = ask({"A": MILLION}, 0.0, {"A": 0.0}, [asset("A", 50.0, volatilityAnnual=volatility)])
        request |= {"horizonDays": days, "schedule": {"almgrenChriss": terms}}
        return list(remaining(wire.call(REALLOCATE, request)["plan"])["A"])

    assert after(5, annual) == [541_956, 289_854, 147_897, 62_142, 0]
    assert after(20, annual / 2.0) == [541_956, 289_854, 147_897, 62_142, 0]


def test_a_schedule_that_buys_before_it_has_sold_says_so(wire: Wire) -> None:
    terms = PUBLISHED | {"volatilities": [0.0, 5.0], "periods": 2}
    request = ask({"A": 1000}, 0.0, {"B": 1.0}, FIFTY, horizonDays=2, schedule={"almgrenChriss": terms})
    answer = wire.call(REALLOCATE, request)
    found = {w["code"]: w for w in answer["warnings"]}
    after = remaining(answer["plan"])
    # What is bought in the first period less what is sold in it, at 50 each.
    missing = 50.0 * (after["A"][0] - after["B"][0])
    assert missing > 0.0
    assert (
        f"after period 1 the purchases of the schedule have taken {missing:g} more"
        in (found["SCHEDULE_NEEDS_CASH"]["message"])
    )


def test_a_schedule_that_sells_first_waits_for_settlement(wire: Wire) -> None:
    terms = PUBLISHED | {"volatilities": [0.95, 0.95], "periods": 2}
    request = ask({"A": 1000}, 0.0, {"B": 1.0}, FIFTY, horizonDays=2, schedule={"almgrenChriss": terms})
    codes = [w["code"] for w in wire.call(REALLOCATE, request).get("warnings", [])]
    assert "SCHEDULE_NEEDS_CASH" not in codes
    request |= {"settlementDays": 1, "portfolio": {"holdings": [{"symbol": "A", "quantity": 1000}], "cash": 100.0}}
    codes = [w["code"] for w in wire.call(REALLOCATE, request).get("warnings", [])]
    assert "SCHEDULE_NEEDS_CASH" in codes


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"temporary": 1e-7}, "schedule.almgren_chriss.temporary"),
        ({"volatilities": [0.95]}, "schedule.almgren_chriss.volatilities"),
        ({"volatilities": []}, "schedule.almgren_chriss.volatilities"),
        ({"volatilities": [0.95, -1.0]}, "schedule.almgren_chriss.volatilities[1]"),
        ({"correlation": [1.0, 0.5, 0.5]}, "schedule.almgren_chriss.correlation"),
        ({"correlation": [1.0, 2.0, 2.0, 1.0]}, "schedule.almgren_chriss.correlation"),
        ({"periods": 0}, "schedule.almgren_chriss.periods"),
    ],
)
def test_terms_of_a_schedule_that_do_not_fit_are_named(wire: Wire, change: dict[str, Any], field: str) -> None:
    terms = PUBLISHED | {"volatilities": [0.95, 0.95]} | change
    request = ask({"A": 1000, "B": 5}, 0.0, {"A": 0.0}, FIFTY, schedule={"almgrenChriss": terms})
    refusal = wire.refused(REALLOCATE, request)
    assert refusal.code == "INVALID_ARGUMENT"
    assert [given.split("[")[0] for given in refusal.fields] == [field.split("[")[0]]


@pytest.mark.parametrize(
    ("volume", "shares", "sigma", "permanent", "costs"),
    [
        (6_561_000.0, 1_728_000_000.0, 0.0157, 20, {0.1: 32, 0.2: 25, 0.5: 18}),  # IBM
        (1_929_000.0, 168_000_000.0, 0.0226, 22, {0.1: 43, 0.2: 32, 0.5: 23}),  # DRI
    ],
)
def test_the_published_impact_of_2005(
    wire: Wire, volume: float, shares: float, sigma: float, permanent: int, costs: dict[float, int]
) -> None:
    # Almgren, Thum, Hauptmann and Li 2005, table 3: a tenth of a day's volume in T days.
    price, units = 40.0, 0.1 * volume
    value = units * price
    stock = asset("X", price, averageDailyVolume=volume, volatilityAnnual=sigma * math.sqrt(YEAR))
    for days, cost in costs.items():
        law = {"executionDays": days, "sharesOutstanding": [{"symbol": "X", "quantity": shares}]}
        request = ask({"X": units}, 0.0, {"X": 0.0}, [stock], costs={"impact": {"almgren": law}})
        answer = wire.call(REALLOCATE, request)
        found = answer["impact"]
        (one,) = found["assets"]
        assert round(one["permanentBps"]) == permanent
        assert round(found["expectedCost"] / value * 1e4) == cost
        assert one["temporaryBps"] + one["permanentBps"] / 2.0 == pytest.approx(found["expectedCost"] / value * 1e4)
        # A holding that falls evenly to 0 in T days: sigma^2 X^2 T / 3.
        assert found["costVolatility"] == pytest.approx(value * sigma * math.sqrt(days / 3.0))
        for entry in found["quantiles"]:
            expected = norm.ppf(entry["probability"], found["expectedCost"], found["costVolatility"])
            assert entry["cost"] == pytest.approx(expected)
        assert [entry["probability"] for entry in found["quantiles"]] == [0.05, 0.25, 0.5, 0.75, 0.95]
        assert answer["summary"]["costs"]["impact"] == pytest.approx(found["expectedCost"])
        assert answer["summary"]["cost"] == pytest.approx(found["expectedCost"])
        assert answer["summary"]["navAfter"] == pytest.approx(value - found["expectedCost"])


def impact_request(**more: Any) -> dict[str, Any]:
    assets = [
        asset("A", 100.0, averageDailyVolume=20_000.0, volatilityAnnual=0.32, spreadBps=10.0),
        asset("B", 50.0, averageDailyVolume=1_000.0, volatilityAnnual=0.4),
        asset("C", 10.0),
    ]
    request = ask({"A": 1000}, 0.0, {"A": 0.0, "B": 0.2, "C": 0.1}, assets)
    request["costs"] = {"commissionBps": 5.0, "impact": {"squareRoot": {"coefficient": 1.5}}}
    return request | more


def three_halves(value: float, volatility: float, daily: float) -> float:
    """The 3/2 power of Boyd et al. 2017 with b = 1, which is the square-root law with Y = 3/2."""
    return volatility / math.sqrt(YEAR) * value**1.5 / math.sqrt(daily)


def test_impact_of_the_square_root_law_is_part_of_the_costs(wire: Wire) -> None:
    answer = wire.call(REALLOCATE, impact_request())
    trades = {t["symbol"]: t for t in trades_of(answer)}
    sold, bought = 100_000.0, trades["B"]["quantity"] * 50.0
    impact = {"A": three_halves(sold, 0.32, 2e6), "B": three_halves(bought, 0.4, 5e4)}
    found = {entry["symbol"]: entry for entry in answer["impact"]["assets"]}
    assert set(found) == {"A", "B"}
    for symbol, value in (("A", sold), ("B", bought)):
        assert found[symbol]["expectedCost"] == pytest.approx(impact[symbol])
        assert found[symbol]["temporaryBps"] == pytest.approx(impact[symbol] / value * 1e4)
        assert found[symbol].get("permanentBps", 0.0) == 0.0
    costs, total = answer["summary"]["costs"], sum(impact.values())
    assert answer["impact"]["expectedCost"] == pytest.approx(total)
    traded = sum(abs(t["quantity"]) * t["price"] for t in trades.values())
    assert costs["commission"] == pytest.approx(5e-4 * traded)
    assert costs["spread"] == pytest.approx(5e-4 * sold)
    assert costs["impact"] == pytest.approx(total)
    assert answer["summary"]["cost"] == pytest.approx(sum(costs.values()))
    assert trades["A"]["cost"] == pytest.approx(1e-3 * sold + impact["A"])
    assert trades["C"]["cost"] == pytest.approx(5e-4 * trades["C"]["quantity"] * 10.0)
    assert answer["summary"]["cashAfter"] == pytest.approx(trades_of(answer)[-1]["cashAfter"])
    # Sold and bought evenly over the day, independent of each other.
    daily = math.hypot(sold * 0.32, bought * 0.4) / math.sqrt(YEAR)
    assert answer["impact"]["costVolatility"] == pytest.approx(daily / math.sqrt(3.0))
    (note,) = [w for w in answer["warnings"] if w["code"] == "IMPACT_UNKNOWN"]
    assert note["field"] == "costs.impact"
    assert note["message"].endswith(": C")


def test_volume_and_volatility_may_come_with_the_costs(wire: Wire) -> None:
    request = impact_request()
    liquidity = [{"symbol": "C", "dailyValue": 1e6, "volatilityAnnual": 0.2}, {"symbol": "A", "dailyValue": 8e6}]
    request["costs"]["liquidity"] = liquidity
    answer = wire.call(REALLOCATE, request)
    found = {entry["symbol"]: entry["expectedCost"] for entry in answer["impact"]["assets"]}
    assert found["A"] == pytest.approx(three_halves(100_000.0, 0.32, 8e6))
    value = next(t["quantity"] for t in trades_of(answer) if t["symbol"] == "C") * 10.0
    assert found["C"] == pytest.approx(three_halves(value, 0.2, 1e6))
    assert "IMPACT_UNKNOWN" not in [w["code"] for w in answer["warnings"]]


@pytest.mark.parametrize("settlement", [0, 1])
def test_impact_never_takes_cash_below_its_floor(wire: Wire, settlement: int) -> None:
    stock = asset("A", 100.0, averageDailyVolume=5_000.0, volatilityAnnual=0.4)
    request = ask({}, 100_000.0, {"A": 1.0}, [stock], limits={"cashFloor": 5_000.0}, settlementDays=settlement)
    plain = wire.call(REALLOCATE, request)
    assert trades_of(plain)[0]["quantity"] == 950.0
    request["costs"] = {"impact": {"squareRoot": {"coefficient": 1.0}}}
    answer = wire.call(REALLOCATE, request)
    (trade,) = trades_of(answer)
    assert trade["cost"] == pytest.approx(three_halves(100.0 * trade["quantity"], 0.4, 5e5) / 1.5)
    assert trade["cashAfter"] == pytest.approx(100_000.0 - 100.0 * trade["quantity"] - trade["cost"])
    # What is kept for the impact is at most that of the plan without it, and a lot.
    most = three_halves(95_000.0, 0.4, 5e5) / 1.5
    assert 5_000.0 <= trade["cashAfter"] <= 5_000.0 + 100.0 + most - trade["cost"]
    # The gap is of the drift without impact, against the 950 units that could be bought then.
    drift = 1.0 - 100.0 * trade["quantity"] / 100_000.0
    assert answer["plan"]["gap"] == pytest.approx((drift - 0.05) / drift)
    assert not answer["plan"].get("optimal", False)


@pytest.mark.parametrize(
    ("costs", "field"),
    [
        ({"liquidity": [{"symbol": "A", "dailyValue": 1.0}]}, "costs.liquidity"),
        ({"impact": {"squareRoot": {"coefficient": 1e9}}}, "costs.impact"),
        ({"impact": {"squareRoot": {"coefficient": 1e308}}}, "costs.impact"),
    ],
)
def test_costs_that_cannot_be_planned_are_named(wire: Wire, costs: dict[str, Any], field: str) -> None:
    refusal = wire.refused(REALLOCATE, impact_request(costs=costs))
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", (field,))


def test_kinds_of_costs_that_are_not_planned_are_refused_by_name(wire: Wire) -> None:
    refusal = wire.refused(REALLOCATE, impact_request(costs={"cashRateAnnual": 0.01}))
    assert refusal.reason == "NOT_SUPPORTED"
    assert "costs.cash_rate_annual" in refusal.message


def test_a_trade_of_several_days_does_not_fit_into_a_plan_of_several(wire: Wire) -> None:
    stock = asset("A", 100.0, averageDailyVolume=1_000.0, volatilityAnnual=0.4)
    law = {"executionDays": 2.0, "sharesOutstanding": [{"symbol": "A", "quantity": 1e8}]}
    request = ask({"A": 400}, 0.0, {"A": 0.0}, [stock], costs={"impact": {"almgren": law}})
    request["limits"] = {"maxParticipation": 0.2}
    assert len(wire.call(REALLOCATE, request)["impact"]["assets"]) == 1
    refusal = wire.refused(REALLOCATE, request | {"horizonDays": 2})
    assert refusal.fields == ("costs.impact.almgren.execution_days",)

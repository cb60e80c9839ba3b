"""The schedule of a plan in the terms of a caller: symbols, a snapshot, whole lots."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.market_data.snapshot import Quote, Snapshot
from domain.reallocation.optimal_execution.planned_schedule import ScheduleTerms, schedule_plan

D = Decimal
MARKET = Snapshot({"A": Quote(50.0), "B": Quote(50.0)})


def terms(rho: float | None = None, **more: object) -> ScheduleTerms:
    """The example of Almgren and Chriss 2000."""
    correlation = None if rho is None else [1.0, rho, rho, 1.0]
    given_ = {"risk_aversion": 1e-6, "periods": 5, "temporary": 2.5e-6, "permanent": 2.5e-7, "fixed": 0.0625}
    return ScheduleTerms(**given_ | {"volatilities": [0.95, 0.95], "correlation": correlation} | more)  # type: ignore[arg-type]


def test_the_published_example_of_one_asset() -> None:
    found = schedule_plan({"A": D(-1_000_000)}, MARKET, terms())
    (asset,) = found.assets
    assert asset.remaining == tuple(-D(x) for x in (1_000_000, 541_956, 289_854, 147_897, 62_142, 0))
    assert sum(asset.trades) == -1_000_000
    assert round(found.optimal_cost.total) == 911_227
    assert round(found.optimal_cost.standard_deviation) == 603_431
    assert found.cost.total == pytest.approx(911_227, abs=2.0)


@pytest.mark.parametrize(
    ("units", "remaining"),
    [
        ((1_000_000, 1_000_000), (446_463, 198_308, 85_795, 31_965)),
        ((1_000_000, -1_000_000), (721_627, 498_097, 312_423, 150_493)),
    ],
)
def test_the_examples_of_two_assets(units: tuple[int, int], remaining: tuple[int, ...]) -> None:
    found = schedule_plan({"B": D(units[1]), "A": D(units[0])}, MARKET, terms(0.8))
    assert [asset.symbol for asset in found.assets] == ["A", "B"]
    for asset, size in zip(found.assets, units, strict=True):
        assert asset.remaining[1:-1] == tuple(D(x).copy_sign(size) for x in remaining)


def test_a_hedge_trades_what_the_plan_does_not() -> None:
    plain = schedule_plan({"A": D(1_000_000)}, MARKET, terms(0.8))
    assert [asset.symbol for asset in plain.assets] == ["A"]
    hedged = schedule_plan({"A": D(1_000_000)}, MARKET, terms(0.8, hedge=True))
    assert hedged.assets[1].remaining[1] == -137_582
    assert sum(hedged.assets[1].trades) == 0
    assert hedged.cost.standard_deviation < plain.cost.standard_deviation


def test_participation_limits_each_period_and_leaves_a_remainder() -> None:
    market = Snapshot({"A": Quote(50.0, 1_550.0, lot_size=100.0), "B": Quote(50.0, 0.0), "C": Quote(50.0)})
    found = schedule_plan(
        {"A": D(-1_000), "B": D(700), "C": D(30)}, market, terms(volatilities=[0.95] * 3, periods=4), 0.1
    )
    by_symbol = {asset.symbol: asset for asset in found.assets}
    assert by_symbol["A"].trades == (-100, -100, -100, -100)
    assert by_symbol["A"].remainder == -600
    assert by_symbol["A"].remaining == (-1000, -900, -800, -700, -600)
    assert by_symbol["B"].remainder == 700
    assert sum(by_symbol["C"].trades) == 30


def test_a_halted_asset_is_no_hedge() -> None:
    market = Snapshot({"A": Quote(50.0), "B": Quote(50.0, halted=True)})
    found = schedule_plan({"A": D(1_000_000)}, market, terms(0.8, hedge=True))
    assert [asset.symbol for asset in found.assets] == ["A"]


def test_volatility_comes_from_the_snapshot_where_none_is_given() -> None:
    annual = 0.95 / 50.0 * math.sqrt(252.0)
    market = Snapshot({"A": Quote(50.0, volatility_annual=annual)})
    found = schedule_plan({"A": D(1_000_000)}, market, terms(volatilities=None))
    assert found.optimal_cost.total == pytest.approx(911_226.986, abs=0.01)


def test_nothing_to_trade() -> None:
    found = schedule_plan({"A": D(0)}, MARKET, terms(0.8))
    assert found.assets == ()
    assert found.cost.total == found.cost.variance == 0.0


def test_fractions_sum_exactly() -> None:
    found = schedule_plan({"A": D("0.7300000001")}, MARKET, terms(periods=7), fractional=True)
    assert sum(found.assets[0].trades) == D("0.7300000001")
    assert all(trade > 0 for trade in found.assets[0].trades)


def test_a_limit_on_fractions_is_not_cut_to_lots() -> None:
    market = Snapshot({"A": Quote(50.0, 5.0)})
    found = schedule_plan({"A": D("1.2")}, market, terms(volatilities=[0.95], periods=2), 0.1, fractional=True)
    assert found.assets[0].trades == (D("0.5"), D("0.5"))
    assert found.assets[0].remainder == D("0.2")


@pytest.mark.parametrize(
    ("changed", "quantities", "field"),
    [
        ({"volatilities": [1.0]}, {"A": D(1)}, "volatilities"),
        ({"volatilities": None}, {"A": D(1)}, "volatilities"),
        ({"correlation": [1.0, 2.0, 2.0, 1.0]}, {"A": D(1)}, "correlation"),
        ({"correlation": [1.0]}, {"A": D(1)}, "correlation"),
        ({"periods": 0}, {"A": D(1)}, "periods"),
        ({"risk_aversion": -1.0}, {"A": D(1)}, "risk_aversion"),
        ({"temporary": 1e-7}, {"A": D(1)}, "temporary"),
        ({"permanent": -1.0}, {"A": D(1)}, "permanent"),
        ({"fixed": math.inf}, {"A": D(1)}, "fixed"),
        ({}, {"Z": D(1)}, "snapshot.assets"),
        ({}, {"A": D("1e16")}, "schedule"),
        ({"periods": -1}, {"A": D(1)}, "periods"),
        ({"periods": 10_001}, {"A": D(1)}, "periods"),
    ],
)
def test_terms_that_do_not_fit(changed: dict[str, object], quantities: dict[str, Decimal], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        schedule_plan(quantities, MARKET, terms(**changed))
    assert caught.value.field == field


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_trades_are_whole_lots_that_sum_to_the_plan(seed: int, hedge: bool, correlated: bool) -> None:
    rng = np.random.default_rng(seed)
    size, periods = int(rng.integers(1, 5)), int(rng.integers(1, 6))
    lots = rng.choice([1.0, 10.0, 0.1], size)
    volumes = [None if rng.random() < 0.5 else float(rng.integers(0, 3000)) for _ in range(size)]
    market = Snapshot({f"S{i}": Quote(10.0, volumes[i], lot_size=float(lots[i])) for i in range(size)})
    plan = {f"S{i}": D(repr(float(lots[i]))) * int(rng.integers(-300, 300)) for i in range(size)}
    wide = np.where(np.eye(size) > 0.0, 1.0, 0.6).ravel().tolist() if correlated else None
    asked = ScheduleTerms(1e-3, periods, 1e-2, 1e-3, 0.01, [0.5] * size, wide, hedge)
    found = schedule_plan(plan, market, asked, 0.1)
    assert {a.symbol for a in found.assets} >= {s for s, units in plan.items() if units}
    for asset in found.assets:
        quote, units = market.quotes[asset.symbol], plan[asset.symbol]
        assert sum(asset.trades) + asset.remainder == units
        assert asset.remaining[0] == units
        assert asset.remaining[-1] == asset.remainder
        for trade in asset.trades:
            assert trade % D(repr(quote.lot_size)) == 0
            assert hedge or trade * units >= 0
            assert quote.average_daily_volume is None or abs(trade) <= D("0.1") * D(repr(quote.average_daily_volume))
    assert found.gap <= 1e-7

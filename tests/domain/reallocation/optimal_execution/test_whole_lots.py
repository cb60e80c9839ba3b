"""Whole lots of a schedule: exact sums, limits kept, and never far from the trajectory."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.reallocation.optimal_execution.almgren_chriss import optimal_schedule
from domain.reallocation.optimal_execution.whole_lots import hedge_in_whole_lots, in_whole_lots
from tests.domain.reallocation.optimal_execution.problems import SHARES, published


def test_the_published_example_in_lots_of_a_hundred() -> None:
    found = optimal_schedule(published([SHARES]))
    lots = in_whole_lots(found.remaining[:, 0].tolist(), Decimal(1_000_000), Decimal(100))
    assert lots.remaining == tuple(Decimal(x) for x in (1_000_000, 542_000, 289_900, 147_900, 62_100, 0))
    assert sum(lots.trades) == 1_000_000
    assert lots.remainder == 0


def test_lots_of_a_tenth_are_decimal() -> None:
    lots = in_whole_lots([3.9, 1.95, 0.0], Decimal("3.9"), Decimal("0.1"))
    assert lots.trades == (Decimal("1.9"), Decimal("2.0"))


def test_an_odd_lot_goes_last() -> None:
    lots = in_whole_lots([250.0, 125.0, 0.0], Decimal(250), Decimal(100))
    assert lots.trades == (Decimal(100), Decimal(150))
    assert in_whole_lots([40.0, 0.0, 0.0], Decimal(40), Decimal(100)).trades == (Decimal(40), Decimal(0))


def test_a_limit_below_a_lot_trades_nothing_unless_it_is_all() -> None:
    limits = [Decimal(99), Decimal(99)]
    none = in_whole_lots([200.0, 101.0, 2.0], Decimal(200), Decimal(100), limits)
    assert none.trades == (0, 0)
    assert none.remainder == 200
    assert in_whole_lots([99.0, 50.0, 0.0], Decimal(99), Decimal(100), limits).remainder == 0


def test_nothing_to_trade() -> None:
    assert in_whole_lots([0.0, 0.0], Decimal(0), Decimal(1)).trades == (0,)


@pytest.mark.parametrize(("units", "lot", "field"), [(-1, 1, "units"), (1, 0, "lot"), (1, -1, "lot")])
def test_what_cannot_be_counted(units: int, lot: int, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        in_whole_lots([1.0, 0.0], Decimal(units), Decimal(lot))
    assert caught.value.field == field


@given(st.data())
def test_sums_are_exact_and_limits_are_kept(data: st.DataObject) -> None:
    lot = data.draw(st.sampled_from([Decimal("0.1"), Decimal(1), Decimal(7), Decimal(100)]))
    units = lot * data.draw(st.integers(0, 500)) + lot * data.draw(st.sampled_from([0, 0, Decimal("0.3")]))
    periods = data.draw(st.integers(1, 6))
    fractions = sorted((data.draw(st.floats(0.0, 1.0)) for _ in range(periods - 1)), reverse=True)
    path = [float(units), *(float(units) * f for f in fractions), 0.0]
    limits = None
    if data.draw(st.booleans()):
        limits = [lot * data.draw(st.integers(0, 200)) + data.draw(st.sampled_from([0, lot / 2])) for _ in path[1:]]
    found = in_whole_lots(path, units, lot, limits)
    assert sum(found.trades) + found.remainder == units
    assert found.remaining[0] == units
    assert found.remaining[-1] == found.remainder
    assert all(trade >= 0 for trade in found.trades)
    odd = [trade for trade in found.trades if trade % lot]
    assert len(odd) <= 1
    for k, trade in enumerate(found.trades):
        assert limits is None or trade <= limits[k]
        if trade % lot:
            assert not any(found.trades[k + 1 :]), "something is traded after the odd lot"
    if limits is None:
        assert found.remainder == 0
        assert all(abs(float(r) - p) <= float(lot) * (0.5 + 1e-9) for r, p in zip(found.remaining, path, strict=True))
    elif found.remainder:
        # Whole lots fill every limit.
        assert all(limit - trade < lot for limit, trade in zip(limits, found.trades, strict=True))


@given(st.integers(0, 10**6), st.integers(1, 8))
def test_lots_within_limits_stay_near_the_optimal_trajectory(seed: int, periods: int) -> None:
    rng = np.random.default_rng(seed)
    total, lot = int(rng.integers(1, 200)), 10
    caps = rng.integers(1, 60, periods) * lot
    units = float(total * lot)
    schedule = optimal_schedule(published([units], largest=caps[:, None].astype(float), periods=periods))
    found = in_whole_lots(
        schedule.remaining[:, 0].tolist(), Decimal(total * lot), Decimal(lot), [Decimal(int(c)) for c in caps]
    )
    assert float(found.remainder) == schedule.remainder[0]
    difference = np.abs(np.array(found.remaining, dtype=float) - schedule.remaining[:, 0])
    assert difference.max() <= 0.5 * lot + 1e-6 * units


def test_a_hedge_is_opened_and_closed_in_whole_lots() -> None:
    found = optimal_schedule(published([SHARES, 0.0], 0.8, hedge=True))
    hedge = hedge_in_whole_lots(found.remaining[:, 1].tolist(), Decimal(0), Decimal(100))
    assert hedge.remaining == tuple(Decimal(x) for x in (0, -137_600, -149_900, -113_300, -59_300, 0))
    own = hedge_in_whole_lots(found.remaining[:, 0].tolist(), Decimal(1_000_000), Decimal(100))
    assert own.remaining[:2] == (1_000_000, 584_000)


@given(st.data())
def test_hedges_keep_limits_and_end_at_zero(data: st.DataObject) -> None:
    lot = data.draw(st.sampled_from([Decimal("0.1"), Decimal(1), Decimal(100)]))
    units = lot * data.draw(st.integers(-50, 50))
    path = [float(units), *(float(lot) * data.draw(st.floats(-60.0, 60.0)) for _ in range(4)), 0.0]
    limits = [lot * data.draw(st.integers(0, 60)) for _ in path[1:]] if data.draw(st.booleans()) else None
    found = hedge_in_whole_lots(path, units, lot, limits)
    assert sum(found.trades) + found.remainder == units
    assert all(trade % lot == 0 for trade in found.trades)
    if limits is None:
        assert found.remainder == 0
        assert all(abs(float(r) - p) <= float(lot) * 0.5000001 for r, p in zip(found.remaining, path, strict=True))
    else:
        assert all(abs(trade) <= limit for trade, limit in zip(found.trades, limits, strict=True))
        assert abs(found.remainder) == max(abs(units) - sum(limits), 0)


def test_an_odd_rest_that_the_limits_cannot_close_is_the_remainder() -> None:
    found = hedge_in_whole_lots([150.0, 0.0], Decimal(150), Decimal(100), [Decimal(100)])
    assert (found.trades, found.remainder) == ((Decimal(100),), Decimal(50))
    with pytest.raises(InvalidInput):
        hedge_in_whole_lots([1.0, 0.0], Decimal(1), Decimal(0))

"""Volume of several days divided among accounts that may also trade with each other."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reallocation.crossing import Crossable, crossed_units
from domain.reallocation.shared_liquidity import SharingRule
from domain.reallocation.volume_shares import Market, Share, Want, divide, settle

D = Decimal
RULES = st.sampled_from(list(SharingRule))


def market(daily: int | None, days: int = 1, rule: SharingRule = SharingRule.PRO_RATA, lot: int = 1) -> Market:
    return Market(None if daily is None else D(daily), D(lot), days, rule)


def wanted(units: int, *, crosses: bool = False, priority: int = 0, day: int = 1) -> Want:
    return Want((D(0),) * (day - 1) + (D(units),), may_cross=crosses, priority=priority)


def totals(shares: dict[str, Share]) -> dict[str, Decimal]:
    return {key: sum(share.by_day or (), D(0)) for key, share in shares.items()}


@st.composite
def batches(draw: st.DrawFn) -> tuple[dict[str, Want], int]:
    """Wants of up to six accounts over up to three days, and the days of the horizon."""
    wants = {}
    for i in range(draw(st.integers(1, 6))):
        side = draw(st.sampled_from([1, -1]))
        by_day = draw(st.lists(st.integers(0, 20), min_size=1, max_size=3))
        own = draw(st.sampled_from([None, 2, 7]))
        own_limit = None if own is None else D(own)
        units = tuple(D(side * count if own is None else side * min(count, own)) for count in by_day)
        wants[f"S{i}"] = Want(units, D(1), own_limit, draw(st.booleans()), draw(st.integers(0, 2)))
    return wants, draw(st.integers(3, 5))


def test_without_a_limit_only_crosses_are_shared() -> None:
    found = divide({"A": wanted(500, crosses=True), "B": wanted(-300, crosses=True), "C": wanted(9)}, market(None))
    assert {key: share.crossed for key, share in found.items()} == {"A": 300, "B": 300, "C": 0}
    assert all(share.by_day is None for share in found.values())


def test_what_is_crossed_uses_no_volume() -> None:
    found = divide({"A": wanted(500, crosses=True), "B": wanted(-300, crosses=True)}, market(150, 3))
    assert found["A"] == Share(D(300), (D(150), D(50)))
    assert found["A"].by_day == (D(450), D(50))
    assert found["B"] == Share(D(300), ())


def test_volume_is_kept_for_nobody_who_wants_it_later() -> None:
    """B is paid on the second day: the first one is all of A's, and what A misses competes with B."""
    found = divide({"A": wanted(14), "B": wanted(10, day=2)}, market(10, 3))
    assert found["A"].by_day == (D(10), D(3), D(1))  # 4 and 10 are wanted on the second day: 2.857 and 7.143 of 10
    assert found["B"].by_day == (D(0), D(7), D(3))


def test_the_limit_of_an_account_is_cut_to_whole_lots() -> None:
    found = divide({"A": Want((D(20),), D(5), D(12))}, market(100, 3))
    assert found["A"].by_day == (D(10), D(10))


def test_small_accounts_take_turns() -> None:
    found = divide({f"S{i}": wanted(1) for i in range(6)}, market(2, 2))
    assert [found[f"S{i}"].by_day for i in range(6)] == [(1,), (1,), (0, 1), (0, 1), (0,), (0,)]


@pytest.mark.parametrize(("days", "expected"), [(1, (1, 0)), (2, (1, 1)), (3, (2, 1)), (4, (2, 2))])
def test_max_min_is_fair_over_all_days(days: int, expected: tuple[int, int]) -> None:
    found = totals(divide({"A": wanted(5), "B": wanted(5)}, market(1, days, SharingRule.MAX_MIN)))
    assert (found["A"], found["B"]) == expected


@given(batches(), st.integers(0, 60), RULES, st.sampled_from([1, 5]))
def test_nobody_gets_more_than_is_wanted_by_then_nor_all_more_than_there_is(
    batch: tuple[dict[str, Want], int], daily: int, rule: SharingRule, lot: int
) -> None:
    wants, days = batch
    found = divide(wants, market(daily, days, rule, lot))
    assert set(found) == set(wants)
    for day in range(days):
        used = sum(share.market[day] for share in found.values() if day < len(share.market or ()))  # type: ignore[index]
        assert used <= daily
    for key, share in found.items():
        for day in range(1, days + 1):
            received = sum((share.by_day or ())[:day], D(0))
            assert received <= sum(map(abs, wants[key].by_day[:day]))
        limit = wants[key].most_daily
        assert limit is None or all(units <= limit for units in share.market or ())
        assert share.crossed % lot == 0
        assert share.crossed == 0 or wants[key].may_cross
    sides = [sum(s.crossed for k, s in found.items() if (wants[k].first > 0) is buys) for buys in (True, False)]
    assert sides[0] == sides[1]


@given(batches(), st.integers(0, 60), RULES, st.randoms())
def test_the_order_of_arrival_does_not_matter(
    batch: tuple[dict[str, Want], int], daily: int, rule: SharingRule, random: object
) -> None:
    wants, days = batch
    keys = list(wants)
    random.shuffle(keys)  # type: ignore[attr-defined]
    assert divide({key: wants[key] for key in keys}, market(daily, days, rule)) == divide(
        wants, market(daily, days, rule)
    )


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(0, 40), st.integers(1, 20), st.integers(1, 4))
def test_more_volume_worsens_no_total_by_more_than_a_lot(counts: list[int], daily: int, more: int, days: int) -> None:
    """A largest remainder may cost one lot (the Alabama paradox); the sum of all never falls."""
    wants = {f"S{i}": wanted(count) for i, count in enumerate(counts)}
    before = totals(divide(wants, market(daily, days)))
    after = totals(divide(wants, market(daily + more, days)))
    assert sum(after.values()) >= sum(before.values())
    assert all(after[key] >= before[key] - 1 for key in wants)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(0, 9), st.integers(1, 4))
def test_max_min_over_days_is_the_best_of_all_allocations(counts: list[int], daily: int, days: int) -> None:
    """No totals that the volume of all days allows have a higher sorted vector, compared from its least entry."""
    wants = {f"S{i}": wanted(count) for i, count in enumerate(counts)}
    found = sorted(totals(divide(wants, market(daily, days, SharingRule.MAX_MIN))).values())
    volume = daily * days
    best = max(sorted(some) for some in itertools.product(*(range(c + 1) for c in counts)) if sum(some) <= volume)
    assert found == best


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(-30, 30), st.integers(0, 40)), max_size=6),
    st.sampled_from([1, 4]),
)
def test_crosses_balance_and_cover_what_they_must_where_they_can(
    accounts: dict[str, tuple[int, int]], lot: int
) -> None:
    both = {key: Crossable(D(units), D(min(uncovered, abs(units)))) for key, (units, uncovered) in accounts.items()}
    found = crossed_units(both, D(lot))
    sides = [sum(units for key, units in found.items() if (both[key].units > 0) is buys) for buys in (True, False)]
    most = [sum(abs(one.units) // lot * lot for one in both.values() if one.units * s > 0) for s in (1, -1)]
    assert sides == [min(most)] * 2
    for key, units in found.items():
        assert 0 < units <= abs(both[key].units)
        assert units % lot == 0
    for sign in (1, -1):
        side = {key: one for key, one in both.items() if one.units * sign > 0}
        need = {key: min(-(-int(one.uncovered) // lot), abs(int(one.units)) // lot) * lot for key, one in side.items()}
        if sum(need.values()) <= min(most):
            assert all(found.get(key, 0) >= need[key] for key in side)
        else:
            assert all(found.get(key, 0) <= need[key] for key in side)


def test_whoever_crosses_less_than_planned_takes_its_counterpart_with_it() -> None:
    shares = divide({"A": wanted(500, crosses=True), "B": wanted(-300, crosses=True)}, market(100))
    traded = {"A": D(400), "B": D(-120)}
    crossed, reduced = settle(traded, shares, D(1))
    assert crossed == {"A": 120, "B": 120}
    assert reduced == {"A": Share(D(120), (D(100),))}
    again, none = settle({"A": D(220), "B": D(-120)}, {**shares, **reduced}, D(1))
    assert (again, none) == ({"A": 120, "B": 120}, {})


def test_a_share_covers_what_is_wanted_on_its_day() -> None:
    share = Share(D(5), (D(3), D(2)))
    assert share.covers(Want((D(-8), D(-2))))
    assert not share.covers(Want((D(8), D(3))))
    assert not share.covers(Want((D(0), D(0), D(1))))
    assert Share(D(0), None).covers(wanted(10**9))
    assert [share.uncovered(D(units)) for units in (-7, 3, 0)] == [4, 0, 0]

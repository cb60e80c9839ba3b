"""Shared volume: published numbers, the definition of each rule, and every allocation of small cases."""

import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.reallocation.shared_liquidity import AccountOrder, Cross, SharingRule, allocate, share

D = Decimal
ASKED = {"A": D(8000), "B": D(3000), "C": D(1000)}


@pytest.mark.parametrize(
    ("rule", "cap", "lot", "expected"),
    [
        (SharingRule.PRO_RATA, 10_000, "0.01", ["6666.67", "2500", "833.33"]),
        (SharingRule.PRO_RATA, 10_000, "100", ["6700", "2500", "800"]),
        (SharingRule.MAX_MIN, 10_000, "1", ["6000", "3000", "1000"]),
        (SharingRule.PRO_RATA, 6000, "1", ["4000", "1500", "500"]),
        (SharingRule.MAX_MIN, 6000, "1", ["2500", "2500", "1000"]),
        (SharingRule.PRO_RATA, 12_000, "1", ["8000", "3000", "1000"]),
        (SharingRule.MAX_MIN, 0, "1", ["0", "0", "0"]),
    ],
)
def test_published_numbers(rule: SharingRule, cap: int, lot: str, expected: list[str]) -> None:
    assert list(allocate(ASKED, D(cap), D(lot), rule).values()) == [D(x) for x in expected]


def test_priority_is_lexicographic() -> None:
    ranks = {"A": 2, "B": 1, "C": 2}
    found = allocate(ASKED, D(6000), D(100), SharingRule.PRIORITY, ranks)
    assert found == {"B": 3000, "A": 2700, "C": 300}  # 2666.67 and 333.33 of the 3000 that B leaves


def test_a_cross_saves_half_of_the_spread_on_each_side() -> None:
    orders = [AccountOrder("A", D(500), True), AccountOrder("B", D(-300), True)]
    found = share(orders, D(1000), D(1))
    assert found.crosses == (Cross("A", "B", D(300)),)
    assert found.crosses[0].saved(D(50), D(10)) == D("7.50")
    assert found.market == {"A": 200, "B": 0}
    assert not any(found.missing.values())


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (False, False)])
def test_both_must_allow_a_cross(first: bool, second: bool) -> None:
    found = share([AccountOrder("A", D(500), first), AccountOrder("B", D(-300), second)], D(400), D(1))
    assert found.crosses == ()
    assert found.market == {"A": 250, "B": -150}
    assert found.missing == {"A": 250, "B": -150}


def test_without_a_limit_everybody_gets_all() -> None:
    assert share([AccountOrder("A", D("12.5"))], None, D(1)).market == {"A": D("12.5")}


def test_an_odd_lot_goes_with_the_last_whole_one() -> None:
    asked = {"A": D(250), "B": D(300)}
    assert allocate(asked, D(450), D(100), SharingRule.MAX_MIN) == {"A": 250, "B": 200}


def test_one_lot_more_may_cost_an_account_one_by_largest_remainder() -> None:
    asked = {"A": D(6), "B": D(6), "C": D(2)}
    assert allocate(asked, D(10), D(1)) == {"A": 4, "B": 4, "C": 2}
    assert allocate(asked, D(11), D(1)) == {"A": 5, "B": 5, "C": 1}


@pytest.mark.parametrize(
    ("orders", "cap", "lot", "field"),
    [
        ([AccountOrder("A", D(1)), AccountOrder("A", D(1))], D(1), D(1), "orders[1].account"),
        ([AccountOrder("A", D("NaN"))], D(1), D(1), "orders[0].units"),
        ([AccountOrder("A", D(1))], D(-1), D(1), "cap"),
        ([AccountOrder("A", D(1))], D("Infinity"), D(1), "cap"),
        ([AccountOrder("A", D(1))], D(1), D(0), "lot"),
    ],
)
def test_what_cannot_be_shared(orders: list[AccountOrder], cap: Decimal, lot: Decimal, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        share(orders, cap, lot)
    assert caught.value.field == field


LOTS = st.sampled_from([D(1), D(100), D("0.1")])
RULES = st.sampled_from(list(SharingRule))


@st.composite
def accounts(draw: st.DrawFn, odd: bool = False) -> tuple[dict[str, Decimal], Decimal, Decimal, dict[str, int]]:
    """What is asked for, volume, lot and distinct priorities."""
    lot = draw(LOTS)
    counts = draw(st.lists(st.integers(0, 40), min_size=1, max_size=6))
    ends = [draw(st.sampled_from([D(0), D("0.3")])) if odd else D(0) for _ in counts]
    asked = {f"S{i}": lot * (count + end) for i, (count, end) in enumerate(zip(counts, ends, strict=True))}
    cap = lot * draw(st.integers(0, 150)) + lot * draw(st.sampled_from([D(0), D("0.5")]))
    ranks = draw(st.permutations(range(len(counts))))
    return asked, cap, lot, dict(zip(asked, ranks, strict=True))


@given(accounts(odd=True), RULES)
def test_never_above_the_cap_nor_more_than_asked_and_nothing_is_wasted(
    case: tuple[dict[str, Decimal], Decimal, Decimal, dict[str, int]], rule: SharingRule
) -> None:
    asked, cap, lot, ranks = case
    found = allocate(asked, cap, lot, rule, ranks)
    assert set(found) == set(asked)
    left = cap - sum(found.values())
    assert left >= 0
    for account, units in found.items():
        assert 0 <= units <= asked[account]
        assert units % lot == 0 or units == asked[account], "neither whole lots nor all"
        assert units == asked[account] or left < min(lot, asked[account] - units), "a lot more was possible"


@given(accounts(odd=True), RULES, st.randoms())
def test_the_order_of_accounts_does_not_matter(
    case: tuple[dict[str, Decimal], Decimal, Decimal, dict[str, int]], rule: SharingRule, random: object
) -> None:
    asked, cap, lot, ranks = case
    names = list(asked)
    random.shuffle(names)  # type: ignore[attr-defined]
    shuffled = {name: asked[name] for name in names}
    assert allocate(shuffled, cap, lot, rule, ranks) == allocate(asked, cap, lot, rule, ranks)


@given(accounts(), RULES, st.integers(0, 30))
def test_more_volume_never_gives_less(
    case: tuple[dict[str, Decimal], Decimal, Decimal, dict[str, int]], rule: SharingRule, more: int
) -> None:
    asked, cap, lot, ranks = case
    before = allocate(asked, cap, lot, rule, ranks)
    after = allocate(asked, cap + more * lot, lot, rule, ranks)
    assert sum(after.values()) >= sum(before.values())
    allowed = lot if rule is SharingRule.PRO_RATA else 0  # largest remainder, as its documentation says
    assert all(after[account] >= before[account] - allowed for account in asked)


@given(accounts())
def test_in_proportion_is_within_a_lot_of_the_exact_share(
    case: tuple[dict[str, Decimal], Decimal, Decimal, dict[str, int]],
) -> None:
    asked, cap, lot, _ = case
    total = sum(asked.values())
    for account, units in allocate(asked, cap, lot).items():
        exact = Fraction(asked[account]) * min(Fraction(1), Fraction(cap) / Fraction(total)) if total else Fraction(0)
        assert abs(Fraction(units) - exact) < Fraction(lot)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 15))
def test_max_min_is_the_best_of_all_allocations(counts: list[int], cap: int) -> None:
    """No allocation of the lots has a higher sorted vector, compared from its least entry."""
    asked = {f"S{i}": D(count) for i, count in enumerate(counts)}
    best = max(sorted(lots) for lots in itertools.product(*(range(count + 1) for count in counts)) if sum(lots) <= cap)
    assert sorted(allocate(asked, D(cap), D(1), SharingRule.MAX_MIN).values()) == best


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 15), st.permutations(range(4)))
def test_priority_is_the_best_of_all_allocations(counts: list[int], cap: int, ranks: list[int]) -> None:
    asked = {f"S{i}": D(count) for i, count in enumerate(counts)}
    order = sorted(range(len(counts)), key=lambda i: ranks[i])
    best = max(
        [lots[i] for i in order]
        for lots in itertools.product(*(range(count + 1) for count in counts))
        if sum(lots) <= cap
    )
    found = allocate(asked, D(cap), D(1), SharingRule.PRIORITY, {f"S{i}": ranks[i] for i in range(len(counts))})
    assert [found[f"S{i}"] for i in order] == best


@given(
    st.lists(st.tuples(st.integers(-30, 30), st.booleans()), min_size=1, max_size=6),
    st.integers(0, 60),
    st.sampled_from([D(1), D(5)]),
    RULES,
)
def test_crosses_and_the_market_add_up(
    wanted: list[tuple[int, bool]], cap: int, lot: Decimal, rule: SharingRule
) -> None:
    orders = [AccountOrder(f"S{i}", D(units), crosses) for i, (units, crosses) in enumerate(wanted)]
    found = share(orders, D(cap), lot, rule)
    assert sum(abs(units) for units in found.market.values()) <= cap
    by_name = {order.account: order for order in orders}
    crossed = dict.fromkeys(by_name, D(0))
    for cross in found.crosses:
        assert cross.units > 0
        assert by_name[cross.buyer].may_cross
        assert by_name[cross.seller].may_cross
        crossed[cross.buyer] += cross.units
        crossed[cross.seller] -= cross.units
    for name, order in by_name.items():
        done = crossed[name] + found.market[name]
        assert done + found.missing[name] == order.units
        assert abs(done) <= abs(order.units)
        assert done * order.units >= 0
        assert crossed[name] * order.units >= 0
    sides = [sum(abs(o.units) for o in orders if o.may_cross and (o.units > 0) is buys) for buys in (True, False)]
    if all(order.units % lot == 0 for order in orders):
        assert sum(cross.units for cross in found.crosses) == min(sides)
    assert len(found.crosses) <= len(orders)

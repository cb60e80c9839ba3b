"""Volume of one day: published numbers, the definition of each rule, and every allocation of small cases."""

import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reallocation.shared_liquidity import Ask, SharingRule
from domain.reallocation.shared_liquidity import allocate as allocate_asks

D = Decimal
ASKED = {"A": D(8000), "B": D(3000), "C": D(1000)}


def allocate(
    asked: dict[str, Decimal],
    cap: Decimal | None,
    lot: Decimal,
    rule: SharingRule = SharingRule.PRO_RATA,
    priorities: dict[str, int] | None = None,
) -> dict[str, Decimal]:
    ranks = priorities or {}
    return allocate_asks({key: Ask(units, lot, ranks.get(key, 0)) for key, units in asked.items()}, cap, rule)


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


def test_without_a_limit_everybody_gets_all() -> None:
    assert allocate({"A": D("12.5")}, None, D(1)) == {"A": D("12.5")}


def test_each_account_has_whole_lots_of_its_own() -> None:
    """10.5 of 17.5 are 6 and 4.5, and half a lot of B is left; 11 are 6.29 and 4.71, and B misses the larger part."""
    asks = {"A": Ask(D(10), D("0.5")), "B": Ask(D("7.5"), D(1)), "C": Ask(D(0), D(1))}
    assert allocate_asks(asks, D("10.5")) == {"A": D("6.5"), "B": D(4), "C": D(0)}
    assert allocate_asks(asks, D(11)) == {"A": D(6), "B": D(5), "C": D(0)}
    assert allocate_asks(asks, D(5), SharingRule.MAX_MIN) == {"A": D(3), "B": D(2), "C": D(0)}


@pytest.mark.parametrize("rule", SharingRule)
def test_what_whole_lots_leave_goes_to_fractions(rule: SharingRule) -> None:
    """Lots of which 10^14 are left are not given one by one."""
    asks = {"A": Ask(D(3)), "B": Ask(D(3)), "C": Ask(D(3), D("1e-14")), "D": Ask(D(1), D("1e-14"))}
    found = allocate_asks(asks, D("2.9"), rule)
    assert sum(found.values()) == D("2.9")
    assert all(found[key] % 1 == 0 for key in "AB")


@pytest.mark.parametrize(("cap", "sums"), [(4, (3, 3, 2)), (5, (3, 3, 3)), (6, (4, 3, 3)), (0, (3, 1, 0))])
def test_max_min_makes_the_sums_of_all_days_equal(cap: int, sums: tuple[int, ...]) -> None:
    before = {"A": 3, "B": 1, "C": 0}
    asks = {key: Ask(D(5), before=D(units)) for key, units in before.items()}
    found = allocate_asks(asks, D(cap), SharingRule.MAX_MIN)
    assert tuple(before[key] + units for key, units in found.items()) == sums


def test_an_odd_lot_goes_with_the_last_whole_one() -> None:
    asked = {"A": D(250), "B": D(300)}
    assert allocate(asked, D(450), D(100), SharingRule.MAX_MIN) == {"A": 250, "B": 200}


def test_one_lot_more_may_cost_an_account_one_by_largest_remainder() -> None:
    asked = {"A": D(6), "B": D(6), "C": D(2)}
    assert allocate(asked, D(10), D(1)) == {"A": 4, "B": 4, "C": 2}
    assert allocate(asked, D(11), D(1)) == {"A": 5, "B": 5, "C": 1}


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

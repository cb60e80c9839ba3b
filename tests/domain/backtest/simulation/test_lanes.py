"""Sums in four lanes: the compiled form has the bits of the definition in plain Python, whatever the processor."""

import numpy as np
import pytest

from domain.backtest.simulation.compiled import compiled
from domain.backtest.simulation.lanes import four_sums_of_products, sum_of_products, two_sums_of_products
from domain.backtest.simulation.valuation import mark_dates, value_at, values_at
from domain.checks import Matrix, Vector

COUNTS = (1, 2, 3, 4, 5, 7, 8, 20, 33, 500)


@compiled
def compiled_sums(left: Vector, right: Matrix, start: int) -> tuple[float, float, float]:
    """Calls both from compiled code."""
    one, two = two_sums_of_products(left, right, start)
    return sum_of_products(left, right, start), one, two


@compiled
def four_compiled_sums(left: Vector, right: Matrix, start: int) -> tuple[float, float, float, float]:
    """Calls it from compiled code."""
    return four_sums_of_products(left, right, start)


def random(count: int) -> tuple[Vector, Matrix]:
    numbers = np.random.default_rng(count)
    return numbers.normal(size=count), np.exp(5.0 * numbers.normal(size=(6, count)))


@pytest.mark.parametrize("count", COUNTS)
def test_compiled_sums_have_the_bits_of_the_definition(count: int) -> None:
    left, right = random(count)
    expected = [sum_of_products(left, right, row * count) for row in (2, 3)]
    assert compiled_sums(left, right, 2 * count) == (expected[0], *expected)
    assert two_sums_of_products(left, right, 2 * count) == tuple(expected)
    assert expected[0] == pytest.approx(float(left @ right[2]), rel=1e-9)


@pytest.mark.parametrize("count", COUNTS)
def test_four_sums_have_the_bits_of_one_each(count: int) -> None:
    left, right = random(count)
    expected = tuple(sum_of_products(left, right, row * count) for row in (1, 2, 3, 4))
    assert four_compiled_sums(left, right, count) == four_sums_of_products(left, right, count) == expected


@pytest.mark.parametrize("count", COUNTS)
def test_a_date_has_the_same_value_alone_and_in_a_stretch(count: int) -> None:
    units, prices = random(count)
    units, held = np.abs(units), np.empty(count)
    prices = np.vstack([prices, 2.0 * prices])  # up to three times four dates, and what is left of them
    for first in range(6):
        for last in range(first, 12):
            navs = np.zeros(14)
            assert mark_dates(first, last, units, prices, 0.25, navs, 1)
            written = [value_at(t, units, prices) + 0.25 for t in range(first, last + 1)]
            assert navs[1 : last - first + 2].tolist() == written
            assert not navs[last - first + 2 :].any()
            assert not navs[0]
    assert values_at(3, units, prices, held) == value_at(3, units, prices)
    assert held.tolist() == (units * prices[3]).tolist()


@pytest.mark.parametrize(("cash", "date"), [(-1e12, 0), (np.inf, 0), (np.nan, 0)])
def test_a_stretch_says_that_there_is_no_wealth(cash: float, date: int) -> None:
    units, prices = random(4)
    assert not mark_dates(date, date + 2, units, prices, cash, np.zeros(3), 0)
    assert not mark_dates(date, date + 5, units, prices, cash, np.zeros(6), 0)
    assert not mark_dates(date, date, units, prices, cash, np.zeros(3), 0)

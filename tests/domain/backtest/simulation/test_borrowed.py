"""Borrowed arrays: the same entries, and every reference to them is returned."""

import sys
from typing import NamedTuple

import numpy as np

from domain.backtest.simulation.arrays import ACCOUNT, Flags, Floats, copied_account
from domain.backtest.simulation.borrowed import borrowed
from domain.backtest.simulation.compiled import compiled


class Pair(NamedTuple):
    """Arrays of two types and a number."""

    values: Floats
    chosen: Flags
    scale: float


@compiled
def sum_of_chosen(pair: Pair, table: Floats) -> float:
    """Writes the scale to the last entry of the table, and adds what is chosen."""
    pair, table = borrowed(pair), borrowed(table)
    row, total = table[1], 0.0
    for i in range(len(row)):
        total += pair.scale * pair.values[i] * row[i] if pair.chosen[i] else 0.0
    row[-1] = pair.scale
    return total


def test_borrowed_arrays_are_the_arrays_of_the_caller() -> None:
    pair = Pair(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), 2.0)
    table = np.array([[9.0, 9.0, 9.0], [1.0, 10.0, 100.0]])
    before = [sys.getrefcount(array) for array in (pair.values, pair.chosen, table)]
    for _ in range(1000):
        table[1, 2] = 100.0
        assert sum_of_chosen(pair, table) == 602.0
    assert table.tolist() == [[9.0, 9.0, 9.0], [1.0, 10.0, 2.0]]
    assert [sys.getrefcount(array) for array in (pair.values, pair.chosen, table)] == before


def test_outside_compiled_code_an_array_is_itself() -> None:
    table = np.zeros(2)
    assert borrowed(table) is table


def test_a_copied_account_has_its_fields_and_does_not_change_with_it() -> None:
    account = np.zeros(1, ACCOUNT)
    account["cash"], account["next_fill"], account["nav"] = 1.5, -7, np.nan
    copied = copied_account(account)
    assert copied.dtype == ACCOUNT
    assert copied.tobytes() == account.tobytes()
    account["next_fill"] = 3
    assert copied["next_fill"] == -7

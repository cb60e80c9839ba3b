"""Scenarios from rows, or from the entries of their rows one after another."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.panel import Scenarios

ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


def test_flat_scenarios_are_rows_one_after_another() -> None:
    flat = Scenarios.of("AB", np.ravel(ROWS))
    assert flat.values.tolist() == Scenarios.of("AB", ROWS).values.tolist() == ROWS
    assert flat.probabilities.tolist() == [1.0 / 3.0] * 3


@pytest.mark.parametrize(
    ("values", "probabilities", "field"),
    [
        ([1.0, 2.0, 3.0], None, "values"),
        ([], None, "values"),
        ([[1.0, np.nan]], None, "values[1]"),
        (ROWS, [0.5, 0.5], "probabilities"),
        (ROWS, [0.6, 0.6, -0.2], "probabilities"),
        (ROWS, [0.3, 0.3, 0.3], "probabilities"),
    ],
)
def test_what_are_no_scenarios(values: list[float], probabilities: list[float] | None, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Scenarios.of("AB", values, probabilities)
    assert raised.value.field == field

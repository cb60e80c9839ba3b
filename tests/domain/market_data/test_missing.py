"""A hole is refused with its place, or its date is dropped."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.missing import MissingDataPolicy, complete
from domain.market_data.panel import PricePanel

PANEL = PricePanel.of(("A", "B"), [0, 1, 2], [[1, 2], [3, np.nan], [5, 6]])


def test_fail_names_symbol_and_first_date() -> None:
    with pytest.raises(InvalidInput, match="B has no value on 1970-01-02") as error:
        complete(PANEL, MissingDataPolicy.FAIL)
    assert error.value.field == "values[3]"


def test_drop_dates_keeps_the_complete_rows() -> None:
    kept = complete(PANEL, MissingDataPolicy.DROP_DATES)
    assert (kept.dates.tolist(), kept.values.tolist()) == ([0, 2], [[1, 2], [5, 6]])


def test_nothing_left_is_an_error() -> None:
    holes = PricePanel.of(("A", "B"), [0, 1], [[1, np.nan], [np.nan, 2]])
    with pytest.raises(InvalidInput, match="no date is left"):
        complete(holes, MissingDataPolicy.DROP_DATES)

"""The spacing of dates says how many make a year."""

import numpy as np
import pytest

from domain.calendar import periods_per_year
from domain.errors import InvalidInput


@pytest.mark.parametrize(("spacing", "expected"), [(1, 252), (7, 52), (28, 12), (31, 12), (89, 4), (92, 4)])
def test_usual_spacings(spacing: int, expected: float) -> None:
    assert periods_per_year(np.arange(0, 20 * spacing, spacing, dtype=np.int32)) == expected


def test_weekends_do_not_count() -> None:
    business_days = np.array([d for d in range(100) if d % 7 < 5], dtype=np.int32)
    assert periods_per_year(business_days) == 252


@pytest.mark.parametrize("dates", [[5], [0, 3, 6], [0, 400, 800]])
def test_any_other_spacing_must_be_given(dates: list[int]) -> None:
    with pytest.raises(InvalidInput, match="must be given"):
        periods_per_year(np.array(dates, dtype=np.int32))

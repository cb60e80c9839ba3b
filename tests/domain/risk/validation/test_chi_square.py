"""The closed form against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from domain.risk.validation.chi_square import chi_square_survival


@given(st.floats(0.0, 500.0), st.integers(1, 40))
def test_it_is_the_survival_function(statistic: float, degrees: int) -> None:
    assert chi_square_survival(statistic, degrees) == pytest.approx(stats.chi2.sf(statistic, degrees), rel=1e-10)


@pytest.mark.parametrize(("statistic", "survival"), [(-1e-12, 1.0), (0.0, 1.0), (1e9, 0.0)])
def test_beyond_its_ends(statistic: float, survival: float) -> None:
    assert [chi_square_survival(statistic, degrees) for degrees in (1, 2, 5)] == [survival] * 3

"""Moments refuse what is not a covariance, and say how to mend it."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.moments import Moments

SYMBOLS = ("A", "B")


def test_row_major_entries_become_a_matrix() -> None:
    moments = Moments.of(SYMBOLS, [0.01, 0.02], [0.04, 0.01, 0.01, 0.09], 12)
    assert moments.covariance.tolist() == [[0.04, 0.01], [0.01, 0.09]]
    assert moments.volatilities == pytest.approx([0.2, 0.3])
    assert moments.repair is None


@pytest.mark.parametrize(
    ("field", "covariance"),
    [
        ("covariance", [0.04, 0.01, 0.02, 0.09]),
        ("covariance", [0.04, 0.01, 0.01]),
        ("covariance", [1.0, 2.0, 2.0, 1.0]),
        ("covariance[1]", [0.04, np.nan, np.nan, 0.09]),
    ],
)
def test_what_is_not_a_covariance_is_refused(field: str, covariance: list[float]) -> None:
    with pytest.raises(InvalidInput) as error:
        Moments.of(SYMBOLS, [0.01, 0.02], covariance, 12)
    assert error.value.field == field


def test_the_message_of_an_indefinite_covariance_says_the_eigenvalue() -> None:
    with pytest.raises(InvalidInput, match=r"eigenvalue is -1;.*repair_covariance"):
        Moments.of(SYMBOLS, [0.01, 0.02], [1.0, 2.0, 2.0, 1.0], 12)


def test_a_repair_is_the_nearest_semidefinite_matrix_and_is_reported() -> None:
    """Eigenvalues 3 and -1 with vectors (1,1) and (1,-1): dropping the negative one leaves 1.5 everywhere."""
    moments = Moments.of(SYMBOLS, [0.01, 0.02], [1.0, 2.0, 2.0, 1.0], 12, repair_covariance=True)
    assert moments.covariance == pytest.approx(np.full((2, 2), 1.5))
    assert moments.repair is not None
    assert moments.repair.smallest_eigenvalue == pytest.approx(-1.0)
    assert moments.repair.largest_change == pytest.approx(0.5)


def test_rounding_is_not_asymmetry() -> None:
    moments = Moments.of(SYMBOLS, [0.0, 0.0], [0.04, 0.01, 0.01 + 1e-12, 0.09], 12)
    assert (moments.covariance == moments.covariance.T).all()

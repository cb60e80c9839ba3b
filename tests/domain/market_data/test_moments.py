"""Moments refuse what is not a covariance, and say how to mend it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from domain.checks import Matrix
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


def test_a_covariance_of_fewer_returns_than_assets_needs_no_eigenvalues(monkeypatch: pytest.MonkeyPatch) -> None:
    """They cost as much as 20 factorisations: 4000 assets over 40 dates would be checked for most of a minute."""
    returns = np.random.default_rng(3).normal(0.0, 0.01, (40, 200))
    covariance = np.cov(returns.T)
    symbols = [f"S{i}" for i in range(200)]
    asked: list[int] = []

    def recorded(matrix: Matrix, eigenvalues: Callable[[Matrix], Any] = np.linalg.eigh) -> Any:
        asked.append(len(matrix))
        return eigenvalues(matrix)

    monkeypatch.setattr(np.linalg, "eigh", recorded)
    moments = Moments.of(symbols, returns.mean(axis=0), covariance, 252, repair_covariance=True)
    assert moments.repair is None
    assert not asked
    with pytest.raises(InvalidInput, match="positive semidefinite"):
        Moments.of(symbols, returns.mean(axis=0), covariance - 1e-6 * np.eye(200), 252)
    assert asked == [200]


@pytest.mark.parametrize(("smallest", "is_refused"), [(-0.5e-10, False), (-2e-10, True)])
def test_a_negative_eigenvalue_is_rounding_up_to_a_fraction_of_the_largest(smallest: float, is_refused: bool) -> None:
    """Of two assets, eigenvalues 1 and `smallest` with vectors (1, 1) and (1, -1)."""
    entries = [(1.0 + smallest) / 2, (1.0 - smallest) / 2, (1.0 - smallest) / 2, (1.0 + smallest) / 2]
    if is_refused:
        with pytest.raises(InvalidInput, match="positive semidefinite"):
            Moments.of(SYMBOLS, [0.0, 0.0], entries, 12)
    else:
        assert Moments.of(SYMBOLS, [0.0, 0.0], entries, 12).repair is None

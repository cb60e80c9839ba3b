"""What counts as an exception, and which input is refused."""

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.risk.validation.exceptions import Exceptions


def test_an_exception_is_a_loss_above_its_forecast() -> None:
    """Written out: a loss of exactly the forecast is none, and a forecast may be negative."""
    exceptions = Exceptions(np.array([-0.02, -0.03, 0.05, 0.01]), np.array([0.02, 0.02, 0.02, -0.015]), 0.95)
    assert exceptions.hits.tolist() == [False, True, False, True]
    assert (exceptions.places, exceptions.count, exceptions.rate) == ((1, 3), 2, 0.5)
    assert exceptions.expected == pytest.approx(4 * 0.05)


def test_what_was_checked_stays_as_it_was() -> None:
    exceptions = Exceptions(np.zeros(3), np.ones(3), 0.95)
    with pytest.raises(ValueError, match="read-only"):
        exceptions.returns[0] = np.nan


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("returns[1]", (np.array([0.0, np.nan]), np.ones(2), 0.95)),
        ("returns", (np.array([]), np.array([]), 0.95)),
        ("returns", (np.zeros((2, 1)), np.ones(2), 0.95)),
        ("forecasts.value_at_risk[0]", (np.zeros(2), np.array([np.inf, 1.0]), 0.95)),
        ("forecasts.value_at_risk", (np.zeros(2), np.ones(3), 0.95)),
        ("forecasts.value_at_risk", (np.zeros(2), np.float64(1.0), 0.95)),
        ("confidence_level", (np.zeros(2), np.ones(2), 1.0)),
        ("confidence_level", (np.zeros(2), np.ones(2), 1e-20)),
        ("confidence_level", (np.zeros(2), np.ones(2), np.nan)),
    ],
)
def test_input_is_checked(field: str, arguments: tuple[np.ndarray, np.ndarray, float]) -> None:
    with pytest.raises(InvalidInput) as error:
        Exceptions(*arguments)
    assert error.value.field == field

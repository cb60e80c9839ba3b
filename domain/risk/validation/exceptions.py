"""Where losses went beyond their forecast."""

import numpy as np
from numpy.typing import NDArray

from domain.checks import ROUNDING, Vector, finite, freeze, open_fraction, same_length
from domain.errors import InvalidInput
from domain.records import dataclass


def series(field: str, values: Vector) -> Vector:
    """Finite numbers in the order of time, at least one."""
    checked = finite(field, values)
    if checked.ndim != 1 or not len(checked):
        raise InvalidInput(field, "must be a series of at least one number")
    return checked


@dataclass(frozen=True, slots=True)
class Exceptions:
    """T returns beside the value at risk that was forecast for each of them before it was known."""

    returns: Vector  # (T,)
    value_at_risk: Vector  # (T,), per period, losses positive
    confidence_level: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "returns", freeze(series("returns", self.returns)))
        forecast = series("forecasts.value_at_risk", self.value_at_risk)
        object.__setattr__(self, "value_at_risk", freeze(forecast))
        same_length("forecasts.value_at_risk", self.value_at_risk, "returns", self.returns)
        if open_fraction("confidence_level", self.confidence_level) < ROUNDING:
            raise InvalidInput("confidence_level", f"must be {ROUNDING:g} or more: every return would be in the tail")

    @property
    def hits(self) -> NDArray[np.bool_]:
        """Whether the loss is above its forecast, (T,); a loss of exactly the forecast is no exception."""
        result: NDArray[np.bool_] = -self.returns > self.value_at_risk
        return result

    @property
    def places(self) -> tuple[int, ...]:
        """Indices of the exceptions."""
        return tuple(int(place) for place in np.flatnonzero(self.hits))

    @property
    def observations(self) -> int:
        """T."""
        return len(self.returns)

    @property
    def tail_probability(self) -> float:
        """Probability p of an exception if the forecasts are right."""
        return 1.0 - self.confidence_level

    @property
    def count(self) -> int:
        """Number of exceptions."""
        return int(self.hits.sum())

    @property
    def expected(self) -> float:
        """Number to be expected, T p."""
        return self.observations * self.tail_probability

    @property
    def rate(self) -> float:
        """Exceptions per observation."""
        return self.count / self.observations

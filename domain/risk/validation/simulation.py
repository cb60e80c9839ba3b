"""The distribution of a statistic under correct forecasts, by simulation from them."""

from collections.abc import Callable

import numpy as np

from domain.checks import Matrix
from domain.errors import InvalidInput
from domain.records import dataclass

Draw = Callable[[np.random.Generator, int], Matrix]
"""Simulates `count` return series, (count, T), from the forecast distributions."""


@dataclass(frozen=True, slots=True)
class ForecastSimulation:
    """Where the distribution of a statistic comes from; the seed makes it repeatable."""

    draw: Draw
    seed: int
    count: int  # number of simulated series

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InvalidInput("seed", f"must be 0 or more, is {self.seed}")
        if self.count < 1:
            raise InvalidInput("simulations", f"must be 1 or more, is {self.count}")

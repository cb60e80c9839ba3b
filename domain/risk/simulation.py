"""Simulated returns of a risk model: normal, Student's t, or blocks of its own history."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.checks import Matrix, positive
from domain.errors import InvalidInput
from domain.market_data.moments import Moments
from domain.records import dataclass


class SimulationMethod(StrEnum):
    """Where simulated returns come from."""

    GAUSSIAN = "GAUSSIAN"
    STUDENT_T = "STUDENT_T"
    BLOCK_BOOTSTRAP = "BLOCK_BOOTSTRAP"


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """How many paths of how many periods, and how they are drawn."""

    paths: int
    periods: int = 1
    method: SimulationMethod = SimulationMethod.GAUSSIAN
    degrees_of_freedom: float = 5.0  # of Student's t, above 2
    mean_block: float = 20.0  # periods
    seed: int = 0

    def __post_init__(self) -> None:
        for name, count in (("paths", self.paths), ("periods", self.periods)):
            if count < 1:
                raise InvalidInput(f"simulation.{name}", f"must be 1 or more, is {count}")
        if positive("simulation.degrees_of_freedom", self.degrees_of_freedom) <= 2.0:
            raise InvalidInput("simulation.degrees_of_freedom", "must be above 2, so that a variance exists")
        if positive("simulation.mean_block", self.mean_block) < 1.0:
            raise InvalidInput("simulation.mean_block", "must be 1 or more")


def simulate(simulation: SimulationSettings, moments: Moments, returns: Matrix) -> Matrix:
    """Simple returns of N assets, path after path, (paths x periods, N).

    Normal and t returns have the model's mean and covariance; a t one has common shocks to all assets. Blocks of the
    model's own returns (T, N) have geometric lengths and wrap around (Politis & Romano 1994, "The stationary
    bootstrap"), so that they keep its distribution and what one period says about the next.
    """
    generator = np.random.default_rng(simulation.seed)
    if simulation.method is SimulationMethod.BLOCK_BOOTSTRAP:
        return np.asarray(returns[_places(simulation, len(returns), generator)])
    count = simulation.paths * simulation.periods
    values, vectors = np.linalg.eigh(moments.covariance)
    root = vectors * np.sqrt(values.clip(min=0.0))
    shocks = generator.standard_normal((count, len(values))) @ root.T
    if simulation.method is SimulationMethod.STUDENT_T:
        v = simulation.degrees_of_freedom
        shocks *= np.sqrt((v - 2.0) / generator.chisquare(v, count))[:, None]
    result: Matrix = moments.expected_returns + shocks
    return result


def _places(simulation: SimulationSettings, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Indices of the returns that follow one another on all paths, (paths x periods,)."""
    shape = (simulation.paths, simulation.periods)
    starts = generator.integers(0, count, shape)
    jumps = generator.random(shape) < 1.0 / simulation.mean_block
    jumps[:, 0] = True
    # Periods since the last jump, and where that one went.
    step = np.arange(simulation.periods)
    last = np.maximum.accumulate(np.where(jumps, step, 0), axis=1)
    origin = np.take_along_axis(starts, last, axis=1)
    return ((origin + step - last) % count).reshape(-1)

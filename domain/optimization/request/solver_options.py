"""How long and how accurately to solve, and which engine solves."""

from enum import StrEnum

from domain.checks import positive
from domain.optimization.tolerances import DEFAULT_TOLERANCE
from domain.records import dataclass


class EnginePreference(StrEnum):
    """Which engine solves; AUTO leaves the choice to the service."""

    AUTO = "AUTO"
    FAST = "FAST"
    RISKFOLIO = "RISKFOLIO"


@dataclass(frozen=True, slots=True)
class SolverOptions:
    """Time limit, accuracy and engine."""

    time_limit_seconds: float = 30.0
    tolerance: float = DEFAULT_TOLERANCE  # relative accuracy of the objective
    engine: EnginePreference = EnginePreference.AUTO

    def __post_init__(self) -> None:
        positive("time_limit", self.time_limit_seconds)
        positive("tolerance", self.tolerance)

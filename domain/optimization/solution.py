"""What a solver proposes and what the optimiser returns: weights, figures about them, and the proof.

`verify` turns a `Candidate` into a `Solution`.
"""

from enum import StrEnum

from domain.checks import Vector
from domain.records import dataclass
from domain.risk.contribution import RiskContributions
from domain.warnings import ResultWarning


class Engine(StrEnum):
    """Which engine proposed the weights."""

    FAST = "FAST"
    RISKFOLIO = "RISKFOLIO"
    CLOSED_FORM = "CLOSED_FORM"


class BoundSide(StrEnum):
    """Which end of a limit binds."""

    LOWER = "LOWER"
    UPPER = "UPPER"


@dataclass(frozen=True, slots=True)
class Binding:
    """A limit that binds at the answer."""

    label: str
    symbol: str | None  # of a bound on a single weight
    side: BoundSide
    shadow_price: float | None  # improvement of the objective, in its own unit, per unit by which this end is relaxed


@dataclass(frozen=True, slots=True)
class Candidate:
    """Weights that an engine proposes, with the bound it has proven."""

    weights: Vector  # (N,)
    engine: Engine
    solver: str
    solver_version: str = ""
    iterations: int = 0
    relative_gap: float | None = None  # to a proven bound; None for closed forms
    dual_residual: float | None = None
    binding: tuple[Binding, ...] = ()

    def is_proven_within(self, tolerance: float) -> bool:
        """Whether it is as close to a proven bound; a closed form needs none."""
        return self.relative_gap is None or self.relative_gap <= tolerance


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proof of an answer: residuals and the gap to a proven bound."""

    engine: Engine
    solver: str
    solver_version: str
    iterations: int
    dual_residual: float | None
    duality_gap: float | None
    max_constraint_violation: float


@dataclass(frozen=True, slots=True)
class Solution:
    """Verified weights and what they mean."""

    symbols: tuple[str, ...]
    weights: Vector  # (N,)
    expected_return_annual: float
    volatility_annual: float
    risk: float  # per period, in the problem's measure
    ratio: float | None  # None where volatility is 0
    diversification: float | None  # None where volatility is 0
    effective_number_of_assets: float
    contributions: RiskContributions  # to the annual volatility
    turnover_one_way: float | None  # None without current weights
    binding: tuple[Binding, ...]
    certificate: Certificate
    warnings: tuple[ResultWarning, ...] = ()  # about the problem: it was solved as it stands

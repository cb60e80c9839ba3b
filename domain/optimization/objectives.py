"""What to optimise: one small class for each objective of the contract."""

from dataclasses import dataclass, field

from domain.checks import Vector, finite, finite_number, positive
from domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class MinRisk:
    """The least risk in the chosen measure."""


@dataclass(frozen=True, slots=True)
class MaxReturn:
    """The highest expected return."""


@dataclass(frozen=True, slots=True)
class MaxUtility:
    """Annual mean minus risk_aversion / 2 times annual variance."""

    risk_aversion: float

    def __post_init__(self) -> None:
        positive("risk_aversion", self.risk_aversion)


@dataclass(frozen=True, slots=True)
class MaxRatio:
    """The highest expected excess return per unit of risk (Sharpe, where risk is volatility)."""

    risk_free_rate_annual: float = 0.0

    def __post_init__(self) -> None:
        finite_number("risk_free_rate_annual", self.risk_free_rate_annual)


@dataclass(frozen=True, slots=True)
class MaxDiversification:
    """The highest ratio of average asset volatility to portfolio volatility (Choueifaty & Coignard 2008)."""


@dataclass(frozen=True, slots=True)
class RiskBudget:
    """Each asset carries its share of the volatility; no budgets means equal shares."""

    budgets: Vector | None = field(default=None)  # (N,), any positive scale

    def __post_init__(self) -> None:
        if self.budgets is None:
            return
        if (finite("budgets", self.budgets) <= 0.0).any():
            raise InvalidInput("budgets", "must be above 0 for every symbol")


@dataclass(frozen=True, slots=True)
class EqualWeight:
    """1 / N of the budget in each asset."""


@dataclass(frozen=True, slots=True)
class InverseVolatility:
    """Weights proportional to 1 / volatility."""


Objective = (
    MinRisk | MaxReturn | MaxUtility | MaxRatio | MaxDiversification | RiskBudget | EqualWeight | InverseVolatility
)

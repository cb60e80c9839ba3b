"""The objectives: one class for each objective of the contract."""

from dataclasses import field
from enum import StrEnum

from domain.checks import Matrix, Vector, figure, figures, non_negative, open_fraction, positive
from domain.errors import InvalidInput
from domain.estimation.clustering import Linkage
from domain.records import dataclass

CONVEX_ROUNDING = 1e-12
"""A skewness on the border of what is convex may lie beyond it by this part."""


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
        positive("risk_aversion", figure("risk_aversion", self.risk_aversion))


@dataclass(frozen=True, slots=True)
class MaxRatio:
    """The highest expected excess return per unit of risk (Sharpe, where risk is volatility)."""

    risk_free_rate_annual: float = 0.0

    def __post_init__(self) -> None:
        figure("risk_free_rate_annual", self.risk_free_rate_annual)


@dataclass(frozen=True, slots=True)
class MaxDiversification:
    """The highest ratio of average asset volatility to portfolio volatility (Choueifaty & Coignard 2008)."""


@dataclass(frozen=True, slots=True)
class RiskBudget:
    """Each asset contributes a given fraction of the volatility; without budgets all contribute the same."""

    budgets: Vector | None = field(default=None)  # (N,), any positive scale

    def __post_init__(self) -> None:
        if self.budgets is None:
            return
        if (figures("budgets", self.budgets) <= 0.0).any():
            raise InvalidInput("budgets", "must be above 0 for every symbol")


@dataclass(frozen=True, slots=True)
class FactorBudget:
    """Each factor contributes a given fraction of the volatility; the part that no factor explains contributes none."""

    factors: tuple[str, ...]  # K names
    loadings: Matrix  # (N, K)
    budgets: Vector  # (K,), any positive scale

    def __post_init__(self) -> None:
        figures("factor_budgets.loadings", self.loadings)
        if self.loadings.shape[1:] != self.budgets.shape or len(self.factors) != len(self.budgets):
            raise InvalidInput("factor_budgets", "must have loadings and a budget for every factor")
        if (figures("factor_budgets.budget", self.budgets) <= 0.0).any():
            raise InvalidInput("factor_budgets.budget", "must be above 0 for every factor")


@dataclass(frozen=True, slots=True)
class RelaxedRiskBudget:
    """Risk budgets that may be missed where that lowers the risk (Gambeta & Kwon 2020); `penalty` weighs each asset's
    own variance."""

    budgets: Vector | None = field(default=None)  # (N,), any positive scale
    penalty: float = 0.0

    def __post_init__(self) -> None:
        non_negative("penalty", figure("penalty", self.penalty))
        if self.budgets is not None and (figures("budgets", self.budgets) <= 0.0).any():
            raise InvalidInput("budgets", "must be above 0 for every symbol")


@dataclass(frozen=True, slots=True)
class Tracking:
    """The least volatility of the difference to a benchmark."""

    benchmark: Vector  # (N,)

    def __post_init__(self) -> None:
        figures("benchmark", self.benchmark)


class KellyMethod(StrEnum):
    """How E ln(1 + x) is treated."""

    EXACT = "EXACT"
    QUADRATIC = "QUADRATIC"  # mean - variance / 2
    SECOND_MOMENT = "SECOND_MOMENT"  # mean - E x^2 / 2, the Taylor polynomial


@dataclass(frozen=True, slots=True)
class Kelly:
    """The highest expected logarithmic growth (Kelly 1956)."""

    method: KellyMethod = KellyMethod.EXACT


class Uncertainty(StrEnum):
    """The set in which the true value of an estimate lies."""

    NONE = "NONE"
    BOX = "BOX"  # each number in its own interval
    ELLIPSOID = "ELLIPSOID"  # all numbers together


@dataclass(frozen=True, slots=True)
class WorstCase:
    """A goal met in the worst case of what the estimates may truly be, with the given confidence."""

    goal: MinRisk | MaxReturn | MaxUtility | MaxRatio
    expected_returns: Uncertainty = Uncertainty.NONE
    covariance: Uncertainty = Uncertainty.NONE
    confidence_level: float = 0.95

    def __post_init__(self) -> None:
        open_fraction("confidence_level", self.confidence_level)


@dataclass(frozen=True, slots=True)
class OrderedWeightedAverage:
    """A goal with the weighted sum of losses ordered by size as the risk; from the worst outcome to the best."""

    weights: Vector  # (S,), not rising
    goal: MinRisk | MaxUtility | MaxRatio = field(default_factory=MinRisk)

    def __post_init__(self) -> None:
        figures("weights", self.weights)


LARGEST_FACTOR = 1e30
"""Of moments in an objective."""


@dataclass(frozen=True, slots=True)
class HigherMoments:
    """The highest mean - variance E z^2 + skewness E z^3 - kurtosis E z^4 per period, z the return less its mean.

    Raises InvalidInput where that need not be concave in the weights, or is the mean alone.
    """

    variance: float = 0.0
    skewness: float = 0.0
    kurtosis: float = 0.0
    ignore_mean: bool = False

    def __post_init__(self) -> None:
        for name in ("variance", "skewness", "kurtosis"):
            # They are per power of a return: where returns are small, factors are large.
            non_negative(name, figure(name, getattr(self, name), LARGEST_FACTOR))
        most = (8.0 / 3.0 * self.variance * self.kurtosis) ** 0.5
        # The second derivative of a z^2 - b z^3 + c z^4 has no zero crossing.
        if self.skewness > most * (1.0 + CONVEX_ROUNDING):
            rule = f"must be at most the root of 8/3 x variance x kurtosis, {most:g}: otherwise it is not convex"
            raise InvalidInput("skewness", rule)
        if self.variance == 0.0 and self.kurtosis == 0.0:
            raise InvalidInput("variance", "must be above 0 where kurtosis is not: without both it is maxReturn")


class HierarchicalMethod(StrEnum):
    """Which allocation along the tree."""

    HRP = "HRP"
    HERC = "HERC"
    HERC2 = "HERC2"
    NCO = "NCO"


class CodependenceMeasure(StrEnum):
    """How the codependence of two assets is measured; distances follow from it."""

    PEARSON = "PEARSON"
    SPEARMAN = "SPEARMAN"
    KENDALL = "KENDALL"
    GERBER1 = "GERBER1"
    GERBER2 = "GERBER2"
    ABSOLUTE_PEARSON = "ABSOLUTE_PEARSON"
    ABSOLUTE_SPEARMAN = "ABSOLUTE_SPEARMAN"
    ABSOLUTE_KENDALL = "ABSOLUTE_KENDALL"
    DISTANCE = "DISTANCE"
    MUTUAL_INFORMATION = "MUTUAL_INFORMATION"
    TAIL = "TAIL"
    CUSTOM_COVARIANCE = "CUSTOM_COVARIANCE"


@dataclass(frozen=True, slots=True)
class Hierarchical:
    """Weights along a tree of clusters of like assets."""

    method: HierarchicalMethod = HierarchicalMethod.HRP
    linkage: Linkage = Linkage.SINGLE
    codependence: CodependenceMeasure = CodependenceMeasure.PEARSON
    max_clusters: int = 10
    between_columns: bool = False  # cluster by the distance between columns of distances, as Lopez de Prado 2016
    optimal_order: bool = True  # of the leaves, so that neighbours are close


@dataclass(frozen=True, slots=True)
class EqualWeight:
    """1 / N of the budget in each asset."""


@dataclass(frozen=True, slots=True)
class InverseVolatility:
    """Weights proportional to 1 / volatility."""


Objective = (
    MinRisk
    | MaxReturn
    | MaxUtility
    | MaxRatio
    | MaxDiversification
    | RiskBudget
    | FactorBudget
    | RelaxedRiskBudget
    | Tracking
    | Kelly
    | WorstCase
    | Hierarchical
    | OrderedWeightedAverage
    | HigherMoments
    | EqualWeight
    | InverseVolatility
)


def goal_of(objective: object) -> object:
    """The inner goal of a robust or ordered-average objective; any other objective itself."""
    return objective.goal if isinstance(objective, WorstCase | OrderedWeightedAverage) else objective

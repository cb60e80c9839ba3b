"""Factor models as estimators: which symbols are factors, and how assets are regressed on them."""

from enum import StrEnum

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, constant_columns, open_fraction, unique_symbols
from domain.errors import InvalidInput
from domain.estimation.regression import (
    FactorFit,
    fitted,
    independent_factors,
    least_squares,
    principal_component_regression,
    varying_factors,
)
from domain.estimation.stepwise import Criterion, Direction, Stepwise
from domain.records import dataclass

DEFAULT_THRESHOLD = 0.05
DEFAULT_EXPLAINED_VARIANCE = 0.95


class FactorMethod(StrEnum):
    """How factors enter."""

    STEPWISE = "STEPWISE"
    PRINCIPAL_COMPONENTS = "PRINCIPAL_COMPONENTS"
    LEAST_SQUARES = "LEAST_SQUARES"


@dataclass(frozen=True, slots=True)
class FactorModel:
    """A regression of every asset on the same factors, which are no assets themselves."""

    factors: tuple[str, ...]
    method: FactorMethod = FactorMethod.STEPWISE
    direction: Direction = Direction.FORWARD
    criterion: Criterion = Criterion.P_VALUE
    threshold: float = DEFAULT_THRESHOLD  # largest p-value of a factor that stays
    explained_variance: float = DEFAULT_EXPLAINED_VARIANCE  # of the factors, by principal components

    def __post_init__(self) -> None:
        unique_symbols("factors", self.factors)
        open_fraction("threshold", self.threshold)
        if not 0.0 < self.explained_variance <= 1.0:
            raise InvalidInput("explained_variance", f"must be above 0 and at most 1, is {self.explained_variance:g}")

    @property
    def fewest_returns(self) -> int:
        """With so many it always works."""
        return len(self.factors) + 2

    def fit(self, factors: Matrix, returns: Matrix, check_cancelled: CancellationCheck = never_cancelled) -> FactorFit:
        """Of returns (T, N) on factors (T, K). Raises InvalidInput for too few, constant or collinear ones."""
        exposures = np.array(self._exposures(factors, returns, check_cancelled))
        exposures[constant_columns(returns)] = 0.0  # what rounding left
        return fitted(factors, returns, exposures)

    def _exposures(self, factors: Matrix, returns: Matrix, check_cancelled: CancellationCheck) -> Matrix:
        match self.method:
            case FactorMethod.PRINCIPAL_COMPONENTS:
                return principal_component_regression(varying_factors(factors), returns, self.explained_variance)
            case FactorMethod.LEAST_SQUARES:
                return least_squares(independent_factors(factors), returns)
            case FactorMethod.STEPWISE:
                rule = Stepwise(self.direction, self.criterion, self.threshold)
                return rule.exposures(independent_factors(factors), returns, check_cancelled)

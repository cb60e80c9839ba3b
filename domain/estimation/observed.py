"""Returns that were observed, assets apart from the factors that explain them."""

from collections.abc import Mapping
from dataclasses import field
from typing import TypeVar

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Matrix, constant_columns, freeze
from domain.errors import InvalidInput
from domain.estimation.covariance import CovarianceEstimator
from domain.estimation.denoising import Denoised
from domain.estimation.expected_returns import Sample
from domain.estimation.factor_model import FactorModel
from domain.estimation.regression import FactorFit
from domain.estimation.sparse import GraphicalLasso, LocalGlobal
from domain.market_data.panel import Panel, ReturnPanel
from domain.records import dataclass

P = TypeVar("P", bound=Panel)


def split(panel: P, models: Mapping[str, FactorModel]) -> tuple[P, P | None]:
    """Assets, and the factors that models name, in the order of the panel; models by their path in a request.

    Raises InvalidInput for a factor that the panel does not have, and where no asset is left.
    """
    if not models:
        return panel, None
    path, model = next(iter(models.items()))
    known = set(panel.symbols)
    for i, name in enumerate(model.factors):
        if name not in known:
            raise InvalidInput(f"{path}.factors[{i}]", f"{name} is not a symbol of the input")
    are_factors = np.isin(panel.symbols, model.factors)
    if are_factors.all():
        raise InvalidInput(f"{path}.factors", "must leave at least one symbol of the input that is not a factor")
    return _only(panel, ~are_factors), _only(panel, are_factors)


def _only(panel: P, chosen: np.ndarray) -> P:
    symbols = tuple(symbol for symbol, is_in in zip(panel.symbols, chosen.tolist(), strict=True) if is_in)
    return type(panel)(symbols, panel.dates, freeze(panel.values[:, chosen]))


@dataclass(frozen=True, slots=True)
class Observed:
    """T returns of N assets and K factors; each model is fitted once."""

    assets: ReturnPanel
    factors: ReturnPanel | None
    models: Mapping[str, FactorModel]  # by path
    _fits: dict[FactorModel, FactorFit] = field(default_factory=dict)

    @classmethod
    def of(cls, returns: ReturnPanel, models: Mapping[str, FactorModel]) -> "Observed":
        """A panel of assets and factors. Raises InvalidInput as `split` does."""
        return cls(*split(returns, models), models)

    def fit(self, model: FactorModel, check_cancelled: CancellationCheck = never_cancelled) -> FactorFit:
        """The regressions of a model, which must be one of those named. Raises InvalidInput with its path."""
        if model not in self._fits:
            path = next(path for path, known in self.models.items() if known == model)
            if self.factors is None:
                raise ValueError("a panel without factors has no model of them")
            try:
                self._fits[model] = model.fit(self.factors.values, self.assets.values, check_cancelled)
            except InvalidInput as error:
                raise error.with_path_prefix(path) from None
        return self._fits[model]

    def covariance(
        self, estimator: CovarianceEstimator | FactorModel, check_cancelled: CancellationCheck = never_cancelled
    ) -> Matrix:
        """Of the assets, (N, N); exactly 0 for one that does not vary."""
        values = self.assets.values
        match estimator:
            case FactorModel():
                covariance = np.array(self.fit(estimator, check_cancelled).covariance)
            case GraphicalLasso() | LocalGlobal() | Denoised():
                covariance = np.array(estimator.estimate(values, check_cancelled))
            case _:
                covariance = np.array(estimator.estimate(values))
        constant = constant_columns(values)
        covariance[constant, :] = covariance[:, constant] = 0.0  # what rounding left of no variance
        return covariance

    def sample(self, covariance: Matrix) -> Sample:
        """Input of the estimators of expected returns."""
        return Sample(self.assets.symbols, self.assets.values, covariance)

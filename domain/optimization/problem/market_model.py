"""Moments and scenarios of a problem's assets, estimated once and shared by all problems on the same data."""

from dataclasses import field

from domain.cancellation import CancellationCheck, never_cancelled
from domain.errors import InvalidInput, NotSupported
from domain.estimation import codependence
from domain.estimation.moments import (
    estimate_moments,
    pooled_scenarios,
    scenario_moments,
    with_views,
)
from domain.market_data.moments import Moments
from domain.market_data.panel import Scenarios
from domain.market_data.source import MarketInput, complete_returns, infer_periods_per_year
from domain.optimization.problem.codependence import codependence_of
from domain.optimization.request.objectives import (
    CodependenceMeasure,
)
from domain.optimization.request.specification import Specification
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class MarketModel:
    """Moments and scenarios of the assets, estimated once and shared by all problems on the same data."""

    moments: Moments
    scenarios: Scenarios | None  # where the measure needs a distribution
    _codependences: dict[CodependenceMeasure, codependence.Codependence] = field(
        default_factory=dict, repr=False, compare=False
    )

    def codependence_in(
        self, measure: CodependenceMeasure, check_cancelled: CancellationCheck = never_cancelled
    ) -> codependence.Codependence:
        """Codependence of the assets, measured once. Raises NotSupported where it needs returns."""
        if measure not in self._codependences:
            self._codependences[measure] = codependence_of(measure, self.moments, self.scenarios, check_cancelled)
        return self._codependences[measure]


def market_model_of(
    specification: Specification, data: MarketInput, check_cancelled: CancellationCheck = never_cancelled
) -> MarketModel:
    """Moments and scenarios of data, as a specification estimates them."""
    estimation = specification.estimation
    if not estimation.is_pooled:
        return MarketModel(_moments(specification, data, check_cancelled), _scenarios(specification, data))
    if isinstance(data, Moments):
        raise NotSupported("METHOD_ENTROPY_POOLING needs returns, prices or scenarios: it reweights them")
    periods = infer_periods_per_year(specification.periods_per_year, data, specification.missing_data)
    given = (
        data
        if isinstance(data, Scenarios)
        else Scenarios.from_returns(complete_returns(data, specification.missing_data))
    )
    pooled = pooled_scenarios(given, estimation, periods, check_cancelled)
    return MarketModel(scenario_moments(pooled, periods), pooled.without_rounding)


def _moments(specification: Specification, data: MarketInput, check_cancelled: CancellationCheck) -> Moments:
    estimation = specification.estimation
    if isinstance(data, Moments | Scenarios):
        for path in estimation.factor_models:
            raise InvalidInput(path, "needs returns, prices or market_data: assets are regressed on their factors")
        if estimation.estimates_something:
            raise InvalidInput("estimation", "must not be given beside moments or scenarios; only its views can be")
        given = (
            data
            if isinstance(data, Moments)
            else scenario_moments(data, infer_periods_per_year(specification.periods_per_year, data))
        )
        return given if estimation.views is None else with_views(given, estimation.views)
    periods = infer_periods_per_year(specification.periods_per_year, data, specification.missing_data)
    return estimate_moments(complete_returns(data, specification.missing_data), estimation, periods, check_cancelled)


def _scenarios(specification: Specification, data: MarketInput) -> Scenarios | None:
    if isinstance(data, Scenarios):
        return data.without_rounding
    if isinstance(data, Moments) or not specification.needs_distribution:
        return None
    returns = complete_returns(data, specification.missing_data)
    return Scenarios.from_returns(specification.estimation.assets_of(returns)).without_rounding

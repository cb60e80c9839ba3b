"""Attribution to factors for weights and returns that a caller has: each segment is an asset."""

import numpy as np

from domain.attribution.attribute import AttributedWeights
from domain.attribution.factors import (
    SPECIFIC,
    FactorEffects,
    FactorExposures,
    estimated_factor_returns,
    exposure_effects,
    linked_factors,
    regression_effects,
)
from domain.attribution.linking import Linked
from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.market_data.panel import Panel
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class FactorPart:
    """Contribution of a factor over all periods, or of what the factors leave, which has no exposure."""

    name: str
    contribution: float
    mean_exposure: float | None


@dataclass(frozen=True, slots=True)
class FactorParts:
    """The parts; they add up as those of segments do."""

    parts: tuple[FactorPart, ...]
    r_squared: float | None = None


def by_exposures(
    weights: AttributedWeights,
    exposures: FactorExposures,
    linked: Linked | None,
    check_cancelled: CancellationCheck = never_cancelled,
) -> FactorParts:
    """By the exposures of what was held; cash has none. Raises InvalidInput with paths from the exposures on.

    Returns of factors that are not given are estimated from those of the segments: the portfolio's, and the benchmark's
    where it has none.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # beyond numbers: refused at the end
        return _finite("factors", _by_exposures(weights, exposures, linked, check_cancelled))


def _by_exposures(
    weights: AttributedWeights, exposures: FactorExposures, linked: Linked | None, check_cancelled: CancellationCheck
) -> FactorParts:
    try:
        segments = weights.assets
        values = exposures.of_assets(weights.segments[:segments])
        active = weights.portfolio.weights[:, :segments] - weights.benchmark.weights[:, :segments]
        returns = exposures.returns_on(weights.dates)
        if returns is None:
            own, other = weights.portfolio.returns[:, :segments], weights.benchmark.returns[:, :segments]
            known = np.where(np.isnan(own), other, own)
            returns = estimated_factor_returns(values, known, weights.dates, check_cancelled)
    except InvalidInput as error:
        raise error.with_path_prefix("factors") from None
    effects = exposure_effects(active @ values, returns, weights.portfolio_return - weights.benchmark_return)
    return _parts(exposures.factors, effects, linked, weights.benchmark_return)


def by_regression(weights: AttributedWeights, factors: Panel, linked: Linked | None) -> FactorParts:
    """By a regression of the excess return. Raises InvalidInput with paths from the factors on."""
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            effects = regression_effects(factors, weights.dates, weights.portfolio_return - weights.benchmark_return)
        except InvalidInput as error:
            raise error.with_path_prefix("regression_factors") from None
        return _finite("regression_factors", _parts(factors.symbols, effects, linked, weights.benchmark_return))


def _finite(field: str, found: FactorParts) -> FactorParts:
    """The parts. Raises InvalidInput for a contribution that is too large for a number."""
    if not all(np.isfinite(part.contribution) and np.isfinite(part.mean_exposure or 0.0) for part in found.parts):
        raise InvalidInput(field, "give contributions too large for a number")
    return found


def _parts(
    names: tuple[str, ...], effects: FactorEffects, linked: Linked | None, benchmark_return: Vector
) -> FactorParts:
    contributions = linked_factors(effects, np.zeros((len(benchmark_return), 0)), linked, benchmark_return).tolist()
    means: list[float] = effects.exposures.mean(axis=0).tolist()
    found = [FactorPart(name, contributions[k], means[k]) for k, name in enumerate(names)]
    return FactorParts((*found, FactorPart(SPECIFIC, contributions[-1], None)), effects.r_squared)

"""Reports on measures of the contract, each with the contributions of assets, groups and factors."""

import numpy as np

from domain.cancellation import CancellationCheck
from domain.checks import Matrix, Vector
from domain.errors import NotSupported
from domain.market_data.moments import Moments
from domain.risk.contribution import GroupContribution, RiskContributions, by_factor, by_group, measure_contributions
from domain.risk.figure import NO_DISTRIBUTION, ONE_RETURN, TOO_LARGE, Absent
from domain.risk.measures import RiskMeasure
from domain.risk.model import RiskModel
from domain.risk.outcomes import Outcomes
from domain.risk.query import RiskQuery
from domain.risk.report import MeasureReport


def measure_report(
    query: RiskQuery,
    measure: RiskMeasure,
    outcomes: Outcomes | None,
    model: RiskModel | None,
    check_cancelled: CancellationCheck,
) -> MeasureReport:
    """A measure of the contract with its contributions, which come from the distribution and not from the model.

    Absent with a reason where the data has no such measure. Raises what `check_cancelled` raises.
    """
    check_cancelled()
    if model is None or (outcomes is not None and not outcomes.is_known):
        return MeasureReport(measure, Absent(ONE_RETURN))
    if outcomes is None or isinstance(query.data, Moments):
        return _of_moments(query, measure, model)
    try:
        return _of_distribution(query, query.data.values, measure, outcomes)
    except NotSupported as error:
        return MeasureReport(measure, Absent(error.message))


def _of_moments(query: RiskQuery, measure: RiskMeasure, model: RiskModel) -> MeasureReport:
    """Moments alone have a variance and a standard deviation, and no other measure."""
    if not measure.is_quadratic:
        return MeasureReport(measure, Absent(NO_DISTRIBUTION))
    annual, root = model.contributions(query.weights), query.periods_per_year**0.5
    found = RiskContributions(annual.marginal / root, annual.by_asset / root, annual.total / root)
    if measure is RiskMeasure.VARIANCE:
        found = RiskContributions(2.0 * found.total * found.marginal, found.total * found.by_asset, found.total**2)
    return MeasureReport(measure, found.total, found, group_contributions(query, found))


def _of_distribution(query: RiskQuery, returns: Matrix, measure: RiskMeasure, outcomes: Outcomes) -> MeasureReport:
    contributions = measure_contributions(measure, returns, query.weights, outcomes, query.confidence_level)
    if not np.isfinite(contributions.total):
        return MeasureReport(measure, Absent(TOO_LARGE))
    return MeasureReport(
        measure,
        contributions.total,
        contributions,
        group_contributions(query, contributions),
        _measure_factors(query, measure, outcomes, contributions.total),
    )


def _measure_factors(
    query: RiskQuery, measure: RiskMeasure, outcomes: Outcomes, total: float
) -> tuple[GroupContribution, ...]:
    if query.factors is None:
        return ()
    exposures: Vector = query.factors.exposures.T @ query.weights
    explained = measure_contributions(measure, query.factors.factors, exposures, outcomes, query.confidence_level)
    return by_factor(query.factors.names, exposures, explained.by_asset, total)


def group_contributions(query: RiskQuery, contributions: RiskContributions) -> tuple[GroupContribution, ...]:
    """Contributions of the query's groups, and last of the assets in none; empty without groups."""
    return () if not query.groups else by_group(contributions, query.weights, query.groups)

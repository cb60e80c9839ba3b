"""AnalyzeRisk: builds a query, computes the report, then the requested parts around it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.market_data.missing import MissingData
from domain.market_data.panel import Days, PricePanel, ReturnPanel
from domain.market_data.source import MarketInput
from domain.portfolio import Portfolio, weights_by_symbol
from domain.records import dataclass
from domain.risk.analyzer import analyze
from domain.risk.correlation import CorrelationClusters, cluster
from domain.risk.factors import FactorDecomposition
from domain.risk.figure import Absent
from domain.risk.outcomes import Outcomes
from domain.risk.query import RiskQuery, risk_model
from domain.risk.report import RiskReport
from domain.risk.rolling import Rolling, RollingFigure, RollingSettings, rolling_figure
from domain.risk.specification import RiskSpecification, build_query
from domain.risk.stress import StressedPortfolio, StressResult
from domain.risk.validation.request import Validated, validated

MOST_ASSET_RESULTS = 30_000
"""Assets of all scenarios together, so that an answer stays a message of 4 MiB."""


@dataclass(frozen=True, slots=True)
class RollingSeries:
    """A figure over time; NaN where it is not defined."""

    figure: RollingFigure
    dates: Days
    values: Vector


@dataclass(frozen=True, slots=True)
class RiskAssessment:
    """The report and its optional parts; None or empty where a part was not requested."""

    report: RiskReport
    missing: MissingData | None
    returns: ReturnPanel | None  # the dates of the drawdowns and of the exceptions
    factors: FactorDecomposition | None = None
    clusters: CorrelationClusters | None = None
    rolling: tuple[RollingSeries, ...] = ()
    stress: tuple[StressResult, ...] = ()
    proposed: RiskReport | None = None
    validation: Validated | None = None


def assess(
    specification: RiskSpecification,
    data: MarketInput,
    benchmark: PricePanel | ReturnPanel | None = None,
    check_cancelled: CancellationCheck = never_cancelled,
) -> RiskAssessment:
    """The report of a specification on data, with its optional parts.

    Raises InvalidInput with the field named, or NotSupported.
    """
    query, ready = build_query(specification, data, benchmark, check_cancelled)
    proposed = _proposed(specification, query.data.symbols)
    check_cancelled()
    report = analyze(query, check_cancelled)
    return RiskAssessment(
        report=report,
        missing=ready.missing,
        returns=ready.data if isinstance(ready.data, ReturnPanel) else None,
        factors=query.factors,
        clusters=_clusters(specification, report, check_cancelled),
        rolling=_rolling(specification.rolling, query, check_cancelled),
        stress=_stress(specification, query, proposed, ready.dropped, check_cancelled),
        proposed=None
        if proposed is None
        else analyze(replace(query, weights=proposed, measures=(), factors=None), check_cancelled),
        validation=_validation(specification, query, check_cancelled),
    )


def _proposed(specification: RiskSpecification, symbols: tuple[str, ...]) -> Vector | None:
    wanted: Mapping[str, float] | None = specification.proposed_weights
    if wanted is None:
        return None
    # What is held in units may be leveraged without a word, and so may what is proposed instead.
    leveraged = specification.leveraged or isinstance(specification.holdings, Portfolio)
    return weights_by_symbol("proposed_weights", wanted, symbols, leveraged=leveraged)


def _clusters(
    specification: RiskSpecification, report: RiskReport, check_cancelled: CancellationCheck
) -> CorrelationClusters | None:
    if specification.clustering is None or isinstance(report.correlation, Absent):
        return None
    varies = ~np.isnan(report.correlation.diagonal())
    return cluster(report.correlation[np.ix_(varies, varies)], specification.clustering, check_cancelled)


def _rolling(
    rolling: Rolling | None, query: RiskQuery, check_cancelled: CancellationCheck
) -> tuple[RollingSeries, ...]:
    if rolling is None:
        return ()
    if not isinstance(query.data, ReturnPanel):
        raise InvalidInput("rolling", "needs prices or returns as the input, with their dates")
    # By default all that the input is enough for: beside a benchmark only where both have a window of dates.
    known = query.comparison is not None and len(query.comparison.benchmark) >= rolling.window
    figures = rolling.figures or tuple(f for f in RollingFigure if known or not f.is_relative)
    return tuple(_rolled(figure, rolling.window, query, query.data, check_cancelled) for figure in figures)


def _rolled(
    figure: RollingFigure, window: int, query: RiskQuery, data: ReturnPanel, check_cancelled: CancellationCheck
) -> RollingSeries:
    dates, values, benchmark, period_fraction = data.dates, data.values, None, 1.0
    if figure.is_relative and query.comparison is not None and query.comparison.dates is not None:
        dates, values, benchmark = query.comparison.dates, query.comparison.assets, query.comparison.benchmark
        period_fraction = query.comparison.period_fraction
        if len(dates) < window:
            raise InvalidInput(
                "rolling.window",
                f"must be at most the number of common dates with the benchmark, {len(dates)}, is {window}",
            )
    outcomes = Outcomes.of_portfolio(values, query.weights)
    settings = RollingSettings(
        query.periods_per_year * period_fraction,
        query.confidence_level,
        query.risk_free_rate_annual / (query.periods_per_year * period_fraction),
        query.acceptable,
        outcomes.rounding,
    )
    return RollingSeries(
        figure,
        dates[window - 1 :],
        rolling_figure(figure, outcomes.returns, benchmark, window, settings, check_cancelled),
    )


def _stress(
    specification: RiskSpecification,
    query: RiskQuery,
    proposed: Vector | None,
    dropped: Days | None,
    check_cancelled: CancellationCheck,
) -> tuple[StressResult, ...]:
    if not specification.stress:
        return ()
    portfolio = StressedPortfolio(
        symbols=query.data.symbols,
        weights=query.weights,
        model=risk_model(query, check_cancelled),
        returns=query.data if isinstance(query.data, ReturnPanel) else None,
        start=query.start,
        dropped=dropped,
        proposed=proposed,
        groups=query.groups or {},
        factors=query.factors,
    )
    return portfolio.results(specification.stress, MOST_ASSET_RESULTS, check_cancelled)


def _validation(
    specification: RiskSpecification, query: RiskQuery, check_cancelled: CancellationCheck
) -> Validated | None:
    if specification.validation is None:
        return None
    if not isinstance(query.data, ReturnPanel):
        raise InvalidInput("validation", "needs prices or returns as the input, in the order of time")
    returns: Vector = query.data.values @ query.weights
    return validated(returns, specification.validation, query.confidence_level, query.decay, check_cancelled)

"""Risk reports as messages: a figure that is absent leaves its reason in `undefined`, under the field's name."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from absfinance.v1 import risk_pb2
from absfinance.v1.risk_service_pb2 import AnalyzeRiskResponse, AssetFraction

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput
from domain.market_data.missing import MissingData
from domain.risk.contribution import GroupContribution
from domain.risk.correlation import CorrelationClusters
from domain.risk.factors import FactorDecomposition
from domain.risk.figure import FLAT_ASSET, NEVER_FELL, NO_TIME, Absent, known
from domain.risk.flow import RiskAssessment, RollingSeries
from domain.risk.report import DatedDrawdown, MeasureReport, RiskReport
from server.converters.dates import civil_to_proto
from server.converters.optimization import add_contributions, repair_to_proto
from server.converters.stress import stress_to_proto
from server.converters.validation import validation_to_proto

MOST_CORRELATED = 500
"""Assets whose correlations fit beside the rest into a message of 4 MiB."""

MOST_BYTES = 4 * 2**20 - 1024
"""What a client takes by itself, less a little for the frame around it."""

TOO_LONG = "is left out: with it the answer would be longer than a message; EstimateRiskModel streams it"

TOO_MANY = f"is left out for more than {MOST_CORRELATED} assets: EstimateRiskModel streams it"


def assessment_to_proto(assessment: RiskAssessment, *, drawdown_series: bool) -> AnalyzeRiskResponse:
    """The whole answer."""
    report = assessment.report
    response = _report(report)
    if assessment.clusters is not None and "correlation" not in response.undefined:
        response.correlation.clusters.CopyFrom(_clusters(assessment.clusters))
    if drawdown_series and assessment.returns is None:
        response.undefined["drawdown_series"] = NO_TIME
    if drawdown_series and assessment.returns is not None:
        dates, depths = assessment.returns.dates.tolist(), report.drawdowns.depths.tolist()
        response.drawdown_series.CopyFrom(risk_pb2.DrawdownSeries(dates=dates, depths=depths))
    if assessment.factors is not None:
        response.factors.extend(assessment.factors.names)
        response.factor_exposures.extend(_exposures(assessment.factors, report.symbols))
    response.rolling.extend(_rolling(series) for series in assessment.rolling)
    response.stress.extend(stress_to_proto(result, report.symbols) for result in assessment.stress)
    if assessment.proposed is not None:
        response.proposed.CopyFrom(_headline(assessment.proposed, report))
    if assessment.validation is not None and assessment.returns is not None:
        response.validation.CopyFrom(validation_to_proto(assessment.validation, assessment.returns.dates))
    if assessment.missing is not None:
        response.missing_data.CopyFrom(missing_data_to_proto(assessment.missing))
    return _within_a_message(response)


def missing_data_to_proto(missing: MissingData) -> risk_pb2.MissingDataReport:
    """What was missing."""
    return risk_pb2.MissingDataReport(
        policy=f"MISSING_DATA_POLICY_{missing.policy}",
        missing_values=missing.values,
        dropped_dates=missing.dropped_dates,
        not_listed=missing.not_listed,
        halted=missing.halted,
        delisted=missing.delisted,
        rounds=missing.rounds,
    )


def _within_a_message(response: AnalyzeRiskResponse) -> AnalyzeRiskResponse:
    """Without the correlation where that makes the answer too long. Raises InvalidInput where the rest is."""
    if response.ByteSize() > MOST_BYTES and response.HasField("correlation"):
        response.ClearField("correlation")
        response.undefined["correlation"] = TOO_LONG
    if (size := response.ByteSize()) > MOST_BYTES:
        rule = f"makes an answer of {size / 2**20:.1f} MiB, a message holds 4; ask for fewer measures, or more calls"
        raise InvalidInput("measures", rule)
    return response


def _report(report: RiskReport) -> AnalyzeRiskResponse:
    response = AnalyzeRiskResponse(
        periods_per_year=report.periods_per_year,
        observations=report.observations,
        confidence_level=report.confidence_level,
        benchmark_observations=report.compared,
        benchmark_periods_per_year=report.compared_periods_per_year,
        quantile_method=report.quantile_method or "",
        covariance_repair=None if report.moments is None else repair_to_proto(report.moments),
    )
    for path, figure in report.figures.items():
        if isinstance(figure, Absent):
            response.undefined[path] = figure.reason
        else:
            _set(response, path, figure)
    for path, fractions in (
        ("skewness_fractions", report.skewness_fractions),
        ("kurtosis_fractions", report.kurtosis_fractions),
    ):
        if isinstance(fractions, Absent):
            response.undefined[path] = fractions.reason
        else:
            getattr(response, path).extend(_fractions(report.symbols, fractions))
    _add_drawdowns(response, report)
    _add_contributions(response, report)
    _add_correlation(response, report)
    return response


def _set(message: Any, path: str, figure: float) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        message = getattr(message, parent)
    setattr(message, name, figure)


def _add_drawdowns(response: AnalyzeRiskResponse, report: RiskReport) -> None:
    deepest = report.drawdowns.deepest
    if deepest is not None:
        response.max_drawdown_period.CopyFrom(_drawdown(deepest))
    elif not isinstance(report.drawdowns.max_drawdown, Absent):
        response.undefined["max_drawdown_period"] = NEVER_FELL
    response.worst_drawdowns.extend(_drawdown(fall) for fall in report.drawdowns.worst)


def _add_contributions(response: AnalyzeRiskResponse, report: RiskReport) -> None:
    weights = report.weights.tolist()
    if isinstance(report.contributions, Absent):
        response.undefined["contributions"] = report.contributions.reason
    else:
        add_contributions(response.contributions, report.symbols, weights, report.contributions)
    response.group_contributions.extend(_parts(report.groups))
    response.factor_contributions.extend(_parts(report.factors))
    for measure in report.measures:
        if isinstance(measure.value, Absent):
            response.undefined[f"measures[{measure.measure}]"] = measure.value.reason
        response.measures.append(_measure(measure, report.symbols, weights))


def _add_correlation(response: AnalyzeRiskResponse, report: RiskReport) -> None:
    if isinstance(report.correlation, Absent):
        response.undefined["correlation"] = report.correlation.reason
        return
    if len(report.symbols) > MOST_CORRELATED:
        response.undefined["correlation"] = TOO_MANY
        return
    correlation: Matrix = report.correlation
    varies = ~np.isnan(correlation.diagonal())
    response.correlation.symbols.extend(itertools.compress(report.symbols, varies))
    response.correlation.values.extend(correlation[np.ix_(varies, varies)].ravel())
    for symbol in itertools.compress(report.symbols, ~varies):
        response.undefined[f"correlation[{symbol}]"] = FLAT_ASSET


def _measure(measure: MeasureReport, symbols: tuple[str, ...], weights: list[float]) -> risk_pb2.MeasureReport:
    message = risk_pb2.MeasureReport(
        risk_measure=f"RISK_MEASURE_{measure.measure}",
        value=known(measure.value),
        groups=_parts(measure.groups),
        factors=_parts(measure.factors),
    )
    if measure.contributions is not None:
        add_contributions(message.contributions, symbols, weights, measure.contributions)
    return message


def _parts(parts: Sequence[GroupContribution]) -> Iterator[risk_pb2.GroupContribution]:
    for part in parts:
        yield risk_pb2.GroupContribution(
            name=part.name, weight=part.weight, contribution=part.contribution, fraction=part.fraction
        )


def _fractions(symbols: Sequence[str], fractions: Vector) -> Iterator[AssetFraction]:
    for symbol, fraction in zip(symbols, fractions.tolist(), strict=True):
        yield AssetFraction(symbol=symbol, fraction=fraction)


def _drawdown(fall: DatedDrawdown) -> risk_pb2.DrawdownPeriod:
    return risk_pb2.DrawdownPeriod(
        depth=fall.depth,
        peak_date=None if fall.peak is None else civil_to_proto(fall.peak),
        trough_date=civil_to_proto(fall.trough),
        recovery_date=None if fall.recovery is None else civil_to_proto(fall.recovery),
        periods=fall.periods,
        periods_to_trough=fall.periods_to_trough,
        periods_to_recovery=fall.periods_to_recovery,
        open=fall.recovery is None,
    )


def _clusters(clusters: CorrelationClusters) -> risk_pb2.CorrelationClusters:
    message = risk_pb2.CorrelationClusters(
        order=clusters.order.tolist(), cluster_by_symbol=clusters.cluster_by_asset.tolist()
    )
    for left, right, distance, size in clusters.tree.merges.tolist():
        message.merges.add(left=int(left), right=int(right), distance=distance, size=int(size))
    return message


def _exposures(factors: FactorDecomposition, symbols: Sequence[str]) -> Iterator[risk_pb2.AssetFactors]:
    for i, symbol in enumerate(symbols):
        explained = float(factors.r_squared[i])
        yield risk_pb2.AssetFactors(
            symbol=symbol,
            exposures=factors.exposures[i].tolist(),
            alpha=float(factors.alphas[i]),
            r_squared=None if np.isnan(explained) else explained,
            specific_variance=float(factors.specific_variances[i]),
        )


def _rolling(series: RollingSeries) -> risk_pb2.RollingSeries:
    return risk_pb2.RollingSeries(
        figure=f"ROLLING_FIGURE_{series.figure}",
        dates=series.dates.tolist(),
        values=series.values.tolist(),
    )


def _headline(proposed: RiskReport, now: RiskReport) -> risk_pb2.PortfolioFigures:
    return risk_pb2.PortfolioFigures(
        expected_return_annual=known(proposed.expected_return_annual),
        volatility_annual=known(proposed.dispersion.volatility_annual),
        sharpe=known(proposed.ratios.sharpe),
        value_at_risk=known(proposed.value_at_risk.historical),
        conditional_value_at_risk=known(proposed.conditional_value_at_risk.historical),
        max_drawdown=known(proposed.drawdowns.max_drawdown),
        turnover_one_way=0.5 * float(np.abs(proposed.weights - now.weights).sum()),
    )

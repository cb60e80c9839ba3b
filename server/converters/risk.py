"""Risk requests as commands, and reports as messages."""

import itertools

import numpy as np
from absfinance.v1 import risk_pb2
from absfinance.v1.risk_service_pb2 import AnalyzeRiskRequest, AnalyzeRiskResponse

from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.portfolio import Portfolio
from domain.risk.report import DrawdownDates, RiskReport
from domain.risk.specification import RiskSpecification
from server.converters.dates import civil_to_proto
from server.converters.market_input import (
    market_input_from_proto,
    missing_data_from_proto,
    prices_from_proto,
    returns_from_proto,
)
from server.converters.optimization import contributions_to_proto, repair_to_proto
from server.converters.paths import once_each, under
from server.converters.specification import DEFAULT_CONFIDENCE
from server.converters.weights import weights_from_proto
from server.ports import PriceSelection
from server.services.risk import Benchmark, RiskCommand


def risk_command_from_proto(request: AnalyzeRiskRequest) -> RiskCommand:
    """The command of a request. Raises InvalidInput."""
    periods = request.periods_per_year if request.HasField("periods_per_year") else None
    data, periods = market_input_from_proto(request, periods)
    specification = RiskSpecification(
        holdings=_portfolio(request) if request.holdings else weights_from_proto("weights", request.weights),
        confidence_level=request.confidence_level if request.HasField("confidence_level") else DEFAULT_CONFIDENCE,
        periods_per_year=periods,
        risk_free_rate_annual=request.risk_free_rate_annual,
        missing_data=missing_data_from_proto(request.missing_data),
        leveraged=request.allow_leverage,
    )
    return RiskCommand(data, specification, _benchmark(request, data))


def risk_report_to_proto(report: RiskReport) -> AnalyzeRiskResponse:
    """The report; what is None in it is absent."""
    relative = report.relative
    response = AnalyzeRiskResponse(
        periods_per_year=report.periods_per_year,
        observations=report.observations,
        confidence_level=report.confidence_level,
        expected_return_annual=report.expected_return_annual,
        volatility_per_period=report.volatility_per_period,
        volatility_annual=report.volatility_annual,
        sharpe=report.sharpe,
        value_at_risk=risk_pb2.ValueAtRisk(
            historical=report.value_at_risk.historical,
            gaussian=report.value_at_risk.gaussian,
            cornish_fisher=report.value_at_risk.cornish_fisher,
        ),
        conditional_value_at_risk=risk_pb2.ConditionalValueAtRisk(
            historical=report.conditional_value_at_risk.historical,
            gaussian=report.conditional_value_at_risk.gaussian,
        ),
        max_drawdown=None if report.drawdown is None else report.drawdown.depth,
        max_drawdown_period=_drawdown_period(report.drawdown_dates),
        skewness=report.skewness,
        excess_kurtosis=report.excess_kurtosis,
        beta_to_benchmark=None if relative is None else relative.beta,
        correlation_to_benchmark=None if relative is None else relative.correlation,
        tracking_error_annual=None if relative is None else relative.tracking_error_annual,
        information_ratio=None if relative is None else relative.information_ratio,
        undefined=report.undefined,
        quantile_method=report.quantile_method or "",
        covariance_repair=None if report.moments is None else repair_to_proto(report.moments),
    )
    if report.contributions is not None:
        weights = report.weights.tolist()
        response.contributions.extend(contributions_to_proto(report.symbols, weights, report.contributions))
    if report.correlation is not None:
        varies = ~np.isnan(report.correlation.diagonal())
        response.correlation.symbols.extend(itertools.compress(report.symbols, varies))
        response.correlation.values.extend(report.correlation[np.ix_(varies, varies)].ravel())
    return response


def _portfolio(request: AnalyzeRiskRequest) -> Portfolio:
    once_each("holdings", [holding.symbol for holding in request.holdings])
    return Portfolio({holding.symbol: holding.quantity for holding in request.holdings}, request.cash)


def _benchmark(request: AnalyzeRiskRequest, data: object) -> Benchmark | None:
    """A panel of the input's kind, or a stored symbol, which is prices."""
    if request.HasField("benchmark") and request.benchmark_symbol:
        raise InvalidInput("benchmark_symbol", "must not be given beside benchmark")
    if request.benchmark_symbol:
        if isinstance(data, PriceSelection):
            return PriceSelection((request.benchmark_symbol,), start=data.start, end=data.end, field=data.field)
        return PriceSelection((request.benchmark_symbol,))
    if not request.HasField("benchmark"):
        return None
    with under("benchmark"):
        if isinstance(data, ReturnPanel):
            return returns_from_proto(request.benchmark)
        if isinstance(data, PricePanel | PriceSelection):
            return prices_from_proto(request.benchmark)
        raise InvalidInput("", "needs prices or returns as the input, to compare date by date")


def _drawdown_period(dates: DrawdownDates | None) -> risk_pb2.DrawdownPeriod | None:
    if dates is None:
        return None
    return risk_pb2.DrawdownPeriod(
        peak_date=None if dates.peak is None else civil_to_proto(dates.peak),
        trough_date=civil_to_proto(dates.trough),
        recovery_date=None if dates.recovery is None else civil_to_proto(dates.recovery),
    )

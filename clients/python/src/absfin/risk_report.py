"""The answer to AnalyzeRisk as a plain frozen object."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from absfinance.v1.risk_measure_pb2 import RiskMeasure
from absfinance.v1.risk_pb2 import RollingFigure, StressResult
from absfinance.v1.risk_service_pb2 import AnalyzeRiskResponse
from numpy.typing import NDArray

from absfin.choices import plain_name
from absfin.results import ResultWarning, optional_figure, warnings_of


@dataclass(frozen=True, slots=True)
class RiskReport:
    """The risk of constant weights. A figure that is not defined is None, and `undefined` says why."""

    periods_per_year: float
    observations: int
    confidence_level: float
    expected_return_annual: float | None
    volatility_per_period: float | None
    volatility_annual: float | None
    sharpe: float | None
    value_at_risk: Mapping[str, float | None]  # by definition: historical, gaussian, ...
    conditional_value_at_risk: Mapping[str, float | None]
    max_drawdown: float | None
    skewness: float | None
    excess_kurtosis: float | None
    beta_to_benchmark: float | None
    correlation_to_benchmark: float | None
    tracking_error_annual: float | None
    information_ratio: float | None
    contributions: Mapping[str, float]
    symbols: tuple[str, ...]
    correlation: NDArray[np.float64]  # (N, N)
    figures: Mapping[str, float]  # every single figure that is defined, by its name in the contract
    measures: Mapping[str, Mapping[str, float]]  # measure -> symbol -> contribution
    rolling: Mapping[str, tuple[NDArray[np.int32], NDArray[np.float64]]]  # figure -> days since 1970-01-01, values
    stress: tuple[StressResult, ...]
    undefined: Mapping[str, str]
    warnings: tuple[ResultWarning, ...]
    proto: AnalyzeRiskResponse = field(repr=False)

    @classmethod
    def from_proto(cls, message: AnalyzeRiskResponse) -> "RiskReport":
        """From the response."""
        var, cvar = message.value_at_risk, message.conditional_value_at_risk
        symbols = tuple(message.correlation.symbols)
        return cls(
            periods_per_year=message.periods_per_year,
            observations=message.observations,
            confidence_level=message.confidence_level,
            expected_return_annual=optional_figure(message, "expected_return_annual"),
            volatility_per_period=optional_figure(message, "volatility_per_period"),
            volatility_annual=optional_figure(message, "volatility_annual"),
            sharpe=optional_figure(message, "sharpe"),
            value_at_risk={name.name: optional_figure(var, name.name) for name in var.DESCRIPTOR.fields},
            conditional_value_at_risk={name.name: optional_figure(cvar, name.name) for name in cvar.DESCRIPTOR.fields},
            max_drawdown=optional_figure(message, "max_drawdown"),
            skewness=optional_figure(message, "skewness"),
            excess_kurtosis=optional_figure(message, "excess_kurtosis"),
            beta_to_benchmark=optional_figure(message, "beta_to_benchmark"),
            correlation_to_benchmark=optional_figure(message, "correlation_to_benchmark"),
            tracking_error_annual=optional_figure(message, "tracking_error_annual"),
            information_ratio=optional_figure(message, "information_ratio"),
            contributions={entry.symbol: entry.contribution for entry in message.contributions},
            symbols=symbols,
            correlation=np.asarray(message.correlation.values).reshape(len(symbols), len(symbols)),
            figures={one.name: value for one, value in message.ListFields() if isinstance(value, float)},
            measures={
                plain_name(RiskMeasure, one.risk_measure): {
                    entry.symbol: entry.contribution for entry in one.contributions
                }
                for one in message.measures
            },
            rolling={
                plain_name(RollingFigure, one.figure): (
                    np.asarray(one.dates, np.int32),
                    np.asarray(one.values),
                )
                for one in message.rolling
            },
            stress=tuple(message.stress),
            undefined=dict(message.undefined),
            warnings=warnings_of(message),
            proto=message,
        )

    def _repr_html_(self) -> str:
        """Figures and tables, for a notebook."""
        from absfin.notebook import html_of_result  # which is built from results

        return html_of_result(self)

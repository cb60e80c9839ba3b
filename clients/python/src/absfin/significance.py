"""How far the figures of a backtest can be trusted, and comparisons of strategies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from absfinance.v1.risk_service_pb2 import CompareStrategiesResponse
from absfinance.v1.statistical_validation_pb2 import StatisticalValidation as StatisticalValidationProto
from absfinance.v1.statistical_validation_pb2 import StatisticalValidationOptions

from absfin.data import date_from_proto
from absfin.results import ResultWarning, optional_figure, warnings_of


def statistical_validation(
    resamples: int | None = None,
    *,
    timing_luck_offsets: int = 0,
    block_length: float | None = None,
    confidence_level: float | None = None,
    benchmark_sharpe_annual: float | None = None,
    sub_periods: int | None = None,
) -> StatisticalValidationOptions:
    """Asks a backtest for the figures that resample returns: 1000 times if None, in blocks of periods.

    `timing_luck_offsets` calendars are simulated too, each one date later than the one before.
    """
    return StatisticalValidationOptions(
        resamples=resamples,
        timing_luck_offsets=timing_luck_offsets,
        block_length=block_length,
        confidence_level=confidence_level,
        benchmark_sharpe_annual=benchmark_sharpe_annual,
        sub_periods=sub_periods,
    )


@dataclass(frozen=True, slots=True)
class SharpeDifference:
    """The Sharpe ratio of a strategy less that of a benchmark, per period (Ledoit and Wolf 2008)."""

    difference: float
    standard_error: float
    p_value: float  # of no difference, two-sided
    p_values: Mapping[str, float]  # by method
    observations: int


@dataclass(frozen=True, slots=True)
class StatisticalValidation:
    """How far a Sharpe ratio can be trusted. A figure that is not defined is None, and `undefined` says why."""

    probabilistic_sharpe: float | None  # probability that the true ratio is above the one asked for
    minimum_track_record_periods: float | None
    sharpe_annual: float | None
    sharpe_intervals: Mapping[str, tuple[float, float]]  # by method, annual
    sharpe_differences: Mapping[str, SharpeDifference]  # by benchmark
    sub_periods: tuple[tuple[date, date, float | None], ...]  # first and last date, annual Sharpe ratio
    sub_period_p_value: float | None  # of equal ratios
    timing_luck: Mapping[int, float]  # total return by the dates by which decisions are later
    expected_max_drawdown: float | None  # mean over resampled paths, a positive fraction
    block_length: float | None  # periods
    undefined: Mapping[str, str]
    proto: StatisticalValidationProto = field(repr=False)

    @classmethod
    def from_proto(cls, message: StatisticalValidationProto) -> "StatisticalValidation":
        """From the message."""
        return cls(
            probabilistic_sharpe=optional_figure(message, "probabilistic_sharpe"),
            minimum_track_record_periods=optional_figure(message, "minimum_track_record_periods"),
            sharpe_annual=optional_figure(message, "sharpe_annual"),
            sharpe_intervals={one.method: (one.lower, one.upper) for one in message.sharpe_intervals},
            sharpe_differences={one.benchmark: _difference(one) for one in message.sharpe_differences},
            sub_periods=tuple(
                (
                    date_from_proto(one.start_date),
                    date_from_proto(one.end_date),
                    optional_figure(one, "sharpe_annual"),
                )
                for one in message.sub_periods
            ),
            sub_period_p_value=optional_figure(message, "sub_period_p_value"),
            timing_luck={one.offset: one.total_return for one in message.timing_luck.outcomes},
            expected_max_drawdown=optional_figure(message.drawdown, "mean"),
            block_length=optional_figure(message, "block_length"),
            undefined=dict(message.undefined),
            proto=message,
        )


def _difference(message: Any) -> SharpeDifference:
    return SharpeDifference(
        difference=message.difference,
        standard_error=message.standard_error,
        p_value=message.p_value,
        p_values={one.method: one.p_value for one in message.estimates if one.HasField("p_value")},
        observations=message.observations,
    )


@dataclass(frozen=True, slots=True)
class StrategyComparison:
    """Whether any strategy beats the benchmark, the number of strategies considered.

    A figure that is not defined is None, and `undefined` says why. Sharpe ratios are per period.
    """

    best: str  # label of the strategy with the highest Sharpe ratio
    best_sharpe: float
    sharpe: Mapping[str, float]  # of every strategy
    superior: tuple[str, ...]  # labels of the strategies that beat the benchmark (Romano and Wolf 2005)
    spa: tuple[float, float, float] | None  # p-values of Hansen 2005: lower, consistent, upper
    deflated_sharpe: float | None
    deflated_sharpe_effective: float | None  # with the effective number of trials
    probability_of_overfitting: float | None
    probability_of_loss: float | None
    degradation_slope: float | None
    trial_count: int
    effective_trial_count: float
    minimum_backtest_periods: float | None
    block_length: float | None  # periods
    undefined: Mapping[str, str]
    warnings: tuple[ResultWarning, ...]
    proto: CompareStrategiesResponse = field(repr=False)

    @classmethod
    def from_proto(cls, message: CompareStrategiesResponse) -> "StrategyComparison":
        """From the response."""
        spa = message.spa
        names = (
            "deflated_sharpe",
            "deflated_sharpe_effective",
            "probability_of_overfitting",
            "probability_of_loss",
            "degradation_slope",
            "minimum_backtest_periods",
            "block_length",
        )
        figures: dict[str, Any] = {name: optional_figure(message, name) for name in names}
        return cls(
            best=message.best,
            best_sharpe=message.best_sharpe,
            sharpe={one.label: one.sharpe for one in message.trials},
            superior=tuple(message.step_m),
            spa=(spa.lower, spa.consistent, spa.upper) if message.HasField("spa") else None,
            trial_count=message.trial_count,
            effective_trial_count=message.effective_trial_count,
            undefined=dict(message.undefined),
            warnings=warnings_of(message),
            proto=message,
            **figures,
        )

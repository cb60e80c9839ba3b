"""Statistical validation of a backtest on the wire."""

from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.statistical_validation_pb2 import StatisticalValidation

from domain.backtest.result import StrategyOutcome
from domain.market_data.panel import civil_date
from domain.risk.figure import Absent, known, times
from domain.significance.settings import ValidationSettings
from domain.significance.sharpe_difference import SharpeDifference
from domain.significance.validation import NamedDifference, Validation
from server.converters.comparison import basis_to_proto
from server.converters.dates import civil_to_proto
from server.converters.paths import error_path


def validation_settings_from_proto(request: BacktestRequest) -> ValidationSettings:
    """What to compute: formulas alone where the message is absent. Raises InvalidInput with the field's path."""
    if not request.analysis.HasField("statistical_validation"):
        return ValidationSettings(seed=request.seed)
    options, usual = request.analysis.statistical_validation, ValidationSettings()
    given = {
        name: getattr(options, name) if options.HasField(name) else getattr(usual, name)
        for name in ("resamples", "block_length", "confidence_level", "benchmark_sharpe_annual", "sub_periods")
    }
    with error_path("analysis.statistical_validation"):
        return ValidationSettings(
            is_resampled=True, timing_luck_offsets=options.timing_luck_offsets, seed=request.seed, **given
        )


def validation_to_proto(outcome: StrategyOutcome) -> StatisticalValidation | None:
    """The figures of a strategy that are defined, and why others are not; None for a benchmark."""
    found = outcome.validation
    if found is None:
        return None
    message = StatisticalValidation(
        probabilistic_sharpe=known(found.probabilistic_sharpe),
        minimum_track_record_periods=known(found.minimum_track_record_periods),
        sharpe_annual=known(found.sharpe_annual),
        block_length=known(found.block_length),
        resamples=found.resamples,
        confidence_level=found.confidence_level,
        sharpe_intervals=[
            StatisticalValidation.SharpeInterval(method=one.method, lower=one.lower, upper=one.upper)
            for one in found.sharpe_intervals
        ],
        sharpe_differences=[_difference(one) for one in found.sharpe_differences],
        bases=[basis_to_proto(one) for one in found.bases],
        undefined=found.undefined,
    )
    _add_sub_periods(message, found)
    _add_drawdown(message, found)
    _add_timing_luck(message, outcome)
    return message


def _difference(named: NamedDifference) -> StatisticalValidation.SharpeDifference:
    found: SharpeDifference = named.difference
    return StatisticalValidation.SharpeDifference(
        benchmark=named.benchmark,
        difference=found.difference,
        standard_error=known(found.preferred.standard_error),
        p_value=known(found.preferred.p_value),
        estimates=[
            StatisticalValidation.SharpeDifference.Estimate(
                method=one.method, standard_error=known(one.standard_error), p_value=known(one.p_value)
            )
            for one in found.estimates
        ],
        observations=found.observations,
        block_length=known(found.block_length),
        difference_annual=found.difference * named.periods_per_year**0.5,
    )


def _add_sub_periods(message: StatisticalValidation, found: Validation) -> None:
    if found.stability is None:
        return
    for part, (start, end) in zip(found.stability.parts, found.part_days, strict=True):
        message.sub_periods.add(
            start_date=civil_to_proto(civil_date(start)),
            end_date=civil_to_proto(civil_date(end)),
            observations=part.observations,
            sharpe_annual=known(times(part.ratio, found.periods_per_year**0.5)),
        )
    if (p_value := known(found.stability.p_value)) is not None:
        message.sub_period_p_value = p_value


def _add_drawdown(message: StatisticalValidation, found: Validation) -> None:
    if found.drawdown is None:
        return
    one = found.drawdown
    message.drawdown.CopyFrom(
        StatisticalValidation.DrawdownExpectation(
            mean=one.mean,
            lower=one.lower,
            upper=one.upper,
            observed=one.observed,
            deeper_fraction=one.deeper,
            paths=one.paths,
        )
    )


def _add_timing_luck(message: StatisticalValidation, outcome: StrategyOutcome) -> None:
    luck = outcome.timing_luck
    if luck is None:
        return
    if isinstance(luck, Absent):
        message.undefined["timing_luck"] = luck.reason
        return
    message.timing_luck.lowest, message.timing_luck.highest = luck.lowest, luck.highest
    message.timing_luck.median = luck.median
    for offset, total_return in luck.outcomes:
        message.timing_luck.outcomes.add(offset=offset, total_return=total_return)
    for offset, reason in luck.undefined.items():
        message.undefined[f"timing_luck.{offset}"] = reason
    if luck.band is not None:
        band = message.timing_luck.band
        band.dates.extend(luck.band.days)
        for name in ("chosen", "lowest", "median", "highest"):
            getattr(band, name).extend(getattr(luck.band, name))

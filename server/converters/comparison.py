"""CompareStrategies on the wire."""

from absfinance.v1.risk_service_pb2 import CompareStrategiesRequest, CompareStrategiesResponse
from absfinance.v1.statistical_validation_pb2 import FigureBasis as FigureBasisProto
from absfinance.v1.statistical_validation_pb2 import SuperiorPredictiveAbility

from domain.risk.figure import known
from domain.significance.basis import FigureBasis
from domain.significance.comparison import SIGNIFICANCE, Comparison, ComparisonSettings
from domain.significance.overfitting import SEGMENTS
from domain.significance.settings import RESAMPLES
from server.commands.comparison import ComparisonCommand
from server.converters.market_input import returns_from_proto
from server.converters.paths import error_path
from server.converters.warning import warnings_to_proto
from server.converters.weights import optional_field


def comparison_command_from_proto(request: CompareStrategiesRequest) -> ComparisonCommand:
    """The command of a request. Raises InvalidInput with the field's path."""
    settings = ComparisonSettings(
        resamples=request.resamples if request.HasField("resamples") else RESAMPLES,
        block_length=optional_field(request, "block_length"),
        seed=request.seed,
        significance_level=request.significance_level if request.HasField("significance_level") else SIGNIFICANCE,
        segments=request.segments if request.HasField("segments") else SEGMENTS,
    )
    with error_path("returns"):
        returns = returns_from_proto(request.returns)
    benchmark = None
    if request.HasField("benchmark"):
        with error_path("benchmark"):
            benchmark = returns_from_proto(request.benchmark)
    return ComparisonCommand(returns, benchmark, settings)


def comparison_to_proto(found: Comparison) -> CompareStrategiesResponse:
    """The figures that are defined, and why others are not."""
    response = CompareStrategiesResponse(
        step_m=found.superior,
        trial_count=len(found.trials),
        effective_trial_count=found.effective_trial_count,
        best=found.best,
        best_sharpe=found.best_sharpe,
        minimum_backtest_periods=known(found.minimum_backtest_periods),
        observations=found.observations,
        resamples=found.resamples,
        block_length=known(found.block_length),
        trials=[
            CompareStrategiesResponse.Trial(
                label=one.label,
                mean=one.mean,
                sharpe=one.sharpe,
                mean_difference=one.mean_active,
                statistic=known(one.statistic),
            )
            for one in found.trials
        ],
        bases=[basis_to_proto(one) for one in found.bases],
        undefined=found.undefined,
        warnings=warnings_to_proto(found.warnings),
    )
    _add_ability(response, found)
    _add_deflated(response, found)
    _add_overfitting(response, found)
    return response


def basis_to_proto(basis: FigureBasis) -> FigureBasisProto:
    """What a figure was computed from."""
    return FigureBasisProto(
        figure=basis.figure,
        returns=basis.returns,
        observations=basis.observations,
        convention=basis.convention,
    )


def _add_ability(response: CompareStrategiesResponse, found: Comparison) -> None:
    if found.ability is not None:
        ability = found.ability
        response.spa.CopyFrom(
            SuperiorPredictiveAbility(lower=ability.lower, consistent=ability.consistent, upper=ability.upper)
        )


def _add_deflated(response: CompareStrategiesResponse, found: Comparison) -> None:
    if found.deflated is None or found.deflated_effective is None:
        return
    response.expected_maximum_sharpe = found.deflated.expected_maximum
    response.expected_maximum_sharpe_effective = found.deflated_effective.expected_maximum
    for name, figure in (
        ("deflated_sharpe", found.deflated.probability),
        ("deflated_sharpe_effective", found.deflated_effective.probability),
    ):
        if (value := known(figure)) is not None:
            setattr(response, name, value)


def _add_overfitting(response: CompareStrategiesResponse, found: Comparison) -> None:
    if found.overfitting is None:
        return
    response.probability_of_overfitting = found.overfitting.probability
    response.probability_of_loss = found.overfitting.probability_of_loss
    response.combination_count = found.overfitting.combinations
    if (slope := known(found.overfitting.degradation_slope)) is not None:
        response.degradation_slope = slope
